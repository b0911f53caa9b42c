"""What every model registry promises (ree.domain.ports.ModelRegistry)."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from math import isnan, nan
from pathlib import Path
from threading import Barrier
from typing import Any, ClassVar

import numpy as np
import pytest
from attrs import define, evolve, field, frozen

from ree.adapters.boosted_trees import BoostedTrees
from ree.adapters.codec import plain, to_json
from ree.adapters.features import FEATURES
from ree.adapters.figures import version_figures
from ree.adapters.median_price import MedianPricePerSqm
from ree.adapters.objects import ObjectMissing, ObjectStore, Stored
from ree.adapters.price_models import KINDS
from ree.adapters.registry import ObjectRegistry
from ree.adapters.report import html_report
from ree.adapters.seal import Seal
from ree.adapters.sklearn_model import SklearnTrainer
from ree.adapters.stored_arrays import npz
from ree.domain.appraisal import Appraisal
from ree.domain.dataset import Dataset, DatasetManifest
from ree.domain.errors import (
    ActivationConflict,
    RejectedVersion,
    StorageError,
    UnknownVersion,
    UnreadableVersion,
)
from ree.domain.evaluation import Evaluation, Metrics
from ree.domain.explanation import Explanation
from ree.domain.funnel import Funnel, Stage
from ree.domain.gating import Check, Outcome, Verdict
from ree.domain.model import ConditionalWrites, Kind, ModelVersion, Recipe, Status, TrainingRecord
from ree.domain.places import Place
from ree.domain.ports import ModelRegistry
from ree.domain.residuals import Cell, Driver, PlaceErrors, PriceBand, Residuals, Spread, Week
from ree.domain.turnover import Period
from ree.domain.verification import Soundness

MOMENT = datetime(2026, 2, 3, 4, 5, 6, 789, tzinfo=UTC)
UNKNOWN = "20260101-000000-deadbeef"
METRICS = Metrics(120, 3e5, 4e5, 0.1, 0.08, nan, 7e5, 0.6, 0.9)
DATASET = DatasetManifest(
    "datasets/2026-01-01_2026-01-31/01234567",
    Period(date(2026, 1, 1), date(2026, 1, 31)),
    "0123456789",
    Funnel((Stage("normalise", 3, 2, {"multi_unit": 1}),)),
    2,
    2,
    (),
)
SPREAD = Spread(120, -0.2, -0.1, 0.0, 0.1, nan)
RESIDUALS = Residuals(
    (Week(date(2026, 1, 25), SPREAD),),
    (PriceBand(1e6, 9e6, 4e6, 4.1e6, SPREAD),),
    {"0301": PlaceErrors(59.91, 10.75, 120, 0.01, 0.08)},
    1.1,
    (Cell(3_918_434.0, 4_310_278.0, 120),),
)
DRIVERS = {"size": Driver(7e5, 0.7), "age": Driver(3e5, 0.3)}
STUB = TrainingRecord(Kind.STUB, Recipe("stub"), {"python": "3.11.7"})
TRAINED = TrainingRecord(
    Kind.TRAINED,
    Recipe("tiny", {"max_iter": 4}),
    {"python": "3.11.7", "numpy": "2.3.0"},
    run_id="20260203-040500-01234567",
    run_key="key",
    dataset=DATASET,
    trained_until=date(2026, 1, 31),
    evaluation=Evaluation(
        METRICS,
        {"enebolig": METRICS},
        {"0301": METRICS},
        residuals=RESIDUALS,
        drivers=DRIVERS,
    ),
    baseline=Evaluation(METRICS),
    verdict=Verdict((Check("enough_rows", Outcome.PASSED, {"rows": 600}),)),
    evaluation_digest="abc",
    champion=UNKNOWN,
    champion_trained_until=date(2025, 12, 31),
)
REFUSED = evolve(TRAINED, verdict=Verdict((Check("overall_mae", Outcome.FAILED),)))
Overwrite = Callable[[str, bytes], None]
Delete = Callable[[str], None]


@define
class SetClock:
    moment: datetime = MOMENT

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return 0.0


@define
class Storage:
    """A store that can be told to fail, or to let somebody else in between."""

    inner: ObjectStore
    creates_left: float = float("inf")
    before_get: Callable[[str], None] = field(default=lambda key: None)
    before_replace: Callable[[str], None] = field(default=lambda key: None)
    after_keys: Callable[[str], None] = field(default=lambda prefix: None)

    def get(self, key: str) -> Stored:
        self.before_get(key)
        return self.inner.get(key)

    def get_if_changed(self, key: str, token: str) -> Stored | None:
        self.before_get(key)
        return self.inner.get_if_changed(key, token)

    def create(self, key: str, body: bytes) -> None:
        if self.creates_left < 1:
            raise StorageError("The disk is full.")
        self.creates_left -= 1
        self.inner.create(key, body)

    def replace(self, key: str, body: bytes, *, token: str | None) -> None:
        self.before_replace(key)
        self.inner.replace(key, body, token=token)

    def keys(self, prefix: str) -> list[str]:
        found = self.inner.keys(prefix)
        self.after_keys(prefix)
        return found

    def conditional_writes(self) -> ConditionalWrites:
        return self.inner.conditional_writes()


@frozen
class Crafted:
    """A model of any arrays at all."""

    stored: Mapping[str, Any]
    kind: str = "boosted_trees"
    estimator: Any = None

    def arrays(self) -> dict[str, Any]:
        return dict(self.stored)

    @property
    def digest(self) -> str:
        return sha256(npz(self.arrays())).hexdigest()

    def estimate(self, homes: Mapping[str, Any]) -> Any:
        """As its arrays would, were they read without a check; else anything."""
        try:
            return KINDS[self.kind].from_arrays(self.stored).estimate(homes)
        except Exception:
            return np.ones(len(homes["day"]))

    def appraise(self, homes: Mapping[str, Any], coverages: Sequence[float]) -> Appraisal:
        return Appraisal(self.estimate(homes))

    def explain(self, homes: Mapping[str, Any]) -> list[Explanation]:
        return [Explanation.whole(price) for price in self.estimate(homes).tolist()]

    def places(self) -> list[Place]:
        return []


def sales(rows: int = 300) -> Dataset:
    random = np.random.default_rng(1)
    usable = random.uniform(30, 250, rows)
    return Dataset(
        {
            "property_id": np.arange(rows),
            "day": date(2026, 1, 1).toordinal() + np.arange(rows) * 31 // rows,
            "year": np.full(rows, 2026),
            "price": usable * random.uniform(3e4, 9e4, rows),
            "realestate_type": random.integers(0, 5, rows).astype(float),
            "municipality_number": random.choice([301.0, 1103.0, 4601.0], rows),
            "lat": random.uniform(58, 70, rows),
            "lon": random.uniform(5, 30, rows),
            "built_year": random.integers(1900, 2026, rows).astype(float),
            "total_area": usable * 1.2,
            "usable_area": usable,
            "floor": np.where(random.random(rows) < 0.5, np.nan, 2.0),
            "bedrooms": random.integers(1, 5, rows).astype(float),
            "rooms": random.integers(2, 8, rows).astype(float),
        }
    )


@pytest.fixture(scope="module")
def trees() -> BoostedTrees:
    settings = {
        "members": ("residual", "price"),
        "vintages": 4,
        "max_iter": 4,
        "max_leaf_nodes": 8,
        "random_state": 0,
    }
    return SklearnTrainer().fit(sales(), Recipe("tiny", settings))


@pytest.fixture
def stub() -> MedianPricePerSqm:
    return SklearnTrainer().stub()


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def registry(objects: ObjectStore, clock: SetClock) -> ModelRegistry:
    return ObjectRegistry(objects, clock)


def activate(registry: ModelRegistry, version: ModelVersion) -> None:
    active = registry.active()
    expected = active.version if active else None
    registry.activate(version.version, expected=expected, by="me", why="a test")


def read(objects: ObjectStore, key: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(objects.get(key).body)
    return found


def closed(document: dict[str, Any]) -> bytes:
    """As somebody writes it who knows how, but has no key."""
    document.pop("signature", None)
    return to_json(Seal().close(document))


def everything(objects: ObjectStore) -> dict[str, bytes]:
    return {key: objects.get(key).body for key in objects.keys("")}


def assert_chain(objects: ObjectStore, registry: ModelRegistry, length: int) -> None:
    """Every move is there once, names the one before, and is stored as the chain says."""
    history = registry.history()[::-1]
    assert [move.sequence for move in history] == list(range(1, length + 1))
    keys = objects.keys("activations/")
    assert [key.split("/")[1] for key in keys] == [
        f"{move.sequence:06d}-{move.version}.json" for move in history
    ]
    assert history[0].previous is None
    assert history[0].previous_digest is None
    for key, before, after in zip(keys, history, history[1:], strict=False):
        assert after.previous == before.version
        assert after.previous_digest == sha256(objects.get(key).body).hexdigest()


# Versions


def test_nothing_was_ever_published(registry: ModelRegistry) -> None:
    assert registry.active() is None
    assert list(registry.versions()) == []
    assert list(registry.history()) == []


@pytest.mark.parametrize("version", [UNKNOWN, "", "..", "../latest", "a/b", "20260101-000000-å"])
def test_an_unknown_version(registry: ModelRegistry, version: str) -> None:
    for look in (registry.version, registry.load):
        with pytest.raises(UnknownVersion) as caught:
            look(version)
        assert caught.value.version == version


@pytest.mark.parametrize("record", [STUB, TRAINED, REFUSED])
def test_a_published_version_is_read_back_as_it_was(
    registry: ModelRegistry, trees: BoostedTrees, record: TrainingRecord
) -> None:
    published = registry.publish(trees, record)
    found = registry.version(published.version)
    assert plain(found) == plain(published)
    assert plain(found.record) == plain(record)
    if found.record.evaluation is not None:
        assert isnan(found.record.evaluation.overall.wape)
    assert [version.version for version in registry.versions()] == [published.version]
    assert found.version == f"20260203-040506-{trees.digest[:8]}"
    assert registry.active() is None


def test_a_loaded_model_prices_as_the_published_one(
    registry: ModelRegistry, trees: BoostedTrees
) -> None:
    loaded = registry.load(registry.publish(trees, TRAINED).version)
    columns = sales().columns
    assert np.array_equal(loaded.model.estimate(columns), trees.estimate(columns))
    assert loaded.model.digest == loaded.version.model_digest == trees.digest


def test_the_newest_version_is_first(
    registry: ModelRegistry, clock: SetClock, stub: MedianPricePerSqm
) -> None:
    published = []
    for record in (STUB, REFUSED, STUB):
        published.append(registry.publish(stub, record).version)
        clock.moment += timedelta(days=1)
    assert [version.version for version in registry.versions()] == published[::-1]


@pytest.mark.parametrize("records", [(STUB, STUB), (STUB, REFUSED), (REFUSED, STUB)])
def test_two_versions_of_one_second_have_two_names(
    registry: ModelRegistry, stub: MedianPricePerSqm, records: tuple[TrainingRecord, ...]
) -> None:
    versions = [registry.publish(stub, record) for record in records]
    assert len({version.version for version in versions}) == 2
    for version, record in zip(versions, records, strict=True):
        assert registry.load(version.version).version.status is record.status


def test_a_rejected_version_lies_apart_and_has_no_estimator(
    objects: ObjectStore, registry: ModelRegistry, trees: BoostedTrees
) -> None:
    served = {
        "feature_schema.json",
        "metrics.json",
        "model.npz",
        "report.html",
        "training_manifest.json",
    }
    for record, folder, names in [
        (TRAINED, "models", served | {"model.pkl"}),
        (REFUSED, "rejected", served),
    ]:
        version = registry.publish(trees, record)
        keys = objects.keys(f"{folder}/{version.version}/")
        assert {key.rpartition("/")[2] for key in keys} == names


@pytest.mark.parametrize(("record", "place"), [(TRAINED, "models"), (REFUSED, "rejected")])
def test_the_manifest_names_every_other_object_with_its_digest(
    objects: ObjectStore,
    registry: ModelRegistry,
    trees: BoostedTrees,
    record: TrainingRecord,
    place: str,
) -> None:
    version = registry.publish(trees, record)
    prefix = f"{place}/{version.version}/"
    manifest = read(objects, f"{prefix}training_manifest.json")
    assert manifest["objects"] == {
        key.removeprefix(prefix): sha256(objects.get(key).body).hexdigest()
        for key in objects.keys(prefix)
        if not key.endswith("/training_manifest.json")
    }
    assert manifest["format"] == 3
    assert manifest["trained_until"] == "2026-01-31"
    assert manifest["recipe"] == {"name": "tiny", "settings": {"max_iter": 4}}
    assert manifest["environment"] == {"python": "3.11.7", "numpy": "2.3.0"}
    assert manifest["dataset"]["name"] == DATASET.name
    assert manifest["evaluation"]["overall"]["n"] == 120
    assert manifest["verdict"]["checks"][0]["rule"]
    assert manifest["threads"] == 1


def test_metrics_are_kept_with_the_version(
    objects: ObjectStore, registry: ModelRegistry, trees: BoostedTrees
) -> None:
    version = registry.publish(trees, TRAINED)
    metrics = read(objects, f"models/{version.version}/metrics.json")
    evaluation = {
        *("overall", "by_realestate_type", "by_municipality", "by_price_fifth", "by_reach"),
    }
    assert set(metrics["baseline"]) == evaluation
    assert set(metrics) == evaluation | {
        *(
            "baseline",
            "gain_on_baseline",
            "residuals",
            "drivers",
            "period",
            "funnel",
            "trained_until",
        ),
        *("verdict", "champion", "champion_trained_until", "track"),
    }
    assert metrics["by_municipality"]["0301"]["mae"] == 300_000
    assert metrics["overall"]["wape"] is None
    gain = 1 - metrics["overall"]["mae"] / metrics["baseline"]["overall"]["mae"]
    assert metrics["gain_on_baseline"] == gain
    spread = {"n": 120, "p10": -0.2, "p25": -0.1, "median": 0.0, "p75": 0.1, "p90": None}
    band = {"lower": 1e6, "upper": 9e6, "median_price": 4e6, "median_estimate": 4.1e6}
    assert metrics["residuals"] == {
        "by_week": [{"start": "2026-01-25", "spread": spread}],
        "by_price": [band | {"spread": spread}],
        "places": {"0301": {"lat": 59.91, "lon": 10.75, "n": 120, "median": 0.01, "mdape": 0.08}},
        "step": 1.1,
        "cells": [{"price": 3_918_434.0, "estimate": 4_310_278.0, "n": 120}],
    }
    assert metrics["drivers"] == {
        "size": {"mean": 7e5, "share": 0.7},
        "age": {"mean": 3e5, "share": 0.3},
    }
    assert metrics["period"] == {"start_date": "2026-01-01", "end_date": "2026-01-31"}
    assert [stage["dropped"] for stage in metrics["funnel"]] == [{"multi_unit": 1}]
    assert metrics["trained_until"] == "2026-01-31"
    assert metrics["verdict"]["passed"] is True
    assert metrics["verdict"]["checks"][0]["figures"] == {"rows": 600}
    assert metrics["champion"] == UNKNOWN
    assert metrics["champion_trained_until"] == "2025-12-31"


def test_metrics_of_a_stub_have_no_figures(
    objects: ObjectStore, registry: ModelRegistry, stub: MedianPricePerSqm
) -> None:
    metrics = read(objects, f"models/{registry.publish(stub, STUB).version}/metrics.json")
    unknown = ("overall", "residuals", "period", "trained_until", "verdict", "champion")
    assert {metrics[name] for name in unknown} == {None}
    assert (metrics["drivers"], metrics["funnel"]) == ({}, [])


def test_a_stored_version_tells_the_strongest_driver_first(
    registry: ModelRegistry, stub: MedianPricePerSqm
) -> None:
    stored = registry.version(registry.publish(stub, TRAINED).version)
    assert list(version_figures(stored.record)["drivers"]) == ["size", "age"]


def test_a_version_from_before_there_were_residuals_is_as_good_as_ever(
    objects: ObjectStore, registry: ModelRegistry, trees: BoostedTrees, overwrite: Overwrite
) -> None:
    name = registry.publish(trees, TRAINED).version
    key = f"models/{name}/training_manifest.json"
    manifest = read(objects, key)
    for evaluation in (manifest["evaluation"], manifest["baseline"]):
        del evaluation["residuals"], evaluation["drivers"]
    overwrite(key, closed(manifest))
    found = registry.version(name)
    assert found.record.evaluation is not None
    assert (found.record.evaluation.residuals, found.record.evaluation.drivers) == (None, {})
    assert found.record.evaluation.overall.mae == METRICS.mae
    activate(registry, found)
    assert registry.load(name).model.digest == trees.digest
    findings = registry.verify(name)
    assert not [finding for finding in findings if finding.soundness is Soundness.BROKEN]
    figures = version_figures(found.record)
    assert (figures["residuals"], figures["drivers"]) == (None, {})
    assert name in html_report(found)


@pytest.mark.parametrize("written", range(5))
def test_an_interrupted_publication_is_no_version(
    objects: ObjectStore, clock: SetClock, stub: MedianPricePerSqm, written: int
) -> None:
    storage = Storage(objects)
    registry: ModelRegistry = ObjectRegistry(storage, clock)
    storage.creates_left = min(written, 4)
    with pytest.raises(StorageError, match="disk is full"):
        registry.publish(stub, STUB)
    assert list(registry.versions()) == []
    with pytest.raises(UnknownVersion):
        registry.load(f"20260203-040506-{stub.digest[:8]}")
    storage.creates_left = float("inf")
    assert registry.load(registry.publish(stub, STUB).version).model.digest == stub.digest


@pytest.mark.parametrize("record", [TRAINED, REFUSED], ids=["published", "rejected"])
@pytest.mark.parametrize("written", range(7))
def test_who_publishes_after_a_killed_one_completes_its_version(
    objects: ObjectStore,
    clock: SetClock,
    stub: MedianPricePerSqm,
    record: TrainingRecord,
    written: int,
) -> None:
    storage = Storage(objects)
    registry: ModelRegistry = ObjectRegistry(storage, clock)
    storage.creates_left = written
    if written < 6:
        with pytest.raises(StorageError, match="disk is full"):
            registry.publish(stub, record)
    else:
        registry.publish(stub, record)
    storage.creates_left = float("inf")
    clock.moment += timedelta(minutes=5)
    later = registry.publish(stub, evolve(record, run_id="20260203-040959-89abcdef"))
    assert later.record.run_id == (record.run_id if written else "20260203-040959-89abcdef")
    assert later.created_at == (MOMENT if written else clock.moment)
    assert [found.version for found in registry.versions()] == [later.version]
    assert registry.load(later.version).model.digest == stub.digest
    assert not [finding for finding in registry.verify() if finding.soundness is Soundness.BROKEN]
    folders = {tuple(key.split("/")[:2]) for key in objects.keys("models/")}
    folders |= {tuple(key.split("/")[:2]) for key in objects.keys("rejected/")}
    assert len(folders) == 1


@pytest.mark.parametrize(
    "other",
    [
        evolve(TRAINED, run_key="another run"),
        evolve(TRAINED, champion="20251231-000000-00000000"),
        REFUSED,
    ],
    ids=["run", "champion", "verdict"],
)
def test_another_run_champion_or_verdict_is_another_version(
    registry: ModelRegistry, stub: MedianPricePerSqm, other: TrainingRecord
) -> None:
    first, second = registry.publish(stub, TRAINED), registry.publish(stub, other)
    assert first.version != second.version
    assert second.record.champion == other.champion
    assert len(registry.versions()) == 2


def test_threads_that_publish_one_run_at_once_make_one_version(
    registry: ModelRegistry, stub: MedianPricePerSqm
) -> None:
    start = Barrier(4)

    def publish(number: int) -> ModelVersion:
        start.wait()
        return registry.publish(stub, evolve(TRAINED, run_id=f"run-{number}"))

    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(publish, range(4)))
    (version,) = registry.versions()
    assert [plain(found) for found in told] == [plain(version)] * 4


@pytest.mark.parametrize("body", [b"", b"{}", b"no JSON"])
def test_a_damaged_claim_binds_nobody(
    objects: ObjectStore,
    overwrite: Overwrite,
    clock: SetClock,
    stub: MedianPricePerSqm,
    body: bytes,
) -> None:
    storage = Storage(objects)
    registry: ModelRegistry = ObjectRegistry(storage, clock)
    storage.creates_left = 2
    with pytest.raises(StorageError, match="disk is full"):
        registry.publish(stub, TRAINED)
    storage.creates_left = float("inf")
    (claim,) = objects.keys("publications/")
    assert claim in {finding.subject for finding in registry.verify()}
    overwrite(claim, body)
    assert claim in {
        finding.subject for finding in registry.verify() if finding.soundness is Soundness.BROKEN
    }
    version = registry.publish(stub, TRAINED)
    assert version.created_at == MOMENT + timedelta(seconds=1)
    assert registry.load(version.version).version.objects == version.objects


def test_a_name_that_others_took_since_is_stepped_over(
    objects: ObjectStore, overwrite: Overwrite, clock: SetClock, stub: MedianPricePerSqm
) -> None:
    storage = Storage(objects)
    registry: ModelRegistry = ObjectRegistry(storage, clock)
    storage.creates_left = 2
    with pytest.raises(StorageError, match="disk is full"):
        registry.publish(stub, TRAINED)
    storage.creates_left = float("inf")
    (half,) = objects.keys("models/")
    overwrite(half, b"something else")
    version = registry.publish(stub, TRAINED)
    assert not half.startswith(f"models/{version.version}/")
    assert registry.load(version.version).version.objects == version.objects


def test_what_others_put_there_is_no_version(
    objects: ObjectStore, registry: ModelRegistry, stub: MedianPricePerSqm
) -> None:
    version = registry.publish(stub, STUB)
    for key in ("models/junk/training_manifest.json", "models/a/b/training_manifest.json"):
        objects.create(key, b"{}")
    assert [found.version for found in registry.versions()] == [version.version]


# The pointer


def test_the_first_activation_expects_nothing(
    objects: ObjectStore, registry: ModelRegistry, stub: MedianPricePerSqm
) -> None:
    version = registry.publish(stub, STUB)
    with pytest.raises(ActivationConflict) as caught:
        registry.activate(version.version, expected=UNKNOWN, by="me", why="a test")
    assert (caught.value.expected, caught.value.found) == (UNKNOWN, None)
    assert registry.active() is None
    move = registry.activate(version.version, expected=None, by="me", why="a test")
    assert registry.active() == move
    assert (move.sequence, move.version, move.previous) == (1, version.version, None)
    assert (move.activated_by, move.why, move.activated_at) == ("me", "a test", MOMENT)


@pytest.mark.parametrize("expect", ["none", "other"])
def test_a_conflict_leaves_everything_as_it_was(
    objects: ObjectStore, registry: ModelRegistry, stub: MedianPricePerSqm, expect: str
) -> None:
    first, second = registry.publish(stub, STUB), registry.publish(stub, STUB)
    activate(registry, first)
    before = everything(objects)
    expected = None if expect == "none" else second.version
    with pytest.raises(ActivationConflict) as caught:
        registry.activate(second.version, expected=expected, by="me", why="a test")
    assert (caught.value.expected, caught.value.found) == (expected, first.version)
    assert everything(objects) == before


def test_who_moves_the_pointer_in_between_wins(
    objects: ObjectStore, clock: SetClock, stub: MedianPricePerSqm
) -> None:
    storage = Storage(objects)
    slow, quick = ObjectRegistry(storage, clock), ObjectRegistry(objects, clock)
    mine, theirs = quick.publish(stub, STUB), quick.publish(stub, STUB)
    activate(quick, mine)

    def let_in(_: str) -> None:
        activate(quick, theirs)

    storage.before_replace = let_in
    with pytest.raises(ActivationConflict) as caught:
        slow.activate(mine.version, expected=mine.version, by="me", why="a test")
    assert caught.value.found == theirs.version
    assert_chain(objects, quick, 2)


@pytest.mark.parametrize("first_publication", [True, False])
def test_neither_unknown_nor_rejected_versions_can_be_activated(
    objects: ObjectStore,
    registry: ModelRegistry,
    stub: MedianPricePerSqm,
    first_publication: bool,
) -> None:
    rejected = registry.publish(stub, REFUSED)
    assert rejected.status is Status.REJECTED
    if not first_publication:
        activate(registry, registry.publish(stub, STUB))
    active = registry.active()
    before = everything(objects)
    for version, error in [(UNKNOWN, UnknownVersion), (rejected.version, RejectedVersion)]:
        with pytest.raises(error):
            registry.activate(
                version, expected=active.version if active else None, by="me", why="a test"
            )
    assert everything(objects) == before


def test_every_move_is_a_link_of_a_chain(
    objects: ObjectStore, registry: ModelRegistry, clock: SetClock, stub: MedianPricePerSqm
) -> None:
    first, second = registry.publish(stub, STUB), registry.publish(stub, STUB)
    for version in (first, second, first, first):
        clock.moment += timedelta(microseconds=1)
        activate(registry, version)
    assert_chain(objects, registry, 4)
    assert registry.history()[0] == registry.active()


@pytest.mark.parametrize("moves", [1, 3])
def test_a_move_whose_mover_was_killed_is_not_lost(
    objects: ObjectStore,
    registry: ModelRegistry,
    stub: MedianPricePerSqm,
    delete: Delete,
    moves: int,
) -> None:
    version = registry.publish(stub, STUB)
    for _ in range(moves):
        activate(registry, version)
    history = list(registry.history())
    delete(objects.keys("activations/")[-1])
    assert list(registry.history()) == history
    activate(registry, version)
    assert list(registry.history())[1:] == history
    assert_chain(objects, registry, moves + 1)


def test_a_history_has_no_gap_while_others_move_the_pointer(
    objects: ObjectStore, clock: SetClock, stub: MedianPricePerSqm
) -> None:
    storage = Storage(objects)
    reader, other = ObjectRegistry(storage, clock), ObjectRegistry(objects, clock)
    version = other.publish(stub, STUB)
    activate(other, version)
    pending = [1, 2]

    def move_on(_: str) -> None:
        while pending:
            pending.pop()
            activate(other, version)

    storage.after_keys = move_on
    sequences = [move.sequence for move in reader.history()]
    assert sequences == list(range(len(sequences), 0, -1))


def test_the_pointer_tells_what_is_active(
    objects: ObjectStore, registry: ModelRegistry, trees: BoostedTrees
) -> None:
    version = registry.publish(trees, TRAINED)
    activate(registry, version)
    manifest = objects.get(f"models/{version.version}/training_manifest.json").body
    pointer = read(objects, "latest.json")
    activation = pointer.pop("activation")
    assert pointer.pop("signature")["key_id"] is None
    assert pointer == {
        "model_version": version.version,
        "type": "trained",
        "artifact_key": f"models/{version.version}/model.npz",
        "created_at": version.created_at.isoformat(),
        "snapshot_prefix": DATASET.name,
        "training_manifest_sha256": sha256(manifest).hexdigest(),
        "sequence": 1,
    }
    assert activation == read(objects, f"activations/000001-{version.version}.json")
    assert objects.get(pointer["artifact_key"]).body


@pytest.fixture
def pointed(objects: ObjectStore, registry: ModelRegistry, stub: MedianPricePerSqm) -> str:
    """A registry in which a version was activated twice; its name."""
    version = registry.publish(stub, STUB)
    activate(registry, version)
    activate(registry, version)
    return version.version


def assert_refused(objects: ObjectStore, registry: ModelRegistry, version: str) -> None:
    """Nobody takes this for a first publication, and nobody makes it worse."""
    before = everything(objects)
    actions: list[Callable[[], object]] = [
        registry.active,
        registry.history,
        lambda: registry.activate(version, expected=None, by="me", why="a test"),
        lambda: registry.activate(version, expected=version, by="me", why="a test"),
    ]
    for action in actions:
        with pytest.raises(StorageError, match=r"latest\.json"):
            action()
    assert everything(objects) == before


def test_an_older_pointer_is_refused(
    objects: ObjectStore, registry: ModelRegistry, overwrite: Overwrite, pointed: str
) -> None:
    old = objects.get("latest.json").body
    registry.activate(pointed, expected=pointed, by="me", why="a test")
    overwrite("latest.json", old)
    assert_refused(objects, registry, pointed)


def test_a_lost_pointer_is_no_first_publication(
    objects: ObjectStore, registry: ModelRegistry, delete: Delete, pointed: str
) -> None:
    delete("latest.json")
    assert_refused(objects, registry, pointed)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"activation": null}',
        b'{"activation": {"sequence": 3}}',
        b'{"activation": {"sequence": "x", "version": 1}}',
    ],
    ids=range(9),
)
def test_a_corrupted_pointer_is_a_storage_error(
    objects: ObjectStore,
    registry: ModelRegistry,
    overwrite: Overwrite,
    pointed: str,
    body: bytes,
) -> None:
    overwrite("latest.json", body)
    assert_refused(objects, registry, pointed)


def test_a_failing_store_is_no_first_publication(
    objects: ObjectStore, clock: SetClock, stub: MedianPricePerSqm
) -> None:
    storage = Storage(objects)
    registry = ObjectRegistry(storage, clock)
    version = registry.publish(stub, STUB)

    def fail(key: str) -> None:
        if key == "latest.json":
            raise StorageError("The network is down.")

    storage.before_get = fail
    with pytest.raises(StorageError, match="network") as caught:
        registry.active()
    assert not isinstance(caught.value, ObjectMissing)
    with pytest.raises(StorageError, match="network"):
        activate(registry, version)


# Damage


def flipped(body: bytes, place: int) -> bytes:
    damaged = bytearray(body)
    damaged[place] ^= 1
    return bytes(damaged)


@pytest.mark.parametrize(("record", "place"), [(TRAINED, "models"), (REFUSED, "rejected")])
@pytest.mark.parametrize("damage", ["flipped", "cut", "gone"])
def test_a_damaged_object_makes_its_version_unreadable(
    objects: ObjectStore,
    registry: ModelRegistry,
    trees: BoostedTrees,
    overwrite: Overwrite,
    delete: Delete,
    record: TrainingRecord,
    place: str,
    damage: str,
) -> None:
    version = registry.publish(trees, record)
    for name in version.objects:
        key = f"{place}/{version.version}/{name}"
        body = objects.get(key).body
        if damage == "gone":
            delete(key)
        else:
            overwrite(key, body[:-1] if damage == "cut" else flipped(body, len(body) // 2))
        with pytest.raises(UnreadableVersion) as caught:
            registry.load(version.version)
        assert name in caught.value.reason
        assert caught.value.version == version.version
        assert "\n" not in str(caught.value)
        objects.replace(key, body, token=None if damage == "gone" else objects.get(key).token)
    registry.load(version.version)


@pytest.mark.parametrize(
    "change",
    [
        lambda body: b"",
        lambda body: body[:-3],
        lambda body: flipped(body, 0),
        lambda body: b"\xff" + body,
        lambda body: b"[" * 100_000,
        lambda body: b"{}",
        lambda body: body.replace(b'"format": 3', b'"format": 4'),
        lambda body: body.replace(b'"format": 3', b'"format": 1'),
        lambda body: body.replace(b'"format": 3', b'"format": null'),
        lambda body: body.replace(b'"kind": "stub"', b'"kind": "pickle"'),
        lambda body: body.replace(b'"model.npz"', b'"model.np"'),
        lambda body: body.replace(b'"version": "2026', b'"version": "2025'),
    ],
    ids=range(12),
)
def test_a_damaged_manifest_makes_its_version_unreadable(
    objects: ObjectStore,
    registry: ModelRegistry,
    stub: MedianPricePerSqm,
    overwrite: Overwrite,
    change: Callable[[bytes], bytes],
) -> None:
    version = registry.publish(stub, STUB)
    key = f"models/{version.version}/training_manifest.json"
    body = objects.get(key).body
    assert change(body) != body
    overwrite(key, change(body))
    for look in (registry.version, registry.load):
        with pytest.raises(UnreadableVersion):
            look(version.version)
    with pytest.raises(UnreadableVersion):
        activate(registry, version)
    assert list(registry.versions()) == []
    assert registry.active() is None


@pytest.mark.parametrize("manifest_too", [False, True])
def test_the_model_of_another_version_is_not_served(
    objects: ObjectStore,
    registry: ModelRegistry,
    trees: BoostedTrees,
    overwrite: Overwrite,
    manifest_too: bool,
) -> None:
    version = registry.publish(trees, TRAINED)
    other = registry.publish(Crafted(trees.arrays() | {"baseline": np.array([1.0, 2.0])}), TRAINED)
    registry.load(other.version)
    folder, key = f"models/{version.version}", f"models/{other.version}/model.npz"
    overwrite(f"{folder}/model.npz", objects.get(key).body)
    if manifest_too:
        manifest = read(objects, f"{folder}/training_manifest.json")
        manifest["objects"]["model.npz"] = other.objects["model.npz"]
        overwrite(f"{folder}/training_manifest.json", closed(manifest))
    with pytest.raises(UnreadableVersion, match=r"model\.npz"):
        registry.load(version.version)


def test_a_model_of_other_features_is_not_served(
    objects: ObjectStore, registry: ModelRegistry, stub: MedianPricePerSqm, overwrite: Overwrite
) -> None:
    version = registry.publish(stub, STUB)
    folder = f"models/{version.version}"
    schema = json.dumps({"kind": stub.kind, "features": FEATURES[::-1]}).encode()
    overwrite(f"{folder}/feature_schema.json", schema)
    manifest = read(objects, f"{folder}/training_manifest.json")
    manifest["objects"]["feature_schema.json"] = sha256(schema).hexdigest()
    overwrite(f"{folder}/training_manifest.json", closed(manifest))
    with pytest.raises(UnreadableVersion, match="features"):
        registry.load(version.version)


# Hostile models: published with correct digests, and still refused


def put(index: int, value: Any) -> Callable[[Any], Any]:
    def change(array: Any) -> Any:
        array = array.copy()
        array[index] = value
        return array

    return change


def set_to(value: Any) -> Callable[[Any], Any]:
    return lambda array: value


HOSTILE_TREES: list[tuple[str, Callable[[Any], Any]]] = [
    ("left", put(0, 10_000)),
    ("left", put(0, -1)),
    ("right", put(0, 10_000)),
    ("right", put(0, -5)),
    ("left", put(0, 0)),
    ("right", put(3, 1)),
    ("left", lambda left: put(int(np.flatnonzero(left != np.arange(len(left)))[1]), 0)(left)),
    ("roots", put(0, -1)),
    ("roots", put(0, 10_000)),
    ("feature", put(0, len(FEATURES))),
    ("feature", put(0, -1)),
    ("value", put(-1, np.nan)),
    ("value", put(-1, np.inf)),
    ("threshold", put(0, np.nan)),
    ("baseline", put(0, np.nan)),
    ("baseline", set_to(np.empty(0))),
    ("depth", put(0, 0)),
    ("depth", put(0, 1)),
    ("depth", put(0, -1)),
    ("depth", put(0, 2**31 - 1)),
    ("depth", set_to(np.empty(0, np.int32))),
    ("feature", lambda array: array.astype(np.int64)),
    ("value", lambda array: array.astype(np.float32)),
    ("value", lambda array: array[None]),
    ("value", lambda array: array[:-1]),
    ("missing_left", lambda array: array.astype(np.int8)),
    ("threshold", set_to(np.float64(1))),
    ("municipalities", lambda array: array[::-1].copy()),
    ("municipalities", lambda array: array[:-1]),
    ("municipalities", put(0, np.nan)),
    ("municipalities", lambda array: array.astype(str)),
    ("effects", put(0, np.nan)),
    ("effects", put(0, np.inf)),
    ("effects", lambda array: array.astype(str)),
    ("coefficients", put(0, np.nan)),
    ("coefficients", lambda array: array[:-1]),
    ("index_first", set_to(np.empty(0))),
    ("index_steps", put(0, np.inf)),
    ("index_steps", set_to(np.zeros(5_001))),
    ("ends", put(0, -1)),
    ("ends", put(1, 9)),
    ("ends", lambda array: array[:-1]),
    ("ends", set_to(np.empty(0, np.int32))),
    ("ends", lambda array: array.astype(np.int64)),
    ("frames", put(0, 3)),
    ("frames", put(0, -1)),
    ("frames", lambda array: array[:-1]),
    ("frames", lambda array: array.astype(np.float64)),
    ("sales_lat", put(0, np.nan)),
    ("sales_lon", lambda array: array[:-1]),
    ("sales_lat", lambda array: array[None]),
    ("sales_day", lambda array: array.astype(np.int64)),
    ("sales_day", lambda array: array.astype(str)),
    ("sales_residual", put(0, np.inf)),
    ("sales_per_sqm", put(-1, np.nan)),
    ("sales_realestate_type", put(0, 5.0)),
    ("sales_realestate_type", put(0, 0.5)),
]


@pytest.mark.parametrize(("name", "change"), HOSTILE_TREES)
def test_hostile_trees_are_refused(
    memory: ObjectStore,
    clock: SetClock,
    trees: BoostedTrees,
    name: str,
    change: Callable[[Any], Any],
) -> None:
    registry = ObjectRegistry(memory, clock)
    arrays = trees.arrays()
    registry.load(registry.publish(Crafted(arrays), TRAINED).version)
    version = registry.publish(Crafted(arrays | {name: change(arrays[name])}), TRAINED)
    with pytest.raises(UnreadableVersion, match=r"model\.npz"):
        registry.load(version.version)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("cells", lambda array: array[::-1].copy()),
        ("cells", lambda array: array[:-1]),
        ("cell_medians", put(0, np.nan)),
        ("cell_medians", lambda array: array.astype(str)),
        ("type_medians", lambda array: array[:5]),
        ("type_medians", lambda array: array.astype(str)),
        ("median", put(0, np.nan)),
        ("median", put(0, 0.0)),
        ("median", put(0, np.inf)),
        ("median", set_to(np.empty(0))),
    ],
)
def test_hostile_medians_are_refused(
    memory: ObjectStore, clock: SetClock, name: str, change: Callable[[Any], Any]
) -> None:
    registry = ObjectRegistry(memory, clock)
    arrays = SklearnTrainer().baseline(sales()).arrays()
    kind = MedianPricePerSqm.kind
    registry.load(registry.publish(Crafted(arrays, kind), TRAINED).version)
    version = registry.publish(Crafted(arrays | {name: change(arrays[name])}, kind), TRAINED)
    with pytest.raises(UnreadableVersion, match=r"model\.npz"):
        registry.load(version.version)


def test_an_array_too_few_or_a_kind_too_many_is_refused(
    memory: ObjectStore, clock: SetClock, trees: BoostedTrees
) -> None:
    registry = ObjectRegistry(memory, clock)
    for name in trees.arrays():
        arrays = trees.arrays()
        del arrays[name]
        version = registry.publish(Crafted(arrays), TRAINED)
        with pytest.raises(UnreadableVersion, match=name):
            registry.load(version.version)
    version = registry.publish(Crafted(trees.arrays(), "neural_network"), TRAINED)
    with pytest.raises(UnreadableVersion, match="neural_network"):
        registry.load(version.version)


class Canary:
    path: ClassVar[str] = ""

    def __reduce__(self) -> Any:
        return open, (self.path, "w")


@pytest.mark.parametrize("estimator", [False, True])
def test_loading_a_version_unpickles_nothing(
    objects: ObjectStore,
    clock: SetClock,
    trees: BoostedTrees,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    estimator: bool,
) -> None:
    path = tmp_path / "executed"
    monkeypatch.setattr(Canary, "path", str(path))
    registry = ObjectRegistry(objects, clock)
    if estimator:
        registry.load(registry.publish(Crafted(trees.arrays(), estimator=Canary()), STUB).version)
    else:
        arrays = trees.arrays() | {"value": np.array([Canary()], dtype=object)}
        version = registry.publish(Crafted(arrays), TRAINED)
        with pytest.raises(UnreadableVersion, match=r"model\.npz"):
            registry.load(version.version)
    assert not path.exists()


# Many at once

RETRAIN = """
import sys
from datetime import UTC, datetime
import numpy as np
from ree.adapters.file_objects import FileObjects
from ree.adapters.median_price import MedianPricePerSqm
from ree.adapters.registry import ObjectRegistry
from ree.domain.errors import ActivationConflict
from ree.domain.model import ConditionalWrites, Kind, Recipe, TrainingRecord

class Clock:
    def now(self):
        return datetime(2026, 2, 3, tzinfo=UTC)

registry = ObjectRegistry(FileObjects(sys.argv[1]), Clock())
model = MedianPricePerSqm(np.empty(0), np.empty(0), np.full(6, np.nan), np.array([45_000.0]))
print("ready", flush=True)
sys.stdin.readline()
for number in range(8):
    version = registry.publish(model, TrainingRecord(Kind.STUB, Recipe("stub"), {}))
    while True:
        active = registry.active()
        expected = active.version if active else None
        try:
            registry.activate(version.version, expected=expected, by=sys.argv[2], why="a test")
        except ActivationConflict:
            continue
        break
"""


def assert_all_moved(objects: ObjectStore, registry: ModelRegistry, moves: int) -> None:
    assert_chain(objects, registry, moves)
    versions = [version.version for version in registry.versions()]
    assert sorted(versions) == sorted(move.version for move in registry.history())
    for version in versions:
        registry.load(version)


def test_processes_that_publish_at_once_lose_nothing(
    filesystem: ObjectStore, folder: Path, clock: SetClock
) -> None:
    running = [
        subprocess.Popen(
            [sys.executable, "-c", RETRAIN, str(folder), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("one", "two")
    ]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in running:
        process.communicate(timeout=60)
        assert process.returncode == 0
    registry = ObjectRegistry(filesystem, clock)
    assert_all_moved(filesystem, registry, 16)
    assert {move.activated_by for move in registry.history()} == {"one", "two"}


def test_threads_that_publish_at_once_lose_nothing(
    objects: ObjectStore, registry: ModelRegistry, stub: MedianPricePerSqm
) -> None:
    start = Barrier(4)

    def retrain(_: int) -> None:
        start.wait()
        for _number in range(3):
            version = registry.publish(stub, STUB)
            while True:
                try:
                    activate(registry, version)
                except ActivationConflict:
                    continue
                break

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(retrain, range(4)))
    assert_all_moved(objects, registry, 12)
