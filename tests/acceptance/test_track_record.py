"""Steps of features/track_record.feature."""

import logging
from datetime import date, timedelta
from typing import Any

import pytest
from pytest_bdd import given, parsers, scenarios, then, when

from ree.adapters.codec import plain
from ree.domain.track_record import WITHIN_TRAINING, TrackedMonth
from ree.domain.turnover import Period, Unit, add_months

from .conftest import World, kroner
from .town import Storage, home, turnover

scenarios("track_record.feature")

MONTHS = {"January": 1, "February": 2, "March": 3, "April": 4, "May": 5, "June": 6}
FOUR = Period(date(2026, 1, 1), date(2026, 4, 30))
NEW = 77


def _day(text: str) -> date:
    number, month = text.split()
    return date(2026, MONTHS[month], int(number))


def _month(name: str) -> Period:
    start = date(2026, MONTHS[name], 1)
    return Period(start, add_months(start, 1) - timedelta(days=1))


def _train(world: World, day: str, miss: str, period: Period, **wishes: Any) -> None:
    world.clock.today = _day(day)
    world.trainer.miss = kroner(miss)
    world.limits(min_rows=1)
    world.retrain(period, **wishes)
    assert world.error is None


def _version(world: World, name: str) -> str:
    """By the order in which they came into use."""
    came = list(dict.fromkeys(move.version for move in reversed(world.registry.history())))
    return came[["first", "second", "third"].index(name)]


def _tracked(world: World, month: str) -> TrackedMonth:
    (found,) = (each for each in world.track_log.months() if each.month == _month(month))
    return found


TRAINED = (
    r"on (?P<day>\d+ \w+) a model that misses by (?P<miss>[\d ]+) kr {verb} "
    r"trained on (?P<first>\w+) to (?P<last>\w+) 2026"
)


@given(parsers.re(TRAINED.format(verb="was")))
@when(parsers.re(TRAINED.format(verb="is")))
def _(world: World, day: str, miss: str, first: str, last: str) -> None:
    _train(world, day, miss, Period(_month(first).start, _month(last).end))


@given(parsers.re(TRAINED.format(verb="replaced it,")))
@when(parsers.re(TRAINED.format(verb="replaces it,")))
def _(world: World, day: str, miss: str, first: str, last: str) -> None:
    period = Period(_month(first).start, _month(last).end)
    _train(world, day, miss, period, replace_unreadable="its disk died")


UNTIL = (
    r"on (?P<day>\d+ \w+) a model that misses by (?P<miss>[\d ]+) kr {verb} "
    r"trained until (?P<last>\d+ \w+) 2026"
)


@given(parsers.re(UNTIL.format(verb="was")))
@when(parsers.re(UNTIL.format(verb="is")))
def _(world: World, day: str, miss: str, last: str) -> None:
    _train(world, day, miss, Period(date(2026, 1, 1), _day(last)))


@given(parsers.parse("on {day} January to April 2026 was only fetched"))
@when(parsers.parse("on {day} January to April 2026 is only fetched"))
def _(world: World, day: str) -> None:
    _train(world, day, "0", FOUR, dry_run=True)


@given("it is in use")
def _(world: World) -> None:
    assert world.active == _version(world, "first")


@given("only a stub is in use")
def _(world: World) -> None:
    world.model_storage = Storage()
    world.bootstrap(by="test")


@given(parsers.parse("a fetch of March 2026 came back otherwise on {day}"))
def _(world: World, day: str) -> None:
    _sold(world, date(2026, 3, 20))
    period = Period(date(2026, 1, 1), date(2026, 3, 31))
    _train(world, day, "400 000", period, force_fetch=True)
    assert len(world.snapshot_storage.keys("snapshots/2026-03")) == 4


@given("a home without a build year sold in April 2026")
def _(world: World) -> None:
    _sold(world, date(2026, 4, 20), built_year=None)


def _sold(world: World, day: date, **changes: Any) -> None:
    world.town.extra.append(turnover(NEW, day))
    world.town.extra_units[NEW] = Unit("0301-7/7", (NEW,))
    world.town.extra_homes[NEW] = home(**changes)


@given(parsers.parse("the {name} version cannot be read"))
def _(world: World, name: str) -> None:
    world.model_storage.damaged.add(f"models/{_version(world, name)}/model.npz")


@given("the first version can be read again")
def _(world: World) -> None:
    world.model_storage.damaged.clear()


@given("the record of April 2026 is damaged")
def _(world: World) -> None:
    (key,) = world.model_storage.keys("track_record/")
    world.model_storage.damaged.add(key)


@then(
    parsers.parse(
        "{month} 2026 is on the track record of the {name} version, with an error of {error:d} %"
    )
)
def _(world: World, month: str, name: str, error: int) -> None:
    found = _tracked(world, month)
    version = world.registry.version(_version(world, name))
    assert found.version == version.version
    assert found.trained_until == version.record.trained_until
    assert round(found.evaluation.overall.mdape, 2) == error / 100
    assert version.record.evaluation is not None
    assert plain(found.holdout) == plain(version.record.evaluation.overall)


@then("no month is on the track record")
def _(world: World) -> None:
    assert world.model_storage.keys("track_record/") == []


@then(parsers.parse("{count:d} months are on the track record"))
def _(world: World, count: int) -> None:
    assert len(world.model_storage.keys("track_record/")) == count


@then("no month is on the track record of the second version")
def _(world: World) -> None:
    assert world.active == _version(world, "second")
    assert {month.version for month in world.track_log.months()} == {_version(world, "first")}


@then("April 2026 is not on the track record")
def _(world: World) -> None:
    assert _month("April") not in {month.month for month in world.track_log.months()}


@then(
    parsers.parse(
        "{counted:d} sales of April 2026 counted and {seen:d} were within the training period"
    )
)
def _(world: World, counted: int, seen: int) -> None:
    found = _tracked(world, "April")
    assert found.evaluation.overall.n == counted
    assert found.excluded == {WITHIN_TRAINING: seen}


@then(
    parsers.parse("{counted:d} sales of April 2026 counted and {left:d} was left out for {reason}")
)
def _(world: World, counted: int, left: int, reason: str) -> None:
    found = _tracked(world, "April")
    assert found.evaluation.overall.n == counted
    assert found.excluded == {reason: left}


@then(parsers.parse("it was scored on {day}"))
def _(world: World, day: str) -> None:
    assert _tracked(world, "April").scored_at.date() == _day(day)


@then("the second version is in use")
def _(world: World) -> None:
    assert world.active == _version(world, "second")


@then("a warning says that April 2026 was not scored")
def _(world: World, caplog: pytest.LogCaptureFixture) -> None:
    (told,) = (record for record in caplog.records if record.message == "month_not_scored")
    assert told.levelno == logging.WARNING
    assert vars(told)["of"] == str(_month("April"))
    assert vars(told)["model_version"] == _version(world, "first")


@then("the version in use tells that April was missed by 10 % and May by 2 %")
def _(world: World) -> None:
    assert world.active is not None
    track = world.registry.version(world.active).record.track
    assert [(month.month, round(month.evaluation.overall.mdape, 2)) for month in track] == [
        (_month("May"), 0.02),
        (_month("April"), 0.1),
    ]
    assert not any(month.evaluation.by_realestate_type for month in track)
