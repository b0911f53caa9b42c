"""What objects name is there: labels, volumes, settings, accounts, containers, ports."""

import re
from collections.abc import Iterator

from documents import Document
from objects import Objects, containers, has, labels_of, name_of, of_kind, pods

FIXED = {f"app.kubernetes.io/{name}" for name in ("name", "instance", "component")}
REVISION = re.compile(r"-[0-9]+-[0-9a-f]{8}$")
LISTENS = {
    "REE_PORT": "http",
    "REE_METRICS_PORT": "metrics",
    "REE_WORKER_METRICS_PORT": "metrics",
}
"""Settings that are a port, and the name of the port."""


def selectors(objects: Objects) -> Iterator[str]:
    """A workload finds its own pods, by what no upgrade changes."""
    for each in of_kind(objects, "Deployment", "StatefulSet"):
        if set(each["spec"]["selector"]["matchLabels"]) != FIXED:
            yield f"{name_of(each)} selects by more or less than {', '.join(sorted(FIXED))}"
        if not has(labels_of(each["spec"]["template"]), each["spec"]["selector"]["matchLabels"]):
            yield f"{name_of(each)} does not select its own pods"


def volumes(objects: Objects) -> Iterator[str]:
    """Of pods and of what a StatefulSet claims."""
    owners = {name_of(each): each for each in objects}
    maps = {each["metadata"]["name"] for each in of_kind(objects, "ConfigMap")}
    claims = {each["metadata"]["name"] for each in of_kind(objects, "PersistentVolumeClaim")}
    for owner, pod in pods(objects):
        own = pod["spec"].get("volumes", ())
        claimed = owners[owner]["spec"].get("volumeClaimTemplates", ())
        kept = owners[owner]["spec"].get("persistentVolumeClaimRetentionPolicy", {})
        if claimed and set(kept.values()) != {"Retain"}:
            yield f"{owner} loses its volume with the release"
        there = {each["name"] for each in own} | {each["metadata"]["name"] for each in claimed}
        for container in _containers(pod):
            for mount in container.get("volumeMounts", ()):
                if mount["name"] not in there:
                    yield f"{owner} mounts {mount['name']}, which is no volume of it"
        for each in own:
            if "configMap" in each and each["configMap"]["name"] not in maps:
                yield f"{owner} mounts a ConfigMap {each['configMap']['name']} that is not there"
            claim = each.get("persistentVolumeClaim", {}).get("claimName")
            if claim is not None and claim not in claims:
                yield f"{owner} mounts a claim {claim} that is not there"


def accounts(objects: Objects) -> Iterator[str]:
    """Each pod has one of the chart's own."""
    there = {each["metadata"]["name"] for each in of_kind(objects, "ServiceAccount")}
    for owner, pod in pods(objects):
        if (name := pod["spec"].get("serviceAccountName")) not in there:
            yield f"{owner} has the service account {name}, which is not there"


def ports(objects: Objects) -> Iterator[str]:
    """Probes ask, and an Ingress leads to, a port that has that name."""
    for owner, container in containers(objects):
        own = {port["name"] for port in container.get("ports", ())}
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            for way in ("httpGet", "tcpSocket"):
                port = container.get(probe, {}).get(way, {}).get("port")
                if port is not None and port not in own:
                    yield f"{owner}: its {probe} asks the port {port}, which it does not have"
        numbers = {port["name"]: str(port["containerPort"]) for port in container.get("ports", ())}
        for each in container.get("env", ()):
            name = LISTENS.get(each["name"])
            if name is not None and each.get("value") != numbers.get(name):
                yield f"{owner} listens on {each.get('value')}, and says {numbers.get(name)}"
    services = {each["metadata"]["name"]: each for each in of_kind(objects, "Service")}
    for each in of_kind(objects, "Ingress"):
        for rule in each["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                told = path["backend"]["service"]
                service = services.get(told["name"], {"spec": {"ports": ()}})
                if told["port"].get("name") not in {p["name"] for p in service["spec"]["ports"]}:
                    yield f"{name_of(each)} leads to {told['name']}, which has no such port"


def jobs(objects: Objects) -> Iterator[str]:
    """A policy on failures is about a container, and about pods that are not started again.

    A Job cannot be changed, so each revision has one of another name.
    """
    for each in of_kind(objects, "Job", "CronJob"):
        if each["kind"] == "Job" and not REVISION.search(each["metadata"]["name"]):
            yield f"{name_of(each)} has the same name in each revision"
        spec = each["spec"]["jobTemplate"]["spec"] if each["kind"] == "CronJob" else each["spec"]
        pod = spec["template"]["spec"]
        if "podFailurePolicy" in spec and pod.get("restartPolicy") != "Never":
            yield f"{name_of(each)} has a podFailurePolicy, which needs restartPolicy: Never"
        for rule in spec.get("podFailurePolicy", {}).get("rules", ()):
            name = rule.get("onExitCodes", {}).get("containerName")
            if name is not None and name not in {own["name"] for own in pod["containers"]}:
                yield f"{name_of(each)} has a policy for the container {name}, which it lacks"


def buckets(objects: Objects) -> Iterator[str]:
    """The job makes those that the settings name."""
    told = [each.get("data", {}) for each in of_kind(objects, "ConfigMap")]
    names = [data[key] for data in told for key in sorted(data) if key.startswith("REE_S3_BUCKET_")]
    for owner, container in containers(objects):
        for name in names:
            if container["name"] == "buckets" and name not in container["args"]:
                yield f"{owner} does not make {name}"


def _containers(pod: Document) -> list[Document]:
    return [*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]]
