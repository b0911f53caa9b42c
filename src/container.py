"""The composition root: the only module that knows the core and its adapters."""

from pathlib import Path
from typing import TYPE_CHECKING

from dependency_injector import containers, providers

from .adapters.active_model import LatestModel, WatchedModel
from .adapters.clock import SystemClock
from .adapters.drift_log import ObjectDriftLog
from .adapters.environment import code_version, key_environment
from .adapters.file_objects import FileObjects
from .adapters.measured_objects import MeasuredObjects, StorageWatch
from .adapters.municipalities import reference
from .adapters.objects import ObjectStore
from .adapters.orders import ObjectOrders
from .adapters.registry import ObjectRegistry
from .adapters.runs import ObjectRuns
from .adapters.seal import Seal
from .adapters.settings import Settings, load_settings
from .adapters.table import NumpyTable
from .adapters.track_log import ObjectTrackLog
from .application.check_drift import CheckDrift
from .application.estimate_batch import EstimateBatch
from .application.fetch_month import FetchMonth
from .application.find_earlier import FindEarlier
from .application.merge_sales import MergeSales
from .application.orders import FetchOrdered, PlaceOrder
from .application.reproduce import Reproduce
from .application.retrain_period import RetrainPeriod
from .application.score_months import ScoreMonths
from .application.trial import TryCandidate
from .application.verify import Verify
from .application.versions import Activate, Bootstrap, RollBack
from .domain.ports import Clock

if TYPE_CHECKING:
    from .adapters.evaluator import NumpyEvaluator
    from .adapters.market_api import HttpMarket
    from .adapters.sklearn_model import SklearnTrainer
    from .adapters.snapshots import ObjectSnapshots
    from .adapters.tally import NumpyTally


def _bucket(
    settings: Settings, folder: str, bucket: str, watch: StorageWatch, clock: Clock
) -> MeasuredObjects:
    return MeasuredObjects(_objects(settings, folder, bucket), watch, clock)


def _objects(settings: Settings, folder: str, bucket: str) -> ObjectStore:
    if settings.storage == "filesystem":
        return FileObjects(Path(settings.storage_path) / folder)
    from .adapters.s3_objects import S3Objects

    return S3Objects.connect(
        bucket,
        endpoint=settings.s3_endpoint,
        access_key=settings.s3_access_key,
        secret_key=settings.s3_secret_key,
        region=settings.s3_region,
        single_writer=settings.storage_single_writer,
    )


# What only training needs is imported when it is asked for: it takes a second, and memory.


def _trainer() -> "SklearnTrainer":
    from .adapters.sklearn_model import SklearnTrainer

    return SklearnTrainer()


def _evaluator() -> "NumpyEvaluator":
    from .adapters.evaluator import NumpyEvaluator

    return NumpyEvaluator()


def _tally() -> "NumpyTally":
    from .adapters.tally import NumpyTally

    return NumpyTally()


def _market(base_url: str | None, api_key: str | None) -> "HttpMarket":
    from .adapters.market_api import HttpMarket

    return HttpMarket.connect(base_url, api_key)


def _snapshots(
    objects: ObjectStore, clock: Clock, code_version: str, seal: Seal
) -> "ObjectSnapshots":
    from .adapters.snapshots import ObjectSnapshots

    return ObjectSnapshots(objects, clock, code_version, seal)


def _numbers() -> frozenset[str]:
    return frozenset(municipality.number for municipality in reference().current)


class Container(containers.DeclarativeContainer):
    """Everything wired; override a provider to put an adapter of your own in its place."""

    settings = providers.ThreadSafeSingleton(load_settings)

    clock = providers.ThreadSafeSingleton(SystemClock)
    storage_watch = providers.ThreadSafeSingleton(StorageWatch)
    snapshot_objects = providers.ThreadSafeSingleton(
        _bucket,
        settings,
        "ree-snapshots",
        settings.provided.s3_bucket_snapshots,
        storage_watch,
        clock,
    )
    model_objects = providers.ThreadSafeSingleton(
        _bucket, settings, "ree-models", settings.provided.s3_bucket_models, storage_watch, clock
    )
    seal = providers.ThreadSafeSingleton(
        Seal.of, settings.provided.signing_key, settings.provided.verify_keys
    )
    market = providers.ThreadSafeSingleton(
        _market, settings.provided.api_base_url, settings.provided.api_key
    )
    tabulate = providers.ThreadSafeSingleton(NumpyTable)
    trainer = providers.ThreadSafeSingleton(_trainer)
    evaluator = providers.ThreadSafeSingleton(_evaluator)
    tally = providers.ThreadSafeSingleton(_tally)
    municipality_numbers = providers.ThreadSafeSingleton(_numbers)
    code_version = providers.Callable(code_version)
    environment = providers.Callable(key_environment)

    snapshots = providers.ThreadSafeSingleton(
        _snapshots,
        objects=snapshot_objects,
        clock=clock,
        code_version=code_version,
        seal=seal,
    )
    registry = providers.ThreadSafeSingleton(
        ObjectRegistry, objects=model_objects, clock=clock, seal=seal, environment=environment
    )
    preloading_registry = providers.Factory(
        ObjectRegistry,
        objects=providers.Factory(_bucket, *model_objects.args),
        clock=clock,
        seal=seal,
        environment=environment,
    )
    runs = providers.ThreadSafeSingleton(ObjectRuns, objects=model_objects, seal=seal)
    track_log = providers.ThreadSafeSingleton(ObjectTrackLog, objects=model_objects, seal=seal)
    drift_log = providers.ThreadSafeSingleton(ObjectDriftLog, objects=model_objects, seal=seal)
    orders = providers.ThreadSafeSingleton(ObjectOrders, objects=model_objects, seal=seal)
    latest_model = providers.ThreadSafeSingleton(LatestModel, registry=registry)
    watched_model = providers.ThreadSafeSingleton(
        WatchedModel,
        registry=registry,
        refresh_seconds=settings.provided.model_refresh_seconds,
        clock=clock,
    )

    try_candidate = providers.Factory(TryCandidate, trainer=trainer, evaluator=evaluator)
    merge_sales = providers.Factory(MergeSales, snapshots=snapshots, tabulate=tabulate)
    score_months = providers.Factory(
        ScoreMonths,
        registry=registry,
        merge_sales=merge_sales,
        evaluator=evaluator,
        track_log=track_log,
        clock=clock,
    )
    fetch_month = providers.Factory(
        FetchMonth, market=market, snapshots=snapshots, tabulate=tabulate
    )
    retrain_period = providers.Factory(
        RetrainPeriod,
        fetch_month=fetch_month,
        try_candidate=try_candidate,
        find_earlier=providers.Factory(FindEarlier, registry=registry, runs=runs),
        score_months=score_months,
        merge_sales=merge_sales,
        snapshots=snapshots,
        registry=registry,
        runs=runs,
        tally=tally,
        policy=settings.provided.policy,
        clock=clock,
        environment=environment,
    )
    check_drift = providers.Factory(
        CheckDrift,
        registry=registry,
        fetch_month=fetch_month,
        merge_sales=merge_sales,
        tally=tally,
        log=drift_log,
        clock=clock,
    )
    place_order = providers.Factory(
        PlaceOrder,
        orders=orders,
        clock=clock,
        environment=environment,
    )
    fetch_ordered = providers.Factory(
        FetchOrdered, orders=orders, snapshots=snapshots, fetch_month=fetch_month
    )
    estimate_batch = providers.Factory(
        EstimateBatch,
        model=latest_model,
        tabulate=tabulate,
        municipalities=municipality_numbers,
        dates=settings.provided.valuation_dates,
        max_batch=settings.provided.max_batch,
    )
    serve_batch = providers.ThreadSafeSingleton(estimate_batch, model=watched_model)
    activate = providers.Factory(Activate, registry=registry)
    roll_back = providers.Factory(RollBack, registry=registry)
    bootstrap = providers.Factory(
        Bootstrap, registry=registry, trainer=trainer, environment=environment
    )
    verify = providers.Factory(
        Verify,
        registry=registry,
        runs=runs,
        track_log=track_log,
        snapshots=snapshots,
        drift=drift_log,
        orders=orders,
    )
    reproduce = providers.Factory(
        Reproduce,
        registry=registry,
        snapshots=snapshots,
        try_candidate=try_candidate,
        clock=clock,
        environment=environment,
    )
