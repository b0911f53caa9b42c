#!/usr/bin/env bash
# May this tag be released? check_tag.sh v1.2.3: exit 0, or 1 with everything that speaks against it.
set -euo pipefail
cd "$(dirname "$0")/../.."

tag=${1:?usage: check_tag.sh v1.2.3}
if [[ ! $tag =~ ^v(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$ ]]; then
    echo "$tag is no tag of a release: expected v1.2.3" >&2
    exit 1
fi
version=${tag#v}
wrong=0

same() { # WHAT VALUE
    [[ $2 == "$version" ]] && return
    echo "$tag: $1 is ${2:-missing}, expected $version" >&2
    wrong=1
}
project() { sed -n '/^\[project\]$/,/^\[/ s/^version *= *"\(.*\)"$/\1/p' pyproject.toml; }
chart() { sed -n "s/^$1: *[\"']\{0,1\}\([^\"' ]*\).*/\1/p" deploy/helm/Chart.yaml; }

same "the version of pyproject.toml" "$(project)"
same "the version of deploy/helm/Chart.yaml" "$(chart version)"
same "the appVersion of deploy/helm/Chart.yaml" "$(chart appVersion)"
if ! grep -qE "^## \[${version//./\\.}\] - [0-9]{4}-[0-9]{2}-[0-9]{2}$" CHANGELOG.md; then
    echo "$tag: CHANGELOG.md has no line '## [$version] - YYYY-MM-DD'" >&2
    wrong=1
elif ! deploy/scripts/release_notes.sh "$version" >/dev/null; then
    wrong=1
fi
exit "$wrong"
