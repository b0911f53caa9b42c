#!/usr/bin/env bash
# The lines of ree-secrets for a cluster of one's own, each time with fresh keys: env_kind.sh > .env.kind
# env_kind.sh [RELEASE]: the name that Helm is told (ree). Keys are made by .venv or, without one, by the image.
set -euo pipefail
cd "$(dirname "$0")/../.."

release=${1:-ree}
[[ $release =~ ^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$ ]] || {
    echo "$release is no name of a release: small letters, digits and -, begun by a letter, 40 at most." >&2
    exit 2
}
said=$(mktemp)
trap 'rm "$said"' EXIT
keys() { # COMMAND...: what it says is of use only if it fails
    "$@" 2>"$said" || {
        cat "$said" >&2
        echo "No keys were made; what was printed is of no use." >&2
        return 1
    }
}
random() { openssl rand -hex "$1"; }

if [[ -x .venv/bin/ree ]]; then
    pair=$(keys .venv/bin/ree keys generate)
else
    version=$(sed -n '/^\[project\]$/,/^\[/ s/^version *= *"\(.*\)"$/\1/p' pyproject.toml)
    pair=$(keys docker run --rm --network none "ghcr.io/ree-norway/ree:$version" ree keys generate)
fi
writer=$(random 10) writer_secret=$(random 24)
reader=$(random 10) reader_secret=$(random 24)
password=$(random 24)

identity() { # NAME KEY SECRET ACTIONS
    printf '{"name":"%s","credentials":[{"accessKey":"%s","secretKey":"%s"}],"actions":[%s]}' "$@"
}

cat <<END
$pair
REE_S3_ACCESS_KEY=$writer
REE_S3_SECRET_KEY=$writer_secret
S3_READER_ACCESS_KEY=$reader
S3_READER_SECRET_KEY=$reader_secret
S3_IDENTITIES={"identities":[$(
    identity writer "$writer" "$writer_secret" '"Admin","Read","Write","List","Tagging"'
),$(identity reader "$reader" "$reader_secret" '"Read","List"')]}
RABBITMQ_PASSWORD=$password
REE_CELERY_BROKER_URL=amqp://ree:$password@$release-rabbitmq:5672/
END
