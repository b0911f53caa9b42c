#!/usr/bin/env bash
# What CHANGELOG.md tells of a version, as Markdown, and how to verify what was published of it.
# release_notes.sh 1.2.3 [IMAGE@DIGEST CHART@DIGEST]
set -euo pipefail
cd "$(dirname "$0")/../.."

version=${1:?usage: release_notes.sh 1.2.3 [IMAGE@DIGEST CHART@DIGEST]}
section=$(awk -v heading="## [$version]" '
    /^## / { inside = index($0, heading) == 1; next }
    inside { print }
' CHANGELOG.md)
if [[ ! $section =~ [^[:space:]] ]]; then
    echo "CHANGELOG.md tells nothing of $version" >&2
    exit 1
fi
sed '/./,$!d' <<<"$section"
(($# == 3)) || exit 0

who="https://github.com/${GITHUB_REPOSITORY:-ree-norway/ree}/.github/workflows/release.yml@refs/tags/v$version"
cat <<END

### Artifacts

| | |
|---|---|
| image | \`$2\` |
| chart | \`oci://$3\` |

Both are signed without a key, by this repository's release workflow; provenance and bill of materials are
attached to the image.

\`\`\`sh
cosign verify $2 \\
  --certificate-oidc-issuer https://token.actions.githubusercontent.com \\
  --certificate-identity $who
gh attestation verify oci://$2 --repo ${GITHUB_REPOSITORY:-ree-norway/ree}
\`\`\`
END
