"""The workflows of GitHub Actions."""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from documents import Document, document
from scripts import tells_all
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
ATTESTED = ("provenance", "a bill of materials")
BEGUN: dict[str, Document] = {
    "ci.yml": {"push": {"branches": ["main"]}, "pull_request": None, "workflow_call": None},
    "release.yml": {"push": {"tags": ["v[0-9]+.[0-9]+.[0-9]+"]}},
}


def faults(root: Path) -> Iterator[str]:
    """What actionlint (which asks shellcheck), zizmor and the schema say."""
    there = root / ".github" / "workflows"
    files = sorted(there.glob("*.y*ml"))
    for name in sorted({*JOBS} - {file.name for file in files}):
        yield f"{name} is not there"
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
            if workflow["on"] != BEGUN[file.name]:
                yield f"{file.name} is begun by {workflow['on']}, not by {BEGUN[file.name]}"
        if file.name == "release.yml":
            if workflow.get("concurrency", {}).get("cancel-in-progress") is not False:
                yield "release.yml may be cut short while it deploys"
            yield from _secrets(workflow["jobs"].get("deploy", {}), root)
        if file.name == "ci.yml":
            yield from _pythons(workflow["jobs"].get("tests", {}), root)
        for name, job in workflow["jobs"].items():
            for fault in _of_steps(job.get("steps", ()), root):
                yield f"{file.name}: job {name} {fault}"
            if name == "deploy" and not _may_deploy(job):
                yield f"{file.name}: job {name} is not of production, or has no id-token"
            if name not in JOBS.get(file.name, {}) and job.get("permissions") != READ:
                yield f"{file.name}: job {name} may {job.get('permissions')}, not {READ}"
            for told in {"if", "continue-on-error"} & set(job):
                yield f"{file.name}: job {name} has {told}, and would not heed a failure"
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
        used = " ".join(step.get("uses", "") for step in job.get("steps", ()))
        if "attestations" in permissions and used.count("actions/attest@") != len(ATTESTED):
            yield f"{file}: job {name} does not attest {' and '.join(ATTESTED)}"
        lines = [line.strip() for step in job.get("steps", ()) for line in _lines(step)]
        for command in commands:
            wanted = re.escape(command) + ("" if command.startswith("make ") else "(?: [^|;&]*)?")
            if not any(re.fullmatch(rf"(?:\S*/)?{wanted}", each) for each in lines):
                yield f"{file}: job {name} does not run {command}, or does not heed how it ends"


def _lines(step: Document) -> list[str]:
    """Of its script, if it is run in any case and ends the job if it fails."""
    if "continue-on-error" in step or "if" in step:
        return []
    text = step.get("run", "").replace("\\\n", " ")
    return [re.split(r" \|\| \{$", line)[0] for line in text.splitlines()]


def _secrets(job: Document, root: Path) -> Iterator[str]:
    """What secrets.sh takes is given, each by its own name."""
    script = (root / "deploy" / "scripts" / "secrets.sh").read_text("utf-8")
    told = re.findall(r"^(?:needed|optional)=\((.*?)\)", script, re.MULTILINE | re.DOTALL)
    wanted = {name: f"${{{{ secrets.{name} }}}}" for name in " ".join(told).split()}
    given = [
        step.get("env", {})
        for step in job.get("steps", ())
        if "deploy/scripts/secrets.sh" in step.get("run", "")
    ]
    for name in sorted(wanted):
        if [each.get(name) for each in given] != [wanted[name]]:
            yield f"release.yml: job deploy gives secrets.sh another {name} than the secret"


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
        if re.search(r"\$\{\{\s*secrets\b", run):
            yield "puts a secret into a command"
        if tells_all(run) or re.search(r" -[a-z]*x\b", step.get("shell", "")):
            yield "prints its environment, or each command with what is in it"
        if "credentials_json" in step.get("with", {}):
            yield "has a long-lived key of the cloud"
        for script in re.findall(r"(?:deploy/scripts|\.ci)/[\w.]+", run):
            if not os.access(root / script, os.X_OK):
                yield f"runs {script}, which is not there, or is no program"


def _may_deploy(job: Document) -> bool:
    identity = job.get("permissions", {}).get("id-token")
    return job.get("environment") == "production" and identity == "write"
