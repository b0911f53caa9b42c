#!/usr/bin/env bash
# The settings of deploy/compose.yaml, each time with fresh keys: env_compose.sh > deploy/.env.compose
set -euo pipefail

# As for a cluster, but for what the compose file puts together itself.
"$(dirname "$0")/env_kind.sh" | grep -Ev '^(S3_IDENTITIES|REE_CELERY_BROKER_URL)='
# What the parts of the storage trust each other by, and the passwords of the user ree at its console and at Grafana.
echo "STORAGE_SIGNING_KEY=$(openssl rand -hex 24)"
echo "CONSOLE_PASSWORD=$(openssl rand -hex 12)"
echo "GRAFANA_PASSWORD=$(openssl rand -hex 12)"
