#!/usr/bin/env bash
# Where no registry is reached: make a stand-in for python:3.11-slim, under that name, from Debian's packages.
# base_image.sh CACHE. Debian's own Python 3.11 is where the official image has its own: on the path in
# /usr/local/bin, with ensurepip's wheels in the standard library, which is all that the Dockerfile relies on.
set -euo pipefail

rootfs=$1/bookworm-python.tar
name=docker.io/library/python:3.11-slim
if [[ ! -f $rootfs ]]; then
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    debootstrap --variant=minbase --include=ca-certificates,python3,python3-venv bookworm "$scratch/root" \
        >"$scratch/log" || { tail -n 20 "$scratch/log" >&2; exit 1; }
    cd "$scratch/root"
    rm -rf var/cache/apt/* var/lib/apt/lists/* var/log/* usr/share/{doc,info,locale,man}/*
    mv usr/share/python-wheels usr/lib/python3.11/ensurepip/_bundled
    ln -s ../lib/python3.11/ensurepip/_bundled usr/share/python-wheels
    for program in python python3 python3.11; do
        ln -s /usr/bin/python3.11 "usr/local/bin/$program"
    done
    mkdir -p "$1"
    tar --create --file "$rootfs.new" .
    mv "$rootfs.new" "$rootfs"
fi
container=$(buildah from scratch)
buildah add --quiet "$container" "$rootfs" / >/dev/null
buildah config --env PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin --env LANG=C.UTF-8 \
    --cmd python3 --label ree.stand-in=bookworm "$container"
buildah commit --quiet --rm "$container" "$name" >/dev/null
