"""Break src/domain in every way mutmut knows, one at a time, and see whether its tests notice.

    python benchmarks/mutation.py [--module rules] [--jobs 2]

The operators are mutmut's. What `mutmut run` leaves out is broken too, for it is where the rules of
this domain are: code outside functions (the table of the row rules, the limits of the gate) and
decorated functions (every property). Annotations, decorators, docstrings and f-string text are
left alone. Each mutant is tested in a process of its own, on a copy of the package.
"""

import argparse
import os
import resource
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path

import hypothesis
import libcst as cst
import libcst.matchers as m
import numpy as np  # noqa: F401 - loaded once, before the forks
import pytest
from attrs import frozen
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators

ROOT = Path(__file__).parents[1]
DOMAIN = ROOT / "src/domain"
TESTS = ROOT / "tests/unit/domain"
ENOUGH = 0.9
CPU_SECONDS = 30
MEMORY = 4 * 2**30
HARNESS_FAILED = 99


@frozen
class Mutant:
    """A module with one thing changed."""

    module: str
    line: int
    before: str
    after: str
    code: str

    def __str__(self) -> str:
        return f"{self.module}.py:{self.line}: {_short(self.before)}  ->  {_short(self.after)}"


class Mutable(cst.CSTVisitor):
    """The nodes that may be changed."""

    def __init__(self) -> None:
        self.nodes: list[cst.CSTNode] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        """Collects a node, and says whether to look inside it."""
        if isinstance(node, cst.Annotation | cst.Decorator | cst.Import | cst.ImportFrom):
            return False
        if m.matches(node, m.Call(func=m.Name("len") | m.Name("isinstance"))):
            return False
        self.nodes.append(node)
        return True


def mutants(path: Path) -> Iterator[Mutant]:
    """Every mutant of a module that compiles and differs from it."""
    wrapper = MetadataWrapper(cst.parse_module(path.read_text()))
    module, positions = wrapper.module, wrapper.resolve(PositionProvider)
    visitor = Mutable()
    module.visit(visitor)
    seen = {module.code}
    for node in visitor.nodes:
        for kind, operator in mutation_operators:
            for changed in operator(node) if isinstance(node, kind) else ():
                code = cst.ensure_type(module.deep_replace(node, changed), cst.Module).code
                if code in seen or not _compiles(code):
                    continue
                seen.add(code)
                before, after = module.code_for_node(node), module.code_for_node(changed)
                yield Mutant(path.stem, positions[node].start.line, before, after, code)


def start(mutant: Mutant | None, copy: Path) -> int:
    """Start the tests on a copy of the package with the mutant in it; the id of their process."""
    process = os.fork()
    if process:
        return process
    code = HARNESS_FAILED
    try:
        code = _test(mutant, copy)
    finally:
        os._exit(code)


def _test(mutant: Mutant | None, copy: Path) -> int:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    os.dup2(os.open(copy / "log", os.O_CREAT | os.O_WRONLY | os.O_TRUNC), 1)
    os.dup2(1, 2)
    own, others = [], sorted(map(str, TESTS.glob("test_*.py")))
    if mutant is not None:
        (copy / "ree/domain" / f"{mutant.module}.py").write_text(mutant.code)
        own = [path for path in others if path.endswith(f"/test_{mutant.module}.py")]
    sys.path.insert(0, str(copy))
    sys.dont_write_bytecode = mutant is not None
    if mutant is not None and not _imports(mutant.module):
        return 1
    options = ["-xq", "--import-mode=importlib", "-p", "no:cacheprovider", f"--rootdir={ROOT}"]
    code = 0
    for tests in filter(None, (own, [path for path in others if path not in own])):
        code = code or int(pytest.main([*options, "-c", str(copy / "pytest.ini"), *tests]))
    tested = sys.modules["ree.domain"].__file__ or ""
    return code if tested.startswith(str(copy)) else HARNESS_FAILED


def _imports(module: str) -> bool:
    """Before pytest does: to it a mutant that its own conftest cannot import is a wrong usage."""
    try:
        import_module(f"ree.domain.{module}")
    except Exception:
        return False
    return True


def noticed(status: int) -> bool:
    """Whether a test failed, could not be imported, or ran out of time."""
    code = os.waitstatus_to_exitcode(status)
    if code >= pytest.ExitCode.INTERNAL_ERROR:
        raise RuntimeError(f"The tests could not be run: pytest ended with {code}.")
    return code != 0


def survivors(candidates: Sequence[Mutant], copies: list[Path]) -> list[Mutant]:
    """Tests every mutant, as many at a time as there are copies."""
    waiting, alive = list(reversed(candidates)), []
    running: dict[int, tuple[Mutant, Path]] = {}
    while waiting or running:
        while waiting and copies:
            mutant, copy = waiting.pop(), copies.pop()
            running[start(mutant, copy)] = (mutant, copy)
        process, status = os.wait()
        mutant, copy = running.pop(process)
        copies.append(copy)
        shutil.copy(DOMAIN / f"{mutant.module}.py", copy / "ree/domain")
        if not noticed(status):
            alive.append(mutant)
        done = len(candidates) - len(waiting) - len(running)
        if sys.stderr.isatty() or done % 100 == 0:
            print(f"{done} of {len(candidates)}, {len(alive)} survived", file=sys.stderr)
    return alive


def copy_of_the_package(folder: Path) -> Path:
    """A folder with `ree` in it: the domain copied, the rest linked."""
    (folder / "ree").mkdir(parents=True)
    for path in (ROOT / "src").iterdir():
        if path != DOMAIN and path.name != "__pycache__":
            (folder / "ree" / path.name).symlink_to(path)
    shutil.copytree(DOMAIN, folder / "ree/domain", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    return folder


def main() -> int:
    """0 if enough of the mutants were noticed, 1 if not, 2 if the tests fail without any."""
    parser = argparse.ArgumentParser(description="Mutation testing of src/domain.")
    parser.add_argument("--module", default="*", help="one module of the domain, as rules")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
    hypothesis.settings.register_profile("mutation", phases=phases, database=None)
    hypothesis.settings.load_profile("mutation")
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    paths = sorted(DOMAIN.glob(f"{asked.module}.py"))
    found = [mutant for path in paths for mutant in mutants(path)]
    with tempfile.TemporaryDirectory() as temporary:
        copies = [copy_of_the_package(Path(temporary, str(n))) for n in range(asked.jobs)]
        _, status = os.waitpid(start(None, copies[0]), 0)
        if status or not found:
            print((copies[0] / "log").read_text(), "The tests fail without a mutant.")
            return 2
        shutil.rmtree(copies[0] / "ree/domain/__pycache__", ignore_errors=True)
        alive = survivors(found, copies)
    for mutant in sorted(alive, key=lambda mutant: (mutant.module, mutant.line)):
        print(mutant)
    killed = len(found) - len(alive)
    share = killed / len(found)
    print(f"{len(found)} mutants, {killed} killed, {len(alive)} survived, {share:.1%} killed")
    return 0 if share >= ENOUGH else 1


def _compiles(code: str) -> bool:
    try:
        compile(code, "mutant", "exec")
    except SyntaxError:
        return False
    return True


def _short(code: str) -> str:
    line = " ".join(code.split())
    return line if len(line) <= 70 else line[:67] + "..."


if __name__ == "__main__":
    sys.exit(main())
