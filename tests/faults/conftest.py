"""The benches, and what is told at the end."""

import os
from collections.abc import Callable, Iterator

import pytest

from ..servers.seaweedfs import weed_or_skip
from .bench import FileBench, S3Bench
from .trials import Trial, sample

_CASES, _SURVIVED = "fault cases", "faults survived"


class Judge:
    """Runs trials and counts them: *record* keeps a number with the test, from any process."""

    def __init__(self, seed: int, record: Callable[[str, object], None]) -> None:
        self.seed = seed
        self.record = record

    def sample(self, trials: list[Trial], size: int) -> None:
        """A seeded few of them."""
        self.all(sample(trials, size, self.seed))

    def all(self, trials: list[Trial]) -> None:
        """Fails with everything that did not survive."""
        problems, survived = [], 0
        for trial in trials:
            found = trial.run()
            survived += not found
            problems += found
        self.record(_CASES, len(trials))
        self.record(_SURVIVED, survived)
        assert not problems, "\n".join([f"FAULTS_SEED={self.seed}", *problems])


@pytest.fixture
def judge(pytestconfig: pytest.Config, record_property: Callable[[str, object], None]) -> Judge:
    return Judge(_seed(pytestconfig), record_property)


def _seed(config: pytest.Config) -> int:
    return int(os.environ.get("FAULTS_SEED") or config.getoption("randomly_seed", 0))


@pytest.fixture(scope="module")
def s3(
    aws_environment: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[S3Bench]:
    weed_or_skip()
    with S3Bench(tmp_path_factory.mktemp("faults") / "s3") as bench:
        yield bench


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileBench]:
    with FileBench(tmp_path_factory.mktemp("faults") / "files") as bench:
        yield bench


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    reports = [
        one for outcome in ("passed", "failed") for one in terminalreporter.stats.get(outcome, ())
    ]
    told = [dict(one.user_properties) for one in reports if one.when == "call"]
    cases, survived = (sum(one.get(name, 0) for one in told) for name in (_CASES, _SURVIVED))
    if cases:
        terminalreporter.write_line(
            f"fault matrix: {cases} cases, {survived} survived"
            f" (a sample, FAULTS_SEED={_seed(config)})"
        )
