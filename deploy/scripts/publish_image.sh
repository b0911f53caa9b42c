#!/usr/bin/env bash
# Build the image and push it, with provenance and bill of materials: publish_image.sh 1.2.3
# Tells digest=sha256:… in GITHUB_OUTPUT, or prints it; leaves sbom.spdx.json.
set -euo pipefail
cd "$(dirname "$0")/../.."

version=${1:?usage: publish_image.sh 1.2.3}
image=ghcr.io/ree-norway/ree
facts=$(mktemp)

# Docker's own driver attaches nothing to images.
builder=$(docker buildx create --driver docker-container)
trap 'docker buildx rm "$builder" >/dev/null 2>&1; rm -f "$facts"' EXIT

docker buildx build --builder "$builder" --file deploy/Dockerfile --platform linux/amd64 --pull --push \
    --provenance mode=max --sbom true --metadata-file "$facts" --tag "$image:$version" \
    --build-arg "VERSION=$version" --build-arg "REVISION=$(git rev-parse HEAD)" .

digest=$(python3 -c 'import json, sys; print(json.load(sys.stdin)["containerimage.digest"])' <"$facts")
docker buildx imagetools inspect "$image@$digest" --format '{{ json .SBOM.SPDX }}' >sbom.spdx.json
# A bill of nothing is "null".
if ! grep -q '"spdxVersion"' sbom.spdx.json; then
    echo "$image@$digest has no bill of materials" >&2
    exit 1
fi
echo "digest=$digest" >>"${GITHUB_OUTPUT:-/dev/stdout}"
