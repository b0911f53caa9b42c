"""The workflows of GitHub Actions."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from documents import Document, document
from tools import complaints


def faults(root: Path) -> Iterator[str]:
    """What actionlint (which asks shellcheck), zizmor and the schema say."""
    there = root / ".github" / "workflows"
    files = sorted(there.glob("*.yml"))
    schema = ("--builtin-schema", "vendor.github-workflows")
    yield from complaints("actionlint", *files, root=root)
    yield from complaints("zizmor", "--offline", "--quiet", there.parent, root=root)
    yield from complaints("check-jsonschema", *schema, *files, root=root)
    schema = ("--builtin-schema", "vendor.github-actions")
    actions = sorted(there.parent.glob("actions/*/action.yml"))
    yield from complaints("check-jsonschema", *schema, *actions, root=root)
    for file in files:
        workflow = document(file)
        if "permissions" not in workflow:
            yield f"{file.name} does not say what its token may do (permissions)"
        if "concurrency" not in workflow:
            yield f"{file.name} has no concurrency group"
        for name, job in workflow["jobs"].items():
            for fault in _of_steps(job.get("steps", ()), root):
                yield f"{file.name}: job {name} {fault}"
            if name == "deploy" and not _may_deploy(job):
                yield f"{file.name}: job {name} is not of an environment, or has no id-token"
            if "uses" not in job and "timeout-minutes" not in job:
                yield f"{file.name}: job {name} has no timeout-minutes"


def _of_steps(steps: Iterable[Document], root: Path) -> Iterator[str]:
    """Scripts are there, and a secret is in no command."""
    for step in steps:
        run = step.get("run", "")
        if "${{ secrets." in run:
            yield "puts a secret into a command"
        for script in re.findall(r"(?:deploy/scripts|\.ci)/[\w.]+", run):
            if not (root / script).exists():
                yield f"runs {script}, which is not there"


def _may_deploy(job: Document) -> bool:
    return "environment" in job and job.get("permissions", {}).get("id-token") == "write"
