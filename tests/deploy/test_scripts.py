"""The scripts that ship a release, in a real bash, beside programs that only note what is asked."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from attrs import field, frozen

from ree.adapters.settings import load_settings

ROOT = Path(__file__).parents[2]
DIGEST = "sha256:" + "5" * 64
NOTING = """#!/usr/bin/env bash
echo "${0##*/} $*" >> CALLS
answer() { [[ $asked =~ $1 ]]; }
asked=$*
"""
SECRET = {"get secret ree-secrets": "echo 815"}
TRAINED = SECRET | {
    "get job .*jsonpath": "echo 1",
    "wait .*Failed": "exec sleep 60",
}
RELEASE = [
    {"revision": 6, "status": "superseded"},
    {"revision": 7, "status": "deployed"},
    {"revision": 8, "status": "failed"},
]


@frozen
class Stage:
    """A checkout with what the scripts read, and a PATH on which other programs are stand-ins."""

    root: Path
    programs: Path
    environment: dict[str, str] = field(factory=dict)

    def stand_in(self, name: str, answers: Mapping[str, str] | None = None) -> None:
        """Notes its arguments, then does what the first pattern found there says, or nothing."""
        file = self.programs / name
        text = NOTING.replace("CALLS", str(self.programs / "calls"))
        for pattern, what in (answers or {}).items():
            text += f"if answer '{pattern}'; then {what}; exit; fi\n"
        file.write_text(text)
        file.chmod(0o755)

    def run(
        self, script: str, *arguments: str, **settings: str
    ) -> subprocess.CompletedProcess[str]:
        """From another folder: a script finds its own files."""
        return subprocess.run(
            [str(self.root / "deploy/scripts" / script), *arguments],
            cwd=self.programs,
            env={"PATH": f"{self.programs}:{os.environ['PATH']}"} | self.environment | settings,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    @property
    def calls(self) -> list[str]:
        """What the stand-ins were asked, in order."""
        file = self.programs / "calls"
        return file.read_text().splitlines() if file.exists() else []

    def asked(self, start: str) -> list[str]:
        return [call for call in self.calls if call.startswith(start)]


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    root = tmp_path / "checkout"
    shutil.copytree(ROOT / "deploy/scripts", root / "deploy/scripts")
    (root / "deploy/helm").mkdir()
    (root / "deploy/helm/Chart.yaml").write_text(
        'apiVersion: v2\nname: ree\nversion: 1.20.3\nappVersion: "1.20.3"\n'
    )
    (root / "pyproject.toml").write_text(
        '[project]\nname = "ree-norway"\nversion = "1.20.3"\n\n[tool.other]\nversion = "9.9.9"\n'
    )
    (root / "CHANGELOG.md").write_text(
        "# Changelog\n\n## [Unreleased]\n\n- Later\n\n## [1.20.3] - 2026-11-30\n\n### Added\n\n"
        "- This & that\n\n## [1.2.0] - 2026-10-01\n\n- Before\n\n## [1.1.0] - 2026-09-01\n\n"
        "## [1.0.0] - 2026-08-01\n\n- First\n"
    )
    programs = tmp_path / "programs"
    programs.mkdir()
    return Stage(root, programs)


def test_a_tag_that_is_the_version_everywhere_may_be_released(stage: Stage) -> None:
    done = stage.run("check_tag.sh", "v1.20.3")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    "tag", ["1.20.3", "v1.20", "v1.20.3-rc1", "v01.20.3", "v1.20.3.4", "v1x20x3", "", "v1.20.3\n"]
)
def test_what_is_no_version_is_no_tag_of_a_release(stage: Stage, tag: str) -> None:
    done = stage.run("check_tag.sh", tag)

    assert done.returncode == 1
    assert "v1.2.3" in done.stderr


def test_everything_that_is_not_the_tag_is_told_at_once(stage: Stage) -> None:
    done = stage.run("check_tag.sh", "v1.20.4")

    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "v1.20.4: the version of pyproject.toml is 1.20.3, expected 1.20.4",
        "v1.20.4: the version of deploy/helm/Chart.yaml is 1.20.3, expected 1.20.4",
        "v1.20.4: the appVersion of deploy/helm/Chart.yaml is 1.20.3, expected 1.20.4",
        "v1.20.4: CHANGELOG.md has no line '## [1.20.4] - YYYY-MM-DD'",
    ]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("## [1.20.3] - 2026-11-30", "## [1.20.3]", "no line '## [1.20.3] - YYYY-MM-DD'"),
        ("## [1.20.3] - 2026-11-30", "## [1x20.3] - 2026-11-30", "no line"),
        ("\n### Added\n\n- This & that\n", "", "tells nothing of 1.20.3"),
    ],
    ids=["no date", "another version", "nothing told"],
)
def test_the_changelog_tells_of_the_version(
    stage: Stage, before: str, after: str, told: str
) -> None:
    changelog = stage.root / "CHANGELOG.md"
    changelog.write_text(changelog.read_text().replace(before, after))

    done = stage.run("check_tag.sh", "v1.20.3")

    assert done.returncode == 1
    assert told in done.stderr


@pytest.mark.parametrize(
    ("version", "told"),
    [("1.20.3", "### Added\n\n- This & that\n"), ("1.2.0", "- Before\n"), ("1.0.0", "- First\n")],
)
def test_the_notes_of_a_release_are_its_section_of_the_changelog(
    stage: Stage, version: str, told: str
) -> None:
    done = stage.run("release_notes.sh", version)

    assert (done.returncode, done.stdout) == (0, told)


@pytest.mark.parametrize("version", ["1.1.0", "7.0.0", "1.20", "1.20.3]"])
def test_a_version_of_which_nothing_is_told_has_no_notes(stage: Stage, version: str) -> None:
    done = stage.run("release_notes.sh", version)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"CHANGELOG.md tells nothing of {version}\n"


def test_the_notes_tell_how_to_verify_what_was_published(stage: Stage) -> None:
    done = stage.run(
        "release_notes.sh", "1.20.3", f"ghcr.io/o/ree@{DIGEST}", f"ghcr.io/o/charts/ree@{DIGEST}"
    )

    assert done.stdout.startswith("### Added\n\n- This & that\n\n### Artifacts\n")
    assert f"cosign verify ghcr.io/o/ree@{DIGEST} \\" in done.stdout
    assert f"`oci://ghcr.io/o/charts/ree@{DIGEST}`" in done.stdout
    assert "release.yml@refs/tags/v1.20.3" in done.stdout


TEXT = (ROOT / "deploy/scripts/secrets.sh").read_text()
SECRETS = {
    "REE_SIGNING_KEY": "signing-f00d=",
    "REE_VERIFY_KEYS": "verify-f00d=,verify-beef=",
    "REE_S3_ACCESS_KEY": "writer-f00d",
    "REE_S3_SECRET_KEY": "writer secret f00d",
    "S3_READER_ACCESS_KEY": "reader-f00d",
    "S3_READER_SECRET_KEY": "'reader\" $(f00d) \\n",
    "REE_CLIENT_KEYS": "web:f00d",
}


@pytest.fixture
def keeper(stage: Stage) -> Stage:
    """With a kubectl that keeps what it is given, as files of its own."""
    stage.stand_in(
        "kubectl",
        {
            "create secret": 'for each; do [[ $each != --from-env-file=* ]] || cat "${each#*=}" '
            f">{stage.programs}/given; done; echo kind: Secret",
            "apply": f"cat >{stage.programs}/applied; echo secret/ree-secrets serverside-applied",
        },
    )
    return stage


def test_secrets_reach_the_cluster_and_nothing_else(keeper: Stage) -> None:
    done = keeper.run("secrets.sh", **SECRETS, REE_API_KEY="", REE_NAMESPACE="homes")

    assert (done.returncode, done.stdout) == (0, "secret/ree-secrets serverside-applied\n")
    given = (keeper.programs / "given").read_text().splitlines()
    assert dict(line.split("=", 1) for line in given) == SECRETS
    assert (keeper.programs / "applied").read_text() == "kind: Secret\n"
    assert not re.search("f00d|beef", "".join(keeper.calls) + done.stdout + done.stderr)
    assert all("homes" in call for call in keeper.calls)
    (applied,) = keeper.asked("kubectl apply")
    assert "--server-side --force-conflicts" in applied


def test_a_release_hands_over_every_secret_that_the_script_knows() -> None:
    steps = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())["jobs"]["deploy"]
    (given,) = (step["env"] for step in steps["steps"] if "secrets.sh" in step.get("run", ""))
    known = re.findall(
        r"[A-Z][A-Z0-9_]+", " ".join(re.findall(r"(?:needed|optional)=\(([^)]+)\)", TEXT))
    )

    assert given == {name: f"${{{{ secrets.{name} }}}}" for name in known}


def test_a_trace_of_the_script_shows_no_secret(keeper: Stage) -> None:
    done = keeper.run("secrets.sh", **SECRETS, SHELLOPTS="xtrace")

    assert done.returncode == 0
    assert not re.search("f00d|beef", done.stdout + done.stderr)


def test_no_secret_is_written_while_one_is_missing(keeper: Stage) -> None:
    left = {name: value for name, value in SECRETS.items() if "READER" not in name}

    done = keeper.run("secrets.sh", **left, REE_API_KEY="f00d\nf00d")

    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "S3_READER_ACCESS_KEY is not set",
        "S3_READER_SECRET_KEY is not set",
        "REE_API_KEY has more than one line",
    ]
    assert keeper.calls == []


def test_a_namespace_is_made_where_there_is_none(keeper: Stage) -> None:
    assert keeper.run("secrets.sh", **SECRETS).returncode == 0
    assert keeper.asked("kubectl create namespace ree") != []


def test_a_namespace_that_may_not_be_seen_is_not_made(keeper: Stage) -> None:
    keeper.stand_in("kubectl", {"get namespace": "echo forbidden >&2; exit 1"})

    done = keeper.run("secrets.sh", **SECRETS)

    assert (done.returncode, done.stderr) == (1, "forbidden\n")
    assert keeper.asked("kubectl create") == []


def test_a_secret_that_cannot_be_written_ends_the_release(keeper: Stage) -> None:
    keeper.stand_in("kubectl", {"apply": "cat >/dev/null; exit 1"})

    assert keeper.run("secrets.sh", **SECRETS).returncode == 1


def secrets_for_kind(stage: Stage, *arguments: str) -> dict[str, str]:
    done = stage.run("env_kind.sh", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return dict(line.split("=", 1) for line in done.stdout.splitlines())


@pytest.fixture
def with_keys(stage: Stage) -> Stage:
    """Keys are made by the program of these tests."""
    (stage.root / ".venv/bin").mkdir(parents=True)
    made = shutil.which("ree", path=str(ROOT / ".venv/bin")) or shutil.which("ree")
    assert made is not None
    (stage.root / ".venv/bin/ree").symlink_to(made)
    return stage


def test_kind_gets_keys_that_are_settings_and_belong_together(with_keys: Stage) -> None:
    made = secrets_for_kind(with_keys)

    settings = load_settings(
        {name: value for name, value in made.items() if name.startswith("REE_")}, dotenv=os.devnull
    )
    assert settings.signing_key
    assert len(settings.verify_keys) == 1
    password = made["RABBITMQ_PASSWORD"]
    assert settings.celery_broker_url == f"amqp://ree:{password}@ree-rabbitmq:5672/"
    writer, reader = json.loads(made["S3_IDENTITIES"])["identities"]
    assert writer["credentials"] == [
        {"accessKey": settings.s3_access_key, "secretKey": settings.s3_secret_key}
    ]
    assert reader["credentials"] == [
        {"accessKey": made["S3_READER_ACCESS_KEY"], "secretKey": made["S3_READER_SECRET_KEY"]}
    ]
    assert (writer["name"], writer["actions"]) == (
        "writer",
        ["Admin", "Read", "Write", "List", "Tagging"],
    )
    assert (reader["name"], reader["actions"]) == ("reader", ["Read", "List"])


def test_kind_gets_other_keys_each_time_and_the_names_of_its_release(with_keys: Stage) -> None:
    one, other = secrets_for_kind(with_keys), secrets_for_kind(with_keys, "homes")

    assert one.keys() == other.keys()
    assert not set(one.values()) & set(other.values())
    assert other["REE_CELERY_BROKER_URL"].endswith("@homes-rabbitmq:5672/")


@pytest.mark.parametrize("name", ["Ree", "my.ree", "ree/homes", "r" * 41, "-ree"])
def test_kind_gets_no_keys_for_what_is_no_name_of_a_release(stage: Stage, name: str) -> None:
    done = stage.run("env_kind.sh", name)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"{name} is no name of a release: ")


def test_without_an_environment_the_image_makes_the_keys(stage: Stage) -> None:
    stage.stand_in("docker", {"run": "echo REE_SIGNING_KEY=a=; echo REE_VERIFY_KEYS=b="})

    made = secrets_for_kind(stage)

    assert (made["REE_SIGNING_KEY"], made["REE_VERIFY_KEYS"]) == ("a=", "b=")
    assert stage.calls == [
        "docker run --rm --network none ghcr.io/ree-norway/ree:1.20.3 ree keys generate"
    ]


def test_keys_that_cannot_be_made_leave_no_half_a_secret(stage: Stage) -> None:
    stage.stand_in("docker", {"run": "echo no such image >&2; exit 125"})

    done = stage.run("env_kind.sh")

    assert done.returncode != 0
    assert done.stdout == ""
    assert "no such image\nNo keys were made" in done.stderr


def test_kubectl_takes_the_lines_for_kind_without_a_cluster(with_keys: Stage) -> None:
    kubectl = shutil.which("kubectl", path=f"{ROOT / '.deploy-tools/bin'}:{os.environ['PATH']}")
    if kubectl is None:
        pytest.skip("kubectl is not installed: make deploy-tools")
    file = with_keys.programs / ".env.kind"
    file.write_text(with_keys.run("env_kind.sh").stdout)

    made = subprocess.run(
        [
            *(kubectl, "create", "secret", "generic", "ree-secrets"),
            *(f"--from-env-file={file}", "--dry-run=client", "--output=json"),
        ],
        env={"HOME": str(with_keys.programs)},
        capture_output=True,
        check=True,
    )

    assert len(json.loads(made.stdout)["data"]) == 9


@pytest.fixture
def cluster(stage: Stage) -> Stage:
    """One on which everything works, and the release was upgraded before."""
    stage.environment.update(IMAGE_DIGEST=DIGEST)
    stage.stand_in("kubectl", SECRET)
    return stage


def helm(stage: Stage, answers: Mapping[str, str] | None = None, version: str = "v4.1.4") -> None:
    told = {"^history": f"echo '{json.dumps(RELEASE)}'", "^version": f"echo {version}"}
    stage.stand_in("helm", told | dict(answers or {}))


@pytest.mark.parametrize(
    ("version", "flag"), [("v4.1.4", "--rollback-on-failure"), ("v3.19.0", "--atomic")]
)
def test_an_upgrade_is_undone_by_helm_or_tested(cluster: Stage, version: str, flag: str) -> None:
    helm(cluster, version=version)

    done = cluster.run("rollout.sh", "ree.tgz", "-f", "gke.yaml", REE_NAMESPACE="homes")

    assert (done.returncode, done.stdout) == (0, "ree is upgraded and tested\n")
    (upgrade,) = cluster.asked("helm upgrade --install ree ree.tgz --namespace homes")
    revisions = f"--set-string image.digest={DIGEST} --set-string secretsRevision=815"
    assert upgrade.endswith(f"{revisions} {flag} -f gke.yaml")
    (test,) = cluster.asked("helm test ree --namespace homes")
    assert cluster.calls.index(upgrade) < cluster.calls.index(test)
    assert not [call for call in cluster.calls if "create job" in call or "rollback ree" in call]


def test_an_upgrade_that_fails_is_not_tested(cluster: Stage) -> None:
    helm(cluster, {"^upgrade": "exit 1"})

    done = cluster.run("rollout.sh", "ree.tgz")

    assert done.returncode == 1
    assert "revision 7 is back" in done.stderr
    assert cluster.asked("helm test") == cluster.asked("helm rollback") == []


def test_a_release_that_fails_its_test_is_rolled_back(cluster: Stage) -> None:
    helm(cluster, {"^test ree": "exit 1"})

    done = cluster.run("rollout.sh", "ree.tgz")

    assert done.returncode == 1
    assert "going back to revision 7" in done.stderr
    assert cluster.calls[-1].startswith("helm rollback ree 7 --namespace ree --wait")


def test_where_nothing_was_deployed_before_nothing_is_gone_back_to(cluster: Stage) -> None:
    helm(
        cluster, {"^test ree": "exit 1", "^history": 'echo \'[{"revision":1,"status":"failed"}]\''}
    )

    done = cluster.run("rollout.sh", "ree.tgz")

    assert done.returncode == 1
    assert "no revision to go back to" in done.stderr
    assert cluster.asked("helm rollback") == []


def test_an_upgrade_that_was_cut_short_is_settled_first(cluster: Stage) -> None:
    cut = [*RELEASE, {"revision": 9, "status": "pending-upgrade"}]
    helm(cluster, {"^history": f"echo '{json.dumps(cut)}'"})

    done = cluster.run("rollout.sh", "ree.tgz")

    assert done.returncode == 0
    assert "revision 7 first" in done.stderr
    (back,) = cluster.asked("helm rollback ree 7")
    (upgrade,) = cluster.asked("helm upgrade")
    assert cluster.calls.index(back) < cluster.calls.index(upgrade)


def test_what_was_deployed_once_is_not_taken_for_a_first_installation(cluster: Stage) -> None:
    """A rollback that fails leaves no revision deployed."""
    states = {6: "superseded", 7: "superseded", 8: "failed", 9: "pending-rollback"}
    cut = [{"revision": number, "status": status} for number, status in states.items()]
    helm(cluster, {"^history": f"echo '{json.dumps(cut)}'"})

    done = cluster.run("rollout.sh", "ree.tgz")

    assert done.returncode == 0
    assert cluster.asked("helm uninstall") == []
    assert len(cluster.asked("helm rollback ree 7")) == 1


def test_a_warning_of_helm_is_no_part_of_what_it_knows(cluster: Stage) -> None:
    helm(cluster, {"^history": f"echo 'WARNING: readable' >&2; echo '{json.dumps(RELEASE)}'"})

    done = cluster.run("rollout.sh", "ree.tgz")

    assert (done.returncode, done.stdout) == (0, "ree is upgraded and tested\n")


def test_a_first_installation_that_was_cut_short_begins_again(cluster: Stage) -> None:
    helm(cluster, {"^history": 'echo \'[{"revision":1,"status":"pending-install"}]\''})
    cluster.stand_in("kubectl", TRAINED | {"get configmap": "echo configmap/ree-awaits-model"})

    done = cluster.run("rollout.sh", "ree.tgz")

    assert done.returncode == 0, done.stderr
    (gone,) = cluster.asked("helm uninstall ree")
    (upgrade,) = cluster.asked("helm upgrade")
    assert cluster.calls.index(gone) < cluster.calls.index(upgrade)
    assert cluster.asked("helm rollback") == []


MISSING = {"^history": "echo 'Error: release: not found' >&2; exit 1"}


def test_a_first_installation_trains_before_it_is_tested(cluster: Stage) -> None:
    helm(cluster, MISSING)
    cluster.stand_in("kubectl", TRAINED)

    done = cluster.run("rollout.sh", "ree.tgz", "-f", "gke.yaml")

    assert done.returncode == 0
    assert done.stdout.endswith("ree is installed, and its first model is served\n")
    steps = [
        "kubectl --namespace ree create configmap ree-awaits-model",
        "helm upgrade --install ree ree.tgz",
        "kubectl --namespace ree create job ree-training-first --from=cronjob/ree-training",
        "kubectl --namespace ree wait --for=condition=Available",
        "helm test ree",
        "kubectl --namespace ree delete configmap ree-awaits-model",
    ]
    told = [next(i for i, call in enumerate(cluster.calls) if call.startswith(s)) for s in steps]
    assert told == sorted(told)
    (upgrade,) = cluster.asked("helm upgrade")
    assert not re.search("atomic|rollback|--wait", upgrade)


@pytest.mark.parametrize(
    ("of_helm", "of_kubectl", "last"),
    [
        ({}, {"create configmap": "exit 1"}, "kubectl --namespace ree create configmap"),
        ({}, {"get secret ree-secrets": "exit 1"}, "kubectl --namespace ree get secret"),
        ({"^upgrade": "exit 1"}, {}, "helm upgrade"),
        ({}, {"create job": "exit 1"}, "kubectl --namespace ree logs"),
        ({}, {"get job .*jsonpath": "echo"}, "kubectl --namespace ree logs"),
        ({}, {"Available": "exit 1"}, "kubectl --namespace ree wait --for=condition=Available"),
        ({"^test ree": "exit 1"}, {}, "helm test"),
    ],
    ids=["not noted", "no secret", "install", "no job", "training", "not ready", "test"],
)
def test_a_first_installation_that_fails_is_left_and_tells_what_to_do(
    cluster: Stage, of_helm: dict[str, str], of_kubectl: dict[str, str], last: str
) -> None:
    helm(cluster, of_helm | MISSING)
    cluster.stand_in("kubectl", TRAINED | of_kubectl)

    done = cluster.run("rollout.sh", "ree.tgz")

    assert done.returncode == 1
    assert "logs job/ree-training-first" in done.stderr
    assert cluster.calls[-1].startswith(last)
    assert cluster.asked("helm rollback") == cluster.asked("helm uninstall") == []
    assert not [call for call in cluster.calls if "delete configmap" in call]


def test_an_installation_without_its_first_model_is_begun_again(cluster: Stage) -> None:
    """Helm takes it for deployed, and would undo an upgrade: without a model nothing gets ready."""
    helm(cluster)
    cluster.stand_in("kubectl", TRAINED | {"get configmap": "echo configmap/ree-awaits-model"})

    done = cluster.run("rollout.sh", "ree.tgz")

    assert done.returncode == 0
    assert done.stdout.endswith("its first model is served\n")
    assert not re.search("atomic|rollback|create configmap", "".join(cluster.calls))
    assert cluster.calls[-1] == "kubectl --namespace ree delete configmap ree-awaits-model"


def test_a_cluster_that_does_not_answer_is_no_first_installation(cluster: Stage) -> None:
    helm(cluster, {"^history": "echo 'Error: cluster unreachable' >&2; exit 1"})

    done = cluster.run("rollout.sh", "ree.tgz")

    assert done.returncode == 1
    assert "cluster unreachable" in done.stderr
    assert cluster.asked("helm upgrade") == []


@pytest.mark.parametrize("digest", ["", "latest", "sha256:abc", f"{DIGEST}0"])
def test_an_image_has_a_digest(cluster: Stage, digest: str) -> None:
    helm(cluster)

    done = cluster.run("rollout.sh", "ree.tgz", IMAGE_DIGEST=digest)

    assert done.returncode == 1
    assert "IMAGE_DIGEST" in done.stderr
    assert cluster.calls == []


@pytest.mark.parametrize("program", ["docker", "helm"])
def test_the_registry_is_entered_without_showing_the_token(stage: Stage, program: str) -> None:
    stage.stand_in(program, {"login": f"cat >{stage.programs}/given"})

    done = stage.run("registry_login.sh", program, REGISTRY_USER="me", REGISTRY_TOKEN="f00d")

    assert done.returncode == 0
    assert (stage.programs / "given").read_text() == "f00d"
    assert "f00d" not in "".join(stage.calls) + done.stdout + done.stderr


IMAGE = {
    "buildx create": "echo builder7",
    "buildx build": "while [[ $1 != --metadata-file ]]; do shift; done; "
    f'echo "{{\\"containerimage.digest\\": \\"{DIGEST}\\"}}" >"$2"',
    "imagetools": 'echo "{\\"spdxVersion\\": \\"SPDX-2.3\\"}"',
}


def test_an_image_is_published_with_where_it_is_from_and_what_is_in_it(stage: Stage) -> None:
    stage.stand_in("docker", IMAGE)
    stage.stand_in("git", {"rev-parse": "echo 0123abc"})
    output = stage.programs / "output"

    done = stage.run("publish_image.sh", "1.20.3", GITHUB_OUTPUT=str(output))

    assert (done.returncode, done.stderr) == (0, "")
    assert output.read_text() == f"digest={DIGEST}\n"
    (build,) = stage.asked("docker buildx build --builder builder7")
    for option in (
        *("--file deploy/Dockerfile", "--push", "--provenance mode=max", "--sbom true"),
        *("--tag ghcr.io/ree-norway/ree:1.20.3", "VERSION=1.20.3", "REVISION=0123abc"),
    ):
        assert option in build
    assert json.loads((stage.root / "sbom.spdx.json").read_text())["spdxVersion"]
    assert stage.calls[-1] == "docker buildx rm builder7"


@pytest.mark.parametrize("answer", [{"imagetools": "echo null"}, {"buildx build": "exit 1"}])
def test_an_image_without_a_bill_of_materials_is_no_release(
    stage: Stage, answer: dict[str, str]
) -> None:
    stage.stand_in("docker", IMAGE | answer)

    done = stage.run("publish_image.sh", "1.20.3")

    assert done.returncode != 0
    assert "digest=" not in done.stdout


CHART = {
    "^package": "cp $2/values.yaml ../values",
    "^template": "cat ../values",
    "^push": f"echo Pushed: here >&2; echo 'Digest: {DIGEST}' >&2",
}


@pytest.mark.parametrize("values", ['image:\n  digest: ""\n', "image:\n  digest: none\n"])
def test_a_chart_is_published_with_the_image_that_was_built(stage: Stage, values: str) -> None:
    image = "sha256:" + "7" * 64
    (stage.root / "deploy/helm/values.yaml").write_text(values)
    stage.stand_in("helm", CHART | {"^template": f"sed 's/digest: \"/a@/' {stage.root}/../values"})

    done = stage.run("publish_chart.sh", "1.20.3", image)

    if "none" in values:
        assert done.returncode != 0
        assert stage.calls == []
    else:
        assert done.returncode == 0
        assert done.stdout.endswith(f"digest={DIGEST}\n")
        assert stage.calls[-1] == "helm push ree-1.20.3.tgz oci://ghcr.io/ree-norway/charts"
        assert (stage.root / "deploy/helm/values.yaml").read_text() == values


def test_a_chart_that_installs_another_image_is_not_published(stage: Stage) -> None:
    (stage.root / "deploy/helm/values.yaml").write_text('image:\n  digest: ""\n')
    stage.stand_in("helm", CHART | {"^template": "echo image: ree:1.20.3"})

    done = stage.run("publish_chart.sh", "1.20.3", DIGEST)

    assert done.returncode == 1
    assert "does not install the image" in done.stderr
    assert stage.asked("helm push") == []


GITHUB = {
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_WORKFLOW_REF": "ree-norway/ree/.github/workflows/release.yml@refs/tags/v1.20.3",
}


def test_what_is_signed_is_looked_at_as_others_will(stage: Stage) -> None:
    stage.stand_in("cosign")

    done = stage.run("sign.sh", f"ghcr.io/ree-norway/ree@{DIGEST}", **GITHUB)

    assert done.returncode == 0
    signed, verified = stage.calls
    assert signed == f"cosign sign --yes ghcr.io/ree-norway/ree@{DIGEST}"
    who = "https://github.com/ree-norway/ree/.github/workflows/release.yml@refs/tags/v1.20.3"
    assert verified.endswith(f"--certificate-identity {who}")


@pytest.mark.parametrize("what", ["ghcr.io/ree-norway/ree:1.20.3", "ghcr.io/ree-norway/ree"])
def test_no_tag_is_signed(stage: Stage, what: str) -> None:
    stage.stand_in("cosign")

    assert stage.run("sign.sh", what, **GITHUB).returncode == 1
    assert stage.calls == []


def test_a_signature_that_nobody_believes_ends_the_release(stage: Stage) -> None:
    stage.stand_in("cosign", {"verify": "exit 1"})

    assert stage.run("sign.sh", f"ghcr.io/ree-norway/ree@{DIGEST}", **GITHUB).returncode != 0


@pytest.mark.parametrize(("there", "how"), [("exit 1", "create"), ("exit 0", "upload")])
def test_a_release_is_made_once_and_completed_after(stage: Stage, there: str, how: str) -> None:
    stage.stand_in("gh", {"release view": there})

    done = stage.run("github_release.sh", "v1.20.3", "notes.md", "ree-1.20.3.tgz")

    assert done.returncode == 0
    assert stage.calls[-1].startswith(f"gh release {how} v1.20.3")
    assert "ree-1.20.3.tgz" in stage.calls[-1]
