"""Who asks whom in `deploy/compose.yaml`, and whether anybody is there to answer."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from documents import Document, document

UNASKED = {
    "chrislusf/seaweedfs": {"9333"},
    "rabbitmq": {"5672", "15672", "15692"},
    "prom/prometheus": {"9090"},
    "prom/pushgateway": {"9091"},
    "prom/alertmanager": {"9093"},
    "grafana/grafana": {"3000"},
}
"""Ports at which an image listens if it is told none."""
SERVED = {"http": "80", "https": "443", "amqp": "5672"}
_DEFAULT = re.compile(r"\$\{\w+:?-([^}]*)\}")
_VARIABLE = re.compile(r"\$\{[^}]*\}")
_ADDRESS = re.compile(r"(\w+)://(?:[^@/\s]*@)?([\w-]+)(?::(\d+))?(?=[/\s\"',]|$)")
_TOLD = re.compile(r"(?:--port[ =]|[.-]port=|_PORT=|web\.listen-address=\S*?:)(\d+)\b")
_LOOPBACK = re.compile(r"(?:127\.0\.0\.1|localhost)(?::|', )(\d+)")


class Asked(NamedTuple):
    """*who*, a text about a service, expects an answer of another one at a port."""

    who: str
    service: str
    host: str
    port: str


def faults(compose: Document, folder: Path) -> Iterator[str]:
    """Whom nobody answers: no service of this name, none at this port, none in the same network."""
    services = compose["services"]
    for who, service, host, port in (*_in_services(services), *_in_files(folder)):
        if host not in services or port not in _listen(services, host):
            yield f"{who} asks {host}:{port}, where no service listens"
        elif not _networks(services, service) & _networks(services, host):
            yield f"{who} asks {host}:{port}, and shares no network with it"
    for name, service in services.items():
        for port in _LOOPBACK.findall(str(service.get("healthcheck", {}).get("test", ""))):
            if port not in _listen(services, name):
                yield f"service {name} is asked for its health at {port}, where it does not listen"
        for port in _LOOPBACK.findall(_command(service)):
            if port not in _listen(services, name):
                yield f"service {name} asks its own {port}, where nobody listens"
        for port in _published(service):
            if port not in _listen(services, name):
                yield f"service {name} publishes {port}, where it does not listen"


def environment(service: Document) -> Document:
    """Of a service, whichever way it is written."""
    given = service.get("environment") or {}
    return dict(each.partition("=")[::2] for each in given) if isinstance(given, list) else given


def _in_services(services: Document) -> Iterator[Asked]:
    for name, service in services.items():
        for value in (_command(service), *map(str, environment(service).values())):
            plain = _VARIABLE.sub("x", _DEFAULT.sub(r"\1", value))
            for scheme, host, port in _ADDRESS.findall(plain):
                if host != "localhost":
                    yield Asked(f"service {name}", name, host, port or SERVED.get(scheme, ""))


def _in_files(folder: Path) -> Iterator[Asked]:
    """What Prometheus scrapes and tells, and what Grafana draws."""
    prometheus = document(folder / "compose" / "prometheus.yml")
    told = prometheus.get("alerting", {}).get("alertmanagers", ())
    for each in (*prometheus["scrape_configs"], *told):
        for targets in each.get("static_configs", ()):
            for target in targets["targets"]:
                host, _, port = target.partition(":")
                yield Asked("compose/prometheus.yml", "prometheus", host, port or "80")
    sources = document(folder / "compose" / "grafana" / "datasources.yml")["datasources"]
    for source in sources:
        for scheme, host, port in _ADDRESS.findall(source.get("url", "")):
            asked = port or SERVED.get(scheme, "")
            yield Asked("compose/grafana/datasources.yml", "grafana", host, asked)


def _listen(services: Document, name: str) -> set[str]:
    """The ports of a service and of those that share its network."""
    home = _home(services, name)
    return {
        port
        for other, service in services.items()
        if _home(services, other) == home
        for port in _ports(service)
    }


def _home(services: Document, name: str) -> str:
    _, _, other = services[name].get("network_mode", "").partition("service:")
    return _home(services, other) if other in services else name


def _ports(service: Document) -> set[str]:
    """What it is told; else what its image does."""
    command = _command(service)
    given = " ".join(f"{name}={value}" for name, value in environment(service).items())
    told = set(_TOLD.findall(f"{command} {given}"))
    if command.startswith("ree serve") and "REE_PORT=" not in given:
        told.add("8000")
    if "web.listen-address" in command:
        return told
    return told | UNASKED.get(str(service.get("image", "")).partition(":")[0], set())


def _command(service: Document) -> str:
    told = service.get("command") or ""
    return " ".join(map(str, told)) if isinstance(told, list) else str(told)


def _published(service: Document) -> Iterator[str]:
    """Inside of the container."""
    for each in service.get("ports", ()):
        inside = each["target"] if isinstance(each, dict) else str(each).rpartition(":")[2]
        yield str(inside).partition("/")[0]


def _networks(services: Document, name: str) -> set[str]:
    own = services[_home(services, name)]
    return set(own.get("networks", {"default"}))
