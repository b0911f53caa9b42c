"""The Helm chart, with each of its files of values, as it is rendered for several Kubernetes."""

import json
from collections.abc import Iterator
from pathlib import Path

import kubernetes_validate
from yaml import YAMLError

import network
import references
import roles
import secrecy
import wiring
import workloads
from documents import Document, document, documents, settings, version
from objects import name_of, of_kind
from tools import complaints, output

KUBERNETES = ("1.30", "1.33", "1.35", "1.37")
CASES: dict[str, tuple[str, ...]] = {
    "kind": ("-f", "values_kind.yaml"),
    "gke": ("-f", "values_gke.yaml"),
    "workers": (
        *("-f", "values_kind.yaml", "--set", "schedule=beat,worker.enabled=true"),
        *("--set", "rabbitmq.enabled=true,monitoring.enabled=true"),
    ),
    "unscheduled": (
        *("-f", "values_gke.yaml", "--set", "schedule=none,bootstrap.enabled=true"),
        *("--set", "ingress.managedCertificate=false,ingress.tlsSecret=ree-tls"),
    ),
}
OPERATOR = ("--api-versions", "monitoring.coreos.com/v1")
FOREIGN = ("monitoring.coreos.com", "networking.gke.io", "cloud.google.com")
"""Of what operators bring along Kubernetes has no schema."""
NAME = ("ree", "--namespace", "ree")
DEMANDS = (
    wiring.names,
    workloads.health,
    workloads.replacement,
    workloads.security,
    workloads.resources,
    workloads.images,
    roles.commands,
    roles.needs,
    roles.calls,
    secrecy.secrets,
    wiring.schedulers,
    network.policies,
    network.ways,
    network.guests,
    network.gates,
    references.selectors,
    references.volumes,
    references.accounts,
    references.ports,
    references.jobs,
    references.buckets,
    secrecy.mounts,
    wiring.services,
    wiring.scaling,
    wiring.trials,
)
OWN = {
    "REE_API_BASE_URL",
    "REE_CELERY_TIMEZONE",
    "REE_CELERY_TIME_LIMIT",
    "REE_HOST",
    "REE_METRICS_PORT",
    "REE_PORT",
    "REE_S3_BUCKET_MODELS",
    "REE_S3_BUCKET_SNAPSHOTS",
    "REE_S3_ENDPOINT",
    "REE_S3_REGION",
    "REE_STORAGE",
    "REE_STORAGE_PATH",
    "REE_WORKER_METRICS_PORT",
}
"""Settings that follow from other values, or are the image's."""


def faults(root: Path) -> Iterator[str]:
    """What Helm, the schemas of Kubernetes and ree's own demands say."""
    there = root / "deploy" / "helm"
    for file in sorted(there.glob("*.yaml")):
        document(file)
    found: dict[str, list[str]] = {}
    for name, values in CASES.items():
        for fault in complaints("helm", "lint", "--strict", "--quiet", ".", *values, root=there):
            found.setdefault(fault, []).append(name)
    for name, values in CASES.items():
        for kubernetes in KUBERNETES:
            told = ("--kube-version", kubernetes, *OPERATOR)
            for fault in _of_case((*values, *told), kubernetes, root):
                found.setdefault(fault, []).append(f"{name} {kubernetes}")
    for fault, cases in found.items():
        yield f"{fault} ({cases[0]}{f' and {len(cases) - 1} more' if len(cases) > 1 else ''})"
    yield from _version(root)
    yield from _settings(root)


def _of_case(told: tuple[str, ...], kubernetes: str, root: Path) -> Iterator[str]:
    try:
        text = output("helm", "template", *NAME, ".", *told, root=root / "deploy" / "helm")
        yield from _of_objects(documents(text), kubernetes, root)
    except (RuntimeError, ValueError, YAMLError) as error:
        yield str(error)


def _of_objects(objects: list[Document], kubernetes: str, root: Path) -> Iterator[str]:
    yield from _schema(objects, kubernetes)
    yield from _rules(objects, root)
    yield from secrecy.environments(objects, set(settings(root)))
    for demand in DEMANDS:
        yield from demand(objects)


def _schema(objects: list[Document], kubernetes: str) -> Iterator[str]:
    for each in objects:
        if each["apiVersion"].partition("/")[0] in FOREIGN:
            continue
        try:
            kubernetes_validate.validate(each, kubernetes, strict=True)
        except kubernetes_validate.ValidationError as error:
            yield f"{name_of(each)}: {'.'.join(map(str, error.path))}: {error.message}"
        except kubernetes_validate.SchemaNotFoundError:
            yield f"{name_of(each)} is of no kind that it has"


def _rules(objects: list[Document], root: Path) -> Iterator[str]:
    """They are those that promtool tests."""
    shipped = [
        group
        for name in ("recording.yml", "alerts.yml")
        for group in document(root / "deploy" / "prometheus" / name)["groups"]
    ]
    for each in of_kind(objects, "PrometheusRule"):
        if each["spec"]["groups"] != shipped:
            yield f"{name_of(each)} has other rules than deploy/prometheus"


def _version(root: Path) -> Iterator[str]:
    """The chart's is the program's."""
    program = version(root)
    chart = document(root / "deploy" / "helm" / "Chart.yaml")
    for name in ("version", "appVersion"):
        if chart[name] != program:
            yield f"Chart.yaml's {name} is {chart[name]}, pyproject.toml's version {program}"


def _settings(root: Path) -> Iterator[str]:
    """What can be set is what there is, but for secrets and for what the chart sets by itself."""
    schema = json.loads((root / "deploy" / "helm" / "values.schema.json").read_text("utf-8"))
    offered = set(schema["properties"]["settings"]["properties"])
    known = set(settings(root))
    for name in sorted(offered - known):
        yield f"values.schema.json offers {name}, which is not a setting"
    for name in sorted(known - offered - secrecy.SECRET - OWN):
        yield f"values.schema.json does not offer {name}"
    for name in sorted(offered & secrecy.SECRET):
        yield f"values.schema.json offers {name}, which is a secret"
