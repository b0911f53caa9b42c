"""latest.json, the pointer to the active version, and the chain of its moves.

The pointer holds its own activation whole; the copy under activations/ is made after it moved, by
whoever comes next if the mover was killed, so that no move is ever lost. Each move names the
digest of the one before: who trusts the pointer can trust them all.
"""

import re
from collections.abc import Iterator
from typing import Any

from attrs import define, field, frozen

from ..domain.errors import ActivationConflict, StorageError
from ..domain.model import Activation
from ..domain.ports import Clock
from ..domain.verification import Finding, Soundness
from . import codec
from .objects import ObjectExists, ObjectMissing, ObjectStore, StaleToken, digest
from .seal import Seal

POINTER = "latest.json"
ACTIVATIONS = "activations/"
_MOVE = re.compile(ACTIVATIONS + r"([0-9]{6,})-[0-9]{8}-[0-9]{6}-[0-9a-f]{8}\.json")


@frozen
class Target:
    """What is pointed to, as latest.json tells it."""

    version: str
    kind: str
    artifact_key: str
    created_at: str
    snapshot_prefix: str | None
    manifest_digest: str


@frozen
class Pointed:
    """latest.json, verified; *link* is its activation as it is stored.

    It has a token unless it was written here and not read since.
    """

    activation: Activation
    manifest_digest: str
    link: bytes
    token: str | None


@define(eq=False)
class ObjectPointer:
    """Reads and moves the pointer; remembers what it saw, and refuses what is older."""

    objects: ObjectStore
    clock: Clock
    seal: Seal
    _seen: Pointed | None = field(default=None, init=False)

    def read(self) -> Pointed | None:
        """None only if there never was a move; StorageError.

        While it did not change this is one conditional request.
        """
        seen = self._seen
        if seen is not None and seen.token is not None:
            try:
                if self.objects.get_if_changed(POINTER, seen.token) is None:
                    return seen
            except ObjectMissing:
                raise self._missing() from None
        moves = self._moves()  # before the pointer, which may move in between
        try:
            stored = self.objects.get(POINTER)
        except ObjectMissing:
            if moves or seen:
                raise self._missing() from None
            return None
        pointed = self._verified(stored.body, stored.token)
        sequence = pointed.activation.sequence
        if moves and sequence < _sequence(moves[-1]):
            raise StorageError(
                f"{POINTER} is older than {moves[-1]}: somebody put an old one back (restore the "
                "last), or put that object there (move it away)."
            )
        if seen and sequence < seen.activation.sequence:
            raise StorageError(
                f"{POINTER} is older ({sequence}) than what was read before "
                f"({seen.activation.sequence}); somebody put an old one back. Restore the last."
            )
        again = seen is not None and pointed.activation.sequence == seen.activation.sequence
        if seen and again and pointed.link != seen.link:
            raise StorageError(f"{POINTER} tells another move {sequence} than before; restore it.")
        self._seen = pointed
        return pointed

    def move(self, target: Target, *, expected: str | None, by: str, why: str) -> Activation:
        """Point to another version if *expected* still is the active one; ActivationConflict."""
        pointed = self.read()
        current = pointed.activation if pointed else None
        if (current.version if current else None) != expected:
            raise ActivationConflict(expected, current.version if current else None)
        if pointed is not None:
            self._keep(pointed)
        activation = Activation(
            sequence=current.sequence + 1 if current else 1,
            version=target.version,
            previous=current.version if current else None,
            activated_at=self.clock.now(),
            activated_by=by,
            why=why,
            previous_digest=digest(pointed.link) if pointed else None,
            conditional_writes=self.objects.conditional_writes(),
        )
        body = codec.to_json(self.seal.close(self._document(target, activation)))
        try:
            self.objects.replace(POINTER, body, token=pointed.token if pointed else None)
        except StaleToken:
            now = self.read()
            raise ActivationConflict(expected, now.activation.version if now else None) from None
        self._seen = self._verified(body, None)
        self._keep(self._seen)
        return activation

    def history(self) -> list[Activation]:
        """Every move, the newest first, each with the digest that the next one names."""
        pointed = self.read()
        if pointed is None:
            return []
        found = [pointed.activation]
        keys = {_sequence(key): key for key in self._moves()}
        while (digest_of_previous := found[-1].previous_digest) is not None:
            found.append(self._before(found[-1], digest_of_previous, keys))
        return found

    def verify(self) -> Iterator[Finding]:
        """The pointer and every move of it."""
        try:
            pointed = self.read()
        except StorageError as error:
            yield Finding(POINTER, Soundness.BROKEN, str(error))
            return
        if pointed is None:
            yield Finding(POINTER, Soundness.WARNING, "nothing was ever activated")
            return
        writes = pointed.activation.conditional_writes
        yield Finding(
            POINTER, detail=f"move {pointed.activation.sequence}, writes by {writes.value}"
        )
        yield from self._verify_moves(pointed)

    def _verify_moves(self, pointed: Pointed) -> Iterator[Finding]:
        keys = {_sequence(key): key for key in self._moves()}
        own = keys.pop(pointed.activation.sequence, None)
        if own is not None:
            same = self.objects.get(own).body == pointed.link
            yield (
                Finding(own)
                if same
                else Finding(
                    own, Soundness.BROKEN, f"it is not the move that {POINTER} tells; restore it"
                )
            )
        move = pointed.activation
        while move.previous_digest is not None:
            known = {number: key for number, key in keys.items() if number == move.sequence - 1}
            key = keys.pop(move.sequence - 1, f"{ACTIVATIONS}{move.sequence - 1:06d}-...")
            try:
                move = self._before(move, move.previous_digest, known)
            except StorageError as error:
                yield Finding(key, Soundness.BROKEN, str(error))
                return
            yield Finding(key)
        strange = [key for key in self.objects.keys(ACTIVATIONS) if not _MOVE.fullmatch(key)]
        for key in (*keys.values(), *strange):
            yield Finding(key, Soundness.BROKEN, "it is no part of the history; move it away")

    def _before(self, move: Activation, named: str, keys: dict[int, str]) -> Activation:
        key = keys.get(move.sequence - 1)
        if key is None:
            raise StorageError(
                f"The activation {move.sequence - 1} is missing below {ACTIVATIONS}; restore it."
            )
        body = self.objects.get(key).body
        if digest(body) != named:
            raise StorageError(
                f"The object {key} is not the move that the next one names; restore it."
            )
        return codec.structured(codec.from_json(body, key), Activation, key)

    def _document(self, target: Target, activation: Activation) -> dict[str, Any]:
        return {
            "model_version": target.version,
            "type": target.kind,
            "artifact_key": target.artifact_key,
            "created_at": target.created_at,
            "snapshot_prefix": target.snapshot_prefix,
            "training_manifest_sha256": target.manifest_digest,
            "sequence": activation.sequence,
            "activation": self.seal.close(codec.plain(activation)),
        }

    def _verified(self, body: bytes, token: str | None) -> Pointed:
        plain = self.seal.open(body, POINTER)
        link = codec.to_json(plain.get("activation"))
        activation = codec.structured(self.seal.open(link, POINTER), Activation, POINTER)
        told = plain.get("model_version"), plain.get("sequence")
        if told != (activation.version, activation.sequence):
            raise StorageError(f"{POINTER} contradicts itself; restore it.")
        return Pointed(activation, str(plain.get("training_manifest_sha256")), link, token)

    def _keep(self, pointed: Pointed) -> None:
        move = pointed.activation
        try:
            self.objects.create(
                f"{ACTIVATIONS}{move.sequence:06d}-{move.version}.json", pointed.link
            )
        except ObjectExists:
            return

    def _moves(self) -> list[str]:
        return [key for key in self.objects.keys(ACTIVATIONS) if _MOVE.fullmatch(key)]

    @staticmethod
    def _missing() -> StorageError:
        return StorageError(f"{POINTER} is missing though versions were activated; restore it.")


def _sequence(key: str) -> int:
    return int(key.removeprefix(ACTIVATIONS).partition("-")[0])
