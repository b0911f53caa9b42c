"""Versions and the pointer to the active one, in object storage.

A version counts once its training manifest is there, which is written last. The pointer holds its
own activation whole; the copy under activations/ is made after it moved, by whoever comes next if
the mover was killed, so that no move is ever lost.
"""

import re
from collections.abc import Sequence
from datetime import timedelta

from attrs import evolve, frozen

from ..domain.errors import (
    ActivationConflict,
    RejectedVersion,
    StorageError,
    UnknownVersion,
    UnreadableVersion,
)
from ..domain.model import Activation, LoadedModel, ModelVersion, PriceModel, Status, TrainingRecord
from ..domain.ports import Clock
from . import codec
from .objects import ObjectExists, ObjectMissing, ObjectStore, StaleToken, digest
from .price_models import StorableModel
from .version_objects import (
    FOLDERS,
    MANIFEST,
    decode_manifest,
    decode_model,
    encode_manifest,
    encode_version,
)

POINTER = "latest.json"
ACTIVATIONS = "activations/"
_VERSION = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{8}")


@frozen
class Pointer:
    """latest.json as it was read."""

    activation: Activation
    manifest_digest: str
    token: str


@frozen
class ObjectRegistry:
    """The ModelRegistry port."""

    objects: ObjectStore
    clock: Clock

    def active(self) -> Activation | None:
        """The last move of the pointer."""
        pointer = self._pointer()
        return None if pointer is None else pointer.activation

    def versions(self) -> Sequence[ModelVersion]:
        """All complete versions that can be read, the newest first."""
        names = []
        for folder in FOLDERS.values():
            keys = self.objects.keys(f"{folder}/")
            names += [key.split("/")[1] for key in keys if key.endswith(f"/{MANIFEST}")]
        found = []
        for name in names:
            try:
                found.append(self.version(name))
            except (UnknownVersion, UnreadableVersion):
                continue
        return sorted(
            found, key=lambda version: (version.created_at, version.version), reverse=True
        )

    def version(self, version: str) -> ModelVersion:
        """One of them; UnknownVersion, UnreadableVersion."""
        for folder in FOLDERS.values() if _VERSION.fullmatch(version) else ():
            try:
                body = self.objects.get(f"{folder}/{version}/{MANIFEST}").body
            except ObjectMissing:
                continue
            return decode_manifest(version, body)
        raise UnknownVersion(version)

    def load(self, version: str) -> LoadedModel:
        """A verified model; UnknownVersion, UnreadableVersion.

        Of the active version the manifest has to be the one that was activated, too.
        """
        pointer = self._pointer()
        active = pointer if pointer and pointer.activation.version == version else None
        try:
            found = self.version(version)
        except UnknownVersion:
            if active:
                raise UnreadableVersion(version, f"{MANIFEST} is missing") from None
            raise
        if active and self._manifest_digest(found) != active.manifest_digest:
            raise UnreadableVersion(version, f"{MANIFEST} is not the one that was activated")
        folder = f"{FOLDERS[found.status]}/{version}"
        bodies = {}
        for name in found.objects:
            try:
                body = self.objects.get(f"{folder}/{name}").body
            except ObjectMissing:
                raise UnreadableVersion(version, f"{name} is missing") from None
            if digest(body) != found.objects[name]:
                raise UnreadableVersion(version, f"the SHA-256 of {name} differs")
            bodies[name] = body
        return LoadedModel(found, decode_model(version, bodies))

    def artifact(self, version: str, name: str) -> bytes:
        """One object of a version, as report.html; UnknownVersion, UnreadableVersion."""
        found = self.version(version)
        try:
            body = self.objects.get(f"{FOLDERS[found.status]}/{version}/{name}").body
        except ObjectMissing:
            raise UnreadableVersion(version, f"{name} is missing") from None
        if digest(body) != found.objects.get(name):
            raise UnreadableVersion(version, f"the SHA-256 of {name} differs")
        return body

    def publish(self, model: PriceModel, record: TrainingRecord) -> ModelVersion:
        """Keep a model as a new version; a name that is taken is stepped over.

        TypeError for a model that cannot be kept as arrays (StorableModel).
        """
        if not isinstance(model, StorableModel):
            raise TypeError(f"{type(model).__name__} is not a StorableModel")
        created_at = self.clock.now()
        while True:
            name = f"{created_at:%Y%m%d-%H%M%S}-{model.digest[:8]}"
            version = ModelVersion(name, created_at, record, model.digest)
            try:
                if not any(self.objects.keys(f"{folder}/{name}/") for folder in FOLDERS.values()):
                    return self._write(version, model)
            except ObjectExists:
                pass
            created_at += timedelta(seconds=1)

    def _write(self, version: ModelVersion, model: StorableModel) -> ModelVersion:
        folder = f"{FOLDERS[version.status]}/{version.version}"
        bodies = encode_version(version, model)
        for name, body in bodies.items():
            self.objects.create(f"{folder}/{name}", body)
        version = evolve(version, objects={name: digest(body) for name, body in bodies.items()})
        self.objects.create(f"{folder}/{MANIFEST}", encode_manifest(version))
        return version

    def activate(self, version: str, *, expected: str | None, by: str, why: str) -> Activation:
        """Make *version* active if *expected* still is."""
        chosen = self.version(version)
        if chosen.status is Status.REJECTED:
            raise RejectedVersion(version)
        pointer = self._pointer()
        current = pointer.activation if pointer else None
        if (current.version if current else None) != expected:
            raise ActivationConflict(expected, current.version if current else None)
        if current is not None:
            self._keep(current)
        activation = Activation(
            sequence=current.sequence + 1 if current else 1,
            version=version,
            previous=current.version if current else None,
            activated_at=self.clock.now(),
            activated_by=by,
            why=why,
            previous_digest=digest(_encoded(current)) if current else None,
        )
        body = codec.to_json(self._pointer_to(chosen, activation))
        try:
            self.objects.replace(POINTER, body, token=pointer.token if pointer else None)
        except StaleToken:
            now = self.active()
            raise ActivationConflict(expected, now.version if now else None) from None
        self._keep(activation)
        return activation

    def history(self) -> Sequence[Activation]:
        """Every move of the pointer, the newest first."""
        active = self.active()
        moves = {move.sequence: move for move in map(self._move, self._moves())}
        if active is not None:
            moves[active.sequence] = active
        return [moves[sequence] for sequence in sorted(moves, reverse=True)]

    def _pointer(self) -> Pointer | None:
        moves = self._moves()
        try:
            stored = self.objects.get(POINTER)
        except ObjectMissing:
            if moves:
                raise StorageError(
                    f"{POINTER} is missing though versions were activated; restore it."
                ) from None
            return None
        plain = codec.from_json(stored.body, POINTER)
        activation = codec.structured(plain.get("activation"), Activation, POINTER)
        if moves and activation.sequence < _sequence(moves[-1]):
            raise StorageError(
                f"{POINTER} is older ({activation.sequence}) than the last activation "
                f"({_sequence(moves[-1])}); somebody put an old one back. Restore the last."
            )
        told = plain.get("model_version"), plain.get("sequence")
        if told != (activation.version, activation.sequence):
            raise StorageError(f"{POINTER} contradicts itself; restore it.")
        return Pointer(activation, str(plain.get("training_manifest_sha256")), stored.token)

    def _moves(self) -> list[str]:
        return self.objects.keys(ACTIVATIONS)

    def _move(self, key: str) -> Activation:
        return codec.structured(codec.from_json(self.objects.get(key).body, key), Activation, key)

    def _keep(self, activation: Activation) -> None:
        key = f"{ACTIVATIONS}{activation.sequence:06d}-{activation.version}.json"
        try:
            self.objects.create(key, _encoded(activation))
        except ObjectExists:
            return

    def _pointer_to(self, version: ModelVersion, activation: Activation) -> dict[str, object]:
        folder = f"{FOLDERS[version.status]}/{version.version}"
        dataset = version.record.dataset
        return {
            "model_version": version.version,
            "type": version.record.kind.value,
            "artifact_key": f"{folder}/model.npz",
            "created_at": version.created_at.isoformat(),
            "snapshot_prefix": dataset.name if dataset else None,
            "training_manifest_sha256": self._manifest_digest(version),
            "sequence": activation.sequence,
            "activation": codec.plain(activation),
        }

    def _manifest_digest(self, version: ModelVersion) -> str:
        folder = f"{FOLDERS[version.status]}/{version.version}"
        return digest(self.objects.get(f"{folder}/{MANIFEST}").body)


def _encoded(activation: Activation) -> bytes:
    return codec.to_json(codec.plain(activation))


def _sequence(key: str) -> int:
    number = key.removeprefix(ACTIVATIONS).partition("-")[0]
    if not number.isdigit():
        raise StorageError(f"{key} is not an activation; move it out of the storage.")
    return int(number)
