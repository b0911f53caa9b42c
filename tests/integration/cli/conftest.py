"""A small market on loopback, and `ree` as a user has it."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ree.adapters.sandbox.faults import Faults
from ree.adapters.sandbox.running import Sandbox, running
from ree.adapters.sandbox.simulator import SimulatedMarket
from ree.adapters.seal import generate_keys
from ree.entrypoints.cli import cli

os.environ.setdefault("OMP_NUM_THREADS", "1")  # so small a market is trained on faster by one

SECRET = "canary-2c8f1d7e"
PRIVATE, PUBLIC = generate_keys()
Ree = Callable[..., Result]


@pytest.fixture(scope="session")
def market() -> Iterator[Sandbox]:
    with running(
        SimulatedMarket(turnovers_per_month=500), faults=Faults(require_key=SECRET)
    ) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def first_run(market: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """A storage with one version, active, trained on January to April 2025; what was printed."""
    storage = tmp_path_factory.mktemp("trained") / "storage"
    result = _retrained(market, storage, *FIRST, "--json")
    assert result.exit_code == 0, result.output
    return storage, result


@pytest.fixture(scope="session")
def grown(
    market: Sandbox, first_run: tuple[Path, Result], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A storage with two more versions: one trained until May is active, one was refused."""
    storage = tmp_path_factory.mktemp("grown") / "storage"
    shutil.copytree(first_run[0], storage)
    lax = {f"REE_GATE_{name}_MAX_DEGRADE_PCT": "1000" for name in LIMITS}
    assert _retrained(market, storage, *LATER, **lax).exit_code == 0
    strict = {f"REE_GATE_{name}_MAX_DEGRADE_PCT": "0" for name in LIMITS}
    assert _retrained(market, storage, *SHORT, **strict).exit_code == 3
    return storage


FIRST = (
    "retrain", "--start-date", "2025-01-01", "--end-date", "2025-04-30", "--estimator", "fast"
)  # fmt: skip
LATER = (
    "retrain", "--start-date", "2025-01-01", "--end-date", "2025-05-31", "--estimator", "fast"
)  # fmt: skip
SHORT = (
    "retrain", "--start-date", "2025-05-01", "--end-date", "2025-06-30", "--estimator", "fast"
)  # fmt: skip
LIMITS = ("OVERALL_MAE", "OVERALL_WAPE", "ENEBOLIG_MAE", "ENEBOLIG_WAPE")


@pytest.fixture
def storage(tmp_path: Path) -> Path:
    """Empty."""
    return tmp_path / "storage"


@pytest.fixture
def fetched(first_run: tuple[Path, Result], storage: Path) -> Path:
    """The storage with the months of *first_run*, and no model."""
    shutil.copytree(first_run[0] / "ree-snapshots", storage / "ree-snapshots")
    return storage


@pytest.fixture
def published(first_run: tuple[Path, Result], storage: Path) -> Path:
    """The storage as *first_run* left it."""
    shutil.copytree(first_run[0], storage)
    return storage


@pytest.fixture
def several(grown: Path, storage: Path) -> Path:
    """The storage as it is in *grown*."""
    shutil.copytree(grown, storage)
    return storage


@pytest.fixture
def second(several: Path) -> str:
    """The version that is active in *several*."""
    pointer = json.loads((several / "ree-models" / "latest.json").read_text())
    version: str = pointer["model_version"]
    return version


@pytest.fixture
def first(several: Path, second: str) -> str:
    """The version that was active before."""
    names = {path.name for path in (several / "ree-models" / "models").iterdir()}
    (version,) = names - {second}
    return version


@pytest.fixture
def ree(market: Sandbox, storage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ree:
    """Runs a command; REE_ settings by keyword, None unsets one."""
    monkeypatch.chdir(tmp_path)

    def run(*args: str, **settings: str | None) -> Result:
        result = invoke(market, storage, *args, **settings)
        assert SECRET not in result.output
        assert PRIVATE not in result.output
        assert "Traceback" not in result.output
        return result

    return run


def _retrained(market: Sandbox, storage: Path, *args: str, **settings: str) -> Result:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(storage.parent)
        return invoke(market, storage, *args, **settings)


def invoke(market: Sandbox, storage: Path, *args: str, **settings: str | None) -> Result:
    """A command in this process, with settings of the environment."""
    env: dict[str, str | None] = {name: None for name in os.environ if name.startswith("REE_")}
    env |= {
        "REE_API_BASE_URL": market.base_url,
        "REE_API_KEY": SECRET,
        "REE_STORAGE_PATH": str(storage),
        "REE_TRAIN_MIN_ROWS": "100",
        "REE_SIGNING_KEY": PRIVATE,
        "REE_VERIFY_KEYS": PUBLIC,
    }
    return CliRunner().invoke(cli, args, env=env | settings)


def files(folder: Path) -> dict[str, bytes]:
    """Every file below *folder* but for locks, with what is in it."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


@pytest.fixture(name="files")
def files_fixture() -> Callable[[Path], dict[str, bytes]]:
    return files
