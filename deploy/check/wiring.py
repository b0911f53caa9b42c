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
        if each["spec"].get("strategy", {}).get("type", "Recreate") != "Recreate":
            yield f"{name_of(each)} would be two while it is replaced"
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
            others = [rule for rule in _egress(own) if _ports(rule) != {DNS}]
            if len(others) != 1 or not others[0].get("to") or not _ports(others[0]):
                yield f"{owner} may reach more than the storage"


def ways(objects: Objects) -> Iterator[str]:
    """Who may go somewhere finds its name, and is let in there, at a port that is open."""
    found = list(of_kind(objects, "NetworkPolicy"))
    there = list(pods(objects))
    for owner, pod in there:
        rules = _egress([each for each in found if _selects(each, pod)])
        if rules and not any(_ports(rule) == {DNS} for rule in rules):
            yield f"{owner} may not ask for names"
        for rule in rules:
            for peer in rule.get("to", ()):
                if "podSelector" not in peer or "namespaceSelector" in peer:
                    continue
                wanted = peer["podSelector"].get("matchLabels", {})
                goals = [(name, each) for name, each in there if has(labels_of(each), wanted)]
                if not goals:
                    yield f"{owner} may reach {wanted}, which is no pod"
                for name, goal in goals:
                    for port in _ports(rule) - _admitted(found, goal, labels_of(pod)):
                        yield f"{owner} may go to {name} at {port}, which does not let it in"


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
        if each["spec"].get("maxUnavailable") == 0:
            yield f"{name_of(each)} lets no node be emptied"


def _selects(policy: Document, pod: Document) -> bool:
    selector = policy["spec"]["podSelector"]
    return has(labels_of(pod), selector.get("matchLabels", {}))


def _egress(policies: list[Document]) -> list[Document]:
    return [rule for each in policies for rule in each["spec"].get("egress", ())]


def _admitted(policies: list[Document], goal: Document, labels: dict[str, str]) -> set[int]:
    """The ports of *goal* at which a pod with these labels is let in."""
    numbers = {
        port["name"]: port["containerPort"]
        for container in goal["spec"]["containers"]
        for port in container.get("ports", ())
    }
    rules = [
        rule
        for each in policies
        if _selects(each, goal)
        for rule in each["spec"].get("ingress", ())
        if any(_admits(peer, labels) for peer in rule.get("from", ({},)))
    ]
    return {numbers.get(port, port) for rule in rules for port in _ports(rule)} & {
        *numbers.values()
    }


def _admits(peer: Document, labels: dict[str, str]) -> bool:
    if peer and ("podSelector" not in peer or "namespaceSelector" in peer):
        return False
    return has(labels, peer.get("podSelector", {}).get("matchLabels", {}))


def _ports(rule: Document) -> set[int]:
    return {port["port"] for port in rule.get("ports", ())}
