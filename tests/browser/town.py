"""A storage with a model that was really trained, on a simulated market."""

from contextlib import closing
from datetime import date
from pathlib import Path

from dependency_injector import providers

from ree.adapters.sandbox.running import running
from ree.adapters.sandbox.simulator import SimulatedMarket
from ree.adapters.settings import Settings
from ree.application.retrain_period import RetrainRequest
from ree.container import Container
from ree.domain.turnover import Period

PERIOD = Period(date(2025, 1, 1), date(2025, 12, 31))
VALUED_ON = date(2026, 1, 2)
SETTINGS = {
    # Whatever day it is, the model is as new as it was.
    "REE_VALUATION_WARN_MONTHS": "1200",
    "REE_VALUATION_MAX_MONTHS": "1200",
}


def trained_store(folder: Path, *, turnovers_per_month: int = 400) -> Path:
    """With one version, active, of a year of sales."""
    container = Container()
    with running(SimulatedMarket(turnovers_per_month=turnovers_per_month)) as market:
        settings = Settings(storage_path=folder, api_base_url=market.base_url)
        container.settings.override(providers.Object(settings))
        with closing(container.market()):
            request = RetrainRequest(PERIOD, "test", recipe="fast", accept_inconclusive=True)
            container.retrain_period()(request)
    assert container.registry().active() is not None
    return folder
