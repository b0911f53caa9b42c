"""What each container is there for: what it runs, what it has to be given, and whom it asks."""

import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

from objects import Objects, containers, name_of, of_kind, pods

S3 = {"REE_S3_ACCESS_KEY", "REE_S3_SECRET_KEY", "REE_S3_REGION"}
READS = S3 | {"REE_STORAGE", "REE_S3_BUCKET_MODELS", "REE_S3_BUCKET_SNAPSHOTS", "REE_VERIFY_KEYS"}
WRITES = READS | {"REE_SIGNING_KEY"}
ASKS = {"REE_CELERY_BROKER_URL", "REE_CELERY_TIMEZONE"}
CELERY = ("celery", "-A", "ree.entrypoints.worker")


class Role(NamedTuple):
    """What the arguments of a container begin with, have and have not, and what it needs."""

    runs: tuple[str, ...]
    needs: Collection[str] = ()
    has: Collection[str] = ()
    has_not: Collection[str] = ()


ROLES = {
    "api": Role(("ree", "serve"), READS),
    "training": Role(("ree", "retrain", "--previous-month"), WRITES | {"REE_API_BASE_URL"}),
    "bootstrap": Role(("sh", "-c", "ree models bootstrap || ree models show"), WRITES),
    "worker": Role(
        (*CELERY, "worker"),
        WRITES | ASKS | {"REE_API_BASE_URL"},
        has_not=("-B", "--beat"),
    ),
    "beat": Role((*CELERY, "beat"), ASKS),
    "buckets": Role(("python", "/etc/ree/buckets.py"), S3 | {"REE_S3_ENDPOINT"}),
    "test": Role(("python", "/etc/ree/smoke.py")),
    "sandbox": Role(("ree", "sandbox", "serve")),
    "seaweedfs": Role(
        (),
        has=(
            *("-ip.bind=127.0.0.1", "-s3.iam=false"),
            "-s3.config=/etc/seaweedfs-identities/s3.json",
        ),
    ),
}
ADDRESS = re.compile(r"(?:(http)://|@)(ree-[a-z-]+)(?::(\d+))?")
"""Of a Service of the release, which is called ree."""
FINAL = {2, 3}
"""Exit codes that come again: wrong usage, and a gate that refuses."""


def commands(objects: Objects) -> Iterator[str]:
    """Each runs what it is for, with a place for what is not kept, and no oftener than of use."""
    for owner, container in containers(objects):
        command = container.get("args", [])
        role = ROLES.get(container["name"], Role(()))
        if tuple(command[: len(role.runs)]) != role.runs:
            yield f"{owner} runs {' '.join(command)}, not {' '.join(role.runs)}"
        for word in sorted(set(role.has) - set(command)):
            yield f"{owner} runs without {word}"
        for word in sorted(set(role.has_not) & set(command)):
            yield f"{owner} runs with {word}"
        paths = {mount["mountPath"] for mount in container.get("volumeMounts", ())}
        if command[:1] in (["ree"], ["celery"]) and "/tmp" not in paths:  # noqa: S108
            yield f"{owner} has no /tmp to write to"
    for each in of_kind(objects, "CronJob"):
        rules = each["spec"]["jobTemplate"]["spec"].get("podFailurePolicy", {}).get("rules", ())
        told = {
            code
            for rule in rules
            if rule["action"] == "FailJob"
            for code in rule.get("onExitCodes", {}).get("values", ())
        }
        if told != FINAL:
            yield f"{name_of(each)} does not give up at {sorted(FINAL - told)}"


def needs(objects: Objects) -> Iterator[str]:
    """What it cannot do without is given, of one Secret."""
    maps = {
        each["metadata"]["name"]: each.get("data", {}) for each in of_kind(objects, "ConfigMap")
    }
    for owner, container in containers(objects):
        given = {
            each["name"]
            for each in container.get("env", ())
            if not each.get("valueFrom", {}).get("secretKeyRef", {}).get("optional")
        }
        for source in container.get("envFrom", ()):
            given |= set(maps.get(source.get("configMapRef", {}).get("name"), {}))
        for name in sorted(set(ROLES.get(container["name"], Role(())).needs) - given):
            yield f"{owner} is not given {name}"
    names = set(_secrets(objects))
    if len(names) > 1:
        yield f"secrets are taken from {' and '.join(sorted(names))}"


def calls(objects: Objects) -> Iterator[str]:
    """Whom settings, variables and arguments name is a Service, at that port."""
    services = {
        each["metadata"]["name"]: {port["port"] for port in each["spec"]["ports"]}
        for each in of_kind(objects, "Service")
    }
    for owner, told in _told(objects):
        for scheme, name, port in ADDRESS.findall(told):
            asked = int(port or (80 if scheme else 5672))
            if asked not in services.get(name, ()):
                yield f"{owner} asks {name}:{asked}, which is no Service"


def _told(objects: Objects) -> Iterator[tuple[str, str]]:
    for owner, container in containers(objects):
        yield owner, " ".join(map(str, container.get("args", ())))
        for each in container.get("env", ()):
            yield owner, str(each.get("value", ""))
    for each in of_kind(objects, "ConfigMap"):
        for name, value in each.get("data", {}).items():
            if name.startswith("REE_"):
                yield name_of(each), str(value)


def _secrets(objects: Objects) -> Iterator[str]:
    """The names of those that containers read or mount."""
    for _, container in containers(objects):
        for each in container.get("env", ()):
            if reference := each.get("valueFrom", {}).get("secretKeyRef"):
                yield reference["name"]
    for _, pod in pods(objects):
        for volume in pod["spec"].get("volumes", ()):
            if "secret" in volume:
                yield volume["secret"]["secretName"]
