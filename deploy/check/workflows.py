"""The workflows of GitHub Actions."""

from collections.abc import Iterator
from pathlib import Path

from documents import document
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
            if "uses" not in job and "timeout-minutes" not in job:
                yield f"{file.name}: job {name} has no timeout-minutes"
