"""What an intruder can put into the storage is refused with its reason, and nothing of it runs."""

import json
import pickle
from collections.abc import Callable
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attrs import define, frozen

from ree.adapters import codec
from ree.adapters.active_model import LatestModel
from ree.adapters.median_price import MedianPricePerSqm
from ree.adapters.memory_objects import MemoryObjects
from ree.adapters.objects import digest
from ree.adapters.registry import ObjectRegistry
from ree.adapters.seal import CannotSign, Seal, generate_keys
from ree.domain.errors import ReeError, StorageError, UnreadableVersion
from ree.domain.gating import Check, Outcome, Verdict
from ree.domain.model import Kind, Recipe, TrainingRecord
from ree.domain.verification import Soundness, sound

PRIVATE, PUBLIC = generate_keys()
STRANGERS_KEY, _ = generate_keys()
REFUSED = Verdict((Check("overall_mae", Outcome.FAILED),))


@frozen
class Clock:
    def now(self) -> datetime:
        return datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)

    def monotonic(self) -> float:
        return 0.0


@define
class Place:
    """A storage with two signed versions, of which the second is active; and who reads it."""

    objects: MemoryObjects
    first: str
    second: str
    old_pointer: bytes

    def registry(self) -> ObjectRegistry:
        """Of a process that has seen nothing yet."""
        return ObjectRegistry(self.objects, Clock(), Seal.of(None, [PUBLIC]))

    def read(self, key: str) -> bytes:
        return self.objects.get(key).body

    def put(self, key: str, body: bytes) -> None:
        self.objects._objects[key] = body

    def change(self, key: str, action: Callable[[bytes], bytes]) -> None:
        self.put(key, action(self.read(key)))

    def rewrite(self, key: str, seal: Seal, action: Callable[[dict[str, Any]], None]) -> None:
        """As somebody does who knows the format."""
        plain = json.loads(self.read(key))
        plain.pop("signature")
        action(plain)
        self.put(key, codec.to_json(seal.close(plain)))

    def own(self, name: str) -> str:
        """The key of an object of the active version."""
        return f"models/{self.second}/{name}"


def per_sqm(price: float) -> MedianPricePerSqm:
    none = np.empty(0)
    return MedianPricePerSqm(
        none, none, np.full(6, np.nan), np.array([float(price)]), estimator=[price]
    )


def record(verdict: Verdict | None = None) -> TrainingRecord:
    return TrainingRecord(
        Kind.TRAINED, Recipe("x"), {}, trained_until=date(2026, 1, 31), verdict=verdict
    )


@pytest.fixture
def place() -> Place:
    objects = MemoryObjects()
    registry = ObjectRegistry(objects, Clock(), Seal.of(PRIVATE, [PUBLIC]))
    first = registry.publish(per_sqm(40_000), record()).version
    second = registry.publish(per_sqm(50_000), record()).version
    registry.publish(per_sqm(60_000), record(REFUSED))
    registry.activate(first, expected=None, by="me", why="first")
    old = objects.get("latest.json").body
    registry.activate(second, expected=first, by="me", why="second")
    found = Place(objects, first, second, old)
    assert sound(found.registry().verify())
    return found


class Executed:
    """What unpickling it does is seen."""

    path = ""

    def __reduce__(self) -> Any:
        return open, (type(self).path, "w")


def flip(place: int) -> Callable[[bytes], bytes]:
    def change(body: bytes) -> bytes:
        changed = bytearray(body)
        changed[place % len(body)] ^= 1
        return bytes(changed)

    return change


def cut(body: bytes) -> bytes:
    return body[: len(body) // 2]


def pickled_arrays(_: bytes) -> bytes:
    buffer = BytesIO()
    np.savez(buffer, median=np.array([Executed()], dtype=object))
    return buffer.getvalue()


def bomb(_: bytes) -> bytes:
    return pickle.dumps(Executed())


def stranger(action: Callable[[dict[str, Any]], None]) -> Callable[[Place], None]:
    """Signs a changed manifest with a key of his own."""
    return lambda place: place.rewrite(
        place.own("training_manifest.json"), Seal.of(STRANGERS_KEY, []), action
    )


def unsigned(key: str, action: Callable[[dict[str, Any]], None]) -> Callable[[Place], None]:
    return lambda place: place.rewrite(key.format(place.second), Seal(), action)


def swap_files(place: Place) -> None:
    one, other = place.own("metrics.json"), place.own("feature_schema.json")
    body = place.read(one)
    place.put(one, place.read(other))
    place.put(other, body)


def other_models_arrays(place: Place) -> None:
    place.put(place.own("model.npz"), place.read(f"models/{place.first}/model.npz"))


def other_manifest(place: Place) -> None:
    other = place.read(f"models/{place.first}/training_manifest.json")
    place.put(place.own("training_manifest.json"), other)


def whole_other_version(place: Place) -> None:
    for key in place.objects.keys(f"models/{place.first}/"):
        place.put(place.own(key.rpartition("/")[2]), place.read(key))


def promoted(place: Place) -> None:
    """A version that the gate refused, moved to where the others are and pointed to."""
    (manifest,) = (key for key in place.objects.keys("rejected/") if "manifest" in key)
    rejected = manifest.split("/")[1]
    for key in place.objects.keys(f"rejected/{rejected}/"):
        place.put(key.replace("rejected/", "models/"), place.read(key))
        del place.objects._objects[key]
    place.second = rejected


def set_to(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda plain: plain.update({name: value})


def damaged(name: str, change: Callable[[bytes], bytes]) -> Callable[[Place], None]:
    return lambda place: place.change(place.own(name), change)


HOSTILE: dict[str, tuple[Callable[[Place], object], str]] = {
    **{
        f"{name} {how}": (
            damaged(name, change),
            rf"{name.replace('.', '[.]')}",
        )
        for name in ("model.npz", "model.pkl", "feature_schema.json", "metrics.json", "report.html")
        for how, change in {
            "first bit": flip(0),
            "middle bit": flip(1_000_003),
            "last bit": flip(-1),
            "cut": cut,
            "empty": lambda _: b"",
            "longer": lambda body: body + b"\0",
            "pickle that executes": bomb,
        }.items()
    },
    **{
        f"manifest {how}": (
            damaged("training_manifest.json", change),
            "training_manifest.json is (damaged|not the one)|its format",
        )
        for how, change in {
            "first bit": flip(0),
            "middle bit": flip(1_000_003),
            "last bit": flip(-1),
            "cut": cut,
            "empty": lambda _: b"",
            "reformatted": lambda body: json.dumps(json.loads(body)).encode(),
            "pickle that executes": bomb,
        }.items()
    },
    "arrays with objects": (
        lambda place: place.change(place.own("model.npz"), pickled_arrays),
        "SHA-256 of model.npz differs",
    ),
    "two files swapped": (swap_files, "SHA-256 of (metrics|feature_schema).json differs"),
    "arrays of another version": (other_models_arrays, "SHA-256 of model.npz differs"),
    "manifest of another version": (other_manifest, "belongs to another version"),
    "another version under this name": (whole_other_version, "belongs to another version"),
    "a manifest without signature": (
        unsigned("models/{}/training_manifest.json", set_to("threads", 2)), "is not signed"
    ),
    "a manifest signed by a stranger": (
        stranger(set_to("threads", 2)), "not in REE_VERIFY_KEYS"
    ),
    "a manifest of a later format": (stranger(set_to("format", 99)), "its format is '99'"),
    "a manifest of a format that is no number": (
        stranger(set_to("format", True)), "its format is 'True'"
    ),
    "an object fewer": (
        lambda place: place.objects._objects.pop(place.own("feature_schema.json")),
        "feature_schema.json is missing",
    ),
    "a pointer without signature": (
        unsigned("latest.json", set_to("type", "stub")), "latest.json is not signed"
    ),
    "a pointer signed by a stranger": (
        lambda place: place.rewrite(
            "latest.json", Seal.of(STRANGERS_KEY, []), set_to("type", "stub")
        ),
        "latest.json is signed with the key",
    ),
    "a pointer with a bit flipped": (
        lambda place: place.change("latest.json", flip(200)), "latest.json is damaged"
    ),
    "an older pointer put back": (
        lambda place: place.put("latest.json", place.old_pointer), "latest.json is older than act"
    ),
    "no pointer": (
        lambda place: place.objects._objects.pop("latest.json"), "latest.json is missing"
    ),
}  # fmt: skip


@pytest.fixture
def executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "executed"
    monkeypatch.setattr(Executed, "path", str(path))
    return path


@pytest.mark.parametrize("name", HOSTILE)
def test_what_an_intruder_put_there_is_refused(place: Place, executed: Path, name: str) -> None:
    attack, reason = HOSTILE[name]
    attack(place)
    registry = place.registry()
    with pytest.raises((UnreadableVersion, StorageError), match=reason) as caught:
        LatestModel(registry).current()
    assert "\n" not in str(caught.value)
    broken = [
        finding for finding in place.registry().verify() if finding.soundness is Soundness.BROKEN
    ]
    assert broken
    assert not executed.exists()


def test_a_refused_version_cannot_be_promoted(place: Place) -> None:
    promoted(place)
    registry = place.registry()
    with pytest.raises(UnreadableVersion, match="rejected, not models"):
        registry.load(place.second)
    with pytest.raises(ReeError):
        registry.activate(place.second, expected=None, by="me", why="mine")
    assert not sound(place.registry().verify())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda schema: schema["golden_rows"]["estimates"].append(1.0), "golden rows"),
        (lambda schema: schema["golden_rows"]["estimates"].clear(), "golden rows"),
        (lambda schema: schema["golden_rows"]["homes"].pop("usable_area"), "golden rows"),
        (lambda schema: schema.pop("golden_rows"), "golden rows"),
        (
            lambda schema: schema["golden_rows"].update(
                estimates=[1.001 * one for one in schema["golden_rows"]["estimates"]]
            ),
            "20 of 20 golden rows are priced differently",
        ),
        (lambda schema: schema.update(kind="os.system"), "model.npz is not a model"),
        (lambda schema: schema.update(features=[]), "other features"),
    ],
)
def test_a_signed_version_is_still_tried_before_it_is_used(
    change: Callable[[dict[str, Any]], None], reason: str
) -> None:
    """A signature says who made it, not that it is right."""
    objects, seal = MemoryObjects(), Seal.of(PRIVATE, [PUBLIC])
    registry = ObjectRegistry(objects, Clock(), seal)
    version = registry.publish(per_sqm(40_000), record()).version
    place = Place(objects, version, version, b"")
    schema = json.loads(place.read(place.own("feature_schema.json")))
    change(schema)
    body = codec.to_json(schema)
    place.put(place.own("feature_schema.json"), body)
    place.rewrite(
        place.own("training_manifest.json"),
        seal,
        lambda plain: plain["objects"].update({"feature_schema.json": digest(body)}),
    )
    with pytest.raises(UnreadableVersion, match=reason):
        registry.load(version)
    assert not sound(registry.verify())


def test_every_byte_of_every_object_counts(place: Place) -> None:
    """With and without a key; and the object is named."""
    keys = place.objects.keys("")
    for key in keys:
        whole = place.read(key)
        for where in {0, len(whole) // 3, len(whole) // 2, len(whole) - 1}:
            place.change(key, flip(where))
            for seal in (Seal.of(None, [PUBLIC]), Seal()):
                findings = list(ObjectRegistry(place.objects, Clock(), seal).verify())
                broken = {
                    finding.subject for finding in findings if finding.soundness is Soundness.BROKEN
                }
                assert key in broken, (key, where)
            place.put(key, whole)


def broken(place: Place) -> dict[str, str]:
    return {
        finding.subject: finding.detail
        for finding in place.registry().verify()
        if finding.soundness is Soundness.BROKEN
    }


@pytest.mark.parametrize(
    ("key", "named"),
    [
        ("models/{}/setup.py", "models/{}/setup.py"),
        ("models/hello/training_manifest.json", "models/hello"),
        ("models/hello", "models/hello"),
        ("rejected/20260203-040506/model.npz", "rejected/20260203-040506"),
        ("activations/000009-zzz.json", "activations/000009-zzz.json"),
        ("activations/readme.txt", "activations/readme.txt"),
    ],
)
def test_what_does_not_belong_is_named_and_stops_nobody(place: Place, key: str, named: str) -> None:
    place.put(key.format(place.second), b"import os")
    assert list(broken(place)) == [named.format(place.second)]
    registry = place.registry()
    assert [move.version for move in registry.history()] == [place.second, place.first]
    assert LatestModel(registry).current().version.version == place.second


def test_a_move_that_the_pointer_does_not_know_is_named(place: Place) -> None:
    key = "activations/000009-20260203-040506-01234567.json"
    place.put(key, b"{}")
    assert key in broken(place)["latest.json"]
    with pytest.raises(StorageError, match=key):
        place.registry().active()


def test_a_move_that_is_gone_is_named(place: Place) -> None:
    (key,) = place.objects.keys("activations/000001")
    del place.objects._objects[key]
    assert broken(place) == {
        "activations/000001-...": "The activation 1 is missing below activations/; restore it."
    }


@pytest.mark.parametrize("key", [None, STRANGERS_KEY], ids=["no key", "a stranger's"])
def test_who_cannot_sign_writes_nothing(place: Place, key: str | None) -> None:
    before = dict(place.objects._objects)

    def act() -> None:
        registry = ObjectRegistry(place.objects, Clock(), Seal.of(key, [PUBLIC]))
        with pytest.raises(CannotSign):
            registry.publish(per_sqm(70_000), record())
        registry.activate(place.first, expected=place.second, by="me", why="back")

    with pytest.raises(CannotSign, match="REE_SIGNING_KEY") as caught:
        act()
    assert "\n" not in str(caught.value)
    assert place.objects._objects == before


def test_what_a_killed_writer_left_is_told_and_breaks_nothing(place: Place) -> None:
    place.put("models/20260203-040507-01234567/model.npz", b"half")
    odd = [
        finding for finding in place.registry().verify() if finding.soundness is not Soundness.SOUND
    ]
    assert [(found.subject, found.soundness) for found in odd] == [
        ("models/20260203-040507-01234567", Soundness.WARNING)
    ]
    assert "can be deleted" in odd[0].detail


def test_a_process_that_saw_a_later_move_refuses_an_earlier_one(place: Place) -> None:
    """Even where the intruder takes the later moves out of the history."""
    registry = place.registry()
    assert registry.active() is not None
    place.put("latest.json", place.old_pointer)
    for key in place.objects.keys("activations/000002"):
        del place.objects._objects[key]
    with pytest.raises(StorageError, match="older"):
        registry.active()


def test_a_history_that_was_rewritten_is_refused(place: Place) -> None:
    (key,) = place.objects.keys("activations/000001")
    place.rewrite(key, Seal.of(PRIVATE, []), set_to("why", "another reason"))
    registry = place.registry()
    with pytest.raises(StorageError, match="not the move that the next one names"):
        registry.history()


def test_without_a_key_it_is_said_loudly(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    registry = ObjectRegistry(place.objects, Clock())
    registry.load(place.second)
    registry.load(place.first)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "REE_VERIFY_KEYS is not set" in caplog.text
    (first, *_) = registry.verify()
    assert (first.subject, first.soundness) == ("signatures", Soundness.WARNING)
