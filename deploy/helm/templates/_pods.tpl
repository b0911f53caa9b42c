{{- /* Who a pod is and where it may run; called with (list $ "component"). */}}
{{- define "ree.pod" -}}
{{- $root := index . 0 -}}
serviceAccountName: {{ $root.Release.Name }}-{{ index . 1 }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  # Otherwise every start walks through the whole volume.
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with $root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "ree.containerSecurity" -}}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
  seccompProfile:
    type: RuntimeDefault
{{- end }}

{{- /* A change of what pods read at their start starts them anew. */}}
{{- define "ree.checksums" -}}
checksum/settings: {{ include "ree.settings" . | sha256sum }}
checksum/secrets-revision: {{ .Values.secretsRevision | toString | sha256sum }}
{{- end }}

{{- /* Called with (list $ "environment name" "key of the secret"), and a fourth, if it may be missing. */}}
{{- define "ree.secretEnv" -}}
{{- $root := index . 0 -}}
- name: {{ index . 1 }}
  valueFrom:
    secretKeyRef:
      name: {{ $root.Values.existingSecret | quote }}
      key: {{ index . 2 }}
      {{- if gt (len .) 3 }}
      optional: true
      {{- end }}
{{- end }}

{{- define "ree.settingsFrom" -}}
envFrom:
  - configMapRef:
      name: {{ .Release.Name }}-settings
{{- end }}

{{- /* Of what writes to the storage. */}}
{{- define "ree.writerEnv" -}}
{{ include "ree.secretEnv" (list . "REE_S3_ACCESS_KEY" "REE_S3_ACCESS_KEY") }}
{{ include "ree.secretEnv" (list . "REE_S3_SECRET_KEY" "REE_S3_SECRET_KEY") }}
{{- end }}

{{- /* Of what publishes. */}}
{{- define "ree.publisherEnv" -}}
{{ include "ree.writerEnv" . }}
{{ include "ree.secretEnv" (list . "REE_SIGNING_KEY" "REE_SIGNING_KEY") }}
{{ include "ree.secretEnv" (list . "REE_VERIFY_KEYS" "REE_VERIFY_KEYS") }}
{{- end }}

{{- /* Of what retrains. */}}
{{- define "ree.retrainEnv" -}}
{{ include "ree.publisherEnv" . }}
{{ include "ree.secretEnv" (list . "REE_API_KEY" "REE_API_KEY" "optional") }}
{{- with include "ree.marketUrl" . }}
- name: REE_API_BASE_URL
  value: {{ . | quote }}
{{- end }}
{{- end }}

{{- define "ree.tmpMount" -}}
- name: tmp
  mountPath: /tmp
{{- end }}

{{- /* All that is written besides the storage; called with a size. */}}
{{- define "ree.tmpVolume" -}}
- name: tmp
  emptyDir:
    sizeLimit: {{ . }}
{{- end }}
