"""The embedded server's programs, copied to where its own user can run them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from xinglin.base.postgres import open_to_all


def test_a_copy_made_under_a_closed_umask_opens_to_the_servers_user(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        programs = tmp_path / "pginstall" / "bin"
        programs.mkdir(parents=True)
        (programs / "postgres").write_text("#!/bin/sh\n")
        os.chmod(programs / "postgres", 0o700)
        (programs.parent / "share.txt").write_text("a time zone")
        (programs / "postmaster").symlink_to("postgres")
    finally:
        os.umask(before)
    open_to_all(tmp_path / "pginstall")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (programs.parent, programs, *programs.parent.rglob("*.txt"))}
    assert modes == {"pginstall": 0o755, "bin": 0o755, "share.txt": 0o644}
    assert stat.S_IMODE((programs / "postgres").stat().st_mode) == 0o755
