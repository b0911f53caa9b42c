"""Steps of features/registry.feature."""

import re

import pytest
from attrs import evolve
from pytest_bdd import given, parsers, scenarios, then, when

from ree.adapters.objects import digest
from ree.domain.errors import (
    ActivationConflict,
    AlreadyBootstrapped,
    NothingToRollBack,
    RejectedVersion,
    StorageError,
    UnknownVersion,
    UnreadableVersion,
)
from ree.domain.gating import Check, Outcome, Verdict
from ree.domain.model import Kind, Recipe, TrainingRecord

from .conftest import World
from .town import per_sqm

scenarios("registry.feature")

REFUSALS = {
    "because a version is active": AlreadyBootstrapped,
    "as unknown": UnknownVersion,
    "as rejected": RejectedVersion,
    "as unreadable": UnreadableVersion,
    "because there is nothing to go back to": NothingToRollBack,
}
RECORD = TrainingRecord(Kind.TRAINED, Recipe("test"), {})
REFUSED = Verdict((Check("overall_mae", Outcome.FAILED),))


def _publish(world: World, name: str, record: TrainingRecord = RECORD) -> None:
    price = 10_000 + len(world.named)
    world.named[name] = world.registry.publish(per_sqm(price), record).version


@given(parsers.re(r"the versions? (?P<names>[A-Z, and]+) (was|were) published and activated"))
def _(world: World, names: str) -> None:
    for name in re.findall("[A-Z]", names):
        _publish(world, name)
        world.activate(world.named[name], by="an operator", why=f"{name} is due")


@given("the version C was published")
def _(world: World) -> None:
    _publish(world, "C")


@given("the version C was rejected by the gate")
def _(world: World) -> None:
    _publish(world, "C", evolve(RECORD, verdict=REFUSED))


@given("the stored model of A is damaged")
def _(world: World) -> None:
    world.model_storage.damaged.add(f"models/{world.named['A']}/model.npz")


@when("the registry is bootstrapped")
def _(world: World) -> None:
    world.attempt(lambda: world.bootstrap(by="an operator"))


@when(parsers.re(r'(?P<name>[A-Z]) is activated because "(?P<why>.+)"'))
def _(world: World, name: str, why: str) -> None:
    world.attempt(lambda: world.activate(world.named[name], by="an operator", why=why))


@when("a version that does not exist is activated")
def _(world: World) -> None:
    world.attempt(lambda: world.activate("20260101-000000-deadbeef", by="an operator", why="?"))


@when("the registry is rolled back")
def _(world: World) -> None:
    world.attempt(lambda: world.roll_back(by="an operator", why="undo"))


@when("two operators, who both saw B active, activate A and then C")
def _(world: World) -> None:
    seen = world.active
    for name in "AC":
        world.attempt(
            lambda name=name: world.registry.activate(
                world.named[name], expected=seen, by="an operator", why="at once"
            )
        )


@when("somebody puts back the pointer to A")
def _(world: World) -> None:
    storage = world.model_storage
    now = storage.get("latest.json")
    first = world.registry.history()[-1]
    world.answers = storage.keys("activations/")[0]
    old = now.body.replace(now.body, _pointer_to(world, first.version))
    storage.replace("latest.json", old, token=now.token)


def _pointer_to(world: World, version: str) -> bytes:
    """The pointer as it was when *version*, the first one, became active."""
    fresh = World()
    fresh.model_storage.inner._objects.update(
        {
            key: body
            for key, body in world.model_storage.contents().items()
            if key.startswith("models/")
        }
    )
    fresh.activate(version, by="an operator", why="A is due")
    return fresh.model_storage.get("latest.json").body


@then("a stub is active")
def _(world: World) -> None:
    assert world.active is not None
    assert world.registry.version(world.active).record.kind is Kind.STUB


@then(parsers.re(r"(?P<name>[A-Z]) is active"))
def _(world: World, name: str) -> None:
    assert world.active == world.named[name]


@then(parsers.re(r"it is refused (?P<how>.+)"))
def _(world: World, how: str) -> None:
    assert isinstance(world.error, REFUSALS[how])


@then(parsers.re(r'the last activation tells "(?P<why>.+)" and goes from B to A'))
def _(world: World, why: str) -> None:
    last = world.registry.history()[0]
    assert (last.why, last.activated_by) == (why, "an operator")
    assert (last.previous, last.version) == (world.named["B"], world.named["A"])


@then("the second is told that A is active")
def _(world: World) -> None:
    assert isinstance(world.error, ActivationConflict)
    assert world.error.found == world.named["A"]


@then("the moves were A, B, C and B")
def _(world: World) -> None:
    moves = [move.version for move in reversed(world.registry.history())]
    assert moves == [world.named[name] for name in "ABCB"]


@then("each move but the first names the digest of the one before")
def _(world: World) -> None:
    keys = world.model_storage.keys("activations/")
    digests = [digest(world.model_storage.get(key).body) for key in keys]
    moves = list(reversed(world.registry.history()))
    assert [move.previous_digest for move in moves] == [None, *digests[:-1]]
    assert [move.sequence for move in moves] == [1, 2, 3, 4]


@then("the registry refuses the pointer as older than its history")
def _(world: World) -> None:
    with pytest.raises(StorageError, match="older"):
        world.registry.active()
