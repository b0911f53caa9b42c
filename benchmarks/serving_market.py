"""The models that are served, the homes that are asked about, and what the right answers are."""

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from attrs import evolve, frozen

from ree import Container, Home, OnInvalid, PriceEstimate, load_settings
from ree.adapters.parquet import parquet_dataset
from ree.adapters.sandbox.csv_sales import read_sales
from ree.adapters.sandbox.replay import ReplayedMarket
from ree.adapters.sandbox.running import running
from ree.adapters.sandbox.simulator import SimulatedMarket
from ree.adapters.table import NumpyTable
from ree.domain.dataset import counts
from ree.domain.property import TYPE_CODES, RealEstateType
from ree.domain.turnover import add_months, day_in_oslo

RECIPES = ("fast", "accurate")
BODIES = {1: 64, 100: 16, 1_000: 4}
"""How many different bodies of a batch are posted in rotation."""
FRESH_DAYS = 150
"""Sales that end no longer ago are new enough to be valued by today without a warning."""
NUMBERS = ("lat", "lon", "built_year", "total_area", "usable_area", "floor", "bedrooms", "rooms")
Answer = tuple[int, int, int]
"""Price, lower and upper, whole NOK."""


@frozen(eq=False)
class Served:
    """A version of each recipe in one storage, and the day that homes are valued on."""

    storage: Path
    versions: Mapping[str, str]
    day: date
    query: str
    """That asks for the day; empty where it is today."""
    sales: int

    def container(self) -> Container:
        """On this storage."""
        found = Container()
        found.settings.override(load_settings({"REE_STORAGE_PATH": str(self.storage)}, os.devnull))
        return found

    def fitted(self, recipe: str) -> Any:
        """The model with the estimators that scikit-learn fitted."""
        version = self.versions[recipe]
        model = self.container().registry().load(version).model
        path = self.storage / "ree-models" / "models" / version / "model.pkl"
        model.estimator = pickle.loads(path.read_bytes())  # type: ignore[attr-defined]  # noqa: S301
        return model


@frozen(eq=False)
class Asked:
    """The bodies of a batch, and by recipe the right answers by property id.

    *features*: by recipe what the trees see of homes, for the kernel; shape (homes, features).
    """

    bodies: Sequence[Mapping[str, Mapping[str, Any]]]
    right: Mapping[str, Mapping[str, Answer]]
    features: Mapping[str, Any]


def environment(storage: Path, **more: str) -> dict[str, str]:
    """Of a ree process: nothing that is set outside, one thread a worker."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("REE_")}
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return kept | threads | {"REE_STORAGE_PATH": str(storage), **more}


def served(storage: Path, data: Path | None, cut: date | None) -> Served:
    """What is in a storage, after training what is not."""
    newest = _newest(storage)
    if missing := [recipe for recipe in RECIPES if recipe not in newest]:
        with _market(data, cut) as (base_url, days):
            for recipe in missing:
                _retrain(storage, base_url, days, recipe)
        newest = _newest(storage)
    [until, sales] = newest[RECIPES[0]][1:]
    today = _today()
    fresh = (today - until).days <= FRESH_DAYS
    day = today if fresh else until + timedelta(days=1)
    query = "" if fresh else f"?valuation_date={day}"
    return Served(storage, {recipe: newest[recipe][0] for recipe in RECIPES}, day, query, sales)


def _today() -> date:
    return day_in_oslo(datetime.now(UTC))


def _newest(storage: Path) -> dict[str, tuple[str, date, int]]:
    container = Container()
    container.settings.override(load_settings({"REE_STORAGE_PATH": str(storage)}, os.devnull))
    found: dict[str, tuple[str, date, int]] = {}
    for version in container.registry().versions():
        record = version.record
        if record.trained_until and record.dataset and version.status.value == "published":
            rows = counts(record.dataset)["rows_trainable"]
            told = version.version, record.dataset.period.end, rows
            found.setdefault(record.recipe.name, told)
    return found


@contextmanager
def _market(data: Path | None, cut: date | None) -> Iterator[tuple[str, tuple[date, date]]]:
    """A market API and the days to train on: all before the cut, or the last 12 whole months."""
    if data is None:
        end = _today().replace(day=1) - timedelta(days=1)
        start = add_months(end.replace(day=1), -11)
        with running(SimulatedMarket()) as sandbox:
            yield sandbox.base_url, (start, end)
        return
    days = [sale.day for sale in read_sales(data)]
    last = max(days) if cut is None else cut - timedelta(days=1)
    with running(ReplayedMarket.from_csv(data)) as sandbox:
        yield sandbox.base_url, (min(days), last)


def _retrain(storage: Path, base_url: str, days: tuple[date, date], recipe: str) -> None:
    period = (f"--start-date={days[0]}", f"--end-date={days[1]}")
    options = (*period, f"--estimator={recipe}", "--accept-inconclusive")
    print(f"training {recipe} on {days[0]} to {days[1]}", file=sys.stderr, flush=True)
    subprocess.run(
        [sys.executable, "-m", "ree.entrypoints.cli", "retrain", *options, "--json"],
        env=environment(storage, REE_API_BASE_URL=base_url),
        stdout=subprocess.DEVNULL,
        check=True,
    )


def activate(around: Mapping[str, str], version: str) -> None:
    """`ree models activate` in the environment of a storage, unless it is active."""
    told = json.loads(_models(around, "list", "--json"))
    if told["active"] != version:
        _models(around, "activate", version, "--why", "benchmark")


def _models(around: Mapping[str, str], *arguments: str) -> bytes:
    command = [sys.executable, "-m", "ree.entrypoints.cli", "models", *arguments]
    return subprocess.run(command, env=around, capture_output=True, check=True).stdout


def artifact(model: Any) -> bytes:
    """What the peers load: the plain model, and the codes of types."""
    from plain_model import PlainModel

    return pickle.dumps((PlainModel.of(model), TYPE_CODES), protocol=pickle.HIGHEST_PROTOCOL)


def asked(served: Served, batches: Sequence[int]) -> dict[int, Asked]:
    """By batch: homes like those that were sold, each of which every recipe values."""
    from plain_model import PlainModel

    homes = _valued(served, max(batch * _different(batch) for batch in batches))
    models = {recipe: PlainModel.of(served.fitted(recipe)) for recipe in RECIPES}
    right: dict[str, dict[str, Answer]] = {}
    columns = NumpyTable().homes(
        [Home.parse(name, features, served.day) for name, features in homes.items()]
    )
    features = {recipe: model.see(columns)[0] for recipe, model in models.items()}
    for recipe, model in models.items():
        rounded = [np.rint(column).astype(np.int64).tolist() for column in model.appraise(columns)]
        right[recipe] = dict(zip(homes, zip(*rounded, strict=True), strict=True))
    names = list(homes)
    found = {}
    for batch in batches:
        bodies = [
            {name: homes[name] for name in names[number * batch : (number + 1) * batch]}
            for number in range(_different(batch))
        ]
        found[batch] = Asked(bodies, right, features)
    return found


def _different(batch: int) -> int:
    return BODIES.get(batch, 4)


def _valued(served: Served, count: int) -> dict[str, dict[str, Any]]:
    [path] = served.storage.glob("ree-snapshots/datasets/*/*/dataset.parquet")
    sold = parquet_dataset(path.read_bytes()).columns
    rng = np.random.default_rng(5)
    names = {kind.code: kind.value for kind in RealEstateType}
    plain = served.container().estimate_batch()
    batches = [evolve(plain, model=_Fixed(served, recipe)) for recipe in RECIPES]
    found: dict[str, dict[str, Any]] = {}
    # Half as many again: some are refused.
    for number, row in enumerate(rng.permutation(len(sold["day"]))[: count + count // 2]):
        found[f"home-{number:06}"] = _like(sold, int(row), names, rng)
    for batch in batches:
        homes = [Home.parse(name, features, served.day) for name, features in found.items()]
        answers = batch(homes, OnInvalid.SKIP)
        found = {
            answer.property_id: found[answer.property_id]
            for answer in answers
            if isinstance(answer, PriceEstimate) and answer.interval is not None
        }
    if len(found) < count:
        raise ValueError(f"only {len(found)} of {count} homes are valued by every recipe")
    return dict(list(found.items())[:count])


class _Fixed:
    """The ActiveModel port: one version, whatever is active."""

    def __init__(self, served: Served, recipe: str) -> None:
        self._loaded = served.container().registry().load(served.versions[recipe])

    def current(self) -> Any:
        return self._loaded


def _like(sold: Mapping[str, Any], row: int, names: Mapping[int, str], rng: Any) -> dict[str, Any]:
    """A home near one that was sold, and of about its size."""
    home = {name: float(sold[name][row]) for name in NUMBERS}
    home["lat"] = round(home["lat"] + rng.normal(0, 0.002), 6)
    home["lon"] = round(home["lon"] + rng.normal(0, 0.004), 6)
    scale = rng.uniform(0.97, 1.03)
    for name in ("usable_area", "total_area"):
        home[name] = round(home[name] * scale, 1)
    known = {name: value for name, value in home.items() if value == value}
    return {
        "realestate_type": names[int(sold["realestate_type"][row])],
        "municipality_number": f"{int(sold['municipality_number'][row]):04}",
        **{name: int(value) if value.is_integer() else value for name, value in known.items()},
    }


def encoded(body: Any) -> bytes:
    """As a client sends it: JSON without spaces."""
    return json.dumps(body, separators=(",", ":")).encode()
