#!/usr/bin/env bash
# Remove from a virtual environment what nothing in it needs once everything is installed, then compile the rest.
# slim.sh VENV. What is left out is told apart by kind; image_check.sh sees that the whole path still runs.
set -euo pipefail

cd "$1"/lib/python3.*/site-packages
before=$(du -sm . | cut -f1)

# What installs.
rm -rf pip pip-* setuptools setuptools-* wheel wheel-* pkg_resources _distutils_hack distutils-precedence.pth
rm -f "$1"/bin/{pip*,wheel,activate*,Activate.ps1}

# Tests, samples, and what extensions are compiled from and with.
find . -type d \( -name tests -o -path ./joblib/test -o -path '*/mpl-data/sample_data' \) -prune -exec rm -rf {} +
rm -rf pyarrow/{include,src} pyarrow/_pyarrow_cpp_tests* numpy/_core/include
find . -type f \( -name '*.a' -o -name '*.c' -o -name '*.cpp' -o -name '*.h' -o -name '*.pxd' -o -name '*.pxi' \
    -o -name '*.pyx' \) -delete

# Parts that pyarrow does without where they are not built: S3 is boto3's here, and nothing speaks Flight.
rm -f pyarrow/{_flight,_s3fs}.* pyarrow/{libarrow_flight,libarrow_python_flight,libarrow_s3}.*
# Names that only a linker looks for; a wheel cannot hold links, so each is a copy.
rm -f pyarrow/libarrow_python*.so pyarrow/libarrow_python*.so.*.*.*

# boto3 knows 400 services: S3, and those that credentials come from.
find botocore/data boto3/data -mindepth 1 -maxdepth 1 -type d \
    ! -name s3 ! -name sts ! -name sso ! -name sso-oidc ! -name signin -exec rm -rf {} +

# Symbols for debuggers. Libraries in *.libs were patched once when their wheel was made, and stay as they are.
find . -name '*.so*' -type f ! -path './*.libs/*' -exec strip --strip-unneeded {} +

# By hash and unchecked: copying into an image may change the times that it would be compared by.
python -m compileall -q --invalidation-mode unchecked-hash .
printf 'site-packages: %s MB, %s MB before\n' "$(du -sm . | cut -f1)" "$before"
