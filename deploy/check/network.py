"""Who may reach whom: the policies of the network, from both ends."""

from collections.abc import Iterator

from documents import Document
from objects import Objects, has, is_api, labels_of, name_of, of_kind, pods

DNS = 53
EVERYBODY = {
    "0.0.0.0/0": {"10.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"},
    "::/0": {"fc00::/7", "fe80::/10"},
}
"""Of all addresses those that are a network's own, or the node's."""


COMPONENT = "app.kubernetes.io/component"
GUESTS = {
    "storage": {"api", "training", "worker", "bootstrap", "buckets"},
    "rabbitmq": {"worker", "beat"},
    "sandbox": {"training", "worker"},
}


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
            outside = [peer for rule in others for peer in rule.get("to", ()) if "ipBlock" in peer]
            if len(others) != 1 or not others[0].get("to") or not _ports(others[0]):
                yield f"{owner} may reach more than the storage"
            elif outside and any(other.endswith("-storage") for other, _ in pods(objects)):
                yield f"{owner} may leave the cluster, in which its storage is"


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


def guests(objects: Objects) -> Iterator[str]:
    """Of the release's own pods, none is let in that has nothing to do there."""
    found = list(of_kind(objects, "NetworkPolicy"))
    there = list(pods(objects))
    for owner, goal in there:
        for other, pod in there:
            guest = labels_of(pod).get(COMPONENT)
            expected = GUESTS.get(labels_of(goal).get(COMPONENT, ""), {guest})
            if guest not in expected and _admitted(found, goal, labels_of(pod)):
                yield f"{owner} lets {other} in, which has nothing to do there"


def gates(objects: Objects) -> Iterator[str]:
    """Each rule names peers and ports, names are asked for in both ways, figures may be fetched."""
    found = list(of_kind(objects, "NetworkPolicy"))
    for each in found:
        for direction, peers in (("ingress", "from"), ("egress", "to")):
            for rule in each["spec"].get(direction) or ():
                if not rule.get(peers) or not all(rule[peers]):
                    yield f"{name_of(each)}: {direction} for everybody"
                for cidr in _private(rule.get(peers, ())):
                    yield f"{name_of(each)}: {direction} of {cidr} with the private ones in it"
                if not rule.get("ports"):
                    yield f"{name_of(each)}: {direction} at every port"
                told = {port.get("protocol", "TCP") for port in rule.get("ports", ())}
                if _ports(rule) == {DNS} and told != {"UDP", "TCP"}:
                    yield f"{name_of(each)}: names may be asked for by {' '.join(told)} alone"
    for owner, pod in pods(objects):
        rules = [
            rule
            for each in found
            if _selects(each, pod)
            for rule in each["spec"].get("ingress") or ()
        ]
        if "metrics" in _open(pod) and not any("metrics" in _ports(rule) for rule in rules):
            yield f"{owner} has figures that nobody may fetch"


def _private(peers: list[Document]) -> Iterator[str]:
    """Of the blocks those that are everybody and leave out too little."""
    for block in (peer["ipBlock"] for peer in peers if "ipBlock" in peer):
        if EVERYBODY.get(block["cidr"], set()) - {*block.get("except", ())}:
            yield block["cidr"]


def _selects(policy: Document, pod: Document) -> bool:
    selector = policy["spec"]["podSelector"]
    return has(labels_of(pod), selector.get("matchLabels", {}))


def _egress(policies: list[Document]) -> list[Document]:
    return [rule for each in policies for rule in each["spec"].get("egress", ())]


def _admitted(policies: list[Document], goal: Document, labels: dict[str, str]) -> set[int | str]:
    """The ports of *goal* at which a pod with these labels is let in."""
    numbers = _open(goal)
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


def _open(pod: Document) -> dict[str, int]:
    """The ports of its containers, by their names."""
    return {
        port["name"]: port["containerPort"]
        for container in pod["spec"]["containers"]
        for port in container.get("ports", ())
    }


def _ports(rule: Document) -> set[int | str]:
    return {port["port"] for port in rule.get("ports", ())}
