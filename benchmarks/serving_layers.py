"""Where the time of one request goes inside the WSGI application: a sampling profile.

    python benchmarks/serving_layers.py BODIES PATH SECONDS

run by benchmarks/serving.py with the environment of a served ree. The application answers in this
process, without a server; every few milliseconds of CPU the stack is looked at, and the CPU since
the look before is laid to the layer of the innermost frame that belongs to one. So what a library
does, compiled or not, counts where ree called it, and what no frame of ree's stands above is
Flask's. Nothing is stubbed, and nothing is slowed down but by the samples.
"""

import io
import json
import signal
import sys
from collections import Counter
from collections.abc import Mapping
from http.client import OK
from pathlib import Path
from time import monotonic, process_time, sleep
from types import FrameType
from typing import Any

import ree

PACKAGE = str(Path(ree.__file__).parent)
EVERY = 0.002
"""Seconds of CPU between samples; the kernel may take a tick of its own."""
LAYERS: Mapping[str, tuple[str, ...]] = {
    "logs": ("entrypoints/logs", "entrypoints/api/access_log"),
    "metrics": ("entrypoints/api/metric",),
    "protection": ("entrypoints/api/every_request", "entrypoints/api/exchange",
                   "entrypoints/api/headers", "entrypoints/api/cors",
                   "entrypoints/api/client_keys", "entrypoints/api/rate_limit",
                   "adapters/client_keys"),
    "decode": ("entrypoints/api/body", "entrypoints/api/typed_body", "entrypoints/api/query",
               "adapters/strict_json"),
    "rules": ("domain/", "application/estimate_batch"),
    "features": ("adapters/features", "adapters/comparables", "adapters/hedonic",
                 "adapters/market", "adapters/frames", "adapters/table", "adapters/nearest",
                 "adapters/training_domain", "adapters/sold_places"),
    "kernel": ("adapters/tree", "adapters/boosted_trees", "adapters/conformal",
               "adapters/compiled"),
    "response": ("entrypoints/api/answers", "entrypoints/api/estimating", "adapters/codec",
                 "application/value_columns"),
    "rest of ree": ("",),
}  # fmt: skip
"""By the beginnings of modules' paths; the first that fits."""
FRAMEWORK = "Flask"


def layer(frame: FrameType | None) -> str:
    """Of the innermost frame that belongs to one, unless Flask was called from there."""
    while frame is not None and not frame.f_code.co_filename.endswith("flask/app.py"):
        if (path := frame.f_code.co_filename).startswith(PACKAGE):
            return layer_of(path[len(PACKAGE) + 1 :])
        frame = frame.f_back
    return FRAMEWORK


def layer_of(module: str) -> str:
    """Of a module's path below the package."""
    return next(name for name, starts in LAYERS.items() if module.startswith(starts))


class Sampler:
    """CPU seconds by layer."""

    def __init__(self) -> None:
        self.spent: Counter[str] = Counter()
        self._last = 0.0

    def start(self) -> None:
        """Begin; the main thread alone is looked at."""
        self._last = process_time()
        signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY)

    def stop(self) -> None:
        """End; no signal comes any more."""
        signal.setitimer(signal.ITIMER_PROF, 0)

    def _look(self, _: int, frame: FrameType | None) -> None:
        now = process_time()
        self.spent[layer(frame)] += now - self._last
        self._last = now


def profile(app: Any, bodies: list[bytes], path: str, seconds: float) -> dict[str, float]:
    """CPU us a request by layer; ValueError if an answer is not 200."""
    _await_model(app)
    _ask(app, bodies, path, len(bodies))
    sampler = Sampler()
    count, began = 0, process_time()
    sampler.start()
    while process_time() - began < seconds:
        _ask(app, bodies, path, 10)
        count += 10
    sampler.stop()
    total = process_time() - began
    seen = sum(sampler.spent.values())
    return {name: 1e6 * total * own / seen / count for name, own in sampler.spent.items()}


def _await_model(app: Any) -> None:
    """It is loaded in the background; ValueError after a minute."""
    client, until = app.test_client(), monotonic() + 60
    while client.get("/ready").status_code != OK:
        if monotonic() > until:
            raise ValueError("the application is not ready")
        sleep(0.1)


def _ask(app: Any, bodies: list[bytes], path: str, times: int) -> None:
    route, _, query = path.partition("?")
    told: list[str] = []

    def start(status: str, *_: Any) -> None:
        told.append(status)

    for number in range(times):
        body = bodies[number % len(bodies)]
        answer = app(_environ(route, query, body), start)
        b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
        if not told[-1].startswith("200"):
            raise ValueError(f"the application answered {told[-1]}")


def _environ(path: str, query: str, body: bytes) -> dict[str, Any]:
    """As a server makes it of a POST."""
    return {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_HOST": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }


def main() -> None:
    """Prints the layers as JSON."""
    bodies, path, seconds = sys.argv[1:]
    from ree.entrypoints.api import create_app

    lines = Path(bodies).read_bytes().splitlines()
    print(json.dumps(profile(create_app(), lines, path, float(seconds))))


if __name__ == "__main__":
    main()
