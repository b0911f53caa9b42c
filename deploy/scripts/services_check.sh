#!/usr/bin/env bash
# Retrain through a worker on a broker and an object store that run already, serve the model, value a home.
# REE_S3_ENDPOINT, REE_S3_ACCESS_KEY, REE_S3_SECRET_KEY, REE_CELERY_BROKER_URL: where they are.
# Its buckets are new ones; ree is that of .venv.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${REE_S3_ENDPOINT:?}" "${REE_S3_ACCESS_KEY:?}" "${REE_S3_SECRET_KEY:?}" "${REE_CELERY_BROKER_URL:?}"

bin=$PWD/.venv/bin
scratch=$(mktemp -d)
started=()
end() {
    local code=$?
    ((${#started[@]} == 0)) || kill "${started[@]}" 2>/dev/null || true
    wait || true
    ((code == 0)) || tail -n 40 "$scratch"/*.log >&2
    rm -rf "$scratch"
}
trap end EXIT
start() { # NAME COMMAND...
    local name=$1
    shift
    "$@" >"$scratch/$name.log" 2>&1 &
    started+=($!)
}
until_it_does() { # SECONDS COMMAND...
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < end)) || {
            echo "not in time: $*" >&2
            return 1
        }
        sleep 1
    done
}
free_port() { "$bin/python" -c 'import socket
with socket.create_server(("127.0.0.1", 0)) as listener: print(listener.getsockname()[1])'; }

market=$(free_port)
api=$(free_port)
suffix=$(openssl rand -hex 4)
export REE_STORAGE=s3 REE_S3_BUCKET_MODELS=ree-models-$suffix REE_S3_BUCKET_SNAPSHOTS=ree-snapshots-$suffix
export REE_API_BASE_URL=http://127.0.0.1:$market REE_MODEL_REFRESH_SECONDS=1
REE_SIGNING_KEY='' REE_VERIFY_KEYS=''
eval "$("$bin/ree" keys generate 2>/dev/null)"
export REE_SIGNING_KEY REE_VERIFY_KEYS
# .env of the checkout is for other things.
cd "$scratch"

echo "buckets"
"$bin/python" - <<'END'
import os

import boto3

client = boto3.client(
    "s3",
    endpoint_url=os.environ["REE_S3_ENDPOINT"],
    region_name="us-east-1",
    aws_access_key_id=os.environ["REE_S3_ACCESS_KEY"],
    aws_secret_access_key=os.environ["REE_S3_SECRET_KEY"],
)
for name in ("MODELS", "SNAPSHOTS"):
    client.create_bucket(Bucket=os.environ[f"REE_S3_BUCKET_{name}"])
END

echo "retrain through a worker"
start market "$bin/ree" sandbox serve --port "$market"
start worker "$bin/celery" -A ree.entrypoints.worker worker --without-gossip --without-mingle \
    --without-heartbeat -c 1
until_it_does 60 grep -q worker_ready "$scratch/worker.log"
"$bin/celery" -A ree.entrypoints.worker call ree.retrain_range \
    --args '["2025-07-01", "2025-12-31", true, "fast"]' >/dev/null
until_it_does 300 "$bin/ree" models show

echo "serve"
start api "$bin/ree" serve --port "$api" --workers 1
"$bin/python" "$OLDPWD/deploy/helm/files/smoke.py" "http://127.0.0.1:$api"
