"""What the adapter reads from the sandbox is what stands behind it, whatever happens on the way."""

from collections.abc import Iterator
from contextlib import closing
from datetime import date

import pytest

from ree.adapters.market_api import HttpMarket
from ree.adapters.sandbox.faults import Faults
from ree.adapters.sandbox.running import Sandbox, running
from ree.adapters.sandbox.simulator import SimulatedMarket
from ree.domain.errors import MarketError
from ree.domain.ports import MarketData
from ree.domain.property import Property
from ree.domain.turnover import Period, Turnover, Unit, normalise

JANUARY = Period(date(2026, 1, 1), date(2026, 1, 31))
LEAST_PRICE = 1000
KEY = "key-of-the-sandbox"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture(scope="module")
def simulated() -> SimulatedMarket:
    return SimulatedMarket(seed=11, turnovers_per_month=700)


@pytest.fixture(params=[0.0, 0.2], ids=["sound", "faulty"])
def sandbox(simulated: SimulatedMarket, request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    faults = Faults(fault_rate=request.param, require_key=KEY)
    with running(simulated, faults=faults) as sandbox:
        yield sandbox


@pytest.fixture
def market(sandbox: Sandbox) -> Iterator[MarketData]:
    market = HttpMarket.connect(sandbox.base_url, KEY, attempts=12, wait_max=0)
    with closing(market):
        yield market


def test_a_month_is_read_as_it_stands(
    simulated: SimulatedMarket, sandbox: Sandbox, market: MarketData
) -> None:
    records = [record["attributes"] for record in simulated.turnovers(JANUARY.start, JANUARY.end)]
    expected = [
        Turnover(tuple(told["cadastral_unit_ids"]), told.get("price"), told.get("turnover_date"))
        for told in records
        if told.get("price", LEAST_PRICE) >= LEAST_PRICE
    ]

    turnovers = list(market.turnovers(JANUARY))

    assert turnovers == expected
    assert len(turnovers) > 600
    assert sandbox.requests.total() >= len(turnovers) // 100 + 1


def test_units_and_properties_are_read_as_they_stand(
    simulated: SimulatedMarket, market: MarketData
) -> None:
    sales, _ = normalise(market.turnovers(JANUARY), JANUARY)
    unit_ids = sorted({sale.cadastral_unit_id for sale in sales})
    units = market.units(unit_ids)
    property_ids = sorted({id_ for unit in units.values() for id_ in unit.property_ids})
    homes = market.properties(property_ids)

    assert units == {
        id_: Unit(unit["full_unit"], tuple(unit["property_ids"]))
        for id_, unit in simulated.units(unit_ids).items()
    }
    parsed = {id_: Property.parse(home) for id_, home in simulated.properties(property_ids).items()}
    assert homes == {id_: home for id_, (home, _) in parsed.items()}
    assert all(faults == () for _, faults in parsed.values())
    assert 0 < len(units) < len(unit_ids)
    assert 100 < len(homes) < len(property_ids)


def test_without_the_key_nothing_is_told(sandbox: Sandbox) -> None:
    with (
        closing(HttpMarket.connect(sandbox.base_url, None, attempts=12, wait_max=0)) as market,
        pytest.raises(MarketError, match=r"answered 401 .*: check REE_API_KEY\.$"),
    ):
        list(market.turnovers(JANUARY))
