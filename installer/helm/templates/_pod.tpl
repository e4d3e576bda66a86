{{/* What the names of all objects begin with. */}}
{{- define "name" -}}
{{- if eq .Release.Name .Chart.Name -}}
{{ .Chart.Name }}
{{- else -}}
{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" }}
{{- end -}}
{{- end -}}

{{- define "selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "labels" -}}
{{ include "selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{/* The Secret with the certificate of the program itself. */}}
{{- define "tlsSecret" -}}
{{- if .Values.tls.secretName -}}
{{ .Values.tls.secretName }}
{{- else -}}
{{ printf "%s-tls" (include "name" .) }}
{{- end -}}
{{- end -}}

{{/* What cannot be is refused with words before anything is made. */}}
{{- define "check" -}}
{{- $v := .Values -}}
{{- if not (or $v.tls.secretName $v.tls.issuer.name) -}}
{{- fail "tls: name a Secret of type kubernetes.io/tls in tls.secretName, or an issuer of cert-manager in tls.issuer.name: passwords are not served without TLS" -}}
{{- end -}}
{{- if and (gt (int $v.replicas) 1) (not (and $v.database.secretName $v.nats.secretName)) -}}
{{- fail (printf "replicas: %d nodes share PostgreSQL and NATS: name their Secrets in database.secretName and nats.secretName. SQLite is for one" (int $v.replicas)) -}}
{{- end -}}
{{- if not $v.masterKey.secretName -}}
{{- fail "masterKey.secretName: name a Secret with the master key, of which a copy belongs elsewhere: kubectl create secret generic ldap-cloud-master-key --from-literal=master.key=$(openssl rand -base64 32)" -}}
{{- end -}}
{{- if and $v.metrics.serviceMonitor.enabled (not $v.metrics.enabled) -}}
{{- fail "metrics.serviceMonitor: there is nothing to read without metrics.enabled" -}}
{{- end -}}
{{- end -}}

{{/* The flags that say where the database is, for every command. */}}
{{- define "database" -}}
{{- if .Values.database.secretName -}}
- --database-file=/run/database/url
{{- else -}}
- --data=/var/lib/ldap-cloud
{{- end }}
- --master-key=/run/master-key/master.key
{{- end -}}

{{- define "mounts" -}}
- {name: tmp, mountPath: /tmp}
{{- if .Values.database.secretName }}
- {name: database, mountPath: /run/database, readOnly: true}
{{- else }}
- {name: data, mountPath: /var/lib/ldap-cloud}
{{- end }}
- {name: master-key, mountPath: /run/master-key, readOnly: true}
{{- end -}}

{{- define "securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{- define "image" -}}
{{ printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) | quote }}
{{- end -}}

{{/* The pod of a node, whatever keeps it running. */}}
{{- define "pod" -}}
metadata:
  labels:
    {{- include "labels" . | nindent 4 }}
  {{- with .Values.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  automountServiceAccountToken: false
  terminationGracePeriodSeconds: 60
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    fsGroup: 65532
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile: {type: RuntimeDefault}
  initContainers:
    - name: init
      image: {{ include "image" . }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args:
        - init
        - --unattended
        {{- include "database" . | nindent 8 }}
        - {{ printf "--url=%s" .Values.url | quote }}
      securityContext:
        {{- include "securityContext" . | nindent 8 }}
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      volumeMounts:
        {{- include "mounts" . | nindent 8 }}
  containers:
    - name: ldap-cloud
      image: {{ include "image" . }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args:
        - run
        {{- include "database" . | nindent 8 }}
        {{- if .Values.nats.secretName }}
        - --nats-file=/run/nats/urls
        {{- end }}
        - --listen=0.0.0.0:8443
        - --tls-cert=/run/tls/tls.crt
        - --tls-key=/run/tls/tls.key
        - {{ printf "--url=%s" .Values.url | quote }}
        {{- range .Values.urls }}
        - {{ printf "--url=%s" . | quote }}
        {{- end }}
        {{- range .Values.trustedProxies }}
        - {{ printf "--trusted-proxy=%s" . | quote }}
        {{- end }}
        - {{ printf "--grace=%s" .Values.grace | quote }}
        - --log-format=json
        {{- if .Values.metrics.enabled }}
        - --metrics=0.0.0.0:9390
        {{- end }}
        {{- range .Values.extraArgs }}
        - {{ . | quote }}
        {{- end }}
      ports:
        - {name: https, containerPort: 8443}
        {{- if .Values.metrics.enabled }}
        - {name: metrics, containerPort: 9390}
        {{- end }}
      startupProbe: # a database that is brought to a new version takes its time
        httpGet: {path: /live, port: https, scheme: HTTPS}
        periodSeconds: 2
        failureThreshold: 300
      livenessProbe:
        httpGet: {path: /live, port: https, scheme: HTTPS}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet: {path: /ready, port: https, scheme: HTTPS}
        periodSeconds: 2
        timeoutSeconds: 2
        failureThreshold: 2
      securityContext:
        {{- include "securityContext" . | nindent 8 }}
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      volumeMounts:
        {{- include "mounts" . | nindent 8 }}
        - {name: tls, mountPath: /run/tls, readOnly: true}
        {{- if .Values.nats.secretName }}
        - {name: nats, mountPath: /run/nats, readOnly: true}
        {{- end }}
        {{- range .Values.extraSecrets }}
        - {name: {{ printf "secret-%s" . | quote }}, mountPath: {{ printf "/run/secrets/%s" . | quote }}, readOnly: true}
        {{- end }}
  volumes:
    - name: tmp
      emptyDir: {}
    - name: tls
      secret: {secretName: {{ include "tlsSecret" . | quote }}, defaultMode: 0440}
    {{- with .Values.database.secretName }}
    - name: database
      secret: {secretName: {{ . | quote }}, defaultMode: 0440}
    {{- end }}
    - name: master-key
      secret: {secretName: {{ .Values.masterKey.secretName | quote }}, defaultMode: 0440}
    {{- with .Values.nats.secretName }}
    - name: nats
      secret: {secretName: {{ . | quote }}, defaultMode: 0440}
    {{- end }}
    {{- range .Values.extraSecrets }}
    - name: {{ printf "secret-%s" . | quote }}
      secret: {secretName: {{ . | quote }}, defaultMode: 0440}
    {{- end }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "selector" . | nindent 10 }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
