"""Steps of features/trust.feature."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from attrs import define, field
from pytest_bdd import given, parsers, scenarios, then, when

from ree.adapters.active_model import WatchedModel
from ree.adapters.codec import to_json
from ree.adapters.memory_objects import MemoryObjects
from ree.adapters.registry import ObjectRegistry
from ree.adapters.seal import Seal, generate_keys
from ree.domain.model import Kind, Recipe, TrainingRecord

from .town import per_sqm

scenarios("trust.feature")

PRIVATE, PUBLIC = generate_keys()
STRANGERS = generate_keys()[0]
SEALS = {
    "us": Seal.of(PRIVATE, []),
    "nobody": Seal(),
    "a stranger": Seal.of(STRANGERS, []),
}
RECORD = TrainingRecord(Kind.TRAINED, Recipe("test"), {})


@define
class Clock:
    moment: datetime = datetime(2026, 6, 15, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.moment.timestamp()


@define
class Place:
    """A storage, and a service that reads it."""

    objects: MemoryObjects = field(factory=MemoryObjects)
    clock: Clock = field(factory=Clock)
    named: dict[str, str] = field(factory=dict)
    pointers: dict[str, bytes] = field(factory=dict)
    whole: dict[str, bytes] = field(factory=dict)
    service: WatchedModel = field(init=False)

    def __attrs_post_init__(self) -> None:
        reads = ObjectRegistry(self.objects, self.clock, Seal.of(None, [PUBLIC]))
        self.service = WatchedModel(reads, 60, self.clock)

    def publish(self, name: str, publisher: str) -> None:
        registry = ObjectRegistry(self.objects, self.clock, SEALS[publisher])
        version = registry.publish(per_sqm(10_000 + len(self.named)), RECORD).version
        active = registry.active()
        expected = active.version if active else None
        registry.activate(version, expected=expected, by="an operator", why=f"{name} is due")
        self.named[name] = version
        self.pointers[name] = self.objects.get("latest.json").body

    def look(self) -> None:
        """As the service does by itself; an hour later, so that it reads again what was broken."""
        self.clock.moment += timedelta(hours=1)
        self.service.look()

    def served(self) -> str:
        version = self.service._state.in_use().loaded.version.version
        return next(name for name, known in self.named.items() if known == version)


@pytest.fixture
def place() -> Place:
    return Place()


@given(parsers.parse("the versions A and B were published by {publisher}"))
def _(place: Place, publisher: str) -> None:
    for name in ("A", "B"):
        place.publish(name, publisher)


@given("a service that trusts our key prices homes by B")
def _(place: Place) -> None:
    place.look()
    assert place.served() == "B"


@when("a service that trusts our key looks for its model")
def _(place: Place) -> None:
    place.look()


@when(parsers.parse("a version C is activated and {damage}"))
def _(place: Place, damage: str) -> None:
    place.publish("C", "us")
    place.whole = dict(place.objects._objects)
    DAMAGE[damage](place, f"models/{place.named['C']}")
    place.look()


@when("what was damaged is restored")
def _(place: Place) -> None:
    place.objects._objects.update(place.whole)
    place.look()


@then("it prices homes by B")
def _(place: Place) -> None:
    assert place.served() == "B"


@then(parsers.re(r"the service (still )?prices homes by (?P<name>[A-Z])"))
def _(place: Place, name: str) -> None:
    assert place.served() == name


@then(parsers.re(r"it refuses what is (?P<reason>not signed)"))
@then(parsers.re(r"it refuses a key it (?P<reason>cannot name)"))
def _(place: Place, reason: str) -> None:
    state = place.service._state
    assert state.served is None
    assert {"not signed": "not signed", "cannot name": "not in REE_VERIFY_KEYS"}[reason] in str(
        state.reason
    )


@then(parsers.parse("it tells that {reason}"))
def _(place: Place, reason: str) -> None:
    state = place.service._state
    assert reason in str(state.reason)
    assert state.failures == 1


def _flip(place: Place, folder: str) -> None:
    body = bytearray(place.objects.get(f"{folder}/model.npz").body)
    body[len(body) // 2] ^= 1
    place.objects._objects[f"{folder}/model.npz"] = bytes(body)


def _sign_as_a_stranger(place: Place, folder: str) -> None:
    key = f"{folder}/training_manifest.json"
    manifest = json.loads(place.objects.get(key).body)
    del manifest["signature"]
    body = to_json(SEALS["a stranger"].close(manifest))
    place.objects._objects[key] = body


def _lose_the_report(place: Place, folder: str) -> None:
    del place.objects._objects[f"{folder}/report.html"]


def _put_back_the_pointer(place: Place, folder: str) -> None:
    place.objects._objects["latest.json"] = place.pointers["A"]


DAMAGE: dict[str, Callable[[Place, str], None]] = {
    "one bit of its arrays is flipped": _flip,
    "its manifest is signed by a stranger": _sign_as_a_stranger,
    "its report is lost": _lose_the_report,
    "the pointer is put back to A": _put_back_the_pointer,
}
