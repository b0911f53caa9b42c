"""How a run is made, what it is made with, and all that it finds."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import define, field, frozen

from serving_lineup import Contender, ree_server
from serving_load import Cell
from serving_market import Asked, Served, activate, environment


@frozen
class Options:
    """How the run is made."""

    rounds: int
    seconds: float
    batches: Sequence[int]
    requests: int
    only: str


@frozen
class KernelFigures:
    """CPU us a row, of all members together."""

    rows: int
    fitted: float
    kernel: float
    ratio: float


@define
class Findings:
    """All that was measured, as it comes."""

    rounds: list[list[Cell]] = field(factory=list)
    starts: dict[str, list[float]] = field(factory=dict)
    compiling: float | None = None
    memory: dict[str, list[list[float]]] = field(factory=dict)
    """PSS and unshared MiB of the first process and of each worker, after the last round."""
    timing: dict[str, dict[str, float]] = field(factory=dict)
    layers: dict[str, dict[str, float]] = field(factory=dict)
    swapped: dict[str, list[float]] = field(factory=dict)
    decode: dict[int, dict[str, float]] = field(factory=dict)
    kernel: dict[str, list[KernelFigures]] = field(factory=dict)
    help: dict[str, float] = field(factory=dict)
    skipped: list[str] = field(factory=list)


@frozen(eq=False)
class Bench:
    """What there is to measure with."""

    served: Served
    asked: Mapping[int, Asked]
    folder: Path
    options: Options
    found: Findings

    def wants(self, row: str) -> bool:
        """Whether a row of the report was asked for."""
        return row in self.options.only

    def bodies(self, contender: Contender, batch: int) -> Path:
        """The file that wrk posts from."""
        path = self.folder / f"{contender.encode.__name__}-{batch}.jsonl"
        if not path.exists():
            lines = [contender.encode(body) for body in self.asked[batch].bodies]
            path.write_bytes(b"\n".join(lines) + b"\n")
        return path

    def ree(self, recipe: str, **settings: str) -> Contender:
        """`ree serve` on a copy of the storage in which the version of this recipe is active."""
        storage = self.folder / f"storage-{recipe}"
        if not storage.exists():
            shutil.copytree(self.served.storage, storage)
        around = environment(storage, **settings)
        activate(around, self.served.versions[recipe])
        return ree_server(recipe, around, self.served.query)
