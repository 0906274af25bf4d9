"""Ctrl-C ends a command quietly whenever it comes."""

from __future__ import annotations

import subprocess
import sys

# The first import of the command's parts is interrupted, as a person does who changes his mind at once.
INTERRUPTED = """
import sys
class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == "typer":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupt())
sys.argv = ["xinglin", "check"]
import runpy
if {as_module}:
    runpy.run_module("xinglin", run_name="__main__")
else:
    from xinglin.__main__ import main
    main()
"""


def ended(*, as_module: bool) -> tuple[int, str]:
    done = subprocess.run([sys.executable, "-c", INTERRUPTED.format(as_module=as_module)], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_command_interrupted_while_it_is_being_read_says_nothing() -> None:
    assert ended(as_module=True) == (130, "")
    assert ended(as_module=False) == (130, "")
