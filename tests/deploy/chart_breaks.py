"""What may go wrong with the chart, and what `make deploy-check` then says."""

from .breaks import Break

CHART = "deploy/helm/templates"
PODS = f"{CHART}/_pods.tpl"
BREAKS = {
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
}
