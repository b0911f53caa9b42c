"""`python -m ree.entrypoints.cli` is `ree`."""

from . import main

main()
