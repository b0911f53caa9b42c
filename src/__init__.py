"""ree: an automated valuation model for Norwegian homes, to run or to embed.

What a program needs stands here by name; nothing heavy is imported before it is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .adapters.settings import Settings as Settings
    from .adapters.settings import load_settings as load_settings
    from .application.retrain_period import RetrainRequest as RetrainRequest
    from .container import Container as Container
    from .domain.errors import ReeError as ReeError
    from .domain.estimate import Home as Home
    from .domain.estimate import OnInvalid as OnInvalid
    from .domain.estimate import PriceEstimate as PriceEstimate
    from .domain.estimate import Refusal as Refusal
    from .domain.gating import GatingPolicy as GatingPolicy
    from .domain.property import Property as Property
    from .domain.property import RealEstateType as RealEstateType
    from .domain.run import Run as Run
    from .domain.turnover import Period as Period
    from .domain.turnover import Turnover as Turnover
    from .domain.turnover import Unit as Unit

_HOMES = {
    "Container": "container",
    "GatingPolicy": "domain.gating",
    "Home": "domain.estimate",
    "OnInvalid": "domain.estimate",
    "Period": "domain.turnover",
    "PriceEstimate": "domain.estimate",
    "Property": "domain.property",
    "RealEstateType": "domain.property",
    "ReeError": "domain.errors",
    "Refusal": "domain.estimate",
    "RetrainRequest": "application.retrain_period",
    "Run": "domain.run",
    "Settings": "adapters.settings",
    "Turnover": "domain.turnover",
    "Unit": "domain.turnover",
    "load_settings": "adapters.settings",
}
__all__ = sorted(_HOMES)  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
