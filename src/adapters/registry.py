"""Versions and the pointer to the active one, in object storage.

A version counts once its training manifest is there, which is written last. Nothing of it is used
before the manifest can be trusted and every object has the digest that the manifest names.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from logging import getLogger

from attrs import Factory, define, evolve, field

from ..domain.errors import RejectedVersion, StorageError, UnknownVersion, UnreadableVersion
from ..domain.model import (
    Activation,
    LoadedModel,
    ModelVersion,
    PriceModel,
    Status,
    TrainingRecord,
)
from ..domain.ports import Clock
from ..domain.verification import Finding, Soundness
from .objects import ObjectExists, ObjectMissing, ObjectStore, digest
from .pointer import ObjectPointer, Pointed, Target
from .publications import Publications
from .seal import Seal
from .stored_arrays import StorableModel
from .version_objects import (
    FOLDERS,
    MANIFEST,
    MODEL,
    decode_manifest,
    decode_model,
    encode_manifest,
    encode_model,
    encode_version,
)

_LEFT = "no version: its writer was interrupted before it was complete; it can be deleted"
_log = getLogger(__name__)
_VERSION = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{8}")
UNVERIFIED = "REE_VERIFY_KEYS is not set: whoever can write to the storage can replace the model"


@define(eq=False)
class ObjectRegistry:
    """The ModelRegistry port."""

    objects: ObjectStore
    clock: Clock
    seal: Seal = field(factory=Seal)
    environment: Mapping[str, str] = field(factory=dict)
    _pointer: ObjectPointer = field(
        default=Factory(
            lambda self: ObjectPointer(self.objects, self.clock, self.seal), takes_self=True
        ),
        init=False,
    )
    _warned: bool = field(default=False, init=False)

    def active(self) -> Activation | None:
        """The last move of the pointer."""
        pointed = self._pointer.read()
        return None if pointed is None else pointed.activation

    def versions(self) -> Sequence[ModelVersion]:
        """All complete versions that can be read, the newest first."""
        found = []
        for name in self._names():
            try:
                found.append(self.version(name))
            except UnknownVersion:
                continue
            except UnreadableVersion as error:
                told = {"model_version": name}
                _log.warning("The version %s cannot be read: %s", name, error.reason, extra=told)
        return sorted(
            found, key=lambda version: (version.created_at, version.version), reverse=True
        )

    def version(self, version: str) -> ModelVersion:
        """One of them; UnknownVersion, UnreadableVersion."""
        return self._manifest(version)[0]

    def load(self, version: str) -> LoadedModel:
        """A verified model; UnknownVersion, UnreadableVersion.

        Of the active version the manifest has to be the one that was activated, too.
        """
        if not (self.seal.checks_signatures or self._warned):
            _log.warning(UNVERIFIED)
            self._warned = True
        found = self._trusted(version, self._pointer.read())
        bodies = {name: self._object(found, name) for name in found.objects}
        return LoadedModel(found, decode_model(version, bodies))

    def artifact(self, version: str, name: str) -> bytes:
        """One object of a version, as report.html; UnknownVersion, UnreadableVersion."""
        return self._object(self.version(version), name)

    def publish(self, model: PriceModel, record: TrainingRecord) -> ModelVersion:
        """Keep a model as a new version; a name that is taken is stepped over.

        A model that another process publishes for the same run, or was killed while it did, is
        that one's version, with its record. TypeError for a model that cannot be kept as arrays
        (StorableModel).
        """
        storable = _storable(model)
        version = self._named(ModelVersion("", self.clock.now(), record, model.digest))
        if record.run_key is not None:
            first = Publications(self.objects, self.seal).claim(version)
            if first is not None:
                try:
                    return self._write(first, storable, shared=True)
                except ObjectExists:
                    _log.warning("%s is taken; the version gets another name.", first.version)
                    version = self._named(version)
        while True:
            try:
                return self._write(version, storable)
            except ObjectExists:
                version = self._named(version)

    def _named(self, version: ModelVersion) -> ModelVersion:
        """By the moment that it was made, or by the next one whose name is free."""
        created_at = version.created_at
        while True:
            name = f"{created_at:%Y%m%d-%H%M%S}-{version.model_digest[:8]}"
            if not any(self.objects.keys(f"{folder}/{name}/") for folder in FOLDERS.values()):
                return evolve(version, version=name, created_at=created_at)
            created_at += timedelta(seconds=1)

    def digests(self, model: PriceModel, record: TrainingRecord) -> Mapping[str, str]:
        """The SHA-256 of the objects that this model and record alone decide, by name."""
        bodies = encode_model(_storable(model), record)
        return {name: digest(body) for name, body in bodies.items()}

    def activate(self, version: str, *, expected: str | None, by: str, why: str) -> Activation:
        """Make *version* active if *expected* still is; it has to be fit to be served."""
        chosen, manifest = self._manifest(version)
        if chosen.status is Status.REJECTED:
            raise RejectedVersion(version)
        self.load(version)
        dataset = chosen.record.dataset
        target = Target(
            version=version,
            kind=chosen.record.kind.value,
            artifact_key=f"{_folder(chosen)}/{MODEL}",
            created_at=chosen.created_at.isoformat(),
            snapshot_prefix=dataset.name if dataset else None,
            manifest_digest=digest(manifest),
        )
        return self._pointer.move(target, expected=expected, by=by, why=why)

    def history(self) -> Sequence[Activation]:
        """Every move of the pointer, the newest first."""
        return self._pointer.history()

    def verify(self, version: str | None = None) -> Iterator[Finding]:
        """The pointer, its history, and a version or all of them; UnknownVersion."""
        if version is not None:
            self._folder_of(version)
        if not self.seal.checks_signatures:
            yield Finding("signatures", Soundness.WARNING, UNVERIFIED)
        yield from self._pointer.verify()
        try:
            pointed = self._pointer.read()
        except StorageError:
            pointed = None
        for name in self._names() if version is None else [version]:
            yield from self._verify_version(name, pointed)
        if version is None:
            yield from self._verify_folders()
            yield from Publications(self.objects, self.seal).verify()

    def _verify_version(self, version: str, pointed: Pointed | None) -> Iterator[Finding]:
        key = f"{self._folder_of(version)}/{version}/{MANIFEST}"
        try:
            found = self._trusted(version, pointed)
        except UnreadableVersion as error:
            yield Finding(key, Soundness.BROKEN, error.reason)
            return
        yield Finding(key)
        bodies, folder = {}, _folder(found)
        for name in found.objects:
            try:
                bodies[name] = self._object(found, name)
            except UnreadableVersion as error:
                yield Finding(f"{folder}/{name}", Soundness.BROKEN, error.reason)
            else:
                yield Finding(f"{folder}/{name}")
        if len(bodies) == len(found.objects):
            try:
                decode_model(version, bodies)
            except UnreadableVersion as error:
                yield Finding(f"{folder}/{MODEL}", Soundness.BROKEN, error.reason)
        yield from self._verify_rest(found)

    def _verify_rest(self, found: ModelVersion) -> Iterator[Finding]:
        folder = _folder(found)
        named = {f"{folder}/{name}" for name in (*found.objects, MANIFEST)}
        for key in self.objects.keys(f"{folder}/"):
            if key not in named:
                yield Finding(key, Soundness.BROKEN, f"{MANIFEST} does not name it; move it away")
        for name, here in self.environment.items():
            there = found.record.environment.get(name)
            if there is not None and there != here:
                yield Finding(
                    f"{folder}: {name}", Soundness.WARNING, f"made with {there}, here is {here}"
                )

    def _names(self) -> list[str]:
        names = []
        for folder in FOLDERS.values():
            keys = self.objects.keys(f"{folder}/")
            names += [key.split("/")[1] for key in keys if key.endswith(f"/{MANIFEST}")]
        return [name for name in names if _VERSION.fullmatch(name)]

    def _verify_folders(self) -> Iterator[Finding]:
        keys = [key for folder in FOLDERS.values() for key in self.objects.keys(f"{folder}/")]
        complete = {key.removesuffix(f"/{MANIFEST}") for key in keys}
        for folder in sorted({"/".join(key.split("/")[:2]) for key in keys}):
            if not _VERSION.fullmatch(folder.partition("/")[2]):
                yield Finding(folder, Soundness.BROKEN, "it is no version; move it away")
            elif folder not in complete:
                yield Finding(folder, Soundness.WARNING, _LEFT)

    def _folder_of(self, version: str) -> str:
        for folder in FOLDERS.values() if _VERSION.fullmatch(version) else ():
            if f"{folder}/{version}/{MANIFEST}" in self.objects.keys(f"{folder}/{version}/"):
                return folder
        raise UnknownVersion(version)

    def _manifest(self, version: str) -> tuple[ModelVersion, bytes]:
        for folder in FOLDERS.values() if _VERSION.fullmatch(version) else ():
            try:
                body = self.objects.get(f"{folder}/{version}/{MANIFEST}").body
            except ObjectMissing:
                continue
            found = decode_manifest(version, body, self.seal)
            if FOLDERS[found.status] != folder:
                raise UnreadableVersion(version, f"it was {found.status.value}, not {folder}")
            return found, body
        raise UnknownVersion(version)

    def _trusted(self, version: str, pointed: Pointed | None) -> ModelVersion:
        """A version whose manifest is the one that was activated, if it is the active one."""
        active = pointed if pointed and pointed.activation.version == version else None
        try:
            found, body = self._manifest(version)
        except UnknownVersion:
            if active:
                raise UnreadableVersion(version, f"{MANIFEST} is missing") from None
            raise
        if active and digest(body) != active.manifest_digest:
            raise UnreadableVersion(version, f"{MANIFEST} is not the one that was activated")
        return found

    def _object(self, version: ModelVersion, name: str) -> bytes:
        try:
            body = self.objects.get(f"{_folder(version)}/{name}").body
        except ObjectMissing:
            raise UnreadableVersion(version.version, f"{name} is missing") from None
        if digest(body) != version.objects.get(name):
            raise UnreadableVersion(version.version, f"the SHA-256 of {name} differs")
        return body

    def _write(
        self, version: ModelVersion, model: StorableModel, *, shared: bool = False
    ) -> ModelVersion:
        """Its objects, the manifest last; ObjectExists, unless others may write the same too."""
        bodies = encode_version(version, model)
        version = evolve(version, objects={name: digest(body) for name, body in bodies.items()})
        bodies[MANIFEST] = encode_manifest(version, self.seal)  # last: it makes the rest count
        for name, body in bodies.items():
            key = f"{_folder(version)}/{name}"
            try:
                self.objects.create(key, body)
            except ObjectExists:
                if not shared or self.objects.get(key).body != body:
                    raise
                continue
            if self.objects.get(key).body != body:
                raise StorageError(
                    f"The storage gave back other bytes than were written as {key}; check it. "
                    "Nothing was activated."
                )
        return version


def _folder(version: ModelVersion) -> str:
    return f"{FOLDERS[version.status]}/{version.version}"


def _storable(model: PriceModel) -> StorableModel:
    if not isinstance(model, StorableModel):
        raise TypeError(f"{type(model).__name__} is not a StorableModel")
    return model
