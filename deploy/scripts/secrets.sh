#!/usr/bin/env bash
# Write the Secret ree-secrets from the environment. A name that is empty or not set is left out, and is gone
# from the Secret afterwards. No value is an argument of a program, is printed, or is kept in an annotation.
# REE_NAMESPACE: where (ree).
set -euo pipefail
set +x

namespace=${REE_NAMESPACE:-ree}
needed=(REE_SIGNING_KEY REE_VERIFY_KEYS REE_S3_ACCESS_KEY REE_S3_SECRET_KEY
    S3_READER_ACCESS_KEY S3_READER_SECRET_KEY)
optional=(REE_API_KEY REE_CLIENT_KEYS TEST_CLIENT_KEY REE_CELERY_BROKER_URL RABBITMQ_PASSWORD S3_IDENTITIES)

wrong=0
for name in "${needed[@]}"; do
    [[ -n ${!name:-} ]] && continue
    echo "$name is not set" >&2
    wrong=1
done
for name in "${needed[@]}" "${optional[@]}"; do
    [[ ${!name:-} != *$'\n'* ]] && continue
    echo "$name has more than one line" >&2
    wrong=1
done
((wrong == 0)) || exit 1

lines() {
    local name
    for name in "${needed[@]}" "${optional[@]}"; do
        [[ -z ${!name:-} ]] || printf '%s=%s\n' "$name" "${!name}"
    done
}

there=$(kubectl get namespace "$namespace" --ignore-not-found --output name)
[[ -n $there ]] || kubectl create namespace "$namespace"
# On the server's side: the other way would repeat the values in an annotation, and keep what is left out.
kubectl create secret generic ree-secrets --namespace "$namespace" --from-env-file=<(lines) \
    --dry-run=client --output yaml |
    kubectl apply --namespace "$namespace" --server-side --force-conflicts --field-manager=ree-release \
        --filename -
