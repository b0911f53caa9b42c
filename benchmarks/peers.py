"""What ree is measured against: other models of the same sales and fields, with time to be tuned.

They see each field of a sale that ree sees, and when it was; the tuned ones take types and
municipalities as categories and fit the log of the price.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from importlib.util import find_spec
from operator import itemgetter
from time import perf_counter
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from attrs import frozen
from threadpoolctl import threadpool_limits

from ree.domain.dataset import Dataset

Array = npt.NDArray[np.float64]
Setting = Mapping[str, Any]
T = TypeVar("T")

NUMBERS = ("lat", "lon", "built_year", "total_area", "usable_area", "floor", "bedrooms", "rooms")
CATEGORIES = ("realestate_type", "municipality_number")
FIELDS = (*NUMBERS, "age", "area_ratio", "day", "month", *CATEGORIES)
PLACES = [FIELDS.index(name) for name in CATEGORIES]

JUDGING = 0.18
"""The share of the training rows, the newest, that tells when to stop and which setting is best."""
TREES = 4_000
PATIENCE = 150
TRIALS = 30
CATBOOST: tuple[Setting, ...] = (
    {"depth": 6, "learning_rate": 0.06, "l2_leaf_reg": 3.0},
    {"depth": 8, "learning_rate": 0.06, "l2_leaf_reg": 3.0},
    {"depth": 6, "learning_rate": 0.03, "l2_leaf_reg": 1.0},
    {"depth": 8, "learning_rate": 0.03, "l2_leaf_reg": 8.0},
    {"depth": 4, "learning_rate": 0.1, "l2_leaf_reg": 3.0},
    {"depth": 10, "learning_rate": 0.06, "l2_leaf_reg": 8.0},
)
"""The likeliest first: there may not be time for all."""
LIGHTGBM: Setting = {
    "metric": "l1",
    "bagging_freq": 1,
    "num_threads": 1,
    "seed": 0,
    "verbosity": -1,
}
SPACE: Mapping[str, tuple[float, float, float]] = {
    "learning_rate": (0.015, 0.15, 0.05),
    "num_leaves": (8, 128, 31),
    "min_data_in_leaf": (5, 80, 20),
    "feature_fraction": (0.4, 1.0, 0.7),
    "bagging_fraction": (0.5, 1.0, 0.8),
    "lambda_l2": (0.001, 30.0, 1.0),
    "cat_smooth": (1.0, 100.0, 10.0),
    "cat_l2": (1.0, 100.0, 10.0),
}
"""Of LightGBM: lowest, highest (drawn in logs) and what is tried first, near its defaults."""
Tried = tuple[float, Setting, int]
"""MAE of the judging rows in NOK, what was set, and how many trees were best."""


@frozen(eq=False)
class Peer:
    """A model's estimates of the test rows, NOK; the seconds are of tuning and fitting."""

    name: str
    estimates: Array
    seconds: float
    tuned: str = ""


def not_installed() -> list[str]:
    """The packages that peers need and that are not there."""
    return [name for name in ("catboost", "lightgbm", "optuna") if find_spec(name) is None]


def peers(train: Dataset, test: Dataset, seconds: float) -> Iterator[Peer]:
    """Each fitted to *train* and asked about *test*, whose prices it does not get.

    No setting is begun after a peer's *seconds*. ValueError: a training row is not older than every
    test row.
    """
    from ree.adapters.sklearn_model import SklearnTrainer

    if train.columns["day"].max() >= test.columns["day"].min():
        raise ValueError("the training rows are not all before the test rows")
    homes = Dataset({name: column for name, column in test.columns.items() if name != "price"})
    models: Mapping[str, Callable[[], tuple[Array, str]]] = {
        "naive": lambda: (SklearnTrainer().baseline(train).estimate(homes.columns), ""),
        "scikit-learn defaults": lambda: (_defaults(train, homes), ""),
        "CatBoost tuned": lambda: _catboost(train, homes, seconds),
        "LightGBM tuned": lambda: _lightgbm(train, homes, seconds),
    }
    for name, estimate in models.items():
        started = perf_counter()
        estimates, tuned = estimate()
        yield Peer(name, estimates, perf_counter() - started, tuned)


def rows(sales: Dataset) -> Array:
    """The FIELDS of each sale; missing is NaN. Days are ordinals."""
    columns = dict(sales.columns)
    columns["age"] = columns["year"] - columns["built_year"]
    columns["area_ratio"] = columns["total_area"] / columns["usable_area"]
    columns["month"] = [date.fromordinal(int(day)).month for day in columns["day"]]
    return np.column_stack([columns[name] for name in FIELDS]).astype(np.float64)


def split(train: Dataset) -> tuple[Dataset, Dataset]:
    """The rows that settings are fitted to and the newer ones that judge them; no day in both."""
    days = train.columns["day"]
    late = days >= np.sort(days)[int(len(days) * (1 - JUDGING))]
    return train.where(~late), train.where(late)


def in_time(settings: Iterable[T], seconds: float) -> Iterator[T]:
    """The first, and those that are begun within the *seconds*."""
    until = perf_counter() + seconds
    for number, setting in enumerate(settings):
        if number and perf_counter() > until:
            return
        yield setting


def _defaults(train: Dataset, homes: Dataset) -> Array:
    from sklearn.ensemble import HistGradientBoostingRegressor

    x = rows(train)
    known = ~np.isnan(x).all(axis=0)  # a field that no sale has cannot be binned
    # One thread, here and for LightGBM: OpenMP's spin while they wait, and took 40 s for 0.2 where
    # cores are shared.
    with threadpool_limits(1):
        model = HistGradientBoostingRegressor(random_state=0)
        model.fit(x[:, known], train.columns["price"])
    return np.asarray(model.predict(rows(homes)[:, known]))


def _catboost(train: Dataset, homes: Dataset, seconds: float) -> tuple[Array, str]:
    from catboost import CatBoostRegressor, Pool

    def pool(sales: Dataset) -> Any:
        x = rows(sales).astype(object)
        x[:, PLACES] = x[:, PLACES].astype(np.int64)
        logs = np.log(sales.columns["price"]) if "price" in sales.columns else None
        return Pool(x, logs, cat_features=PLACES)

    def model(setting: Setting, trees: int) -> Any:
        quiet = {"verbose": False, "allow_writing_files": False, "random_seed": 0}
        return CatBoostRegressor(iterations=trees, eval_metric="MAE", **quiet, **setting)

    early, late = split(train)
    learnt, watched = pool(early), pool(late)
    tried: list[Tried] = []
    for setting in in_time(CATBOOST, seconds):
        fitted = model(setting, TREES)
        fitted.fit(learnt, eval_set=watched, early_stopping_rounds=PATIENCE)
        tried.append((_error(fitted.predict(watched), late), setting, fitted.tree_count_))
    _, best, trees = min(tried, key=itemgetter(0))
    logs = model(best, trees).fit(pool(train)).predict(pool(homes))
    return np.exp(logs), _told(tried, f"of {len(CATBOOST)} settings")


def _lightgbm(train: Dataset, homes: Dataset, seconds: float) -> tuple[Array, str]:
    import lightgbm
    import optuna

    def data(sales: Dataset) -> Any:
        logs = np.log(sales.columns["price"])
        return lightgbm.Dataset(rows(sales), logs, categorical_feature=PLACES)

    def fit(setting: Setting, trees: int, sales: Dataset, **stopping: Any) -> Any:
        return lightgbm.train({**LIGHTGBM, **setting}, data(sales), trees, **stopping)

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0))
    study.enqueue_trial({name: first for name, (_, _, first) in SPACE.items()})
    early, late = split(train)
    tried: list[Tried] = []
    for _ in in_time(range(TRIALS), seconds):
        trial = study.ask()
        setting = _drawn(trial)
        patience = lightgbm.early_stopping(PATIENCE, verbose=False)
        fitted = fit(setting, TREES, early, valid_sets=[data(late)], callbacks=[patience])
        error = _error(fitted.predict(rows(late)), late)
        study.tell(trial, error)
        tried.append((error, setting, fitted.best_iteration))
    _, best, trees = min(tried, key=itemgetter(0))
    logs = fit(best, trees, train).predict(rows(homes))
    return np.exp(logs), _told(tried, f"of {TRIALS} trials")


def _drawn(trial: Any) -> Setting:
    return {
        name: (trial.suggest_int if isinstance(first, int) else trial.suggest_float)(
            name, low, high, log=True
        )
        for name, (low, high, first) in SPACE.items()
    }


def _error(logs: Array, sales: Dataset) -> float:
    return float(np.abs(np.exp(logs) - sales.columns["price"]).mean())


def _told(tried: Sequence[Tried], of: str) -> str:
    _, best, trees = min(tried, key=itemgetter(0))
    shown = ", ".join(f"{name} {value:.3g}" for name, value in best.items())
    return f"{len(tried)} {of}; the best: {trees} trees, {shown}"
