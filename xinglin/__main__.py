"""`python -m xinglin ...` in a fresh checkout, for a machine without make: installs into .venv, then becomes the command there.

Once the package is installed `python -m xinglin` finds the package itself, not this file (a package with an __init__ wins).
Read by whatever Python stands on the machine, so nothing here is newer than Python 3.6.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
TOO_OLD = "需要 Python 3.11 或更新，现在是 {0}：请用 python3.11 -m xinglin ... · Python 3.11 or newer is needed, this is {0}: run python3.11 -m xinglin ..."
INSTALLING = "首次运行，安装到 .venv（几分钟，只此一次） · first run: installing into .venv (some minutes, once)"
NO_VENV = "无法建立 .venv，原因见上（Debian、Ubuntu：apt install python3-venv） · .venv could not be made, see above (Debian, Ubuntu: apt install python3-venv)"
NO_INSTALL = "安装没有完成，原因见上（常见：连不上软件包仓库、磁盘已满）；排除后再运行同一条命令 · the installation did not finish, see above (often: the package registry cannot be reached, the disk is full); then run the same command again"


def run(command, otherwise):
    """Run a command; leave with the words of `otherwise` when it fails."""
    if subprocess.run(command, check=False).returncode != 0:
        sys.exit("\nxinglin: " + "\n         ".join(otherwise.split(" · ")))


def install():
    """Make .venv with the pinned, hashed packages and this project; nothing happens when it is there."""
    pins = [ROOT / "requirements" / name for name in ("build.txt", "run.txt")]
    done = ROOT / ".venv" / ".installed"
    if done.exists() and all(done.stat().st_mtime >= pin.stat().st_mtime for pin in pins):
        return
    sys.stderr.write(INSTALLING + "\n")
    sys.stderr.flush()
    run([sys.executable, "-m", "venv", str(ROOT / ".venv")], NO_VENV)
    pip = [str(BIN / "python"), "-m", "pip", "install", "--disable-pip-version-check", "-q"]
    for pin in pins:
        run([*pip, "--require-hashes", "-r", str(pin)], NO_INSTALL)
    run([*pip, "--no-deps", "--no-build-isolation", "-e", str(ROOT)], NO_INSTALL)
    done.touch()


def main():
    """Install when needed and become `xinglin` with the words given."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this file alone is read by whatever Python stands on the machine
        sys.exit("xinglin: " + "\n         ".join(TOO_OLD.format(sys.version.split()[0]).split(" · ")))
    try:
        install()
    except KeyboardInterrupt:
        sys.exit(130)
    os.execv(str(BIN / "xinglin"), [str(BIN / "xinglin"), *sys.argv[1:]])


if __name__ == "__main__":
    main()
