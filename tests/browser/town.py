"""A storage with a model that was really trained, on a simulated market."""

from contextlib import closing
from pathlib import Path

from dependency_injector import providers

from ree.adapters.sandbox.running import running
from ree.adapters.sandbox.simulator import SimulatedMarket
from ree.adapters.settings import Settings
from ree.application.retrain_period import RetrainRequest
from ree.container import Container
from ree.entrypoints.cli.demo import PERIOD

SETTINGS = {
    # Whatever day it is, the model is as new as it was.
    "REE_VALUATION_WARN_MONTHS": "1200",
    "REE_VALUATION_MAX_MONTHS": "1200",
}


def trained_store(folder: Path, *, a_month: int = 400) -> Path:
    """With one version, active, of a year of so many sales a month."""
    container = Container()
    with running(SimulatedMarket(turnovers_per_month=a_month)) as market:
        settings = Settings(storage_path=folder, api_base_url=market.base_url)
        container.settings.override(providers.Object(settings))
        with closing(container.market()):
            request = RetrainRequest(PERIOD, "test", recipe="fast", accept_inconclusive=True)
            container.retrain_period()(request)
    assert container.registry().active() is not None
    return folder
