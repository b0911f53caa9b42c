{{- /* Those that take a component are called with (list $ "component"). */}}

{{- define "ree.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: ree
app.kubernetes.io/instance: {{ $root.Release.Name | quote }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "ree.labels" -}}
{{- $root := index . 0 -}}
{{ include "ree.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: ree
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "ree.metadata" -}}
{{- $root := index . 0 -}}
name: {{ $root.Release.Name }}-{{ index . 1 }}
namespace: {{ $root.Release.Namespace | quote }}
labels:
  {{- include "ree.labels" . | nindent 2 }}
{{- end }}

{{- /* Called with (list image appVersion). */}}
{{- define "ree.imageName" -}}
{{- $image := index . 0 -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag | default (index . 1) }}
{{- end -}}
{{- end }}

{{- define "ree.image" -}}
image: {{ include "ree.imageName" (list .Values.image .Chart.AppVersion) }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- end }}

{{- define "ree.storageEndpoint" -}}
{{- if .Values.objectStore.enabled -}}
http://{{ .Release.Name }}-storage:8333
{{- else -}}
{{ .Values.storage.endpoint }}
{{- end -}}
{{- end }}

{{- define "ree.marketUrl" -}}
{{- if .Values.sandbox.enabled -}}
http://{{ .Release.Name }}-sandbox:8099
{{- else -}}
{{ .Values.market.baseUrl }}
{{- end -}}
{{- end }}

{{- define "ree.hasBeat" -}}
{{- if eq .Values.schedule "beat" }}true{{ end -}}
{{- end }}

{{- /* The revision is enough for helm; what renders without one gets another name for another Job. */}}
{{- define "ree.jobSuffix" -}}
{{ .Release.Revision }}-{{ printf "%s %s" .Chart.Version (toJson .Values) | sha256sum | trunc 8 }}
{{- end }}
