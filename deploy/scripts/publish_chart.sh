#!/usr/bin/env bash
# Package the chart with the image's digest in it and push it: publish_chart.sh 1.2.3 sha256:…
# Tells digest=sha256:… of the chart in GITHUB_OUTPUT, or prints it; leaves ree-1.2.3.tgz.
set -euo pipefail
cd "$(dirname "$0")/../.."

version=${1:?usage: publish_chart.sh 1.2.3 sha256:…}
image=${2:?usage: publish_chart.sh 1.2.3 sha256:…}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# -L: what is a link into deploy/prometheus is a file in the package.
cp -RL deploy/helm "$scratch/ree"
if ! grep -qx "version: $version" "$scratch/ree/Chart.yaml"; then
    echo "Chart.yaml has another version than $version" >&2
    exit 1
fi
if [[ $(grep -c '^  digest: ""$' "$scratch/ree/values.yaml") != 1 ]]; then
    echo 'values.yaml is to have one line that is the digest of the image: digest: ""' >&2
    exit 1
fi
sed -i "s|^  digest: \"\"$|  digest: \"$image\"|" "$scratch/ree/values.yaml"
helm package "$scratch/ree" --destination .
# Who installs the package and sets nothing gets this image and no other.
if ! helm template ree "ree-$version.tgz" --values deploy/helm/values_kind.yaml | grep -qF "@$image"; then
    echo "ree-$version.tgz does not install the image $image" >&2
    exit 1
fi
helm push "ree-$version.tgz" oci://ghcr.io/ree-norway/charts 2>&1 | tee "$scratch/pushed"
digest=$(sed -n 's/^Digest: *//p' "$scratch/pushed")
if [[ $digest != sha256:* ]]; then
    echo "helm told no digest of what it pushed" >&2
    exit 1
fi
echo "digest=$digest" >>"${GITHUB_OUTPUT:-/dev/stdout}"
