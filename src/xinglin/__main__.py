"""`python -m xinglin` is the command `xinglin`."""

from xinglin.cli import main

main()
