"""The processes of the installation."""

from __future__ import annotations

import os
import subprocess
import sys

from xinglin.base.processes import family


def test_a_process_and_what_it_started_are_listed_with_their_memory() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        found = {one.pid: one for one in family(os.getpid())}
        child.kill()
    assert child.pid in found
    assert (found[os.getpid()].memory or 0) > 1_000_000


def test_an_unknown_process_has_no_family() -> None:
    assert family(2**22 + 5) == []
