"""What must hold of a store whatever happened, told from its bytes and by ree itself.

Each check yields what is wrong, as a line.
"""

import json
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from attrs import frozen
from dependency_injector import providers

from ree.adapters.memory_objects import MemoryObjects
from ree.domain.errors import ReeError
from ree.domain.verification import Soundness

from .bench import Contents
from .victim import MODELS, SNAPSHOTS, Job, wired

POINTER = f"{MODELS}/latest.json"
_MANIFEST = "training_manifest.json"


@frozen
class Store:
    """The objects of a store, read without ree."""

    contents: Contents

    def pointer(self) -> dict[str, Any] | None:
        """latest.json."""
        body = self.contents.get(POINTER)
        return None if body is None else json.loads(body)

    def moves(self) -> list[tuple[str, bytes]]:
        """The version and the bytes of every move that was copied to activations/, in order."""
        folder = f"{MODELS}/activations/"
        return [
            (json.loads(body)["version"], body)
            for place, body in sorted(self.contents.items())
            if place.startswith(folder)
        ]

    def activated(self) -> list[str]:
        """The version of every move, the pointer's own included."""
        found, pointer = [version for version, _ in self.moves()], self.pointer()
        if pointer is not None and pointer["sequence"] == len(found) + 1:
            found.append(pointer["model_version"])
        return found

    def manifests(self) -> dict[str, dict[str, Any]]:
        """The training manifests of the complete versions, by `models/<version>`."""
        return {
            place.removeprefix(f"{MODELS}/").removesuffix(f"/{_MANIFEST}"): json.loads(body)
            for place, body in self.contents.items()
            if place.endswith(f"/{_MANIFEST}")
        }

    def versions_of(self, key: str) -> list[str]:
        """The complete versions of a run."""
        return [
            folder.partition("/")[2]
            for folder, manifest in self.manifests().items()
            if manifest["run_key"] == key
        ]

    def reports_of(self, key: str) -> list[dict[str, Any]]:
        """The reports of a run that tell a verdict."""
        reports = [
            json.loads(body)
            for place, body in self.contents.items()
            if place.startswith(f"{MODELS}/runs/")
        ]
        return [
            report
            for report in reports
            if report["key"] == key and report["ending"] in ("activated", "refused")
        ]

    def months(self) -> Counter[str]:
        """How many complete fetches there are of each month."""
        return Counter(
            place.split("/")[2]
            for place in self.contents
            if place.startswith(f"{SNAPSHOTS}/snapshots/") and place.endswith("/manifest.json")
        )

    def datasets(self) -> dict[str, bytes]:
        """The tables by name, those without a manifest too."""
        return {
            place.removeprefix(f"{SNAPSHOTS}/").removesuffix("/dataset.parquet"): body
            for place, body in self.contents.items()
            if place.endswith("/dataset.parquet")
        }


def sound(contents: Contents) -> Iterator[str]:
    """The pointer names a complete, verified version, and the history is a chain without a gap."""
    store = Store(contents)
    yield from _pointed(store)
    yield from _chain(store)
    yield from _verified(store)


def _pointed(store: Store) -> Iterator[str]:
    pointer = store.pointer()
    if pointer is None:
        if store.moves():
            yield "the pointer is lost"
        return
    folder = f"{MODELS}/models/{pointer['model_version']}"
    manifest = store.contents.get(f"{folder}/{_MANIFEST}")
    if manifest is None:
        yield f"the pointer names {pointer['model_version']}, which is not complete"
        return
    if _digest(manifest) != pointer["training_manifest_sha256"]:
        yield "the active version's manifest is not the one that was activated"
    for name, told in json.loads(manifest)["objects"].items():
        body = store.contents.get(f"{folder}/{name}")
        if body is None or _digest(body) != told:
            yield f"{name} of the active version is {'damaged' if body else 'missing'}"


def _chain(store: Store) -> Iterator[str]:
    pointer, moves = store.pointer(), store.moves()
    last = 0 if pointer is None else pointer["sequence"]
    if len(moves) not in (last, last - 1):
        yield f"there are {len(moves)} moves below activations/, but the pointer tells {last}"
    links = [body for _, body in moves]
    if pointer is not None and len(moves) == last - 1:
        links.append(json.dumps(pointer["activation"]).encode())
    for number, link in enumerate(links, start=1):
        move = json.loads(link)
        if move["sequence"] != number:
            yield f"move {number} says that it is {move['sequence']}"
        before = _digest(links[number - 2]) if number > 1 else None
        if move["previous_digest"] != before:
            yield f"move {number} does not name the one before"


def _verified(store: Store) -> Iterator[str]:
    """As ree sees the same bytes."""
    container = wired(Job(folder=""))
    for provider, bucket in (
        (container.model_objects, MODELS),
        (container.snapshot_objects, SNAPSHOTS),
    ):
        objects = MemoryObjects()
        for place, body in store.contents.items():
            if place.startswith(f"{bucket}/"):
                objects.create(place.removeprefix(f"{bucket}/"), body)
        provider.override(providers.Object(objects))
    try:
        registry = container.registry()
        active, told = registry.active(), store.pointer()
        if (active.version if active else None) != (told["model_version"] if told else None):
            yield "ree reads another pointer"
        if active is not None:
            registry.load(active.version)
        history = [move.version for move in reversed(registry.history())]
        if history != store.activated():
            yield f"ree tells another history: {history}"
        for finding in container.verify()():
            if finding.soundness is Soundness.BROKEN:
                yield f"ree verify: {finding.subject} is broken: {finding.detail}"
    except ReeError as error:
        yield f"{type(error).__name__}: {error}"


def kept(before: Contents, after: Contents) -> Iterator[str]:
    """Everything but the pointer is written once and stays as it is."""
    for place, body in before.items():
        if place not in after:
            yield f"{place} is lost"
        elif place != POINTER and after[place] != body:
            yield f"{place} was overwritten"


def _digest(body: bytes) -> str:
    return sha256(body).hexdigest()
