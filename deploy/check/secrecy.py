"""Secrets by reference only, and to each process what it needs; settings by their names, once."""

import re
from collections.abc import Iterator
from typing import Any

from documents import Document
from objects import Objects, containers, is_api, name_of, of_kind, pods

SECRET = {
    "REE_API_KEY",
    "REE_CELERY_BROKER_URL",
    "REE_CLIENT_KEYS",
    "REE_S3_ACCESS_KEY",
    "REE_S3_SECRET_KEY",
    "REE_SIGNING_KEY",
    "REE_VERIFY_KEYS",
}
"""Settings that come from the Secret alone."""
READER = {"REE_S3_ACCESS_KEY": "S3_READER_ACCESS_KEY", "REE_S3_SECRET_KEY": "S3_READER_SECRET_KEY"}
"""The API's, and where in the Secret they are."""
API_MAY_READ = {*READER.values(), "REE_VERIFY_KEYS", "REE_CLIENT_KEYS"}
"""Of the Secret, under whatever name."""
SECRETIVE = re.compile("PASS|SECRET|TOKEN|_KEY")


def secrets(objects: Objects) -> Iterator[str]:
    """No object holds one, and the API gets those that it reads with."""
    for each in of_kind(objects, "Secret"):
        yield f"{name_of(each)} would put a secret into the release"
    for each in of_kind(objects, "ConfigMap"):
        for name in sorted(each.get("data", {})):
            if name in SECRET or SECRETIVE.search(name):
                yield f"{name_of(each)} holds {name}"
    for owner, container in containers(objects):
        for name, given in _environment(container):
            reference = given.get("valueFrom", {}).get("secretKeyRef")
            if name in SECRET and reference is None:
                yield f"{owner} has {name} by another way than a secret"
            if SECRETIVE.search(name) and given.get("value"):
                yield f"{owner} has {name} by its value"
            key = (reference or {}).get("key")
            if is_api(owner) and key is not None and key not in API_MAY_READ:
                yield f"{owner} has {key}, which it has no use for"
            if is_api(owner) and name in READER:
                if key != READER[name]:
                    yield f"{owner} has {name} of who may write"
            elif name in SECRET and key not in (None, name):
                yield f"{owner} has {key} as its {name}"
        for source in container.get("envFrom", ()):
            if "secretRef" in source:
                yield f"{owner} has the whole secret {source['secretRef']['name']}"


def mounts(objects: Objects) -> Iterator[str]:
    """Of the Secret as a file, only what a container is to read there; the API reads none."""
    for owner, pod in pods(objects):
        for volume in pod["spec"].get("volumes", ()):
            if "secret" in volume and (is_api(owner) or not volume["secret"].get("items")):
                yield f"{owner} mounts more of a secret than it needs"


def environments(objects: Objects, settings: set[str]) -> Iterator[str]:
    """*settings* are the names of all that there are."""
    maps = {
        each["metadata"]["name"]: each.get("data", {}) for each in of_kind(objects, "ConfigMap")
    }
    for owner, container in containers(objects):
        names = [name for name, _ in _environment(container)]
        for source in container.get("envFrom", ()):
            reference = source.get("configMapRef", {}).get("name")
            if reference is not None and reference not in maps:
                yield f"{owner} has the settings of {reference}, which is not there"
            names += maps.get(reference, {})
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield f"{owner} is given {name} twice"
        for name in sorted(set(names) - settings):
            if name.startswith("REE_"):
                yield f"{owner} is given {name}, which is not a setting"


def _environment(container: Document) -> list[tuple[str, Any]]:
    return [(each["name"], each) for each in container.get("env", ())]
