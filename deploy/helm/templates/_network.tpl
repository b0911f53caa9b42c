{{- /* Rules, each called with the root. */}}
{{- define "ree.toDns" -}}
- to:
    {{- toYaml .Values.networkPolicy.dnsTo | nindent 4 }}
  ports:
    - {protocol: UDP, port: 53}
    - {protocol: TCP, port: 53}
{{- end }}
{{- /* Called with (list $ "component" port): another pod of the release. */}}
{{- define "ree.toPod" -}}
- to:
    - podSelector:
        matchLabels:
          {{- include "ree.selector" . | nindent 10 }}
  ports:
    - {protocol: TCP, port: {{ index . 2 }}}
{{- end }}
{{- /* Called with (list $ port "component" ...). */}}
{{- define "ree.fromPods" -}}
- from:
    {{- $root := index . 0 }}
    {{- range slice . 2 }}
    - podSelector:
        matchLabels:
          {{- include "ree.selector" (list $root .) | nindent 10 }}
    {{- end }}
  ports:
    - {protocol: TCP, port: {{ index . 1 }}}
{{- end }}
{{- /* Called with (list peers port). */}}
{{- define "ree.toOutside" -}}
- to:
    {{- with index . 0 }}
    {{- toYaml . | nindent 4 }}
    {{- else }}
    - ipBlock:
        cidr: 0.0.0.0/0
        except: [0.0.0.0/8, 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16]
    - ipBlock:
        cidr: ::/0
        except: ["::1/128", "64:ff9b::/96", "fc00::/7", "fe80::/10"]
    {{- end }}
  ports:
    - {protocol: TCP, port: {{ index . 1 }}}
{{- end }}
{{- /* Of an address; that of https, if there is none. */}}
{{- define "ree.port" -}}
{{- $parts := urlParse . -}}
{{- $port := regexFind ":[0-9]+$" $parts.host | trimPrefix ":" -}}
{{- if $port -}}
{{ $port }}
{{- else -}}
{{ eq $parts.scheme "http" | ternary 80 443 }}
{{- end -}}
{{- end }}
{{- define "ree.toStorage" -}}
{{- if .Values.objectStore.enabled -}}
{{ include "ree.toPod" (list . "storage" 8333) }}
{{- else -}}
{{ include "ree.toOutside" (list .Values.networkPolicy.storageTo (include "ree.port" .Values.storage.endpoint)) }}
{{- end -}}
{{- end }}
{{- define "ree.toMarket" -}}
{{- if .Values.sandbox.enabled -}}
{{ include "ree.toPod" (list . "sandbox" 8099) }}
{{- else -}}
{{ include "ree.toOutside" (list .Values.networkPolicy.marketTo (include "ree.port" .Values.market.baseUrl)) }}
{{- end -}}
{{- end }}
{{- define "ree.toBroker" -}}
{{- if .Values.rabbitmq.enabled -}}
{{ include "ree.toPod" (list . "rabbitmq" 5672) }}
{{- else -}}
{{ include "ree.toOutside" (list .Values.networkPolicy.brokerTo .Values.networkPolicy.brokerPort) }}
{{- end -}}
{{- end }}
{{- define "ree.fromMetrics" -}}
{{- with .Values.networkPolicy.metricsFrom -}}
- from:
    {{- toYaml . | nindent 4 }}
  ports:
    - {protocol: TCP, port: metrics}
{{- end }}
{{- end }}
{{- /* Called with (list $ "component"). */}}
{{- define "ree.policyOf" -}}
{{- include "ree.head" . }}
spec:
  podSelector:
    matchLabels:
      {{- include "ree.selector" . | nindent 6 }}
{{- end }}
{{- define "ree.head" }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "ree.metadata" . | nindent 2 }}
{{- end }}
