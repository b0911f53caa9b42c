"""What is demanded of every pod: health, security, resources, a version, and that it rolls."""

import re
from collections.abc import Iterator

from objects import Objects, containers, is_api, name_of, of_kind, pods

IMAGE = re.compile(
    r"[a-z0-9][a-z0-9.:/_-]*(:(?!latest\b)[A-Za-z0-9][A-Za-z0-9._-]*|@sha256:[0-9a-f]{64})"
)
"""With a version or a digest."""
SUFFIXES = {"": 1, "m": 0.001, "k": 1e3, "M": 1e6, "G": 1e9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
START, END = 120, 32
"""Seconds that the API may take to compile and load, and takes at most to end what was begun."""
PROBES = {"startup": "/health", "liveness": "/health", "readiness": "/ready"}


def health(objects: Objects) -> Iterator[str]:
    """Of the API: lives it, has it begun, has it a model? Others live, but for what only sleeps."""
    for each in of_kind(objects, "Deployment", "StatefulSet"):
        for container in each["spec"]["template"]["spec"]["containers"]:
            if is_api(name_of(each)):
                for probe, path in PROBES.items():
                    asks = container.get(f"{probe}Probe", {}).get("httpGet", {})
                    asked, port = asks.get("path"), asks.get("port")
                    if (asked, port) != (path, "http"):
                        yield f"{name_of(each)}: {probe} probe asks {asked} at {port}, not {path}"
            elif "livenessProbe" not in container and not each["metadata"]["name"].endswith(
                "-beat"
            ):
                yield f"{name_of(each)}, container {container['name']} has no liveness probe"


def replacement(objects: Objects) -> Iterator[str]:
    """No gap while the API is replaced; what reads settings is replaced when they change."""
    for each in of_kind(objects, "Deployment"):
        rolling = each["spec"].get("strategy", {}).get("rollingUpdate", {})
        pod = each["spec"]["template"]
        if is_api(name_of(each)):
            if rolling.get("maxUnavailable") != 0:
                yield f"{name_of(each)} takes pods away before others are ready"
            if str(rolling.get("maxSurge", "25%")) in ("0", "0%"):
                yield f"{name_of(each)} can never be replaced: none more, none fewer"
            if not pod["spec"].get("topologySpreadConstraints"):
                yield f"{name_of(each)} may be on one node altogether"
            for container in pod["spec"]["containers"]:
                pause = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {})
                if "seconds" not in pause:
                    yield f"{name_of(each)} ends while it is still asked"
                elif pod["spec"].get("terminationGracePeriodSeconds", 30) < pause["seconds"] + END:
                    yield f"{name_of(each)} is killed while it answers"
                start = container.get("startupProbe", {})
                if start.get("failureThreshold", 3) * start.get("periodSeconds", 10) < START:
                    yield f"{name_of(each)} is killed while it starts"
        reads = any(container.get("envFrom") for container in pod["spec"]["containers"])
        if reads and not any("checksum" in key for key in pod["metadata"].get("annotations", {})):
            yield f"{name_of(each)} does not roll when its settings change"


def security(objects: Objects) -> Iterator[str]:
    """The restricted profile, on a root file system that is only read."""
    for owner, pod in pods(objects):
        spec = pod["spec"]
        if spec.get("automountServiceAccountToken") is not False:
            yield f"{owner} mounts a token of the cluster"
        if not spec.get("serviceAccountName"):
            yield f"{owner} has the namespace's own service account"
        whole = spec.get("securityContext", {})
        if whole.get("runAsNonRoot") is not True or not whole.get("runAsUser"):
            yield f"{owner} may run as root"
        if whole.get("seccompProfile", {}).get("type") != "RuntimeDefault":
            yield f"{owner} has no seccomp profile"
        claims = any("persistentVolumeClaim" in each for each in spec.get("volumes", ()))
        if (claims or owner.startswith("StatefulSet")) and not whole.get("fsGroup"):
            yield f"{owner} may not write to its volume (fsGroup)"
        for key in ("hostNetwork", "hostPID", "hostIPC"):
            if spec.get(key):
                yield f"{owner} has {key}"
        for volume in spec.get("volumes", ()):
            if "hostPath" in volume:
                yield f"{owner} mounts {volume['hostPath']['path']} of the node"
    for owner, container in containers(objects):
        own = container.get("securityContext", {})
        if own.get("allowPrivilegeEscalation") is not False or own.get("privileged"):
            yield f"{owner} may become more than it is"
        if own.get("runAsUser") == 0 or own.get("runAsNonRoot") is False:
            yield f"{owner} may run as root"
        if own.get("seccompProfile", {}).get("type", "RuntimeDefault") != "RuntimeDefault":
            yield f"{owner} has no seccomp profile"
        if own.get("readOnlyRootFilesystem") is not True:
            yield f"{owner} may write to its root file system"
        if own.get("capabilities") != {"drop": ["ALL"]}:
            yield f"{owner} keeps capabilities"
        for port in container.get("ports", ()):
            if "hostPort" in port:
                yield f"{owner} takes the port {port['hostPort']} of the node"
    for each in of_kind(objects, "ServiceAccount"):
        if each.get("automountServiceAccountToken") is not False:
            yield f"{name_of(each)} mounts its token"


def resources(objects: Objects) -> Iterator[str]:
    """What a container asks for, and what it may take at most."""
    for owner, container in containers(objects):
        told = container.get("resources", {})
        for key, names in (("requests", ("cpu", "memory")), ("limits", ("memory",))):
            for name in names:
                if name not in told.get(key, {}):
                    yield f"{owner} has no {name} among its {key}"
        for name, most in told.get("limits", {}).items():
            if _quantity(told.get("requests", {}).get(name, 0)) > _quantity(most):
                yield f"{owner} asks for more {name} than it may take"


def images(objects: Objects) -> Iterator[str]:
    """A version or a digest each."""
    for owner, container in containers(objects):
        if not IMAGE.fullmatch(container["image"]):
            yield f"{owner} has the image {container['image']}, which names no version"


def _quantity(told: object) -> float:
    """A number of Kubernetes, as 500m or 2Gi."""
    number, suffix = re.fullmatch(r"([\d.]+)(\w*)", str(told)).groups()  # type: ignore[union-attr]
    return float(number) * SUFFIXES[suffix]
