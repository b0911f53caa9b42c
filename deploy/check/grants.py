"""What the services of `deploy/compose.yaml` run, are given and may do."""

import json
import re
from collections.abc import Iterator

from addresses import environment
from documents import Document
from roles import ROLES
from secrecy import READER, SECRET

API_MAY_USE = {
    *("REE_S3_ENDPOINT", "REE_S3_REGION", "REE_S3_BUCKET_MODELS", "REE_S3_BUCKET_SNAPSHOTS"),
    *("S3_READER_ACCESS_KEY", "S3_READER_SECRET_KEY", "REE_VERIFY_KEYS", "REE_CLIENT_KEYS"),
}
"""Of what the file is told, under whatever name."""
MAY_READ = {"Read", "List"}


def faults(services: Document) -> Iterator[str]:
    """Of those that are processes of ree, and of the storage."""
    for name in sorted({*ROLES} & {*services}):
        yield from _of_role(name, services[name])
    yield from _of_api(services["api"])
    yield from _identities(services["storage"])


def _of_role(name: str, service: Document) -> Iterator[str]:
    """As in the chart, where a zone is told, too."""
    role = ROLES[name]
    command = [str(word) for word in service.get("command", ())]
    if tuple(command[: len(role.runs)]) != role.runs:
        yield f"service {name} runs {' '.join(command)}, not {' '.join(role.runs)}"
    for word in sorted(set(role.has_not) & set(command)):
        yield f"service {name} runs with {word}"
    for needed in sorted(set(role.needs) - {"REE_CELERY_TIMEZONE"} - set(environment(service))):
        yield f"service {name} is not given {needed}"


def _of_api(service: Document) -> Iterator[str]:
    """It reads the storage, and is looked at."""
    given = environment(service)
    used = set(re.findall(r"\$\{(\w+)", str(given))) | (set(given) & SECRET - {*READER})
    for name in sorted(used - API_MAY_USE):
        yield f"service api is given {name}, which it has no use for"
    for name in READER:
        if "S3_READER_" not in str(given.get(name)):
            yield f"service api is given {name} of who may write"
    if "/health'" not in str(service.get("healthcheck")):
        yield "service api is not asked for its health at /health"
    if set(service.get("networks", ())) != {"storage", "monitoring"}:
        yield f"service api is in {service.get('networks')}, not in storage and monitoring alone"


def _identities(storage: Document) -> Iterator[str]:
    """What the storage lets the API's keys do."""
    told = str(environment(storage).get("S3_IDENTITIES", ""))
    try:
        identities = json.loads(told)["identities"]
    except (ValueError, KeyError, TypeError):
        yield "service storage has S3_IDENTITIES that are no identities"
        return
    readers = [each for each in identities if "S3_READER_" in json.dumps(each["credentials"])]
    if not readers:
        yield "the storage knows no keys of the API's"
    for each in readers:
        for action in sorted(set(each["actions"]) - MAY_READ):
            yield f"the storage lets the API's keys {action}"
    told = " ".join(map(str, storage.get("command", ())))
    for word in sorted({"-ip.bind=127.0.0.1", "-s3.iam=false", "-s3.config=/tmp/s3.json"}):
        if word not in told:
            yield f"service storage runs without {word}"
