"""Every message is one line that says what to do."""

import pickle
from collections.abc import Iterator
from datetime import date
from importlib import import_module
from pkgutil import walk_packages

import pytest

import ree
from ree.domain import errors
from ree.domain.rules import Fault

FAULT = Fault("lat", "missing:lat", "must be given")
MESSAGES: list[tuple[errors.ReeError, str]] = [
    (
        errors.FunnelMismatch("merge", 9, 5, 3),
        "The funnel does not add up at merge: 9 in, 5 out, 3 dropped. "
        "Nothing was trained; this is a defect, please report it.",
    ),
    (
        errors.UnknownVersion("v\n1"),
        "No version 'v\\n1'. \"ree models list\" shows what there is.",
    ),
    (
        errors.RejectedVersion("v1"),
        'The gate refused version v1; it cannot be activated. "ree models show v1" tells why.',
    ),
    (
        errors.UnreadableVersion("v1", "model.npz is damaged"),
        "Version v1 cannot be read: model.npz is damaged. Activate another with "
        '"ree models activate", or retrain with --replace-unreadable --why TEXT.',
    ),
    (
        errors.ModelsDisagree(2, 400),
        "The arrays that would be served price 2 of 400 sales otherwise than the fitted model. "
        "Nothing was published; this is a defect, please report it.",
    ),
    (
        errors.NotReproducible("v1"),
        "Version v1 is a stub; it was not trained on any sales.",
    ),
    (
        errors.ActivationConflict("v1", None),
        "The active version is none, not v1 as expected: somebody else moved it. "
        'Look with "ree models list" and try again.',
    ),
    (
        errors.ActivationConflict(None, "v2"),
        "The active version is v2, not none as expected: somebody else moved it. "
        'Look with "ree models list" and try again.',
    ),
    (
        errors.NothingToRollBack(),
        'No earlier version was active. "ree models list" shows what there is.',
    ),
    (
        errors.AlreadyBootstrapped("v1"),
        "Version v1 is active; a stub is only for an empty registry. "
        'Use "ree models activate" to change the active version.',
    ),
    (errors.UnknownRun("r1"), "No run 'r1'. \"ree runs list\" shows what there is."),
    (errors.UnknownOrder("o1"), "No order 'o1'; ask for the retrain again."),
    (
        errors.NoDistributions("v1"),
        "Version v1 keeps nothing of its training data to compare with: it is a stub, "
        "or older than that. Retrain.",
    ),
    (errors.NoDriftReport("v1"), 'No drift report of version v1 yet. Run "ree drift".'),
    (
        errors.ModelNotReady(),
        'No active model. Run "ree models bootstrap" or "ree retrain".',
    ),
    (errors.ModelNotReady("The model is damaged."), "The model is damaged."),
    (
        errors.InvalidProperties([("1", FAULT), ("1", FAULT)]),
        '1 property is invalid; correct them, or ask for on_invalid "skip" to price the rest.',
    ),
    (
        errors.InvalidProperties([("1", FAULT), ("2", FAULT)]),
        '2 properties are invalid; correct them, or ask for on_invalid "skip" to price the rest.',
    ),
    (
        errors.BatchTooLarge(11, 10),
        "11 properties in one batch; at most 10 are allowed. Split it.",
    ),
    (errors.EmptyBatch(), "The batch is empty; send at least one property."),
    (
        errors.FutureSale(date(2026, 1, 31), date(2026, 1, 17)),
        "The period ends on 2026-01-31, which is not before today (2026-01-17); "
        "sales still come in. Choose an earlier --end-date.",
    ),
]


@pytest.mark.parametrize(("error", "message"), MESSAGES, ids=lambda case: type(case).__name__)
def test_a_message_says_what_happened_and_what_to_do(error: errors.ReeError, message: str) -> None:
    assert str(error) == message


def test_every_error_with_a_message_of_its_own_is_looked_at() -> None:
    own = {kind for kind in errors.ReeError.__subclasses__() if "__init__" in vars(kind)}
    own = {kind for kind in own if kind.__module__ == errors.__name__}
    assert own == {type(error) for error, _ in MESSAGES}


def test_every_message_is_one_line() -> None:
    assert not [message for _, message in MESSAGES if "\n" in message]


def test_errors_carry_what_they_are_about() -> None:
    unreadable = errors.UnreadableVersion("v1", "gone")
    conflict = errors.ActivationConflict("v1", "v2")
    assert (unreadable.version, unreadable.reason) == ("v1", "gone")
    assert (conflict.expected, conflict.found) == ("v1", "v2")
    assert errors.UnknownVersion("v1").version == errors.RejectedVersion("v1").version == "v1"
    assert errors.InvalidProperties([("1", FAULT)]).faults == (("1", FAULT),)


@pytest.mark.parametrize("error", [error for error, _ in MESSAGES], ids=lambda e: type(e).__name__)
def test_another_process_gets_an_error_as_it_is(error: errors.ReeError) -> None:
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (type(again), str(again), again.__dict__) == (type(error), str(error), error.__dict__)


def test_every_kind_of_error_can_be_sent_to_another_process() -> None:
    for module in walk_packages(ree.__path__, "ree."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    kinds = set(_kinds(errors.ReeError))
    assert len(kinds) > 30
    for kind in kinds:
        error = kind.__new__(kind, "one line", 2)
        error.reason = "because"
        again = pickle.loads(pickle.dumps(error))  # noqa: S301
        assert (type(again), again.args, again.reason) == (kind, ("one line", 2), "because")


def _kinds(kind: type[errors.ReeError]) -> Iterator[type[errors.ReeError]]:
    yield kind
    for below in kind.__subclasses__():
        if below.__module__.startswith("ree."):
            yield from _kinds(below)
