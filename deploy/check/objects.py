"""The objects of a rendered chart, and the pods that they make."""

import re
from collections.abc import Iterator

from documents import Document

Objects = list[Document]


def name_of(each: Document) -> str:
    """Kind and name."""
    return f"{each['kind']} {each['metadata']['name']}"


def of_kind(objects: Objects, *kinds: str) -> Iterator[Document]:
    """Those of one of the kinds."""
    return (each for each in objects if each["kind"] in kinds)


def pods(objects: Objects) -> Iterator[tuple[str, Document]]:
    """Every pod that is or will be made: whose it is, and its metadata and spec."""
    for each in objects:
        match each["kind"]:
            case "Pod":
                yield name_of(each), each
            case "Deployment" | "StatefulSet" | "DaemonSet" | "Job":
                yield name_of(each), each["spec"]["template"]
            case "CronJob":
                yield name_of(each), each["spec"]["jobTemplate"]["spec"]["template"]


def containers(objects: Objects) -> Iterator[tuple[str, Document]]:
    """Those of all pods, initial ones too."""
    for owner, pod in pods(objects):
        for each in [*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]]:
            yield f"{owner}, container {each['name']}", each


def labels_of(pod: Document) -> dict[str, str]:
    """None are none."""
    found: dict[str, str] = pod.get("metadata", {}).get("labels", {})
    return found


def has(labels: dict[str, str], wanted: dict[str, str]) -> bool:
    """Whether a selector finds them; one that wants nothing finds all."""
    return wanted.items() <= labels.items()


def is_api(owner: str) -> bool:
    """Whether that is what answers requests."""
    return bool(re.fullmatch(r"Deployment \S+-api(?:, .*)?", owner))
