#!/usr/bin/env bash
# Bring a chart to the cluster, test it, and put the version before back if that fails.
# rollout.sh CHART [options of helm, as -f deploy/helm/values_gke.yaml]
# IMAGE_DIGEST: sha256:… of the image. REE_RELEASE, REE_NAMESPACE: names (ree). REE_TIMEOUT: of each step (10m);
# TRAINING_TIMEOUT: of the first training (45m; a federated token lasts an hour).
# The Secret ree-secrets is there before (secrets.sh). The first installation has no model to serve and nothing
# to go back to: it trains one instead.
set -euo pipefail

chart=${1:?usage: rollout.sh CHART [options of helm]}
shift
digest=${IMAGE_DIGEST:?is to be set: sha256:… of the image}
if [[ ! $digest =~ ^sha256:[0-9a-f]{64}$ ]]; then
    echo "IMAGE_DIGEST is '$digest', expected sha256: and 64 hexadecimal digits" >&2
    exit 1
fi
release=${REE_RELEASE:-ree}
namespace=${REE_NAMESPACE:-ree}
timeout=${REE_TIMEOUT:-10m}
training=$release-training-first
# There while the first installation is not finished, however often it takes.
waiting=$release-awaits-model

k() { kubectl --namespace "$namespace" "$@"; }
upgrade() {
    # Pods read the Secret when they start: another one of it starts them anew.
    local secret
    secret=$(k get secret ree-secrets --output 'jsonpath={.metadata.resourceVersion}') || return 1
    helm upgrade --install "$release" "$chart" --namespace "$namespace" --timeout "$timeout" \
        --set-string "image.digest=$digest" --set-string "secretsRevision=$secret" "$@"
}
tested() { helm test "$release" --namespace "$namespace" --timeout "$timeout" --logs; }
is_there() { [[ -n $(k get "$@" --ignore-not-found --output name) ]]; }

# A cluster that does not answer is no reason to take a release for missing.
revisions() {
    local said
    said=$(mktemp)
    if helm history "$release" --namespace "$namespace" --output json 2>"$said"; then
        rm "$said"
    elif grep -q "release: not found" "$said"; then
        rm "$said"
        echo "[]"
    else
        cat "$said" >&2
        rm "$said"
        return 1
    fi
}
# The one that is deployed; where a rollback failed, or was cut short, none is: then the last one that was.
deployed() {
    python3 -c 'import json, sys
known = json.load(sys.stdin)
for status in "deployed", "superseded":
    if found := [each["revision"] for each in known if each["status"] == status]:
        print(found[-1])
        break'
}

last() {
    python3 -c 'import json, sys
print(*[each["status"] for each in json.load(sys.stdin)][-1:])'
}
# What was cut short while helm was at it: helm would take it for still going on. One rollout at a time is the
# workflow's affair.
settle() {
    [[ $(last <<<"$known") == pending-* ]] || return 0
    if [[ -n $before ]]; then
        echo "A rollout was cut short: revision $before first" >&2
        helm rollback "$release" "$before" --namespace "$namespace" --wait --timeout "$timeout"
    else
        echo "A first installation was cut short: it is begun again" >&2
        helm uninstall "$release" --namespace "$namespace" --wait --timeout "$timeout"
    fi
}

train() {
    k delete job "$training" --ignore-not-found --wait || return 1
    k create job "$training" --from="cronjob/$release-training" || return 1
    # kubectl waits for one of the two: whichever comes first ends the waiting.
    local until=(kubectl --namespace "$namespace" wait "job/$training" --timeout "${TRAINING_TIMEOUT:-45m}")
    "${until[@]}" --for=condition=Complete &
    local complete=$!
    "${until[@]}" --for=condition=Failed >/dev/null 2>&1 &
    local failed=$!
    wait -n "$complete" "$failed" || wait -n "$complete" "$failed" || true
    kill "$complete" "$failed" 2>/dev/null || true
    [[ $(k get job "$training" --output 'jsonpath={.status.succeeded}') == 1 ]]
}

first() {
    echo "$release has no model yet: installing, then training the first one"
    is_there configmap "$waiting" || k create configmap "$waiting" || return 1
    upgrade "$@" || return 1
    train || {
        k logs "job/$training" --tail 50 >&2 || true
        return 1
    }
    # Not `rollout status`: the pods waited for the model longer than a deployment may take.
    k wait --for=condition=Available --timeout "$timeout" "deployment/$release-api" || return 1
    tested && k delete configmap "$waiting"
}

known=$(revisions)
before=$(deployed <<<"$known")
settle
if [[ $known == "[]" ]] || is_there configmap "$waiting"; then
    if first "$@"; then
        echo "$release is installed, and its first model is served"
        exit 0
    fi
    cat >&2 <<END
The first installation of $release is not finished, and nothing was undone. See
    kubectl -n $namespace get pods
    kubectl -n $namespace logs job/$training
mend what is told there, and run this again.
END
    exit 1
fi

atomic=--atomic
[[ $(helm version --template '{{.Version}}') == v3.* ]] || atomic=--rollback-on-failure
if ! upgrade "$atomic" "$@"; then
    echo "The upgrade failed. Unless helm tells otherwise above, revision ${before:-(none)} is back." >&2
    exit 1
fi
if ! tested; then
    if [[ -z $before ]]; then
        echo "The tests failed, and there is no revision to go back to. $release stays as it is." >&2
        exit 1
    fi
    echo "The tests failed: going back to revision $before." >&2
    helm rollback "$release" "$before" --namespace "$namespace" --wait --timeout "$timeout"
    exit 1
fi
echo "$release is upgraded and tested"
