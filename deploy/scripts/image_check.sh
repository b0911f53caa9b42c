#!/usr/bin/env bash
# Build the image from the unchanged Dockerfile, and see that it is and does what deployments rely on: in a
# container of its own uid, on a read-only root, without capabilities or a network but its loopback.
# Needs root, buildah, crun, python3, and debootstrap where python:3.11-slim cannot be pulled.
# REE_IMAGE_CACHE: where the base and the layers are kept for the next run (~/.cache/ree-image).
set -euo pipefail
cd "$(dirname "$0")/../.."

((EUID == 0)) || { echo "image_check needs root: buildah mounts what it builds" >&2; exit 1; }

# What is mounted here is gone with this process, however it ends.
[[ -n ${IMAGE_CHECK_MOUNTS:-} ]] || IMAGE_CHECK_MOUNTS=own exec unshare --mount "$0" "$@"
# crun knows cgroups of one version only; a machine that mixes them shows none.
[[ $(stat -f -c %T /sys/fs/cgroup) == cgroup2fs ]] || mount -t cgroup2 none /sys/fs/cgroup

cache=${REE_IMAGE_CACHE:-$HOME/.cache/ree-image}
image=localhost/ree:check
scratch=$(mktemp -d)
container='' service=''
mkdir -p "$cache"
cat >"$scratch/storage.conf" <<END
[storage]
driver = "${STORAGE_DRIVER:-overlay}"
graphroot = "$cache/storage"
runroot = "$scratch/run"
END
export CONTAINERS_STORAGE_CONF=$scratch/storage.conf BUILDAH_ISOLATION=chroot
crun() { command crun --cgroup-manager=disabled "$@"; }

clean() {
    [[ -z $service ]] || crun delete --force "$service" || true
    [[ -z $container ]] || buildah rm "$container" >/dev/null || true
    rm -rf "$scratch"
}
trap clean EXIT

say() { printf '%4d s  %s\n' "$SECONDS" "$*"; }
fail() { echo "image_check: $*" >&2; exit 1; }
none() { # WHAT FOUND
    [[ -z $2 ]] || fail "$1: $(head -n 10 <<<"$2" | tr '\n' ' ')"
}

base=python:3.11-slim
if ! buildah inspect --type image "$base" >/dev/null 2>&1 &&
    ! buildah pull --quiet "docker.io/library/$base" >/dev/null 2>&1; then
    bash deploy/scripts/base_image.sh "$cache"
fi
case $(buildah inspect --type image --format '{{.Docker.Config.Labels}}' "$base") in
    *stand-in*) say "base: a stand-in for $base, from Debian's packages" ;;
    *) say "base: $base" ;;
esac

version=$(sed -n '/^\[project\]$/,/^\[/ s/^version *= *"\(.*\)"$/\1/p' pyproject.toml)
revision=0123456789abcdef # of no commit: buildah's cache does not look at it
# Docker's format: OCI's has no health check. The certificates: of a machine that has an authority of its own.
buildah bud --quiet --layers --pull-never --network host --format docker --file deploy/Dockerfile \
    --volume /etc/ssl/certs:/etc/ssl/certs:ro --build-arg "VERSION=$version" --build-arg "REVISION=$revision" \
    --tag "$image" . >"$scratch/build" 2>&1 || { tail -n 40 "$scratch/build" >&2; fail "it cannot be built"; }
say "built $version"

buildah inspect --type image "$image" >"$scratch/image.json"
python3 - "$scratch/image.json" "$version" "$revision" <<'PYTHON' || fail "its configuration is another"
import json, sys

_, path, version, revision = sys.argv
config = json.load(open(path))["Docker"]["config"]
label = {name.rpartition(".")[2]: value for name, value in config["Labels"].items() if ".image." in name}
assert label.pop("description") and label.pop("source").startswith("https://"), label
assert label == {"title": "ree", "version": version, "revision": revision, "licenses": "MIT"}, label
assert config["User"] == "10001:10001" and config["Cmd"] == ["ree", "serve"], config
assert not config.get("Entrypoint") and list(config["Volumes"]) == ["/data"], config
assert config["Healthcheck"]["Test"][0] == "CMD" and config["WorkingDir"] == "/tmp", config
PYTHON

container=$(buildah from --pull-never "$image")
root=$(buildah mount "$container")
none "what only builds or tests" "$(find "$root" -xdev \
    \( -path '*bin/*' \( -name 'gcc*' -o -name cc -o -name c++ -o -name ld -o -name make -o -name strip \
    -o -name 'pip*' -o -name 'pytest*' \) \) -o \
    \( -type d \( -name pip -o -name setuptools -o -name wheel -o -name pytest -o -name ensurepip \) \) \
    | sed "s,^$root,,")"
none "tests" "$(find "$root/opt" -type d -name tests -printf '/%P\n')"
none "caches" "$(find "$root"/root "$root"/tmp "$root"/var/lib/apt/lists "$root"/data -mindepth 1 \
    ! -name '.bashrc' ! -name '.profile' ! -name '.wget-hsts' -printf '/%P\n')"
none "what its user, or everybody, may write to" "$(find "$root" -xdev \( -user 10001 -o -group 10001 -o -perm /0002 \) \
    ! -type l ! -path "$root/tmp" ! -path "$root/data" ! -path "$root/dev/*" -printf '/%P\n')"
none "programs that become another user" "$(find "$root" -xdev -type f -perm /6000 -printf '/%P\n')"
none "modules without bytecode" "$(find "$root/opt/ree/lib" -name '*.py' -printf '%h/__pycache__/%f\n' |
    while read -r file; do [[ -f ${file%.py}.cpython-311.pyc ]] || echo "${file#"$root"}"; done)"
say "nothing that builds or tests, no cache, nothing to write to but /tmp and /data"

install -d -o 10001 -g 10001 -m 0750 "$scratch/data"
bundle() { # NAME [COMMAND...]
    mkdir "$scratch/$1"
    python3 deploy/scripts/bundle.py "$root" "$scratch/data" "${@:2}" <"$scratch/image.json" >"$scratch/$1/config.json"
}
runs() { # NAME COMMAND...
    bundle "$@"
    crun run --bundle "$scratch/$1" "ree-check-$$-$1" 2>&1 | tee "$scratch/$1.log"
}
inside() { crun exec --user 10001:10001 "$service" "$@"; }

[[ $(runs version ree --version) == *"$version"* ]] || fail "ree --version says another version"
none "what can be written to" \
    "$(runs writable sh -c 'find / -xdev -writable ! -path /tmp ! -path /data 2>/dev/null')"
runs user id | grep -q '^uid=10001(ree) gid=10001(ree) groups=10001(ree)$' || fail "it is another user"
runs demo ree demo --path /data >/dev/null || { tail -n 30 "$scratch/demo.log" >&2; fail "ree demo does not pass"; }
! grep -Eq 'Warning:|Read-only|Permission denied|Traceback' "$scratch/demo.log" || {
    cat "$scratch/demo.log" >&2
    fail "ree demo warns"
}
say "ree demo passes"

bundle serve
crun run --bundle "$scratch/serve" "ree-check-$$-serve" >"$scratch/serve.log" 2>&1 &
process=$!
service=ree-check-$$-serve
for _ in {1..60}; do
    inside python -c 'pass' 2>/dev/null && break
    sleep 0.2
done
inside python - http://127.0.0.1:8000 <deploy/helm/files/smoke.py || { cat "$scratch/serve.log" >&2; fail "it does not serve"; }
mapfile -t health < <(python3 -c 'import json, sys
print(*json.load(sys.stdin)["Docker"]["config"]["Healthcheck"]["Test"][1:], sep="\n")' <"$scratch/image.json")
inside "${health[@]}" || fail "the health check does not pass"
if inside env REE_PORT=1 "${health[@]}" 2>/dev/null; then fail "the health check passes without a service"; fi
before=$SECONDS
crun kill "$service" TERM
code=0
wait "$process" || code=$?
service=''
((code == 0)) || { cat "$scratch/serve.log" >&2; fail "SIGTERM ends it with $code"; }
say "ree serve answers, is healthy, and SIGTERM ends it with 0 within $((SECONDS - before + 1)) s"

packages=$root/opt/ree/lib/python3.11/site-packages
say "size: $(du -sm "$root" | cut -f1) MB, of which /opt/ree $(du -sm "$root/opt/ree" | cut -f1) MB;" \
    "the largest: $(cd "$packages" && du -sm -- * | sort -rn | head -n 8 | awk '{printf "%s%s %s", sep, $2, $1; sep=", "}')"
