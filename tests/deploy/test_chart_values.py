"""Which values and names the chart takes, and what it says of those that it does not."""

import subprocess
from pathlib import Path

import pytest
import yaml

from .tools import ROOT, TOOLS, checked

CHART = ROOT / "deploy" / "helm"


def rendered(*options: str | Path, release: str = "ree") -> tuple[int, str]:
    """The exit code of Helm, and all that it says."""
    return checked(TOOLS / "bin" / "helm", "template", release, CHART, *options)


WRONG_VALUES = {
    "a number that is a text": ("api.workers=two", "api/workers"),
    "a name that is none": ("schedule=monthly", "schedule"),
    "what is not there": ("api.worker=2", "api"),
    "a secret": ("settings.REE_SIGNING_KEY=abc", "settings"),
    "no tag": ("image.tag=a b", "image/tag"),
    "a zone that is none": ("timeZone=Oslo time", "timeZone"),
    "a port that is none": ("market.baseUrl=http://market.example:0443", "market/baseUrl"),
    "two kinds of a peer": (
        "networkPolicy.apiFrom[0].ipBlock.cidr=10.0.0.0/8,"
        "networkPolicy.apiFrom[0].podSelector.matchLabels.app=web",
        "networkPolicy/apiFrom/0",
    ),
    "no address": ("market.baseUrl=ftp://market.example", "market/baseUrl"),
    "too few": ("api.replicas=0", "api/replicas"),
    "nothing where something must be": ("existingSecret=", "existingSecret"),
}


@pytest.mark.parametrize("name", WRONG_VALUES)
def test_a_wrong_value_is_refused_with_its_path(python: str, name: str) -> None:
    value, path = WRONG_VALUES[name]
    code, said = rendered("-f", CHART / "values_gke.yaml", "--set", value)
    assert code == 1
    assert f"at '/{path}'" in said


WRONG_TOGETHER = {
    "a tag that moves": ("image.tag=latest-2", "image.tag: latest-2 names no version"),
    "a tag without a version": ("rabbitmq.image.tag=stable", "rabbitmq.image.tag: stable names no"),
    "who asks, and nobody who does": (
        "schedule=beat",
        "worker.enabled: has to be true with schedule=beat",
    ),
    "no market for the CronJob": (
        "training.suspend=false",
        "market.baseUrl: is empty, and the CronJob",
    ),
    "no market for workers": (
        "worker.enabled=true",
        "market.baseUrl: is empty, and workers",
    ),
    "two markets": (
        "sandbox.enabled=true,market.baseUrl=http://market.example",
        "market.baseUrl: is to be empty with sandbox.enabled",
    ),
    "a sandbox in production": (
        "sandbox.enabled=true",
        "sandbox.enabled: simulated sales are nothing for settings.REE_ENV=production",
    ),
    "no cluster of its own": (
        "storage.endpoint=http://minio.storage.svc.cluster.local:9000",
        "networkPolicy.storageTo: is empty, and lets nobody reach http://minio.storage.svc",
    ),
    "a private address": (
        "market.baseUrl=http://172.16.0.9",
        "networkPolicy.marketTo: is empty, and lets nobody reach http://172.16.0.9, which is not",
    ),
    "too small a store": (
        "objectStore.enabled=true,objectStore.persistence.size=4Gi",
        "objectStore.persistence.size: 4Gi is less than 5Gi",
    ),
    "a label of the chart's": (
        r"monitoring.labels.app\.kubernetes\.io/name=ree",
        "monitoring.labels: app.kubernetes.io/name is the chart's own",
    ),
    "two classes": (
        r"ingress.className=nginx,ingress.annotations.kubernetes\.io/ingress\.class=gce",
        "ingress.className: is told by the annotation kubernetes.io/ingress.class, too",
    ),
    "an annotation of the chart's": (
        "ingress.managedCertificate=true,"
        r"ingress.annotations.networking\.gke\.io/managed-certificates=x",
        "ingress.annotations: networking.gke.io/managed-certificates is the chart's",
    ),
    "a certificate that nobody makes": (
        "ingress.managedCertificate=true,ingress.hosts={*.ree.example}",
        "ingress.hosts: of *.ree.example Google makes no certificate",
    ),
    "no zone": ("timeZone=Europe/Olso", "timeZone: Europe/Olso is no time zone"),
    "a zone that is ahead": (
        "timeZone=Asia/Tokyo",
        "timeZone: in Asia/Tokyo a retrain would begin",
    ),
    "a zone that is ahead of a beat": (
        "timeZone=Asia/Kolkata,schedule=none,training.cron=5 23 1 * *",
        "timeZone: in Asia/Kolkata a retrain would begin",
    ),
    "an hour that is ahead": (
        "timeZone=Europe/Helsinki,training.cron=59 0 1 * *",
        "timeZone: in Europe/Helsinki a retrain would begin",
    ),
    "two storages": (
        "objectStore.enabled=true,storage.endpoint=http://storage.example",
        "storage.endpoint: is to be empty with objectStore.enabled",
    ),
    "no host": ("ingress.enabled=true", "ingress.hosts: is empty"),
    "no certificate": (
        "ingress.enabled=true,ingress.hosts={ree.example}",
        "ingress.tlsSecret: is empty",
    ),
    "two certificates": (
        "ingress.managedCertificate=true,ingress.tlsSecret=tls",
        "ingress.tlsSecret: is to be empty with",
    ),
    "no port": (
        "market.baseUrl=https://market.example:65536",
        "market.baseUrl: https://market.example:65536 has the port 65536, which is none",
    ),
    "no five fields": ("training.cron=@monthly", "training.cron: @monthly has not five fields"),
    "a range from its end": ("training.cron=5 3 15-10 * *", "training.cron: 15-10 is no day"),
    "no minute": ("training.cron=60 3 1 * *", "training.cron: 60 is no minute, in 60 3 1 * *"),
    "no hour": ("training.cron=5 24 1 * *", "training.cron: 24 is no hour"),
    "no day": ("training.cron=5 3 32 * *", "training.cron: 32 is no day of a month"),
    "no month": ("training.cron=5 3 1 0 *", "training.cron: 0 is no month"),
    "no day of a week": ("training.cron=5 3 1 * MON-9", "training.cron: MON-9 is no day of a week"),
    "fewer than the fewest": (
        "api.autoscaling.enabled=true,api.autoscaling.minReplicas=7",
        "api.autoscaling.minReplicas: 7 is more than maxReplicas, 6",
    ),
    "more memory than the most": (
        "training.resources.requests.memory=5Gi",
        "training.resources: requests.memory, 5Gi, is more than limits.memory, 4Gi",
    ),
    "more CPU than the most": (
        "objectStore.bucketJob.resources.limits.cpu=0.04",
        "objectStore.bucketJob.resources: requests.cpu, 50m, is more than limits.cpu, 0.04",
    ),
}


@pytest.mark.parametrize("name", WRONG_TOGETHER)
def test_values_that_do_not_go_together_are_refused_in_words(python: str, name: str) -> None:
    values, wrong = WRONG_TOGETHER[name]
    code, said = rendered("--set", values)
    assert code == 1
    assert f"\n- {wrong}" in said


@pytest.mark.parametrize(
    "values",
    [
        r"training.cron=*/15 0\,12-14/2 1\,31 JAN-mar\,12 SUN",
        "training.cron=5 3 1 * ?,timeZone=America/Argentina/Buenos_Aires",
        "training.cron=05 03 01 01 sun",
        "timeZone=CET",
        "timeZone=GMT",
        "timeZone=Pacific/Pago_Pago",
        "timeZone=Europe/Helsinki,training.cron=0 1 1 * *",
        "timeZone=Asia/Tokyo,training.cron=5 12 1 * *",
        "storage.endpoint=https://[2001:db8::1]:9000",
        "storage.endpoint=http://10.0.0.9:9000,networkPolicy.storageTo[0].ipBlock.cidr=10.0.0.9/32",
        "storage.endpoint=http://minio:9000,networkPolicy.enabled=false",
        f"image.tag=latest,image.digest=sha256:{'0' * 64}",
        "image.tag=deadbeef",
        "secretsRevision=20260131",
        "api.autoscaling.minReplicas=13,api.autoscaling.enabled=false",
        "api.resources.limits.cpu=0.5",
        "api.resources.limits.cpu=1,api.resources.requests.memory=1536Mi",
        "storage.endpoint=,market.baseUrl=http://market.example:65535",
        "image.tag=v2-rc",
    ],
)
def test_values_that_go_together_are_not(python: str, values: str) -> None:
    code, said = rendered("--set", values)
    assert code == 0, said


def test_what_helm_says_of_a_missing_value(python: str) -> None:
    code, said = rendered("-f", CHART / "values_gke.yaml", "--set", "existingSecret=null")
    assert code == 1
    assert "existingSecret" in said


@pytest.mark.parametrize("name", ["my.ree", "1ree"])
def test_a_release_by_whose_name_no_service_can_be_called_is_refused(
    python: str, name: str
) -> None:
    code, said = rendered("-f", CHART / "values_gke.yaml", release=name)
    assert code == 1
    assert "the release's name is to be of small letters" in said


@pytest.mark.parametrize(("release", "namespace"), [("true", "123"), ("null", "true")])
def test_names_that_yaml_takes_for_something_else_stay_texts(
    python: str, release: str, namespace: str
) -> None:
    done = subprocess.run(
        [
            *(TOOLS / "bin" / "helm", "template", release, "deploy/helm", "-n", namespace),
            *("-f", "deploy/helm/values_kind.yaml", "--set", "monitoring.enabled=true"),
            *("--api-versions", "monitoring.coreos.com/v1"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    objects = [each for each in yaml.safe_load_all(done.stdout) if each]
    assert {each["metadata"]["namespace"] for each in objects} == {namespace}
    labels = [each["metadata"].get("labels", {}) for each in objects]
    assert {each["app.kubernetes.io/instance"] for each in labels} == {release}
    [selected] = {
        each["spec"]["namespaceSelector"]["matchNames"][0]
        for each in objects
        if each["kind"] == "ServiceMonitor"
    }
    assert selected == namespace


def test_a_text_of_digits_stays_a_text(python: str) -> None:
    numbers = (
        "existingSecret=123,storage.buckets.models=1234,imagePullSecrets[0]=12345,"
        "objectStore.persistence.storageClass=123456"
    )
    code, said = rendered("-f", CHART / "values_kind.yaml", "--set-string", numbers)
    assert code == 0, said
    for number in ("123", "1234", "12345", "123456"):
        assert f'"{number}"' in said
        assert f" {number}\n" not in said
