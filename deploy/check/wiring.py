"""How objects hang together: who finds whom, who keeps the schedule, who may be taken away."""

import re
from collections.abc import Iterator
from zoneinfo import available_timezones

from objects import Objects, has, is_api, labels_of, name_of, of_kind, pods


def names(objects: Objects) -> Iterator[str]:
    """What is there twice would be applied in turns."""
    all_names = [name_of(each) for each in objects]
    for name in sorted({name for name in all_names if all_names.count(name) > 1}):
        yield f"{name} is there twice"


WEB = 80
MONITORED = {"ree-api", "ree-worker", "rabbitmq"}
"""The jobs that rules and dashboard know."""
ZONES = available_timezones()
"""None where the machine knows none."""
HISTORY = ("successfulJobsHistoryLimit", "failedJobsHistoryLimit")
MONTHLY = re.compile(r"[0-5]?\d (?:1?\d|2[0-3]) (?:[1-9]|1\d|2[0-8]) \* \*")
"""A minute, an hour and a day that each month has."""


def schedulers(objects: Objects) -> Iterator[str]:
    """One at most asks for the monthly retrain."""
    jobs = list(of_kind(objects, "CronJob"))
    awake = [name_of(each) for each in jobs if each["spec"].get("suspend") is not True]
    beats = [
        each
        for each in of_kind(objects, "Deployment", "StatefulSet")
        if each["metadata"]["name"].endswith("-beat")
    ]
    both = awake + [name_of(each) for each in beats]
    if len(both) > 1:
        yield f"{' and '.join(both)} keep the schedule"
    for each in beats:
        if each["spec"].get("replicas") != 1:
            yield f"{name_of(each)} is not one"
        if each["spec"].get("strategy", {}).get("type", "Recreate") != "Recreate":
            yield f"{name_of(each)} would be two while it is replaced"
    for each in jobs:
        spec = each["spec"]
        if spec.get("concurrencyPolicy") != "Forbid":
            yield f"{name_of(each)} may run twice at once"
        if not MONTHLY.fullmatch(spec["schedule"]):
            yield f"{name_of(each)} begins at {spec['schedule']!r}, which is not once a month"
        if not spec.get("timeZone") or spec["timeZone"] not in (ZONES or {spec["timeZone"]}):
            yield f"{name_of(each)} has the time zone {spec.get('timeZone')}, which is none"
        if not spec.get("startingDeadlineSeconds"):
            yield f"{name_of(each)} has no startingDeadlineSeconds"
        for key in HISTORY:
            if spec.get(key) is None:
                yield f"{name_of(each)} has no {key}"
        if not spec["jobTemplate"]["spec"].get("activeDeadlineSeconds"):
            yield f"{name_of(each)} may run for ever"


def services(objects: Objects) -> Iterator[str]:
    """Each finds pods, at ports that they have; so do monitors."""
    found = [pod for _, pod in pods(objects)]
    for each in of_kind(objects, "Service"):
        there = [pod for pod in found if has(labels_of(pod), each["spec"]["selector"])]
        open_ports = {
            port["name"]
            for pod in there
            for container in pod["spec"]["containers"]
            for port in container.get("ports", ())
        }
        if not there:
            yield f"{name_of(each)} finds no pod"
        if each["spec"].get("type", "ClusterIP") != "ClusterIP":
            yield f"{name_of(each)} is open to who is outside of the cluster"
        if each["metadata"]["name"].endswith("-api") and each["spec"]["ports"][0]["port"] != WEB:
            yield f"{name_of(each)} is at {each['spec']['ports'][0]['port']}, not {WEB}"
        for port in each["spec"]["ports"]:
            if port.get("targetPort") not in open_ports:
                yield f"{name_of(each)}: no container has a port {port.get('targetPort')}"
    for each in of_kind(objects, "ServiceMonitor"):
        ports = {
            port["name"]
            for service in of_kind(objects, "Service")
            if has(labels_of(service), each["spec"]["selector"]["matchLabels"])
            for port in service["spec"]["ports"]
        }
        for endpoint in each["spec"]["endpoints"]:
            named = [rule["replacement"] for rule in endpoint.get("relabelings", ())]
            if not set(named) & MONITORED:
                yield f"{name_of(each)} calls its job {named}, none of {sorted(MONITORED)}"
            if endpoint["port"] not in ports:
                yield f"{name_of(each)}: no service has a port {endpoint['port']}"


def scaling(objects: Objects) -> Iterator[str]:
    """What scales by itself has no number of its own, to which an upgrade would set it back."""
    found = {name_of(each): each for each in objects}
    for each in of_kind(objects, "HorizontalPodAutoscaler"):
        target = each["spec"]["scaleTargetRef"]
        scaled = found.get(f"{target['kind']} {target['name']}")
        if scaled is None:
            yield f"{name_of(each)} scales {target['name']}, which is not there"
        elif "replicas" in scaled["spec"]:
            yield f"{name_of(scaled)} has replicas beside {name_of(each)}"
    budgets = list(of_kind(objects, "PodDisruptionBudget"))
    for owner, pod in pods(objects):
        if is_api(owner) and not any(
            has(labels_of(pod), each["spec"]["selector"]["matchLabels"]) for each in budgets
        ):
            yield f"{owner} has no disruption budget: all of it may be taken away at once"
    for each in budgets:
        wanted = each["spec"]["selector"]["matchLabels"]
        if not any(has(labels_of(pod), wanted) for _, pod in pods(objects)):
            yield f"{name_of(each)} finds no pod"
        if each["spec"].get("maxUnavailable") == 0 or each["spec"].get("minAvailable") == "100%":
            yield f"{name_of(each)} lets no node be emptied"


def trials(objects: Objects) -> Iterator[str]:
    """One pod is for `helm test`, and is nothing that is installed."""
    bare = list(of_kind(objects, "Pod"))
    hooks = [each["metadata"].get("annotations", {}).get("helm.sh/hook") for each in bare]
    if hooks != ["test"]:
        yield f"helm test would find {hooks.count('test')} tests among {len(bare)} single pods"
