#!/usr/bin/env bash
# The settings of deploy/compose.yaml, each time with fresh keys: env_compose.sh > deploy/.env.compose
set -euo pipefail

# As for a cluster, but for what the compose file puts together itself.
"$(dirname "$0")/env_kind.sh" | grep -Ev '^(S3_IDENTITIES|REE_CELERY_BROKER_URL)='
# Of the user ree at Grafana and at the storage's console.
echo "GRAFANA_PASSWORD=$(openssl rand -hex 12)"
echo "CONSOLE_PASSWORD=$(openssl rand -hex 12)"
