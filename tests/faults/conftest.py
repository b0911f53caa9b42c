"""The benches, and what is told at the end."""

import os
from collections.abc import Iterator

import pytest

from ..servers.seaweedfs import weed_or_skip
from .bench import FileBench, S3Bench
from .trials import Trial, sample

_FIGURES = pytest.StashKey[list[int]]()


class Judge:
    """Runs trials and counts them."""

    def __init__(self, config: pytest.Config) -> None:
        self.seed = int(os.environ.get("FAULTS_SEED") or config.getoption("randomly_seed", 0))
        self.figures = config.stash.setdefault(_FIGURES, [0, 0, self.seed])

    def sample(self, trials: list[Trial], size: int) -> None:
        """A seeded few of them."""
        self.all(sample(trials, size, self.seed))

    def all(self, trials: list[Trial]) -> None:
        """Fails with everything that did not survive."""
        problems = []
        for trial in trials:
            found = trial.run()
            self.figures[0] += 1
            self.figures[1] += not found
            problems += found
        assert not problems, "\n".join([f"FAULTS_SEED={self.seed}", *problems])


@pytest.fixture(scope="session")
def judge(pytestconfig: pytest.Config) -> Judge:
    return Judge(pytestconfig)


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
    cases, survived, seed = config.stash.get(_FIGURES, [0, 0, 0])
    if cases:
        terminalreporter.write_line(
            f"fault matrix: {cases} cases, {survived} survived (a sample, FAULTS_SEED={seed})"
        )
