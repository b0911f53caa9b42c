"""What `make deploy-check` notices: each of these breaks something that ships ree."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import tzdata
import yaml
from attrs import frozen

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / ".deploy-tools"
ZONES = {"ZONEINFO": str(Path(tzdata.__file__).with_name("zoneinfo"))}
"""For Helm, which may find none on this machine."""
SHIPPED = (
    *(".ci", ".env.example", ".github", "deploy", "pyproject.toml"),
    *("LICENSE", "README.md", "requirements", "src"),
)
CHART = "deploy/helm/templates"
PODS = f"{CHART}/_pods.tpl"
ALERTS = "deploy/prometheus/alerts.yml"


@frozen
class Break:
    """A text that is put in another's place, and what is then said."""

    part: str
    file: str
    old: str
    new: str
    said: str
    apart: bool = False
    """It would hide what others of its part do."""


BREAKS = {
    "compose: a reader who may write": Break(
        "compose",
        "deploy/compose.yaml",
        '{"name": "reader", "actions": ["Read", "List"]',
        '{"name": "reader", "actions": ["Read", "List", "Write:ree-models"]',
        "the storage lets the API's keys Write:ree-models",
    ),
    "compose: pictures of another's figures": Break(
        "compose",
        "deploy/compose/grafana/datasources.yml",
        "http://prometheus:9090",
        "http://prometheus-server:9090",
        "compose/grafana/datasources.yml asks prometheus-server:9090, where no service listens",
    ),
    "compose: asked at another port": Break(
        "compose",
        "deploy/compose/prometheus.yml",
        "alertmanager:9093",
        "alertmanager:9094",
        "compose/prometheus.yml asks alertmanager:9094, where no service listens",
    ),
    "compose: no way to whom it asks": Break(
        "compose",
        "deploy/compose.yaml",
        "networks: [storage, broker, market, monitoring]",
        "networks: [storage, broker, market]",
        "compose/prometheus.yml asks worker:8001, and shares no network with it",
    ),
    "compose: listens elsewhere": Break(
        "compose",
        "deploy/compose.yaml",
        'serve, --host, 0.0.0.0, --port, "8099"',
        'serve, --host, 0.0.0.0, --port, "8098"',
        "service worker asks sandbox:8099, where no service listens",
    ),
    "compose: published in vain": Break(
        "compose",
        "deploy/compose.yaml",
        "127.0.0.1:9093:9093",
        "127.0.0.1:9093:9094",
        "service alertmanager publishes 9094, where it does not listen",
    ),
    "compose: a key by another name": Break(
        "compose",
        "deploy/compose.yaml",
        '      REE_MODEL_REFRESH_SECONDS: "10"\n',
        "      AWS_SECRET_ACCESS_KEY: ${REE_S3_SECRET_KEY}\n",
        "service api is given REE_S3_SECRET_KEY, which it has no use for",
    ),
    "compose: versions that nobody signs": Break(
        "compose",
        "deploy/compose.yaml",
        "      REE_SIGNING_KEY: ${REE_SIGNING_KEY:?make keys with deploy/scripts/env_compose.sh}\n",
        "",
        "service worker is not given REE_SIGNING_KEY",
    ),
    "compose: another module": Break(
        "compose",
        "deploy/compose.yaml",
        "command: [celery, -A, ree.entrypoints.worker, beat",
        "command: [celery, -A, ree.entrypoints.workers, beat",
        "service beat runs celery -A ree.entrypoints.workers beat",
    ),
    "compose: a password for everybody": Break(
        "compose",
        "deploy/compose.yaml",
        "${GRAFANA_PASSWORD:?make keys with deploy/scripts/env_compose.sh}",
        "${GRAFANA_PASSWORD:-admin}",
        "service grafana has a GRAFANA_PASSWORD that everybody knows",
    ),
    "compose: a password in an address": Break(
        "compose",
        "deploy/compose.yaml",
        "amqp://ree:${RABBITMQ_PASSWORD:?make keys with deploy/scripts/env_compose.sh}@",
        "amqp://ree:hunter2@",
        "service beat is given a password in REE_CELERY_BROKER_URL",
    ),
    "compose: a whole file of secrets": Break(
        "compose",
        "deploy/compose.yaml",
        "    hostname: rabbitmq\n",
        "    env_file: .env.compose\n    pid: host\n",
        "service rabbitmq is given a whole file of secrets",
    ),
    "compose: a storage that anybody manages": Break(
        "compose",
        "deploy/compose.yaml",
        "-s3.iam=false",
        "-s3.iam=true",
        "service storage runs without -s3.iam=false",
    ),
    "compose: no alerts": Break(
        "compose",
        "deploy/compose/prometheus.yml",
        "  - alerts.yml\n",
        "",
        "compose/prometheus.yml has no rules of alerts.yml",
    ),
    "compose: who does not sign in": Break(
        "compose",
        "deploy/compose.yaml",
        "      GF_LOG_MODE: console\n",
        '      GF_LOG_MODE: console\n      GF_AUTH_ANONYMOUS_ENABLED: "true"\n',
        "service grafana shows figures to who does not sign in",
    ),
    "compose: health of something else": Break(
        "compose",
        "deploy/compose.yaml",
        "http://127.0.0.1:8000/health'",
        "http://127.0.0.1:8000/'",
        "service api is not asked for its health at /health",
    ),
    "compose: an end that nobody waits for": Break(
        "compose",
        "deploy/compose.yaml",
        "  smoke:\n    <<: *ree\n    profiles: [smoke]\n",
        "  smoke:\n    <<: *ree\n",
        "service smoke ends, and nobody waits for that",
    ),
    "compose: root, as the image would have it": Break(
        "compose",
        "deploy/compose.yaml",
        "    user: rabbitmq\n",
        "",
        "service rabbitmq runs as root",
    ),
    "compose: root": Break(
        "compose",
        "deploy/compose.yaml",
        'user: "1000:1000"\n    working_dir: /tmp\n    entrypoint: [weed]',
        'user: "0:1000"\n    working_dir: /tmp\n    entrypoint: [weed]',
        "service console runs as root",
    ),
    "compose: health of another port": Break(
        "compose",
        "deploy/compose.yaml",
        "http://127.0.0.1:9091/-/ready",
        "http://127.0.0.1:9092/-/ready",
        "service pushgateway is asked for its health at 9092, where it does not listen",
    ),
    "Dockerfile: no version of a package": Break(
        "image", "deploy/Dockerfile", "binutils=2.*", "binutils", "DL3008"
    ),
    "Dockerfile: no instruction": Break(
        "image", "deploy/Dockerfile", "USER 10001", "USR 1", "unexpected 'U'", True
    ),
    "script: a word that splits": Break(
        "image", "deploy/scripts/check_tag.sh", "set -euo pipefail", "rm $1", "SC2086"
    ),
    "compose: no key of the specification": Break(
        "compose", "deploy/compose.yaml", "cap_drop:", "cap_dropped:", "cap_dropped"
    ),
    "compose: no version": Break(
        "compose",
        "deploy/compose.yaml",
        "prom/prometheus:v3",
        "prom/prometheus:latest #",
        "service prometheus has the image 'prom/prometheus:latest'",
    ),
    "compose: a port for everybody": Break(
        "compose",
        "deploy/compose.yaml",
        "127.0.0.1:9090:9090",
        "9090:9090",
        "publishes 9090:9090 to every network",
    ),
    "compose: the API signs": Break(
        "compose",
        "deploy/compose.yaml",
        "      # Of who may only read.\n",
        "      REE_SIGNING_KEY: x\n",
        "REE_SIGNING_KEY, which it has no use for",
    ),
    "compose: no setting": Break(
        "compose",
        "deploy/compose.yaml",
        "REE_METRICS_PORT:",
        "REE_METRIC_PORT:",
        "REE_METRIC_PORT, which is not a setting",
    ),
    "compose: a job of another name": Break(
        "compose",
        "deploy/compose/prometheus.yml",
        "job_name: ree-api",
        "job_name: api",
        "prometheus.yml scrapes",
    ),
    "compose: another version of a server": Break(
        "compose",
        "deploy/helm/values.yaml",
        'tag: "4.48"',
        'tag: "4.47"',
        "start chrislusf/seaweedfs:4.47, the compose file another version",
    ),
    "chart: no value": Break(
        "chart", f"{CHART}/api.yaml", ".Values.api.preStopSeconds", ".Values.api.nil.x", "nil", True
    ),
    "chart: no field of Kubernetes": Break(
        "chart", f"{CHART}/api.yaml", "minReadySeconds:", "minimumReadySeconds:", "minimumReady"
    ),
    "chart: a value that the schema refuses": Break(
        "chart",
        "deploy/helm/values_gke.yaml",
        "ingress:\n",
        "schedule: twice\ningress:\n",
        "at '/schedule'",
        True,
    ),
    "chart: a key twice": Break(
        "chart",
        f"{CHART}/api.yaml",
        "  minReadySeconds: 5\n",
        "  minReadySeconds: 5\n" * 2,
        "is given twice",
        True,
    ),
    "chart: ready as soon as it lives": Break(
        "chart",
        f"{CHART}/api.yaml",
        "{path: /ready,",
        "{path: /health,",
        "readiness probe asks /health at http, not /ready",
    ),
    "chart: a gap": Break(
        "chart", f"{CHART}/api.yaml", "maxUnavailable: 0", "maxUnavailable: 1", "takes pods away"
    ),
    "chart: does not roll": Break(
        "chart",
        f"{CHART}/worker.yaml",
        '{{- include "ree.checksums" . | nindent 8 }}',
        '{{- dict "a" "b" | toYaml | nindent 8 }}',
        "Deployment ree-worker does not roll",
    ),
    "chart: root": Break("chart", PODS, "  runAsUser: 10001\n", "", "may run as root"),
    "chart: a root file system to write to": Break(
        "chart",
        PODS,
        "readOnlyRootFilesystem: true",
        "readOnlyRootFilesystem: false",
        "may write to its root",
    ),
    "chart: capabilities": Break(
        "chart", PODS, "drop: [ALL]", "drop: [KILL]", "keeps capabilities"
    ),
    "chart: a token": Break(
        "chart",
        PODS,
        "automountServiceAccountToken: false",
        "automountServiceAccountToken: true",
        "a token",
    ),
    "chart: no limit": Break(
        "chart",
        f"{CHART}/training.yaml",
        "{{- toYaml .Values.training.resources | nindent 16 }}",
        "requests: {{- toYaml .Values.training.resources.requests | nindent 18 }}",
        "container training has no memory among its limits",
    ),
    "chart: latest": Break(
        "chart",
        f"{CHART}/_names.tpl",
        "image: {{ include",
        "image: ghcr.io/ree:latest #",
        "has the image ghcr.io/ree:latest, which names no version",
    ),
    "chart: a secret by value": Break(
        "chart",
        f"{CHART}/api.yaml",
        '{{- include "ree.secretEnv" (list . "REE_VERIFY_KEYS" "REE_VERIFY_KEYS") | nindent 12 }}',
        "- {name: REE_VERIFY_KEYS, value: abc}",
        "another way than a secret",
    ),
    "chart: the API may write": Break(
        "chart",
        f"{CHART}/api.yaml",
        '"S3_READER_SECRET_KEY"',
        '"REE_S3_SECRET_KEY"',
        "of who may write",
    ),
    "chart: the API may sign": Break(
        "chart",
        f"{CHART}/api.yaml",
        '"REE_CLIENT_KEYS" "REE_CLIENT_KEYS" "optional"',
        '"REE_SIGNING_KEY" "REE_SIGNING_KEY"',
        "REE_SIGNING_KEY, which it has no use for",
    ),
    "chart: a secret in a template": Break(
        "chart",
        f"{CHART}/settings.yaml",
        "apiVersion: v1\nkind: ConfigMap",
        "apiVersion: v1\nkind: Secret",
        "would put a secret",
        True,
    ),
    "chart: an environment given twice": Break(
        "chart", f"{CHART}/api.yaml", "name: REE_PORT\n", "name: REE_HOST\n", "REE_HOST twice"
    ),
    "chart: no setting": Break(
        "chart",
        f"{CHART}/worker.yaml",
        "name: REE_WORKER_METRICS_PORT\n",
        "name: REE_METRICS_PORTS\n",
        "REE_METRICS_PORTS, which is not a setting",
    ),
    "chart: a setting that nobody can set": Break(
        "chart", ".env.example", "REE_MAX_BATCH=", "REE_MOST=1\nREE_MAX_BATCH=", "offer REE_MOST"
    ),
    "chart: two schedulers": Break(
        "chart",
        f"{CHART}/training.yaml",
        '{{ or .Values.training.suspend (ne .Values.schedule "cronjob") }}',
        "false",
        "keep the schedule",
    ),
    "chart: trains twice at once": Break(
        "chart", f"{CHART}/training.yaml", "Policy: Forbid", "Policy: Allow", "twice at once"
    ),
    "chart: the API reaches the market": Break(
        "chart",
        f"{CHART}/network.yaml",
        '    {{- include "ree.toStorage" . | nindent 4 }}\n',
        '    {{- include "ree.toStorage" . | nindent 4 }}\n'
        '    {{- include "ree.toMarket" . | nindent 4 }}\n',
        "may reach more than the storage",
    ),
    "chart: no policy": Break(
        "chart",
        f"{CHART}/network.yaml",
        "if .Values.networkPolicy.enabled",
        "if .Values.networkPolicy.off",
        "is under no policy for Egress",
        True,
    ),
    "chart: a service without pods": Break(
        "chart",
        f"{CHART}/api.yaml",
        '  selector:\n    {{- include "ree.selector" (list . "api") | nindent 4 }}',
        '  selector:\n    {{- include "ree.selector" (list . "apis") | nindent 4 }}',
        "Service ree-api finds no pod",
    ),
    "chart: a number beside the autoscaler": Break(
        "chart",
        f"{CHART}/api.yaml",
        "if not .Values.api.autoscaling.enabled",
        "if true",
        "has replicas beside",
    ),
    "chart: other rules": Break(
        "chart",
        f"{CHART}/monitoring.yaml",
        'list "recording" "alerts"',
        'list "recording"',
        "other rules than deploy/prometheus",
    ),
    "chart: another version": Break(
        "chart", "deploy/helm/Chart.yaml", "appVersion:", "appVersion: 9.9.9 #", "9.9.9"
    ),
    "workflow: no expression": Break(
        "workflows",
        ".github/workflows/ci.yml",
        "${{ matrix.python }}",
        "${{ matrix.pyton }}",
        "pyton",
    ),
    "workflow: an action by its tag": Break(
        "workflows",
        ".github/workflows/ci.yml",
        "actions/checkout@",
        "actions/checkout@v4 #",
        "unpinned",
    ),
    "action: no key of an action": Break(
        "workflows",
        ".github/actions/python/action.yml",
        "composite",
        "compost",
        "compost",
    ),
    "workflow: a token for everything": Break(
        "workflows",
        ".github/workflows/ci.yml",
        "permissions: {}\n",
        "",
        "ci.yml gives every job's token more than nothing",
    ),
    "workflow: text of a stranger in a script": Break(
        "workflows",
        ".github/workflows/ci.yml",
        "- run: make lint",
        "- run: echo ${{ github.head_ref }}",
        "template-injection",
    ),
    "Dockerfile: nobody sees whether it lives": Break(
        "image",
        "deploy/Dockerfile",
        "HEALTHCHECK --interval=15s",
        "LABEL a=b #",
        "no HEALTHCHECK",
        True,
    ),
    "Dockerfile: a base of no version": Break(
        "image",
        "deploy/Dockerfile",
        "ARG PYTHON_IMAGE=python:3.11-slim",
        "ARG PYTHON_IMAGE=python:latest",
        "begins from no Python of a version that ree is for",
    ),
    "Dockerfile: a secret": Break(
        "image",
        "deploy/Dockerfile",
        "USER 10001:10001",
        "ENV REE_SIGNING_KEY=abc\nUSER 10001:10001",
        "puts a secret into the image",
    ),
    "script: no script": Break("image", ".ci/packages", "for name in", "for in", "SC1"),
    "compose: the API may write": Break(
        "compose",
        "deploy/compose.yaml",
        "REE_S3_ACCESS_KEY: ${S3_READER_ACCESS_KEY:",
        "REE_S3_ACCESS_KEY: ${REE_S3_ACCESS_KEY:",
        "service api is given REE_S3_ACCESS_KEY of who may write",
    ),
    "compose: a root file system to write to": Break(
        "compose",
        "deploy/compose.yaml",
        "  read_only: true",
        "  privileged: true",
        "may write to its root",
    ),
    "compose: a password by its value": Break(
        "compose",
        "deploy/compose.yaml",
        "RABBITMQ_DEFAULT_PASS: ${RABBITMQ_PASSWORD:?make keys with deploy/scripts/env_compose.sh}",
        "RABBITMQ_DEFAULT_PASS: rabbit",
        "is given RABBITMQ_DEFAULT_PASS by its value",
    ),
    "compose: a volume that is none": Break(
        "compose", "deploy/compose.yaml", "- grafana:/var", "- graphana:/var", "mounts graphana"
    ),
    "compose: waits for nobody": Break(
        "compose",
        "deploy/compose.yaml",
        "      prometheus: {condition",
        "      prometheuss: {condition",
        "depends on prometheuss",
    ),
    "chart: the writer's key under another name": Break(
        "chart",
        f"{CHART}/api.yaml",
        "            {{- /* The API can only read.",
        "            - name: AWS_SECRET_ACCESS_KEY\n"
        "              valueFrom: {secretKeyRef: {name: s, key: REE_S3_SECRET_KEY}}\n"
        "            {{- /* The API can only read.",
        "container api has REE_S3_SECRET_KEY, which it has no use for",
    ),
    "chart: the whole secret as files": Break(
        "chart",
        f"{CHART}/api.yaml",
        '        {{- include "ree.tmpVolume" "128Mi" | nindent 8 }}',
        '        {{- include "ree.tmpVolume" "128Mi" | nindent 8 }}\n'
        "        - {name: all, secret: {secretName: ree-secrets}}",
        "Deployment ree-api mounts more of a secret",
    ),
    "chart: a password by its value": Break(
        "chart",
        f"{CHART}/worker.yaml",
        "            {{- /* Not optional",
        "            - {name: BROKER_PASSWORD, value: rabbit}\n            {{- /* Not optional",
        "has BROKER_PASSWORD by its value",
    ),
    "chart: root in one container": Break(
        "chart",
        f"{CHART}/training.yaml",
        '{{- include "ree.containerSecurity" . | nindent 14 }}',
        '{{- include "ree.containerSecurity" . | replace "10001" "0" | nindent 14 }}',
        "CronJob ree-training, container training may run as root",
    ),
    "chart: a probe at another port": Break(
        "chart",
        f"{CHART}/api.yaml",
        "httpGet: {path: /health, port: http}",
        "httpGet: {path: /health, port: htpp}",
        "startupProbe asks the port htpp",
    ),
    "chart: the storage does not let training in": Break(
        "chart",
        f"{CHART}/network.yaml",
        '"s3" "api" "training" "worker"',
        '"s3" "api" "worker"',
        "CronJob ree-training may go to StatefulSet ree-storage at 8333, which does not let it in",
    ),
    "chart: the storage at another port": Break(
        "chart",
        f"{CHART}/_network.tpl",
        'include "ree.toPod" (list . "storage" 8333)',
        'include "ree.toPod" (list . "storage" 8334)',
        "may go to StatefulSet ree-storage at 8334",
        True,
    ),
    "chart: no names": Break(
        "chart",
        f"{CHART}/network.yaml",
        '"ree.policyOf" (list . "training") }}\n'
        "  policyTypes: [Ingress, Egress]\n  egress:\n"
        '    {{- include "ree.toDns" . | nindent 4 }}\n',
        '"ree.policyOf" (list . "training") }}\n  policyTypes: [Ingress, Egress]\n  egress:\n',
        "CronJob ree-training may not ask for names",
    ),
    "chart: not its own pods": Break(
        "chart",
        f"{CHART}/sandbox.yaml",
        '    matchLabels:\n      {{- include "ree.selector" (list . "sandbox") | nindent 6 }}',
        '    matchLabels:\n      {{- include "ree.selector" (list . "sand") | nindent 6 }}',
        "Deployment ree-sandbox does not select its own pods",
    ),
    "chart: a mount of no volume": Break(
        "chart",
        f"{CHART}/beat.yaml",
        "- name: data\n              mount",
        "- name: dota\n              mount",
        "mounts dota, which is no volume of it",
    ),
    "chart: a claim that is not there": Break(
        "chart",
        f"{CHART}/beat.yaml",
        "claimName: {{ .Release.Name }}-beat",
        "claimName: {{ .Release.Name }}-boat",
        "a claim ree-boat that is not there",
    ),
    "chart: no account": Break(
        "chart",
        PODS,
        "serviceAccountName: {{ $root.Release.Name }}-{{ index . 1 }}",
        "serviceAccountName: {{ $root.Release.Name }}-{{ index . 1 }}s",
        "has the service account ree-apis, which is not there",
    ),
    "chart: an Ingress to nowhere": Break(
        "chart",
        f"{CHART}/ingress.yaml",
        "name: http\n",
        "name: https\n",
        "Ingress ree-api leads to ree-api, which has no such port",
    ),
    "chart: a failure that starts again": Break(
        "chart",
        f"{CHART}/training.yaml",
        "restartPolicy: Never",
        "restartPolicy: OnFailure",
        "which needs restartPolicy: Never",
    ),
    "chart: a policy for no container": Break(
        "chart",
        f"{CHART}/training.yaml",
        "containerName: training",
        "containerName: train",
        "container train,",
    ),
    "chart: no node can be emptied": Break(
        "chart",
        f"{CHART}/api.yaml",
        "  maxUnavailable: 1\n  # A pod",
        "  maxUnavailable: 0\n  # A pod",
        "lets no node be emptied",
    ),
    "chart: two beats for a while": Break(
        "chart", f"{CHART}/beat.yaml", "type: Recreate", "type: RollingUpdate", "would be two while"
    ),
    "Dockerfile: root": Break(
        "image", "deploy/Dockerfile", "USER 10001:10001\n", "", "has not the chart's user", True
    ),
    "Dockerfile: somebody else": Break(
        "image",
        "deploy/Dockerfile",
        "useradd --uid 10001",
        "useradd --uid 10002",
        "has not a user of the chart's number",
    ),
    "Dockerfile: nobody else may ask": Break(
        "image",
        "deploy/Dockerfile",
        "REE_HOST=0.0.0.0",
        "REE_HOST=127.0.0.1",
        "has not an address that others can reach",
    ),
    "Dockerfile: no program": Break(
        "image",
        "deploy/Dockerfile",
        "COPY --from=application /application/opt/ree /opt/ree\n",
        "",
        "has not the program",
    ),
    "Dockerfile: a tool": Break(
        "image",
        "deploy/Dockerfile",
        "    && install -d -o ree",
        "    && apt-get install -y gcc \\\n    && install -d -o ree",
        "the image is installed into",
    ),
    "Dockerfile: a command of its own": Break(
        "image",
        "deploy/Dockerfile",
        "EXPOSE 8000\n",
        'EXPOSE 8000\nENTRYPOINT ["ree"]\n',
        "has an ENTRYPOINT",
    ),
    "Dockerfile: no hashes": Break(
        "image",
        "deploy/Dockerfile",
        "--require-hashes --no-build-isolation",
        "--no-build-isolation",
        "installs requirements without their hashes",
    ),
    "Dockerfile: what is not there": Break(
        "image", "deploy/Dockerfile", "COPY src src", "COPY srcs srcs", "copies srcs, which is not"
    ),
    "Dockerfile: no volume": Break(
        "image", "deploy/Dockerfile", "VOLUME /data\n", "", "has not the volume /data"
    ),
    "Dockerfile: another command": Break(
        "image", "deploy/Dockerfile", '["ree", "serve"]', '["ree"]', "has not the command ree serve"
    ),
    "Dockerfile: asked something else": Break(
        "image", "deploy/Dockerfile", "/health\\", "/helth\\", "has not a health check"
    ),
    "Dockerfile: not slim": Break(
        "image",
        "deploy/Dockerfile",
        "COPY --from=slim",
        "COPY --from=dependencies",
        "were not made slim",
    ),
    "Dockerfile: no setting": Break(
        "image", "deploy/Dockerfile", "REE_HOST=", "REE_HOSTNAME=", "REE_HOSTNAME, which is not"
    ),
    "compose: a file that is not there": Break(
        "compose",
        "deploy/compose.yaml",
        "./prometheus/alerts.yml:",
        "./prometheus/alertz.yml:",
        "mounts ./prometheus/alertz.yml, which is not there",
    ),
    "compose: no network": Break(
        "compose",
        "deploy/compose.yaml",
        "networks: [storage, monitoring]",
        "networks: [storage, monitors]",
        "in the network monitors, which is not there",
    ),
    "compose: new privileges": Break(
        "compose",
        "deploy/compose.yaml",
        "no-new-privileges:true",
        "no-new-privileges:false",
        "may become more than it is",
    ),
    "compose: nobody to ask": Break(
        "compose",
        "deploy/compose/prometheus.yml",
        "api:9100",
        "apis:9100",
        "compose/prometheus.yml asks apis:9100, where no service listens",
    ),
    "compose: an older program": Break(
        "compose",
        "deploy/compose.yaml",
        "ghcr.io/ree-norway/ree:0.1.0",
        "ghcr.io/ree-norway/ree:0.0.9",
        "the compose file starts ghcr.io/ree-norway/ree:0.0.9",
    ),
    "chart: a value twice": Break(
        "chart",
        "deploy/helm/values_kind.yaml",
        "schedule: cronjob\n",
        "schedule: none\nschedule: cronjob\n",
        "schedule is given twice",
        True,
    ),
    "chart: none more, none fewer": Break(
        "chart", f"{CHART}/api.yaml", "maxSurge: 25%", "maxSurge: 0", "can never be replaced"
    ),
    "chart: ends while asked": Break(
        "chart", f"{CHART}/api.yaml", "preStop:", "postStart:", "ends while it is still asked"
    ),
    "chart: on one node": Break(
        "chart",
        f"{CHART}/api.yaml",
        '{{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}',
        "{{- range list }}",
        "may be on one node altogether",
    ),
    "chart: no budget": Break(
        "chart",
        f"{CHART}/api.yaml",
        "{{- if .Values.api.podDisruptionBudget }}",
        "{{- if false }}",
        "has no disruption budget",
        True,
    ),
    "chart: a service elsewhere": Break(
        "chart", f"{CHART}/api.yaml", "port: 80\n", "port: 8080\n", "is at 8080, not 80"
    ),
    "chart: another port": Break(
        "chart", f"{CHART}/api.yaml", 'value: "9100"', 'value: "9101"', "listens on 9101"
    ),
    "chart: another command": Break(
        "chart", f"{CHART}/api.yaml", "args: [ree, serve,", "args: [ree, server,", "not ree serve"
    ),
    "chart: no place for what is not kept": Break(
        "chart", PODS, "  mountPath: /tmp", "  mountPath: /tmpp", "has no /tmp to write to"
    ),
    "chart: a port of the node": Break(
        "chart",
        f"{CHART}/sandbox.yaml",
        "containerPort: 8099",
        "containerPort: 8099\n              hostPort: 8099",
        "takes the port 8099 of the node",
    ),
    "chart: a probe of no port": Break(
        "chart",
        f"{CHART}/sandbox.yaml",
        "tcpSocket: {port: http}",
        "tcpSocket: {port: https}",
        "asks the port https, which it does not have",
    ),
    "chart: more than it may take": Break(
        "chart",
        f"{CHART}/worker.yaml",
        "toYaml .Values.worker.resources",
        'replace "memory: 2Gi" "memory: 9Gi" (toYaml .Values.worker.resources)',
        "asks for more memory than it may take",
    ),
    "chart: no schedule": Break(
        "chart",
        "deploy/helm/values.yaml",
        "cron: 5 3 1 * *",
        "cron: 5 3 31 2 *",
        "not once a month",
    ),
    "chart: the API has no key": Break(
        "chart",
        f"{CHART}/api.yaml",
        '"S3_READER_ACCESS_KEY")',
        '"S3_READER_ACCESS_KEY" "optional")',
        "container api is not given REE_S3_ACCESS_KEY",
    ),
    "chart: a key that may be missing": Break(
        "chart",
        PODS,
        '"REE_SIGNING_KEY" "REE_SIGNING_KEY")',
        '"REE_SIGNING_KEY" "REE_SIGNING_KEY" "optional")',
        "container training is not given REE_SIGNING_KEY",
    ),
    "chart: no settings": Break(
        "chart",
        f"{CHART}/beat.yaml",
        '{{- include "ree.settingsFrom" . | nindent 10 }}',
        "",
        "container beat is not given REE_CELERY_TIMEZONE",
    ),
    "chart: another secret": Break(
        "chart",
        f"{CHART}/storage.yaml",
        "secretName: {{ .Values.existingSecret | quote }}",
        "secretName: ree-secret",
        "secrets are taken from ree-secret and ree-secrets",
    ),
    "chart: a port that is no Service's": Break(
        "chart",
        f"{CHART}/_names.tpl",
        "-storage:8333",
        "-storage:8334",
        "asks ree-storage:8334, which is no Service",
    ),
    "chart: a second schedule": Break(
        "chart",
        f"{CHART}/worker.yaml",
        "- --without-gossip",
        "- -B",
        "container worker runs with -B",
    ),
    "chart: a refusal is tried again": Break(
        "chart",
        f"{CHART}/training.yaml",
        "values: [2, 3]",
        "values: [2]",
        "does not give up at [3]",
    ),
    "chart: selects by what changes": Break(
        "chart",
        f"{CHART}/_names.tpl",
        "app.kubernetes.io/component: {{ index . 1 }}",
        "app.kubernetes.io/component: {{ index . 1 }}\nree/version: {{ $root.Chart.Version }}",
        "selects by more or less than",
    ),
    "chart: a Job that would be changed": Break(
        "chart",
        f"{CHART}/bootstrap.yaml",
        '-bootstrap-{{ include "ree.jobSuffix" . }}',
        "-bootstrap",
        "Job ree-bootstrap has the same name in each revision",
    ),
    "chart: a volume that goes": Break(
        "chart",
        f"{CHART}/rabbitmq.yaml",
        "whenDeleted: Retain",
        "whenDeleted: Delete",
        "StatefulSet ree-rabbitmq loses its volume with the release",
    ),
    "chart: a volume of somebody else's": Break(
        "chart", PODS, "  fsGroup: 10001\n", "", "may not write to its volume"
    ),
    "chart: open to everybody": Break(
        "chart",
        f"{CHART}/sandbox.yaml",
        "type: ClusterIP",
        "type: NodePort",
        "Service ree-sandbox is open to who is outside of the cluster",
    ),
    "chart: a job that no rule knows": Break(
        "chart",
        f"{CHART}/monitoring.yaml",
        'list . "worker" "ree-worker"',
        'list . "worker" "worker"',
        "calls its job ['worker']",
    ),
    "chart: out to the node's own": Break(
        "chart",
        f"{CHART}/_network.tpl",
        "169.254.0.0/16, ",
        "",
        "egress of 0.0.0.0/0 with the private ones in it",
    ),
    "chart: killed while it answers": Break(
        "chart",
        f"{CHART}/api.yaml",
        "{{ add .Values.api.preStopSeconds 45 }}",
        "{{ add .Values.api.preStopSeconds 5 }}",
        "Deployment ree-api is killed while it answers",
        True,
    ),
    "chart: killed while it starts": Break(
        "chart",
        f"{CHART}/api.yaml",
        "failureThreshold: 90",
        "failureThreshold: 9",
        "Deployment ree-api is killed while it starts",
    ),
    "chart: a storage without a door": Break(
        "chart",
        f"{CHART}/storage.yaml",
        "- -ip.bind=127.0.0.1",
        "- -ip.bind=0.0.0.0",
        "container seaweedfs runs without -ip.bind=127.0.0.1",
    ),
    "chart: a guest": Break(
        "chart",
        f"{CHART}/network.yaml",
        '"buckets") | nindent 4',
        '"buckets" "sandbox") | nindent 4',
        "StatefulSet ree-storage lets Deployment ree-sandbox in, which has nothing to do there",
    ),
    "chart: no zone": Break(
        "chart",
        f"{CHART}/training.yaml",
        "timeZone: {{ .Values.timeZone | quote }}",
        "timeZone: Europe/Osl",
        "has the time zone Europe/Osl, which is none",
    ),
    "chart: no history": Break(
        "chart",
        f"{CHART}/training.yaml",
        "  failedJobsHistoryLimit: {{ .Values.training.failedJobsHistoryLimit }}\n",
        "",
        "has no failedJobsHistoryLimit",
    ),
    "chart: everybody may come": Break(
        "chart",
        f"{CHART}/network.yaml",
        '{{- include "ree.fromPods" (list . "http" "test") | nindent 4 }}',
        '{{- include "ree.fromPods" (list . "http" "test") | nindent 4 }}\n    - {}',
        "NetworkPolicy ree-api: ingress for everybody",
    ),
    "chart: names by one way": Break(
        "chart",
        f"{CHART}/_network.tpl",
        "    - {protocol: UDP, port: 53}\n",
        "",
        "names may be asked for by TCP alone",
    ),
    "chart: figures for nobody": Break(
        "chart",
        f"{CHART}/_network.tpl",
        "- {protocol: TCP, port: metrics}",
        "- {protocol: TCP, port: http}",
        "has figures that nobody may fetch",
        True,
    ),
    "chart: out of the cluster": Break(
        "chart",
        f"{CHART}/_network.tpl",
        '{{ include "ree.toPod" (list . "storage" 8333) }}',
        '{{ include "ree.toOutside" (list nil 443) }}',
        "may leave the cluster, in which its storage is",
        True,
    ),
    "chart: a key in another's place": Break(
        "chart",
        PODS,
        '"REE_SIGNING_KEY" "REE_SIGNING_KEY"',
        '"REE_SIGNING_KEY" "REE_SIGNINGKEY"',
        "has REE_SIGNINGKEY as its REE_SIGNING_KEY",
    ),
    "chart: a password in a map": Break(
        "chart",
        f"{CHART}/settings.yaml",
        "REE_HOST: 0.0.0.0\n",
        "REE_HOST: 0.0.0.0\nDATABASE_PASSWORD: hunter2\n",
        "holds DATABASE_PASSWORD",
    ),
    "chart: no test": Break(
        "chart", f"{CHART}/tests/smoke.yaml", "hook: test", "hook: tests", "would find 0 tests"
    ),
    "chart: a bucket that nobody makes": Break(
        "chart",
        f"{CHART}/storage.yaml",
        "            - {{ .Values.storage.buckets.snapshots | quote }}\n",
        "",
        "does not make ree-snapshots",
    ),
    "chart: no field of what is seldom there": Break(
        "chart",
        f"{CHART}/ingress.yaml",
        "secretName:",
        "secretNaem:",
        "secretNaem",
    ),
    "compose: not built as it must be": Break(
        "compose",
        "deploy/compose.yaml",
        "services:\n",
        "service:\n",
        "not built as it must be",
        True,
    ),
    "compose: no YAML": Break(
        "compose", "deploy/compose.yaml", "services:\n", "services\n", "compose.yaml: ", True
    ),
    "workflow: everything for every job": Break(
        "workflows",
        ".github/workflows/release.yml",
        "permissions: {}",
        "permissions: write-all",
        "release.yml gives every job's token more than nothing",
    ),
    "workflow: the tag is not looked at": Break(
        "workflows",
        ".github/workflows/release.yml",
        '      - run: deploy/scripts/check_tag.sh "$GITHUB_REF_NAME"\n',
        "",
        "job verify does not run check_tag.sh",
        True,
    ),
    "workflow: does not wait": Break(
        "workflows",
        ".github/workflows/release.yml",
        "needs: [verify, ci]",
        "needs: verify",
        "job image does not wait for ci",
    ),
    "workflow: not signed": Break(
        "workflows",
        ".github/workflows/release.yml",
        'deploy/scripts/sign.sh "ghcr.io/ree-norway/ree@$DIGEST"',
        'echo "$DIGEST"',
        "job image does not run sign.sh",
    ),
    "workflow: begun by anything": Break(
        "workflows",
        ".github/workflows/release.yml",
        'tags: ["v[0-9]+.[0-9]+.[0-9]+"]',
        "branches: [main]",
        "release.yml is begun by {'push': {'branches': ",
    ),
    "workflow: a long-lived key": Break(
        "workflows",
        ".github/workflows/release.yml",
        "          service_account: ${{ vars.GCP_SERVICE_ACCOUNT }}",
        "          credentials_json: ${{ secrets.GCP_KEY }}",
        "has a long-lived key of the cloud",
    ),
    "workflow: may more than it needs": Break(
        "workflows",
        ".github/workflows/ci.yml",
        "    permissions:\n      contents: read\n",
        "    permissions:\n      contents: write\n",
        "job lint may",
    ),
    "workflow: does not check": Break(
        "workflows",
        ".github/workflows/ci.yml",
        "make deploy-check",
        "make help",
        "job deploy-check does not run make deploy-check",
    ),
    "workflow: not every Python": Break(
        "workflows",
        ".github/workflows/ci.yml",
        '["3.11", "3.12", "3.13"]',
        '["3.11", "3.13"]',
        "does not test on Python 3.12",
    ),
    "dashboard: no JSON": Break(
        "monitoring", "deploy/prometheus/dashboard.json", "{", "{,", "dashboard.json is no JSON"
    ),
    "workflow: a secret in a command": Break(
        "workflows",
        ".github/workflows/release.yml",
        "      - run: deploy/scripts/check_tag.sh",
        "      - run: echo ${{ secrets.REE_API_KEY }}\n      - run: deploy/scripts/check_tag.sh",
        "job verify puts a secret into a command",
    ),
    "workflow: a failure that nobody heeds": Break(
        "workflows",
        ".github/workflows/ci.yml",
        "run: make types",
        "run: make types || true",
        "job types does not run make types, or does not heed how it ends",
    ),
    "workflow: passes all the same": Break(
        "workflows",
        ".github/workflows/ci.yml",
        "    name: lint\n",
        "    name: lint\n    continue-on-error: true\n",
        "job lint has continue-on-error",
    ),
    "workflow: released after a failure": Break(
        "workflows",
        ".github/workflows/release.yml",
        "    name: publish the image\n",
        "    name: publish the image\n    if: ${{ !cancelled() }}\n",
        "job image has if, and would not heed a failure",
    ),
    "workflow: not attested": Break(
        "workflows",
        ".github/workflows/release.yml",
        "      - name: Attest provenance\n        uses: actions/attest@",
        "      - name: Attest provenance\n        uses: actions/checkout@",
        "job image does not attest provenance and a bill of materials",
    ),
    "workflow: cut short": Break(
        "workflows",
        ".github/workflows/release.yml",
        "cancel-in-progress: false",
        "cancel-in-progress: true",
        "release.yml may be cut short",
    ),
    "workflow: the writer's key for the API": Break(
        "workflows",
        ".github/workflows/release.yml",
        "${{ secrets.S3_READER_ACCESS_KEY }}",
        "${{ secrets.REE_S3_ACCESS_KEY }}",
        "gives secrets.sh another S3_READER_ACCESS_KEY than the secret",
    ),
    "workflow: one more job": Break(
        "workflows",
        ".github/workflows/ci.yml",
        "jobs:\n",
        "jobs:\n  more:\n    name: more\n    runs-on: ubuntu-24.04\n    timeout-minutes: 5\n"
        "    permissions:\n      contents: write\n    steps:\n      - run: date\n",
        "job more may {'contents': 'write'}",
    ),
    "workflow: not of a request": Break(
        "workflows", ".github/workflows/ci.yml", "  pull_request:\n", "", "ci.yml is begun by {"
    ),
    "workflow: a shell that tells": Break(
        "workflows",
        ".github/workflows/release.yml",
        '        run: deploy/scripts/publish_chart.sh "$VERSION"',
        '        shell: bash -x {0}\n        run: deploy/scripts/publish_chart.sh "$VERSION"',
        "job chart prints its environment, or each command",
    ),
    "script: a shell that tells": Break(
        "image",
        "deploy/scripts/secrets.sh",
        "set +x\n",
        "set -x\n",
        "deploy/scripts/secrets.sh prints its environment, or each command",
    ),
    "workflow: prints its environment": Break(
        "workflows",
        ".github/workflows/release.yml",
        "      - run: deploy/scripts/check_tag.sh",
        "      - run: |\n          date; env | sort\n      - run: deploy/scripts/check_tag.sh",
        "job verify prints its environment",
    ),
    "workflow: prints each command": Break(
        "workflows",
        ".github/workflows/release.yml",
        "          deploy/scripts/rollout.sh",
        "          set -eux\n          deploy/scripts/rollout.sh",
        "job deploy prints its environment, or each command",
    ),
    "workflow: deploys without an environment": Break(
        "workflows",
        ".github/workflows/release.yml",
        "    environment: production\n",
        "",
        "job deploy is not of production",
    ),
    "workflow: no script": Break(
        "workflows",
        ".github/workflows/release.yml",
        "run: deploy/scripts/secrets.sh",
        "run: deploy/scripts/secret.sh",
        "runs deploy/scripts/secret.sh, which is not there",
    ),
    "rules: no expression": Break(
        "monitoring",
        ALERTS,
        "max(ree_model_ready) == 0",
        "max(ree_model_ready == 0",
        "could not parse",
        True,
    ),
    "rules: another limit": Break(
        "monitoring", ALERTS, "> 65 * 86400", "> 95 * 86400", "FAILED", True
    ),
    "Prometheus: no configuration": Break(
        "monitoring", "deploy/prometheus/prometheus.yml", "scrape_configs:", "scrapes:", "scrapes"
    ),
    "Alertmanager: nobody to tell": Break(
        "monitoring",
        "deploy/prometheus/alertmanager.yml",
        "receiver: tickets",
        "receiver: nobody",
        "nobody",
    ),
}


@pytest.fixture(scope="session")
def python() -> str:
    """Of the environment that has the tools."""
    found = TOOLS / "bin" / "python"
    if not (TOOLS / ".installed").exists():
        assert not os.environ.get("CI"), "make deploy-tools"
        pytest.skip("what deploy-check looks with is not installed: make deploy-tools")
    return str(found)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """All that is looked at."""
    return copied(tmp_path)


def copied(folder: Path) -> Path:
    for name in SHIPPED:
        source, there = ROOT / name, folder / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", ".env.*")
            shutil.copytree(source, there, symlinks=True, ignore=ignored)
        else:
            shutil.copy(source, there)
    return folder


def checked(*command: str | Path) -> tuple[int, str]:
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | ZONES, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.timeout(300)
def test_what_is_shipped_passes(python: str, copy: Path) -> None:
    code, said = checked("make", "deploy-check", f"ROOT={copy}")
    assert code == 0, said
    assert said.count("✓") == 5


@pytest.mark.timeout(300)
def test_make_is_red_and_tells_everything(python: str, copy: Path) -> None:
    """In one run: the Dockerfile, the compose file, the chart, a workflow and a rule."""
    broken = {each.part: each for each in BREAKS.values()}
    for each in broken.values():
        put(copy, each)
    code, said = checked("make", "deploy-check", f"ROOT={copy}")
    assert code == 2, said
    assert said.count("✗") == 5
    for each in broken.values():
        assert each.said in said


@pytest.fixture(scope="session")
def said_of(python: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """What is said once a thing is broken, with all of its part that hide each other not."""

    @cache
    def of_breaks(names: tuple[str, ...]) -> str:
        root = copied(tmp_path_factory.mktemp("broken"))
        for name in names:
            put(root, BREAKS[name])
        part = ROOT / "deploy" / "check", "--only", BREAKS[names[0]].part
        code, said = checked(python, *part, root)
        assert code == 1, said
        assert "Traceback" not in said
        return said

    def of(name: str) -> str:
        one = BREAKS[name]
        together = [n for n, each in BREAKS.items() if each.part == one.part and not each.apart]
        return of_breaks((name,) if one.apart else tuple(together))

    return of


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", BREAKS)
def test_what_is_broken_is_named(said_of: Callable[[str], str], name: str) -> None:
    """Nothing is said of what is shipped, so what is said comes of the break."""
    assert BREAKS[name].said in said_of(name)


def put(root: Path, broken: Break) -> None:
    file = root / broken.file
    text = file.read_text()
    assert broken.old in text, f"{broken.file} has no {broken.old!r} to break"
    file.write_text(text.replace(broken.old, broken.new, 1))


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
    chart = ROOT / "deploy" / "helm"
    code, said = checked(
        TOOLS / "bin" / "helm", "template", "ree", chart,
        "-f", chart / "values_gke.yaml", "--set", value,
    )  # fmt: skip
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
    chart = ROOT / "deploy" / "helm"
    helm = TOOLS / "bin" / "helm"
    code, said = checked(helm, "template", "ree", chart, "--set", values)
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
    chart = ROOT / "deploy" / "helm"
    helm = TOOLS / "bin" / "helm"
    code, said = checked(helm, "template", "ree", chart, "--set", values)
    assert code == 0, said


def test_what_helm_says_of_a_missing_value(python: str) -> None:
    chart = ROOT / "deploy" / "helm"
    code, said = checked(
        TOOLS / "bin" / "helm", "template", "ree", chart,
        "-f", chart / "values_gke.yaml", "--set", "existingSecret=null",
    )  # fmt: skip
    assert code == 1
    assert "existingSecret" in said


def test_a_program_that_is_missing_is_named(copy: Path) -> None:
    """With a Python that has the packages and a path without the programs."""
    if not (TOOLS / ".installed").exists():
        pytest.skip("make deploy-tools")
    done = subprocess.run(
        [TOOLS / "bin" / "python", ROOT / "deploy" / "check", "--only", "monitoring", copy],
        env={"PATH": str(Path(sys.executable).parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "promtool is not installed" in done.stdout


@pytest.mark.parametrize("name", ["my.ree", "1ree"])
def test_a_release_by_whose_name_no_service_can_be_called_is_refused(
    python: str, name: str
) -> None:
    chart = ROOT / "deploy" / "helm"
    code, said = checked(
        TOOLS / "bin" / "helm", "template", name, chart, "-f", chart / "values_gke.yaml"
    )
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
    chart = ROOT / "deploy" / "helm"
    numbers = (
        "existingSecret=123,storage.buckets.models=1234,imagePullSecrets[0]=12345,"
        "objectStore.persistence.storageClass=123456"
    )
    code, said = checked(
        TOOLS / "bin" / "helm", "template", "ree", chart,
        "-f", chart / "values_kind.yaml", "--set-string", numbers,
    )  # fmt: skip
    assert code == 0, said
    for number in ("123", "1234", "12345", "123456"):
        assert f'"{number}"' in said
        assert f" {number}\n" not in said
