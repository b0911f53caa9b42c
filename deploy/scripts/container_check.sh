#!/usr/bin/env bash
# Run an image as the cluster does, with Docker: as its own user, nothing to write on but /tmp and /data.
# container_check.sh IMAGE
set -euo pipefail
cd "$(dirname "$0")/../.."

image=${1:?usage: container_check.sh IMAGE}
name=ree-check-$$
data=$(docker volume create)
trap 'docker rm --force "$name" >/dev/null 2>&1; docker volume rm --force "$data" >/dev/null' EXIT
run=(docker run --read-only --cap-drop ALL --security-opt no-new-privileges
    --mount 'type=tmpfs,destination=/tmp' --volume "$data:/data")

uid=$("${run[@]}" --rm "$image" id -u)
if [[ $uid != 10001 ]]; then
    echo "$image runs as the user $uid, not 10001" >&2
    exit 1
fi
"${run[@]}" --rm --network none "$image" ree demo
"${run[@]}" --detach --env REE_STORAGE_PATH=/data/demo --name "$name" --publish 127.0.0.1::8000 "$image" >/dev/null
if ! python3 deploy/helm/files/smoke.py "http://$(docker port "$name" 8000/tcp)"; then
    docker logs "$name" >&2
    exit 1
fi
