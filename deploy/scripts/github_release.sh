#!/usr/bin/env bash
# Make the release of a tag on GitHub, or complete one that is there: github_release.sh v1.2.3 NOTES FILE...
set -euo pipefail

tag=${1:?usage: github_release.sh v1.2.3 NOTES FILE...}
notes=${2:?usage: github_release.sh v1.2.3 NOTES FILE...}
shift 2
if gh release view "$tag" >/dev/null 2>&1; then
    gh release edit "$tag" --notes-file "$notes"
    gh release upload "$tag" "$@" --clobber
else
    gh release create "$tag" --verify-tag --title "ree ${tag#v}" --notes-file "$notes" "$@"
fi
