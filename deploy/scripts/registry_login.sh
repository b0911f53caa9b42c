#!/usr/bin/env bash
# Let docker (and with it cosign) or helm into the registry: registry_login.sh docker|helm
# REGISTRY_USER, REGISTRY_TOKEN: as whom.
set -euo pipefail
set +x

case ${1:-} in
docker) login=(docker login) ;;
helm) login=(helm registry login) ;;
*)
    echo "usage: registry_login.sh docker|helm" >&2
    exit 2
    ;;
esac
printf '%s' "${REGISTRY_TOKEN:?is to be set}" |
    "${login[@]}" ghcr.io --username "${REGISTRY_USER:?is to be set}" --password-stdin
