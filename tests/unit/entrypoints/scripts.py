"""The page's scripts, each a module of its own, run by Node without a browser."""

import json
import subprocess
from pathlib import Path
from typing import Any

DEADLINE = 60


def run(modules: tuple[str, Path], script: str, given: Any) -> Any:
    """What *script*, a function of `given`, makes of it."""
    program, folder = modules
    whole = f"const given = {json.dumps(given)};\n{script}"
    whole += "\nconsole.log(JSON.stringify(await answer(given)));"
    (folder / "run.js").write_text(whole, "utf-8")
    ended = subprocess.run(
        [program, "run.js"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)
