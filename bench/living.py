"""A whole demonstration: loading it, its memory, a follow-up in it, its pages, a second start, a clean installation."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from bench.ground import AS_OF, data_folder, platform_of, run_async
from bench.house import House, served
from xinglin.assembly import Platform

REPOSITORY: Final = Path(__file__).resolve().parents[1]
Part = Callable[[Platform, House], Awaitable[dict[str, Any]]]


def demonstration(residents: int, *parts: Part) -> dict[str, Any]:
    """Return the figures of one demonstration: loading, memory, then each part, and a second start."""
    figures: dict[str, Any] = {"residents": residents}
    told: dict[str, Any] = {}

    async def follow(house: House) -> None:
        async with platform_of(house.settings) as platform:
            figures["loaded_s"] = round(await house.loaded(platform), 1)
            figures["current_s"] = round(await house.current(platform), 1)
            figures["cpu_s"] = house.cpu_s()
            time.sleep(3)
            figures["pss_mb"] = house.memory_mb()
            for part in parts:
                told.update(await part(platform, house))
            figures["pss_mb_after"] = house.memory_mb()

    with data_folder() as data_dir:
        with served(data_dir, ["demo", "--residents", str(residents), "--as-of", AS_OF.isoformat()]) as house:
            figures["first_page_s"] = round(house.first_page(), 1)
            run_async(follow(house))
        with served(data_dir, ["serve"]) as house:
            figures["second_start_s"] = round(house.first_page(), 2)
    return {**told, "demonstration": figures}


def installation() -> dict[str, Any]:
    """Return seconds from a clean clone to the first page, packages coming from the cache of pip."""
    if os.environ.get("XINGLIN_BENCH_SKIP_INSTALL"):
        return {"install_s": None, "install_reason": "XINGLIN_BENCH_SKIP_INSTALL is set"}
    if shutil.which("git") is None or not (REPOSITORY / ".git").exists():
        return {"install_s": None, "install_reason": "not a git checkout"}
    with tempfile.TemporaryDirectory(prefix="xinglin-install-", ignore_cleanup_errors=True) as folder, data_folder() as data_dir:
        clone = Path(folder) / "xinglin"
        began = time.perf_counter()
        subprocess.run(["git", "clone", "-q", str(REPOSITORY), str(clone)], check=True)
        subprocess.run(["make", "-s", "install"], cwd=clone, check=True, stdout=subprocess.DEVNULL)
        installed = time.perf_counter() - began
        with served(data_dir, ["serve"], clone / ".venv" / "bin" / "python") as house:
            house.first_page()
        return {"install_s": round(time.perf_counter() - began, 1), "install": {"make_install_s": round(installed, 1)}}
