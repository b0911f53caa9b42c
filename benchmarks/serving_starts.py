"""What it costs to start the command."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

STARTS = 15
_COMPILING = """
import attrs, numba, numpy, scipy.spatial, sklearn.ensemble
from time import process_time
began = process_time()
import ree.adapters.price_models
print(process_time() - began)
"""


def command_starts() -> dict[str, float]:
    """CPU of `ree --help` and of `python -c pass`, medians of interleaved runs, s."""
    script = Path(sys.executable).with_name("ree")
    ree = [str(script)] if script.exists() else [sys.executable, "-m", "ree.entrypoints.cli"]
    commands = {"python": [sys.executable, "-c", "pass"], "ree": [*ree, "--help"]}
    spent: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(STARTS):
        for name, command in commands.items():
            spent[name].append(_cpu(command))
    return {name: median(values) for name, values in spent.items()}


def compile_seconds() -> float:
    """CPU of compiling what a service compiles as it starts, before it forks; median of three.

    The modules of the models compile as they are imported; what they import besides is there.
    """
    found = []
    for _ in range(3):
        command = [sys.executable, "-c", _COMPILING]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found.append(float(done.stdout))
    return median(found)


def _cpu(command: Sequence[str]) -> float:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return used.ru_utime + used.ru_stime
