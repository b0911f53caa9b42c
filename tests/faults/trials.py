"""All trials there are, and samples of them."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from random import Random

from attrs import frozen

from . import crowd, matrix
from .bench import FileBench, S3Bench
from .crowd import Crowd
from .matrix import ACCEPTING, CHAMPION, FIRST, SCENARIOS, Case, Reference, Scenario

ROUNDS = 5


@frozen
class Trial:
    """One that can be run; it answers with what did not survive."""

    name: str
    group: str
    run: Callable[[], list[str]]


def on_storage(bench: S3Bench, scenario: Scenario, without: str | None = None) -> list[Trial]:
    """Every request, and every step."""
    reference = Reference.of(bench, scenario)
    return [
        *_trials(bench, matrix.storage_cases(scenario, reference), reference, without),
        *_trials(bench, matrix.step_cases(scenario, reference), reference, without),
    ]


def on_servers(bench: S3Bench, without: str | None = None) -> list[Trial]:
    """The server killed."""
    reference = Reference.of(bench, CHAMPION)
    return _trials(bench, matrix.server_cases(CHAMPION, reference), reference, without)


def on_files(bench: FileBench, scenario: Scenario) -> list[Trial]:
    """Every operation on a file, and every step."""
    reference = Reference.of(bench, scenario)
    return [
        *_trials(bench, matrix.file_cases(scenario, reference), reference, None),
        *_trials(bench, matrix.step_cases(scenario, reference), reference, None),
    ]


def in_crowds(bench: S3Bench, without: str | None = None, rounds: int = ROUNDS) -> list[Trial]:
    """Eight at once."""
    crowds = [
        Crowd(scenario, equal, number)
        for number in range(1, rounds + 1)
        for scenario, equal in ((FIRST, True), (CHAMPION, True), (ACCEPTING, False))
    ]
    return [
        Trial(str(one), one.group, partial(crowd.problems, bench, one, without)) for one in crowds
    ]


def everything(s3: S3Bench, files: FileBench, without: str | None) -> Iterator[Trial]:
    """In an order that is always the same; a sabotage is of the S3 store alone."""
    yield from in_crowds(s3, without)
    for scenario in SCENARIOS:
        yield from on_storage(s3, scenario, without)
    if without is None:
        yield from on_servers(s3)
        for scenario in SCENARIOS:
            yield from on_files(files, scenario)


def sample(trials: Sequence[Trial], size: int, seed: int) -> list[Trial]:
    """Some, of all groups as evenly as can be, at writes rather than at reads."""
    random = Random(seed)
    shuffled = sorted(trials, key=lambda trial: random.random() - 0.5 * ("PUT" in trial.name))
    seen: dict[str, int] = {}
    ranked = []
    for trial in shuffled:
        seen[trial.group] = seen.get(trial.group, 0) + 1
        ranked.append((seen[trial.group], random.random(), trial))
    ranked.sort(key=lambda each: each[:2])
    return [trial for _, _, trial in ranked[:size]]


def _trials(
    bench: S3Bench | FileBench, cases: Iterator[Case], reference: Reference, without: str | None
) -> list[Trial]:
    return [
        Trial(str(case), case.group, partial(matrix.problems, bench, case, reference, without))
        for case in cases
    ]
