"""The workflows of GitHub Actions."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from documents import Document, document
from tools import complaints

READ = {"contents": "read"}
SIGN = {"packages": "write", "id-token": "write"}
JOBS: dict[str, dict[str, tuple[dict[str, str], set[str], tuple[str, ...]]]] = {
    "ci.yml": {
        "lint": (READ, set(), ("make lint",)),
        "types": (READ, set(), ("make types",)),
        "tests": (READ, set(), ("make test", ".ci/wheel")),
        "coverage": (READ, set(), ("make coverage",)),
        "deploy-check": (READ, set(), ("make deploy-check",)),
        "image": (READ, set(), ("docker build", "container_check.sh")),
        "services": (READ, set(), ("services_check.sh",)),
    },
    "release.yml": {
        "verify": (READ, set(), ("git merge-base", "check_tag.sh")),
        "ci": (READ, {"verify"}, ()),
        "image": (
            READ | SIGN | {"attestations": "write"},
            {"verify", "ci"},
            ("publish_image.sh", "sign.sh"),
        ),
        "chart": (READ | SIGN, {"verify", "image"}, ("publish_chart.sh", "sign.sh")),
        "deploy": (
            READ | {"id-token": "write"},
            {"verify", "image", "chart"},
            ("secrets.sh", "rollout.sh"),
        ),
        "release": (
            {"contents": "write"},
            {"verify", "image", "chart", "deploy"},
            ("release_notes.sh", "github_release.sh"),
        ),
    },
}
"""What the token of a job may do, which jobs come before it, and what its steps run."""
TELLS_ALL = re.compile(
    r"(?:^|[;&|(]|\b(?:do|then|else)\s)\s*"  # where a command begins
    r"(?:(?:env|printenv|export(?: -p)?|declare -p|set)\s*(?:$|[|;&>)])"
    r"|(?:set|bash|sh) -[a-wyz]*x)",
    re.MULTILINE,
)
RELEASED = {"push": {"tags": ["v[0-9]+.[0-9]+.[0-9]+"]}}


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
        if workflow.get("permissions") != {}:
            yield f"{file.name} gives every job's token more than nothing (permissions)"
        if "concurrency" not in workflow:
            yield f"{file.name} has no concurrency group"
        if file.name in JOBS:
            yield from _of_jobs(file.name, workflow["jobs"])
        if file.name == "release.yml" and workflow["on"] != RELEASED:
            yield "release.yml is begun by more than the tag of a version"
        if file.name == "ci.yml":
            yield from _pythons(workflow["jobs"].get("tests", {}), root)
        for name, job in workflow["jobs"].items():
            for fault in _of_steps(job.get("steps", ()), root):
                yield f"{file.name}: job {name} {fault}"
            if name == "deploy" and not _may_deploy(job):
                yield f"{file.name}: job {name} is not of an environment, or has no id-token"
            if "uses" not in job and "timeout-minutes" not in job:
                yield f"{file.name}: job {name} has no timeout-minutes"


def _of_jobs(file: str, jobs: Document) -> Iterator[str]:
    for name, (permissions, before, commands) in JOBS[file].items():
        job = jobs.get(name)
        if job is None:
            yield f"{file} has no job {name}"
            continue
        if job.get("permissions") != permissions:
            yield f"{file}: job {name} may {job.get('permissions')}, not {permissions}"
        needs = job.get("needs", [])
        if missing := before - set([needs] if isinstance(needs, str) else needs):
            yield f"{file}: job {name} does not wait for {' and '.join(sorted(missing))}"
        runs = " ".join(step.get("run", "") for step in job.get("steps", ()))
        for command in commands:
            if command not in runs:
                yield f"{file}: job {name} does not run {command}"


def _pythons(job: Document, root: Path) -> Iterator[str]:
    """The tests run on each Python that the package says it is for."""
    program = (root / "pyproject.toml").read_text("utf-8")
    said = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', program)
    tested = job.get("strategy", {}).get("matrix", {}).get("python", [])
    for version in sorted(set(said) - set(tested)):
        yield f"ci.yml does not test on Python {version}"


def _of_steps(steps: Iterable[Document], root: Path) -> Iterator[str]:
    """Scripts are there, and a secret is in no command."""
    for step in steps:
        run = step.get("run", "")
        if "${{ secrets." in run:
            yield "puts a secret into a command"
        if TELLS_ALL.search(run):
            yield "prints its environment, or each command with what is in it"
        if "credentials_json" in step.get("with", {}):
            yield "has a long-lived key of the cloud"
        for script in re.findall(r"(?:deploy/scripts|\.ci)/[\w.]+", run):
            if not (root / script).exists():
                yield f"runs {script}, which is not there"


def _may_deploy(job: Document) -> bool:
    return "environment" in job and job.get("permissions", {}).get("id-token") == "write"
