"""The composition root builds everything, and no more than is asked for."""

import subprocess
import sys
from pathlib import Path

import pytest
from attrs import evolve
from dependency_injector import providers

from ree.adapters.file_objects import FileObjects
from ree.adapters.market_api import HttpMarket
from ree.adapters.s3_objects import S3Objects
from ree.adapters.settings import Settings
from ree.application.estimate_batch import EstimateBatch
from ree.application.retrain_period import RetrainPeriod
from ree.container import Container
from ree.domain.errors import ReeError

SETTINGS = Settings(
    api_base_url="http://127.0.0.1:9",
    api_key="canary-7f3a9",
    max_batch=7,
    train_min_rows=11,
    valuation_max_months=21,
)


def contained(settings: Settings) -> Container:
    container = Container()
    container.settings.override(providers.Object(settings))
    return container


@pytest.fixture
def container(tmp_path: Path) -> Container:
    return contained(evolve(SETTINGS, storage_path=tmp_path / "ree"))


@pytest.mark.parametrize("name", sorted(Container.providers))
def test_every_provider_builds_and_touches_no_storage(
    container: Container, name: str, tmp_path: Path
) -> None:
    assert container.providers[name]() is not None
    assert list(tmp_path.iterdir()) == []


def test_what_has_a_state_exists_once(container: Container) -> None:
    assert container.watched_model() is container.watched_model()
    assert container.retrain_period().registry is container.activate().registry
    assert container.retrain_period() is not container.retrain_period()


def test_settings_reach_who_needs_them(container: Container, tmp_path: Path) -> None:
    retrain: RetrainPeriod = container.retrain_period()
    batch: EstimateBatch = container.estimate_batch()
    assert retrain.policy.min_rows == 11
    assert (batch.max_batch, batch.dates.max_months) == (7, 21)
    models, snapshots = container.model_objects().inner, container.snapshot_objects().inner
    assert isinstance(models, FileObjects)
    assert isinstance(snapshots, FileObjects)
    assert models.root == tmp_path / "ree" / "ree-models"
    assert snapshots.root == tmp_path / "ree" / "ree-snapshots"
    assert container.watched_model().refresh_seconds == 60
    assert "0301" in batch.municipalities


def test_an_s3_storage_has_two_buckets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent/config")
    container = contained(
        evolve(
            SETTINGS,
            storage="s3",
            storage_single_writer=True,
            s3_endpoint="http://127.0.0.1:9",
            s3_access_key="AK",
            s3_secret_key="canary-7f3a9",
            s3_bucket_models="our-models",
            s3_bucket_snapshots="our-snapshots",
        )
    )
    models, snapshots = container.model_objects().inner, container.snapshot_objects().inner
    assert isinstance(models, S3Objects)
    assert isinstance(snapshots, S3Objects)
    assert (models.bucket.name, snapshots.bucket.name) == ("our-models", "our-snapshots")
    assert models.bucket.place == "http://127.0.0.1:9"
    assert models.single_writer
    assert "canary-7f3a9" not in repr(models)
    models.close()
    snapshots.close()


def test_without_s3_boto3_is_not_imported(tmp_path: Path) -> None:
    program = "import sys; from ree.container import Container as C; C().model_objects(); "
    done = subprocess.run(
        [sys.executable, "-c", program + "print(*sys.modules)"],
        cwd=tmp_path,
        env={},
        capture_output=True,
        text=True,
        check=True,
    )
    assert not {"boto3", "botocore"} & set(done.stdout.split())


def test_a_service_watches_and_a_command_looks(container: Container) -> None:
    assert container.serve_batch().model is container.watched_model()
    assert container.estimate_batch().model is container.latest_model()
    assert container.serve_batch().max_batch == 7


def test_pricing_needs_no_market(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: object) -> None:
        raise AssertionError("nobody asked for the market")

    monkeypatch.setattr(HttpMarket, "connect", connect)
    container = contained(Settings(storage_path=tmp_path))
    for name in ("estimate_batch", "serve_batch", "activate", "roll_back", "bootstrap", "runs"):
        assert container.providers[name]() is not None


def test_a_market_without_an_address_says_which_setting_is_missing() -> None:
    with pytest.raises(ReeError, match="REE_API_BASE_URL"):
        contained(Settings()).market()


def test_the_market_is_http_and_hides_its_key(container: Container) -> None:
    market = container.market()
    assert isinstance(market, HttpMarket)
    assert "canary-7f3a9" not in repr(market)
    market.close()


def test_a_container_compiles_nothing_and_trains_nothing() -> None:
    """What only models and training need is imported by them."""
    program = (
        "import sys, ree.container\n"
        "heavy = ('numba', 'sklearn', 'pyarrow', 'httpx2', 'matplotlib')\n"
        "print([m for m in heavy if m in sys.modules])"
    )
    done = subprocess.run(
        (sys.executable, "-c", program), capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
