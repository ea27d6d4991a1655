{{/*
What the chart must know of the configuration that it passes through: where it listens, where sessions live, its portal.
Gives JSON: {known, portal, tls, store, main, operations, sites}. `known` is false for an existingConfigMap.
*/}}
{{- define "passerelle.told" -}}
{{- $told := dict "known" false "portal" "" "tls" false "store" "memory" "main" "" "operations" "" "sites" (list) -}}
{{- if not .Values.existingConfigMap -}}
{{- if not .Values.config -}}
{{- fail "config is empty. Pass the gateway's own YAML: --set-file config=passerelle.yaml (or name an existingConfigMap)." -}}
{{- end -}}
{{- $read := fromYaml .Values.config -}}
{{- if hasKey $read "Error" -}}
{{- fail (printf "config is not YAML: %s" $read.Error) -}}
{{- end -}}
{{- $listen := default dict $read.listen -}}
{{- $operations := default dict $read.operations -}}
{{- $session := default dict $read.session -}}
{{- $store := default dict $session.store -}}
{{- $sites := list -}}
{{- range (default list $read.resources) -}}
{{- if .at -}}{{- $sites = append $sites .at -}}{{- end -}}
{{- end -}}
{{- $_ := set $told "known" true -}}
{{- $_ := set $told "portal" (default "" $read.portal) -}}
{{- $_ := set $told "tls" (hasKey $listen "tls") -}}
{{- $_ := set $told "store" (default "memory" $store.kind) -}}
{{- $_ := set $told "main" (default "127.0.0.1:8080" $listen.address) -}}
{{- $_ := set $told "operations" (default "127.0.0.1:9090" $operations.address) -}}
{{- $_ := set $told "sites" $sites -}}
{{- end -}}
{{- toJson $told -}}
{{- end -}}

{{/* Refuses what would start and never work. Each sentence says which side to change. */}}
{{- define "passerelle.refuse" -}}
{{- $told := include "passerelle.told" . | fromJson -}}
{{- if $told.known -}}
{{- if not (hasSuffix (printf ":%d" (int .Values.ports.main)) $told.main) -}}
{{- fail (printf "config: listen.address is %s, but ports.main is %d. Change one of them." $told.main (int .Values.ports.main)) -}}
{{- end -}}
{{- if not (hasSuffix (printf ":%d" (int .Values.ports.operations)) $told.operations) -}}
{{- fail (printf "config: operations.address is %s, but ports.operations is %d. Change one of them." $told.operations (int .Values.ports.operations)) -}}
{{- end -}}
{{- range $name, $address := dict "listen.address" $told.main "operations.address" $told.operations -}}
{{- if or (hasPrefix "127." $address) (hasPrefix "localhost:" $address) (hasPrefix "[::1]:" $address) -}}
{{- fail (printf "config: %s is %s, which only the pod itself reaches. In Kubernetes it must be 0.0.0.0." $name $address) -}}
{{- end -}}
{{- end -}}
{{- if and (gt (int .Values.replicas) 1) (ne $told.store "redis") -}}
{{- fail (printf "replicas is %d, but config: session.store.kind is %s. More than one replica needs redis." (int .Values.replicas) $told.store) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "passerelle.strategy" -}}
{{- $told := include "passerelle.told" . | fromJson -}}
{{- if .Values.strategy -}}
{{- toYaml .Values.strategy -}}
{{- else if and $told.known (eq $told.store "memory") -}}
type: Recreate
{{- else -}}
type: RollingUpdate
rollingUpdate:
  maxUnavailable: 0
  maxSurge: 1
{{- end -}}
{{- end -}}
