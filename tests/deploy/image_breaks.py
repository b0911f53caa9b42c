"""What may go wrong with the image and the scripts, and what `make deploy-check` then says."""

from .breaks import Break

BREAKS = {
    "Dockerfile: no version of a package": Break(
        "image", "deploy/Dockerfile", "binutils=2.*", "binutils", "DL3008"
    ),
    "Dockerfile: no instruction": Break(
        "image", "deploy/Dockerfile", "USER 10001", "USR 1", "unexpected 'U'", True
    ),
    "script: a word that splits": Break(
        "image", "deploy/scripts/check_tag.sh", "set -euo pipefail", "rm $1", "SC2086"
    ),
    "Dockerfile: nobody sees whether it lives": Break(
        "image",
        "deploy/Dockerfile",
        "HEALTHCHECK --interval=15s",
        "LABEL a=b #",
        "no HEALTHCHECK",
        True,
    ),
    "Dockerfile: a base of no version": Break(
        "image",
        "deploy/Dockerfile",
        "ARG PYTHON_IMAGE=python:3.11-slim",
        "ARG PYTHON_IMAGE=python:latest",
        "begins from no Python of a version that ree is for",
    ),
    "Dockerfile: a secret": Break(
        "image",
        "deploy/Dockerfile",
        "USER 10001:10001",
        "ENV REE_SIGNING_KEY=abc\nUSER 10001:10001",
        "puts a secret into the image",
    ),
    "script: no script": Break("image", ".ci/packages", "for name in", "for in", "SC1"),
    "Dockerfile: root": Break(
        "image", "deploy/Dockerfile", "USER 10001:10001\n", "", "has not the chart's user", True
    ),
    "Dockerfile: somebody else": Break(
        "image",
        "deploy/Dockerfile",
        "useradd --uid 10001",
        "useradd --uid 10002",
        "has not a user of the chart's number",
    ),
    "Dockerfile: nobody else may ask": Break(
        "image",
        "deploy/Dockerfile",
        "REE_HOST=0.0.0.0",
        "REE_HOST=127.0.0.1",
        "has not an address that others can reach",
    ),
    "Dockerfile: no program": Break(
        "image",
        "deploy/Dockerfile",
        "COPY --from=application /application/opt/ree /opt/ree\n",
        "",
        "has not the program",
    ),
    "Dockerfile: a tool": Break(
        "image",
        "deploy/Dockerfile",
        "    && install -d -o ree",
        "    && apt-get install -y gcc \\\n    && install -d -o ree",
        "the image is installed into",
    ),
    "Dockerfile: a command of its own": Break(
        "image",
        "deploy/Dockerfile",
        "EXPOSE 8000\n",
        'EXPOSE 8000\nENTRYPOINT ["ree"]\n',
        "has an ENTRYPOINT",
    ),
    "Dockerfile: no hashes": Break(
        "image",
        "deploy/Dockerfile",
        "--require-hashes --no-build-isolation",
        "--no-build-isolation",
        "installs requirements without their hashes",
    ),
    "Dockerfile: what is not there": Break(
        "image", "deploy/Dockerfile", "COPY src src", "COPY srcs srcs", "copies srcs, which is not"
    ),
    "Dockerfile: no volume": Break(
        "image", "deploy/Dockerfile", "VOLUME /data\n", "", "has not the volume /data"
    ),
    "Dockerfile: another command": Break(
        "image", "deploy/Dockerfile", '["ree", "serve"]', '["ree"]', "has not the command ree serve"
    ),
    "Dockerfile: asked something else": Break(
        "image", "deploy/Dockerfile", "/health\\", "/helth\\", "has not a health check"
    ),
    "Dockerfile: not slim": Break(
        "image",
        "deploy/Dockerfile",
        "COPY --from=slim",
        "COPY --from=dependencies",
        "were not made slim",
    ),
    "Dockerfile: no setting": Break(
        "image", "deploy/Dockerfile", "REE_HOST=", "REE_HOSTNAME=", "REE_HOSTNAME, which is not"
    ),
    "script: a shell that tells": Break(
        "image",
        "deploy/scripts/secrets.sh",
        "set +x\n",
        "set -x\n",
        "deploy/scripts/secrets.sh prints its environment, or each command",
    ),
}
