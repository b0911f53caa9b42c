#!/usr/bin/env bash
# Sign what was pushed, as the workflow that runs here, and look whether others would believe it.
# sign.sh NAME@sha256:…
set -euo pipefail

what=${1:?usage: sign.sh NAME@sha256:…}
if [[ ! $what =~ @sha256:[0-9a-f]{64}$ ]]; then
    echo "$what names no digest: a tag may be another thing by now" >&2
    exit 1
fi
cosign sign --yes "$what"
cosign verify "$what" --certificate-oidc-issuer https://token.actions.githubusercontent.com \
    --certificate-identity "${GITHUB_SERVER_URL:?is set by GitHub}/${GITHUB_WORKFLOW_REF:?is set by GitHub}" \
    >/dev/null
