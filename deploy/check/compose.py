"""The services of `deploy/compose.yaml`."""

import re
from collections.abc import Iterator
from pathlib import Path

import addresses
import grants
from addresses import environment
from documents import Document, document, settings, version
from secrecy import SECRETIVE
from tools import complaints
from workloads import IMAGE

NOBODY = ("ghcr.io/ree-norway/ree:", "prom/", "grafana/")
"""Images that are of a user who is not root, without being told."""


def faults(root: Path) -> Iterator[str]:
    """What the schema says; images that are not pinned, ports that others can reach."""
    file = root / "deploy" / "compose.yaml"
    schema = ("--builtin-schema", "vendor.compose-spec")
    yield from complaints("check-jsonschema", *schema, file, root=root)
    yield from _prometheus(root)
    yield from _versions(root)
    known = set(settings(root))
    everything = document(file)
    yield from _references(everything, file.parent)
    yield from addresses.faults(everything, file.parent)
    yield from grants.faults(everything["services"])
    for name, service in everything["services"].items():
        for fault in _of_service(service, known):
            yield f"service {name} {fault}"


def _of_service(service: Document, known: set[str]) -> Iterator[str]:
    if not IMAGE.fullmatch(image := service.get("image", "")):
        yield f"has the image {image!r}, which names no version"
    for port in service.get("ports", ()):
        if not str(port).startswith("127.0.0.1:"):
            yield f"publishes {port} to every network"
    if service.get("privileged") or service.get("read_only") is not True:
        yield "may write to its root file system"
    user = str(service.get("user", "" if image.startswith(NOBODY) else "root"))
    if user.partition(":")[0] in {"root", "0"}:
        yield "runs as root"
    if service.get("cap_drop") != ["ALL"]:
        yield "keeps capabilities"
    for name, value in environment(service).items():
        if SECRETIVE.search(name) and value and "${" not in str(value):
            yield f"is given {name} by its value"
        for known_to_all in re.findall(r"\$\{(\w+):?-[^}]+\}", str(value)):
            if SECRETIVE.search(known_to_all):
                yield f"has a {known_to_all} that everybody knows, where none is given"
        if name.startswith("GF_AUTH_ANONYMOUS") and str(value).lower() == "true":
            yield "shows figures to who does not sign in"
        if re.search(r"://[^/@$\s]+:[^/@$\s]+@", str(value)):
            yield f"is given a password in {name}"
    if "env_file" in service:
        yield "is given a whole file of secrets"
    if "host" in (service.get("network_mode"), service.get("pid"), service.get("ipc")):
        yield "shares what is the machine's own"
    if "no-new-privileges:true" not in service.get("security_opt", ()):
        yield "may become more than it is"
    health = service.get("healthcheck", {"disable": True})
    if health.get("disable") and service.get("restart") != "no":
        yield "has no healthcheck"
    for name in sorted(set(environment(service)) - known):
        if name.startswith("REE_"):
            yield f"is given {name}, which is not a setting"


def _references(everything: Document, folder: Path) -> Iterator[str]:
    """What services name is there."""
    services, volumes = everything["services"], everything.get("volumes", {})
    awaited = {
        other
        for service in services.values()
        for other in service.get("depends_on", ())
        if isinstance(service["depends_on"], dict)
        and service["depends_on"][other]["condition"] == "service_completed_successfully"
    }
    for name, service in services.items():
        ends = service.get("restart") == "no" and "profiles" not in service
        if ends and name not in awaited:
            yield f"service {name} ends, and nobody waits for that: `up --wait` would fail"
        for other in service.get("depends_on", ()):
            if other not in services:
                yield f"service {name} depends on {other}, which is not there"
        for volume in service.get("volumes", ()):
            source = str(volume).partition(":")[0]
            if source.startswith("."):
                if not (folder / source).exists():
                    yield f"service {name} mounts {source}, which is not there"
            elif source not in volumes:
                yield f"service {name} mounts {source}, which is no volume"
        for network in service.get("networks", ()):
            if network not in everything.get("networks", {}):
                yield f"service {name} is in the network {network}, which is not there"


def _prometheus(root: Path) -> Iterator[str]:
    """Its rules are mounted beside it, from deploy/prometheus."""
    there = root / "deploy" / "compose" / "prometheus.yml"
    yield from complaints("promtool", "check", "config", "--syntax-only", there, root=root)
    shipped = document(root / "deploy" / "prometheus" / "prometheus.yml")
    own = document(there)
    mounted = str(document(root / "deploy" / "compose.yaml")["services"]["prometheus"]["volumes"])
    for file in sorted({"alerts.yml", "recording.yml", *own.get("rule_files", ())}):
        if file not in own.get("rule_files", ()) or f":/etc/prometheus/{file}:" not in mounted:
            yield f"compose/prometheus.yml has no rules of {file}, or they are not mounted"
    jobs = [[job["job_name"] for job in each["scrape_configs"]] for each in (shipped, own)]
    if jobs[0] != jobs[1]:
        yield f"compose/prometheus.yml scrapes {jobs[1]}, prometheus/prometheus.yml {jobs[0]}"


def _versions(root: Path) -> Iterator[str]:
    """Servers that the chart and the workflows start, too, are the same ones there."""
    deploy, workflows = root / "deploy", root / ".github" / "workflows"
    services = document(deploy / "compose.yaml")["services"]
    values = document(deploy / "helm" / "values.yaml")
    there = [
        f"{image['repository']}:{image['tag']}"
        for image in (values[name]["image"] for name in ("objectStore", "rabbitmq"))
    ] + [
        service["image"]
        for job in document(workflows / "ci.yml")["jobs"].values()
        for service in job.get("services", {}).values()
    ]
    own = {service["image"] for service in services.values()}
    for image in sorted(each for each in own if each.partition(":")[0].endswith("/ree")):
        if image.partition(":")[2] != version(root):
            yield f"the compose file starts {image}, the program is {version(root)}"
    for image in sorted(set(there) - own):
        yield f"chart or workflows start {image}, the compose file another version"
