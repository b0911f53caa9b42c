"""How objects hang together: who finds whom, who may reach whom, who keeps the schedule."""

from collections.abc import Iterator

from documents import Document
from objects import Objects, has, is_api, labels_of, name_of, of_kind, pods

DNS = 53


def names(objects: Objects) -> Iterator[str]:
    """What is there twice would be applied in turns."""
    all_names = [name_of(each) for each in objects]
    for name in sorted({name for name in all_names if all_names.count(name) > 1}):
        yield f"{name} is there twice"


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
    for each in jobs:
        spec = each["spec"]
        if spec.get("concurrencyPolicy") != "Forbid":
            yield f"{name_of(each)} may run twice at once"
        for key in ("timeZone", "startingDeadlineSeconds"):
            if not spec.get(key):
                yield f"{name_of(each)} has no {key}"
        if not spec["jobTemplate"]["spec"].get("activeDeadlineSeconds"):
            yield f"{name_of(each)} may run for ever"


def policies(objects: Objects) -> Iterator[str]:
    """Every pod is under one in both directions; the API reaches names and the storage, no more."""
    found = list(of_kind(objects, "NetworkPolicy"))
    for owner, pod in pods(objects):
        own = [each for each in found if _selects(each, pod)]
        for direction in ("Ingress", "Egress"):
            if not any(direction in each["spec"]["policyTypes"] for each in own):
                yield f"{owner} is under no policy for {direction}"
        if is_api(owner):
            rules = [rule for each in own for rule in each["spec"].get("egress", ())]
            others = [rule for rule in rules if _ports(rule) != {DNS}]
            if len(others) != 1 or not others[0].get("to") or not _ports(others[0]):
                yield f"{owner} may reach more than the storage"


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
    for each in of_kind(objects, "PodDisruptionBudget"):
        wanted = each["spec"]["selector"]["matchLabels"]
        if not any(has(labels_of(pod), wanted) for _, pod in pods(objects)):
            yield f"{name_of(each)} finds no pod"


def _selects(policy: Document, pod: Document) -> bool:
    selector = policy["spec"]["podSelector"]
    return has(labels_of(pod), selector.get("matchLabels", {}))


def _ports(rule: Document) -> set[int]:
    return {port["port"] for port in rule.get("ports", ())}
