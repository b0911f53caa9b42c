"""What is compiled says what the plain model does, of one home and of many."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from ree.adapters.boosted_trees import BoostedTrees
from ree.adapters.features import FEATURES
from ree.adapters.frames import Frame, offsets
from ree.adapters.market import Market
from ree.adapters.sklearn_model import SklearnTrainer
from ree.adapters.stored_arrays import npz
from ree.adapters.table import COLUMNS, HomeTable
from ree.domain.appraisal import COVERAGES
from ree.domain.dataset import Dataset
from ree.domain.model import Recipe
from ree.domain.property import RealEstateType

from .made_up_sales import sales

PLAIN = Path(__file__).parents[2] / "benchmarks/plain_model.py"
TRAINER = SklearnTrainer()
FEW = {"max_iter": 30, "vintages": 6, "origins": (0.7,)}

pytestmark = pytest.mark.skipif(not PLAIN.exists(), reason="tests without the benchmarks")


@pytest.fixture(scope="module")
def plain() -> ModuleType:
    spec = importlib.util.spec_from_file_location("plain_model", PLAIN)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Threads that wait for each other are slow where cores are shared."""
    with threadpool_limits(1):
        yield


def blocks(rows: int, seed: int = 7) -> Dataset:
    """Sales of which half are in a few buildings, each of them at one coordinate."""
    columns, random = dict(sales(rows, seed).columns), np.random.default_rng(seed)
    block = random.integers(0, max(1, rows // 80), rows)
    flat = random.random(rows) < 0.5
    for name in ("lat", "lon"):
        columns[name] = np.where(flat, columns[name][block], columns[name])
    return Dataset(columns)


def asked(sold: Dataset, rows: int = 600) -> dict[str, Any]:
    """Some where homes were sold, from before the first sale on, of odd types and traits."""
    random, columns = np.random.default_rng(3), dict(sales(rows, seed=9).columns)
    columns["day"] = columns["day"] + random.integers(-500, 900, rows)
    there = random.integers(0, len(sold), rows // 2)
    for name in ("lat", "lon"):
        columns[name][: rows // 2] = sold.columns[name][there]
    columns["municipality_number"][::7] = 9999.0
    columns["rooms"][::11] = 0.0
    columns["bedrooms"][::13] = 40.0
    columns["floor"][::17] = -9.0
    columns["total_area"][::19] = 900_000.0
    return columns


@pytest.fixture(scope="module", params=["fast", "accurate"])
def model(request: pytest.FixtureRequest) -> BoostedTrees:
    recipe = Recipe("small", {**TRAINER.recipe(request.param).settings, **FEW})
    return TRAINER.fit(blocks(1_500), recipe)


@pytest.mark.parametrize("rows", [1, 3, 30, 45, 300, 2_000])
def test_features_are_those_of_the_plain_model(plain: ModuleType, rows: int) -> None:
    sold = blocks(rows)
    market, homes = Market.of(sold.columns), asked(sold)
    x, per_sqm = market.see(homes)
    arrays = market.arrays()
    expected = plain.features(plain.Past.of(arrays), homes)
    assert x.shape == (len(homes["day"]), len(FEATURES))
    for number, name in enumerate(FEATURES):
        np.testing.assert_allclose(
            x[:, number], expected[:, number], rtol=1e-9, atol=1e-9, err_msg=name
        )
    np.testing.assert_allclose(per_sqm, plain.log_per_sqm(arrays, homes), rtol=1e-12)


def test_homes_are_appraised_as_by_the_plain_model(plain: ModuleType, model: BoostedTrees) -> None:
    """Of homes that are nowhere by chance at a threshold, where the last bit decides."""
    homes = sales(3_000, seed=9).columns
    other = plain.PlainModel.of(model)
    found = model.appraise(homes, COVERAGES)
    for coverage in COVERAGES:
        price, lower, upper = other.appraise(homes, coverage)
        np.testing.assert_allclose(found.price, price, rtol=1e-9)
        np.testing.assert_allclose(found.intervals[coverage][0], lower, rtol=1e-9)
        np.testing.assert_allclose(found.intervals[coverage][1], upper, rtol=1e-9)
    np.testing.assert_allclose(found.fsd, other.fsd(homes), rtol=1e-9)


@pytest.mark.parametrize("frame", Frame)
def test_offsets_are_what_frames_say(frame: Frame) -> None:
    area, hedonic = np.array([20.0, 300.0]), np.array([10.5, 11.0])
    known = {Frame.NOTHING: 0 * area, Frame.AREA: np.log(area)}
    known[Frame.HEDONIC] = known[Frame.AREA] + hedonic
    found = offsets({"usable_area": area}, hedonic, np.array([frame, 0, frame], dtype=np.int32))
    assert found == pytest.approx(np.column_stack([known[frame], 0 * area, known[frame]]))


# One home, many, in any order


def bits(model: BoostedTrees, homes: Mapping[str, Any]) -> list[bytes]:
    """All that is said, a row a home."""
    found = model.appraise(homes, COVERAGES)
    reaches = found.reaches
    assert reaches is not None
    pairs = [side for coverage in COVERAGES for side in found.intervals[coverage]]
    tables = [reaches.value, *reaches.warn, *reaches.refuse]
    x, members = model.see(homes)
    told = [found.price, found.fsd, *pairs, *tables, x, members]
    return [np.hstack([column[row].ravel() for column in told]).tobytes() for row in range(len(x))]


def test_a_home_has_the_same_bits_alone_among_others_and_in_any_order(
    model: BoostedTrees, monkeypatch: pytest.MonkeyPatch
) -> None:
    homes = asked(blocks(1_500), 700)
    together = bits(model, homes)
    order = np.random.default_rng(6).permutation(700)
    others = bits(model, {name: column[order] for name, column in homes.items()})
    assert others == [together[row] for row in order]
    for row in range(0, 700, 23):
        assert bits(model, {name: column[[row]] for name, column in homes.items()}) == [
            together[row]
        ]
    monkeypatch.setattr("ree.adapters.boosted_trees._AT_ONCE", 33)
    assert bits(model, homes) == together


def test_a_table_is_taken_as_it_is(model: BoostedTrees) -> None:
    homes = asked(blocks(1_500), 40)
    table = HomeTable.of(homes)
    before = table.matrix.copy()
    assert HomeTable.of(table) is table
    assert bits(model, table) == bits(model, homes)
    assert table.matrix.tobytes() == before.tobytes()


def test_a_table_has_the_columns_of_homes() -> None:
    homes = asked(blocks(100), 5)
    table = HomeTable.of(homes)
    assert (list(table), len(table), table.size) == (list(COLUMNS), 12, 5)
    for name in COLUMNS:
        np.testing.assert_array_equal(table[name], homes[name])
        assert np.shares_memory(table[name], table.matrix)
    parts = [*table.parts(2)]
    assert [part.size for part in parts] == [2, 2, 1]
    assert all(part.matrix.flags.c_contiguous for part in parts)
    np.testing.assert_array_equal(np.hstack([part.matrix for part in parts]), table.matrix)


def test_what_may_be_unknown_may_lack_and_nothing_else() -> None:
    homes = asked(blocks(100), 5)
    few = {name: homes[name] for name in COLUMNS if name not in ("year", "floor", "rooms")}
    assert np.isnan(HomeTable.of(few)["floor"]).all()
    del few["usable_area"]
    with pytest.raises(KeyError, match="usable_area"):
        HomeTable.of(few)


@pytest.mark.parametrize("code", [-1.0, 5.0, 2.5, 1e300, np.nan])
def test_a_home_of_no_type_is_refused_and_harms_nobody(model: BoostedTrees, code: float) -> None:
    homes = asked(blocks(1_500), 3)
    homes["realestate_type"] = np.array([0.0, code, float(len(RealEstateType) - 1)])
    found, sound = model.appraise(homes, (0.9,)), asked(blocks(1_500), 3)
    assert found.reaches is not None
    if code != 2.5:
        assert "out_of_domain:realestate_type" in {fault.code for fault in found.reaches.faults(1)}
        assert np.isnan(found.intervals[0.9][0]).tolist() == [False, True, False]
    sound["realestate_type"] = np.array([0.0, 0.0, 4.0])
    np.testing.assert_array_equal(found.price[[0, 2]], model.appraise(sound, ()).price[[0, 2]])


# What serving loads


SERVE = """
import sys
import numpy as np
from ree.adapters.boosted_trees import BoostedTrees
from ree.adapters.table import HomeTable
with np.load(sys.argv[1], allow_pickle=False) as stored:
    model = BoostedTrees.from_arrays({name: stored[name] for name in stored.files})
homes = HomeTable(np.load(sys.argv[2]))
price = model.appraise(homes, (0.9,)).price
model.explain(homes)
heavy = ("sklearn", "pandas", "threadpoolctl", "joblib")
heavy += ("scipy.spatial", "scipy.stats", "scipy.special", "scipy.sparse")
print(*[name for name in heavy if name in sys.modules])
print(price.tobytes().hex())
"""


def test_pricing_needs_no_library_that_only_trains(model: BoostedTrees, tmp_path: Path) -> None:
    """numba itself loads scipy.linalg, for its BLAS; nothing else of SciPy."""
    homes = HomeTable.of(asked(blocks(1_500), 20))
    (tmp_path / "model.npz").write_bytes(npz(model.arrays()))
    np.save(tmp_path / "homes.npy", homes.matrix)
    served = subprocess.run(
        [sys.executable, "-c", SERVE, str(tmp_path / "model.npz"), str(tmp_path / "homes.npy")],
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    loaded, price = served.stdout.split("\n")[:2]
    assert loaded == ""
    assert bytes.fromhex(price) == model.appraise(homes, (0.9,)).price.tobytes()
