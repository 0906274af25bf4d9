"""`python -m xinglin ...` in a fresh checkout, for a machine without make: installs into .venv, then runs the command there.

Once the package is installed `python -m xinglin` finds the package itself, not this file (a package with an __init__ wins).
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / ("Scripts" if os.name == "nt" else "bin")


def install() -> None:
    """Make .venv with the pinned, hashed packages and this project; nothing happens when it is there."""
    pins = [ROOT / "requirements" / name for name in ("build.txt", "run.txt")]
    done = ROOT / ".venv" / ".installed"
    if done.exists() and all(done.stat().st_mtime >= pin.stat().st_mtime for pin in pins):
        return
    subprocess.run([sys.executable, "-m", "venv", str(ROOT / ".venv")], check=True)
    pip = [str(BIN / "python"), "-m", "pip", "install", "--disable-pip-version-check", "-q"]
    for pin in pins:
        subprocess.run([*pip, "--require-hashes", "-r", str(pin)], check=True)
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", "-e", str(ROOT)], check=True)
    done.touch()


if sys.version_info < (3, 11):  # noqa: UP036 - this file alone is read by whatever Python stands on the machine
    sys.exit("Xinglin needs Python 3.11 or newer")
install()
sys.exit(subprocess.run([str(BIN / "xinglin"), *sys.argv[1:]], check=False).returncode)
