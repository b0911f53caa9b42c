"""What the log tells, and what it never does: canaries in every secret and in all that is sent."""

import json
import logging
import os
import re
import subprocess
import sys
from datetime import date
from http.client import HTTPConnection
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import structlog
from attrs import frozen
from click.testing import CliRunner
from dependency_injector import providers

from ree.adapters.client_keys import entry, new_client_key
from ree.adapters.market_api import HttpMarket
from ree.adapters.sandbox.faults import Faults
from ree.adapters.sandbox.running import running
from ree.adapters.sandbox.simulator import SimulatedMarket
from ree.adapters.seal import generate_keys
from ree.adapters.settings import PREFIX, load_settings
from ree.container import Container
from ree.domain.errors import MarketUnavailable
from ree.domain.turnover import Period
from ree.entrypoints.api import create_app
from ree.entrypoints.cli import cli
from ree.entrypoints.logs import configure_logs
from ree.entrypoints.worker import create_worker

from ..servers.access import Access
from ..servers.rabbitmq import RabbitMQ
from ..servers.seaweedfs import SeaweedFS
from .celery_process import Group, celery
from .service import DEADLINE, HOME, Service, environment, until

SRC = Path(__file__).parents[2] / "src"
DOCUMENT = Path(__file__).parents[2] / "docs" / "logs.md"
FORMATS = ("json", "console")
PRIVATE, PUBLIC = generate_keys()
CLIENT_KEY = new_client_key()
MARKET_KEY = 'market-"canary"-41c7'
BROKER_PASSWORD = "broker/canary-52d8"
BROKER = "amqp://ree:broker%2Fcanary-52d8@127.0.0.1:9/"
S3 = Access("")
SECRETS = {
    "signing key": PRIVATE,
    "client key": CLIENT_KEY,
    "client key's hash": entry("web", CLIENT_KEY).partition(":")[2],
    "market key": MARKET_KEY,
    "broker's password": BROKER_PASSWORD,
    "broker's password, quoted": "broker%2Fcanary-52d8",
    "S3 key": S3.access_key,
    "S3 secret": S3.secret_key,
}
KNOWN = [value for name, value in SECRETS.items() if name != "client key"]
"""All but what clients alone have."""
EMAIL, QUERY, COOKIE, AGENT = "kari@canary.example", "canary-query", "canary-cookie", "canary-agent"
PROPERTY = "Canary gate 7, Kari Nordmann"
LAT, LON = 59.2098765, 9.5841234
FORWARDED, CLIENT, V6 = "203.0.113.77", "127.0.0.77", "2001:db8::77"
SENT = {
    "email": EMAIL, "query": QUERY, "cookie": COOKIE, "agent": AGENT, "property": "Canary gate",
    "lat": "59.20987", "lon": "9.58412", "forwarded": FORWARDED, "client": CLIENT, "v6": V6,
}  # fmt: skip
DAY = "valuation_date=2025-04-01"
HEADERS = {
    "X-Request-Id": EMAIL,
    "User-Agent": AGENT,
    "Cookie": f"session={COOKIE}",
    "X-Forwarded-For": f"{FORWARDED}, {V6}",
    "Forwarded": f'for="[{V6}]"',
    "Content-Type": "application/json",
}
KEYED = HEADERS | {"Authorization": f"Bearer {CLIENT_KEY}"}
BODY = json.dumps({PROPERTY: HOME | {"lat": LAT, "lon": LON}})
ADDRESS = re.compile(r"(?<![\d.])(?!127\.0\.0\.1(?![\d]))\d{1,3}(?:\.\d{1,3}){3}(?![\d.])")
COORDINATE = re.compile(r"(?<![:\d])(?:5[7-9]|6\d|7[01])\.\d{4,}")
LIBRARIES = (
    "botocore",
    "urllib3",
    "httpx",
    "Current configuration",
    "X-Amz",
    "x-amz",
    "Signature=",
)


def tells_nothing(text: str) -> None:
    """Neither a secret nor what was sent; it fails with what was found, not with where."""
    known = SECRETS | SENT
    forms = {
        name: {value, json.dumps(value)[1:-1], repr(value)[1:-1]} for name, value in known.items()
    }
    assert [name for name, each in forms.items() if any(form in text for form in each)] == []
    assert ADDRESS.findall(text) == []
    assert COORDINATE.findall(text) == []
    assert [name for name in LIBRARIES if name in text] == []


@frozen
class Told:
    """What a retrain and a service wrote to standard error."""

    retrain: str
    service: str
    report_id: str
    version: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Of both; only where they are JSON."""
        return [json.loads(line) for line in (self.retrain + self.service).splitlines()]


@pytest.fixture(scope="module")
def settings(seaweedfs: SeaweedFS, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Canaries in all of them; the buckets are made."""
    for kind in ("models", "snapshots"):
        seaweedfs.writer.new_store(f"discretion-{kind}").close()
    given = {
        "storage": "s3",
        "s3_endpoint": seaweedfs.writer.endpoint,
        "s3_access_key": seaweedfs.writer.access_key,
        "s3_secret_key": seaweedfs.writer.secret_key,
        "s3_bucket_models": "discretion-models",
        "s3_bucket_snapshots": "discretion-snapshots",
        "api_key": MARKET_KEY,
        "signing_key": PRIVATE,
        "verify_keys": PUBLIC,
        "client_keys": entry("web", CLIENT_KEY),
        "celery_broker_url": BROKER,
        "train_min_rows": "50",
        "env": "production",
        "log_level": "DEBUG",
    }
    return {PREFIX + name.upper(): value for name, value in given.items()}


@pytest.fixture(scope="module")
def retrained(settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a retrain for `--json` wrote to standard error."""
    folder = tmp_path_factory.mktemp("retrain")
    market = SimulatedMarket(turnovers_per_month=300)
    with running(market, faults=Faults(require_key=MARKET_KEY)) as sandbox:
        done = subprocess.run(
            [sys.executable, "-m", "ree.entrypoints.cli", "retrain", "--json", "--estimator",
             "fast", "--start-date", "2025-01-01", "--end-date", "2025-03-31"],
            cwd=folder,
            env=environment(folder, settings | {"REE_API_BASE_URL": sandbox.base_url})
            | {"OMP_NUM_THREADS": "1"},
            capture_output=True, text=True, check=False, timeout=DEADLINE,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout)["activated"] is True
    return done.stderr


@pytest.fixture(scope="module", params=FORMATS)
def told(
    request: pytest.FixtureRequest,
    settings: dict[str, str],
    retrained: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Told:
    folder = tmp_path_factory.mktemp("service")
    own = settings | {"REE_LOG_FORMAT": request.param}
    with Service(folder, own, workers=1) as service:
        service.lines("model_loaded", 1)
        answers = [
            asked(service.port, *each)
            for each in (
                ("GET", "/ready", HEADERS),
                ("POST", f"/estimate?{DAY}&on_invalid={QUERY}", KEYED, BODY),
                ("POST", f"/estimate?{DAY}&explain=true", KEYED, BODY),
                ("POST", f"/estimate?valuation_date={QUERY}", KEYED, BODY),
                ("POST", f"/estimate?{DAY}", KEYED | {"X-Request-Id": "priced-1"}, BODY),
                ("POST", f"/estimate?{DAY}", KEYED, BODY.replace("2016", '"x"')),
                ("POST", "/estimate", KEYED, BODY[:-3]),
                ("POST", "/estimate", HEADERS, BODY),
                ("POST", "/estimate", HEADERS | {"X-Api-Key": "wrong-" + COOKIE}, BODY),
                ("GET", f"/{EMAIL}/{LAT}/{LON}?{QUERY}", KEYED),
                ("GET", "/model/report", KEYED),
                ("GE T", f"/{EMAIL}", KEYED),
            )
        ]
        service.lines("request_refused", 1)
    assert [status for status, _ in answers] == [
        200, 422, 200, 422, 200, 422, 400, 401, 401, 404, 200, 400
    ]  # fmt: skip
    assert service.printed == ""
    version = re.findall("[0-9]{8}-[0-9]{6}-[0-9a-f]{8}", retrained.splitlines()[-1])[-1]
    log = "".join(line for _, line in service.log)
    return Told(retrained, log, answers[-2][1], version)


def asked(
    port: int, method: str, path: str, headers: dict[str, str], body: str | None = None
) -> tuple[int, str]:
    """The status and the request id, asked from an address that is not the server's."""
    connection = HTTPConnection("127.0.0.1", port, DEADLINE, (CLIENT, 0))
    connection._validate_method = lambda _: None  # type: ignore[attr-defined]
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.headers["X-Request-Id"]
    finally:
        connection.close()


def test_the_whole_path_tells_nothing(told: Told) -> None:
    tells_nothing(told.retrain + told.service)
    assert told.retrain.count("storage_call") > 20
    assert told.retrain.count("market_call") > 5


def test_every_line_of_a_run_has_its_ids(retrained: str) -> None:
    lines = [json.loads(line) for line in retrained.splitlines()]
    followed = lines[[line["event"] for line in lines].index("run_begun") :]
    end = [line["event"] for line in followed].index("run_ended") + 1
    assert {line.get("run_id") for line in followed[:end]} == {followed[0]["run_id"]}
    assert {"storage_call", "market_call"} <= {line["event"] for line in followed}
    [published] = [
        place for place, line in enumerate(followed) if line["event"] == "version_published"
    ]
    version = followed[published]["model_version"]
    assert {line.get("model_version") for line in followed[:published]} == {None}
    assert {line.get("model_version") for line in followed[published:end]} == {version}
    assert {"storage_call"} < {line["event"] for line in followed[published:end]}


def test_a_request_s_lines_have_its_ids(told: Told) -> None:
    of_report = [line for line in told.service.splitlines() if told.report_id in line]
    assert [bool(re.search("storage_call", line)) for line in of_report] == [True, True, False]
    [priced] = [line for line in told.service.splitlines() if "priced-1" in line]
    assert told.version in priced
    [loaded] = [line for line in told.service.splitlines() if "model_loaded" in line]
    assert "request_id" not in loaded
    assert told.version in loaded


@pytest.fixture
def stream(restored_logs: None) -> StringIO:
    return StringIO()


def ended(
    settings: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **others: str
) -> str:
    """All that a retrain wrote that failed in this process."""
    monkeypatch.chdir(tmp_path)
    env: dict[str, str | None] = {name: None for name in os.environ if name.startswith(PREFIX)}
    result = CliRunner().invoke(
        cli,
        ["retrain", "--start-date", "2024-06-01", "--end-date", "2024-06-30"],
        env=env | settings | {PREFIX + name.upper(): value for name, value in others.items()},
    )
    assert result.exit_code == 1
    return result.output


@pytest.mark.usefixtures("restored_logs")
@pytest.mark.parametrize("log_format", FORMATS)
@pytest.mark.parametrize("log_level", ["DEBUG", "INFO"])
@pytest.mark.parametrize("failure", ["S3 secret", "S3 key", "market 401", "defect"])
def test_failures_tell_nothing(
    settings: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    log_format: str,
    log_level: str,
    failure: str,
) -> None:
    with running(SimulatedMarket(), faults=Faults(require_key="another")) as sandbox:
        others = {"log_format": log_format, "log_level": log_level} | {
            "S3 secret": {"s3_secret_key": "wrong-" + S3.secret_key},
            "S3 key": {"s3_access_key": "WRONG" + S3.access_key},
            "market 401": {},
            "defect": {"storage": "filesystem"},
        }[failure]
        if failure == "defect":
            monkeypatch.setattr("ree.adapters.snapshots.ObjectSnapshots.newest", broken)
        output = ended(settings, tmp_path, monkeypatch, api_base_url=sandbox.base_url, **others)
    tells_nothing(output)
    assert "run_failed" in output
    assert {"S3 secret": "403", "S3 key": "403", "market 401": "401", "defect": "RuntimeError"}[
        failure
    ] in output
    if log_format == "json":
        assert all(json.loads(line) for line in output.splitlines())


def broken(*_: Any, **__: Any) -> Any:
    """A defect whose words are all that may not be told."""
    try:
        raise KeyError(BROKER, *KNOWN)
    except KeyError as error:
        raise RuntimeError(" ".join([*KNOWN, BROKER])) from error


@pytest.mark.parametrize("log_format", FORMATS)
@pytest.mark.parametrize("log_level", ["DEBUG", "INFO"])
def test_a_defect_in_the_service_tells_nothing(
    settings: dict[str, str], tmp_path: Path, stream: StringIO, log_format: str, log_level: str
) -> None:
    def defect(*_: Any, **__: Any) -> Any:
        try:
            broken()
        except RuntimeError as error:
            raise ValueError(*SECRETS.values(), *SENT.values()) from error

    own = settings | {"REE_STORAGE": "filesystem", "REE_STORAGE_PATH": str(tmp_path)}
    container = Container()
    given = load_settings(own, str(tmp_path / "none"))
    container.settings.override(providers.Object(given))
    container.bootstrap()(by="test")
    app = create_app(container)
    configure_logs(log_level, log_format, stream=stream, secrets=given.secrets)
    app.view_functions["ree.estimate"] = defect
    app.register_error_handler(404, defect)
    headers = KEYED | {"X-Request-Id": "r-1"}
    for method, path in (("POST", f"/estimate?{QUERY}"), ("GET", f"/{EMAIL}?{QUERY}")):
        answer = app.test_client().open(path, method=method, data=BODY, headers=headers)
        assert answer.status_code == 500
        tells_nothing(answer.text)
    log = stream.getvalue()
    tells_nothing(log)
    assert min(log.count(name) for name in ("ValueError", "RuntimeError", "KeyError")) >= 2
    assert log.count("r-1") == 4
    container.watched_model().stop()


@pytest.mark.parametrize("log_format", FORMATS)
def test_a_known_secret_is_masked_whoever_tells_it(
    settings: dict[str, str], stream: StringIO, log_format: str
) -> None:
    configure_logs("DEBUG", log_format, stream=stream, secrets=load_settings(settings).secrets)
    logging.getLogger("kombu").error("Cannot connect to %s", BROKER)
    log = structlog.get_logger("ree.any")
    for value in KNOWN:
        log.warning("told", value=value, nested=[{"deep": value}])
        log.warning(value)
    tells_nothing(stream.getvalue())
    assert stream.getvalue().count("***") >= 3 * len(KNOWN)


LOOSE = """
import json, os, signal
from logging import getLogger
from pathlib import Path
from celery.signals import worker_ready
from ree.adapters.orders import ObjectOrders
from ree.entrypoints.worker import app

def tell(**_):
    for name in sorted(os.environ):
        if name.startswith("REE_"):
            getLogger("kombu").error("%s is %s", name, os.environ[name])

def order(self, order_id):
    if order_id.endswith("1") and not Path("killed").exists():
        Path("killed").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    raise RuntimeError(*json.loads(os.environ["CANARIES"]), *os.environ.values())

worker_ready.connect(tell, weak=False)
ObjectOrders.order = order
"""
"""An application with a defect, of which a library tells what it should not."""
DEFECT, KILLED = "20260101-0000000000000000", "20260101-0000000000000001"


@pytest.mark.parametrize("log_format", FORMATS)
def test_a_worker_tells_nothing(
    settings: dict[str, str], rabbitmq: RabbitMQ, tmp_path: Path, log_format: str
) -> None:
    (tmp_path / "loose.py").write_text(LOOSE)
    others = {"log_format": log_format, "storage": "filesystem", "celery_broker_url": rabbitmq.url}
    own = settings | {PREFIX + name.upper(): value for name, value in others.items()}
    canaries = [*SECRETS.values(), *SENT.values(), LAT, LON, *SENT.values()]
    own |= {"PYTHONPATH": str(tmp_path), "CANARIES": json.dumps(canaries)}
    names = ("ree_request_id", "ree_run_id", "ree_asked_at", "origin", "shadow", "argsrepr")
    headers = dict.fromkeys(names, EMAIL)
    followed = {"ree_request_id": "it.7", "ree_run_id": "run.7"}
    with Group(celery("worker", "-c", "1", app="loose"), tmp_path / "here", own) as worker:
        until(lambda: "worker_ready" in written(worker), "ready")
        for canary in canaries:
            send(own, "ree.train", canary, headers=headers)
            send(own, "ree.retrain_range", canary, canary, headers=headers)
            send(own, "ree.retrain_rolling", None, canary, canary, canary)
            send(own, "ree.check_drift", kwargs={str(canary): canary})
        send(own, "ree.train", "x" * 5_000)
        send(own, "ree.train", DEFECT, headers=followed)
        send(own, "ree.train", KILLED, headers=followed)
        until(lambda: written(worker).count("task_failed") == 3 * len(canaries) + 3, "failed")
    log = written(worker)
    tells_nothing(log)
    assert log.count("***") > 4
    assert max(map(len, worker.written)) < 4_000
    assert log.count("task_refused") == len(canaries)
    assert "celery." not in log
    told = [line for line in worker.written if "it.7" in line and "run.7" in line]
    assert [event for line in told for event in ("task_failed", "task_lost") if event in line] == [
        "task_failed",
        "task_lost",
        "task_failed",
    ]
    assert all("ree.train" in line for line in told)


def written(group: Group) -> str:
    return "".join(group.written)


def send(settings: dict[str, str], name: str, *args: object, **options: Any) -> None:
    """To the worker with these settings."""
    app = create_worker(load_settings(settings, os.devnull))
    with app.connection_for_write() as connection:
        app.send_task(name, args, connection=connection, **options)


def test_libraries_have_no_line_below_a_warning(stream: StringIO) -> None:
    configure_logs("DEBUG", stream=stream)
    for name in ("botocore.auth", "gunicorn.error", "celery", "ree.any"):
        logger = logging.getLogger(name)
        before = logger.level
        logger.setLevel("DEBUG")
        for level in (logging.DEBUG, logging.INFO, logging.WARNING):
            logger.log(level, "%s %s", name, logging.getLevelName(level))
        logger.setLevel(before)
    assert re.findall(r"\] (\S+ \w+)$", stream.getvalue(), re.MULTILINE) == [
        "botocore.auth WARNING", "gunicorn.error INFO", "gunicorn.error WARNING",
        "celery WARNING", "ree.any DEBUG", "ree.any INFO", "ree.any WARNING",
    ]  # fmt: skip


def test_an_attempt_that_failed_is_told_without_what_was_asked(stream: StringIO) -> None:
    configure_logs("INFO", "json", stream=stream)
    market = HttpMarket.connect("http://127.0.0.1:9", MARKET_KEY, attempts=2, wait_max=0.001)
    with pytest.raises(MarketUnavailable):
        market.units([4711])
    with pytest.raises(MarketUnavailable):
        list(market.turnovers(Period(date(2025, 1, 1), date(2025, 1, 31))))
    market.close()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["level"], line["event"], line["outcome"]) for line in lines] == [
        ("warning", "market_call", "unavailable")
    ] * 4
    assert "4711" not in stream.getvalue()


# The document


def documented() -> dict[str, dict[str, Any]]:
    """The example of each event."""
    found = re.findall(r"^    (\{.*\})$", DOCUMENT.read_text("utf-8"), re.MULTILINE)
    return {line["event"]: line for line in map(json.loads, found)}


TOLD_OTHERWISE = {"request", "command_error", "command_warning", "task_broke", "worker_broke"}


def test_every_event_is_in_the_document() -> None:
    call = re.compile(r'\.(?:debug|info|warning|error|log)\(\s*(?:level, )?"([a-z_]+)"')
    written = {
        event for file in SRC.rglob("*.py") for event in call.findall(file.read_text("utf-8"))
    }
    events = DOCUMENT.read_text("utf-8").partition("## Events")[2]
    table = set(re.findall(r"^\| `([a-z_]+)` \|", events, re.MULTILINE))
    assert written | TOLD_OTHERWISE == table
    assert set(documented()) <= table


@pytest.mark.parametrize("told", ["json"], indirect=True)
def test_lines_are_as_the_document_shows_them(told: Told) -> None:
    written: dict[str, list[list[str]]] = {}
    for line in told.lines:
        written.setdefault(line["event"], []).append(list(line))
    examples = documented()
    assert {"request", "storage_call", "market_call", "run_ended", "model_loaded"} <= set(examples)
    assert {
        event: list(line) for event, line in examples.items() if list(line) not in written[event]
    } == {}
