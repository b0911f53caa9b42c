"""Who asks whom in `deploy/compose.yaml`, and whether anybody is there to answer."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from documents import Document, document

UNASKED = {"rabbitmq": {"15692"}}
"""Ports that an image opens by itself, and that nothing here names."""
_ADDRESS = re.compile(r"(?://|@)([a-z][a-z0-9-]*):([0-9]+)")
_PORT = re.compile(r"[0-9]{2,5}")
_LOOPBACK = re.compile(r"127\.0\.0\.1:([0-9]+)|127\.0\.0\.1', ([0-9]+)")


class Asked(NamedTuple):
    """*who*, a text about a service, expects an answer of a service at a port."""

    who: str
    service: str
    host: str
    port: str


def faults(compose: Document, folder: Path) -> Iterator[str]:
    """Whom nobody answers: no service of this name, none at this port, none in the same network."""
    services = compose["services"]
    for who, service, host, port in (*_in_environments(services), *_in_files(folder)):
        if host not in services or port not in _listens(host, services[host]):
            yield f"{who} asks {host}:{port}, where no service listens"
        elif not _networks(services, service) & _networks(services, host):
            yield f"{who} asks {host}:{port}, and shares no network with it"
    for name, service in services.items():
        for port in _of_health(service):
            if port not in _listens(name, service):
                yield f"service {name} is asked for its health at {port}, where it does not listen"


def environment(service: Document) -> Document:
    """Of a service, whichever way it is written."""
    given = service.get("environment") or {}
    return dict(each.partition("=")[::2] for each in given) if isinstance(given, list) else given


def _in_environments(services: Document) -> Iterator[Asked]:
    for name, service in services.items():
        for value in environment(service).values():
            for host, port in _ADDRESS.findall(str(value)):
                yield Asked(f"service {name}", name, host, port)


def _in_files(folder: Path) -> Iterator[Asked]:
    """What Prometheus scrapes and tells, and what Grafana draws."""
    prometheus = document(folder / "compose" / "prometheus.yml")
    for each in (*prometheus["scrape_configs"], *prometheus["alerting"]["alertmanagers"]):
        for targets in each.get("static_configs", ()):
            for target in targets["targets"]:
                host, _, port = target.partition(":")
                yield Asked("compose/prometheus.yml", "prometheus", host, port)
    sources = document(folder / "compose" / "grafana" / "datasources.yml")["datasources"]
    for source in sources:
        for host, port in _ADDRESS.findall(source["url"]):
            yield Asked("compose/grafana/datasources.yml", "grafana", host, port)


def _listens(name: str, service: Document) -> set[str]:
    """The ports that are published, or named in its command or settings."""
    told = [service.get("command", ""), list(environment(service).values())]
    published = {str(port).rpartition(":")[2] for port in service.get("ports", ())}
    return published | set(_PORT.findall(str(told))) | UNASKED.get(name, set())


def _networks(services: Document, name: str) -> set[str]:
    """Who shares the network of another one is in those of the other."""
    _, _, other = services[name].get("network_mode", "").partition("service:")
    return _networks(services, other) if other else set(services[name].get("networks", ()))


def _of_health(service: Document) -> Iterator[str]:
    for found in _LOOPBACK.findall(str(service.get("healthcheck", {}).get("test", ""))):
        yield "".join(found)
