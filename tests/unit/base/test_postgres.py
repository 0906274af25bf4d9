"""The embedded server: its programs, copied to where its own user can run them, and the folder of its socket."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from xinglin.base.errors import UnavailableError
from xinglin.base.places import forget_socket_folder, open_data_folder, socket_folder
from xinglin.base.postgres import EmbeddedPostgres, open_to_all


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


def test_the_folder_of_sockets_goes_with_a_clean_stop_and_comes_with_the_next_start(tmp_path: Path) -> None:
    os.chmod(tmp_path, 0o711)
    server = EmbeddedPostgres(open_data_folder(tmp_path / "data"))
    for _ in range(2):
        server.start()
        sockets = Path(parse_qs(urlsplit(server.url).query)["host"][0])
        mine = socket_folder(server.data_dir)
        assert any(sockets.iterdir())
        server.stop()
        assert not sockets.exists() and not mine.exists()


def test_a_folder_in_which_a_socket_stands_is_left(tmp_path: Path) -> None:
    folder = socket_folder(tmp_path)
    (folder / "engine.sock").touch()
    forget_socket_folder(tmp_path)
    assert folder.exists()
    (folder / "engine.sock").unlink()
    forget_socket_folder(tmp_path)
    assert not folder.exists()


def test_a_first_start_cut_off_while_the_cluster_is_made_leaves_none(tmp_path: Path) -> None:
    os.chmod(tmp_path, 0o711)
    data = open_data_folder(tmp_path / "data")
    starting = "import sys; from pathlib import Path; from xinglin.base.postgres import EmbeddedPostgres; EmbeddedPostgres(Path(sys.argv[1])).start()"
    first = subprocess.Popen([sys.executable, "-c", starting, str(data)], stderr=subprocess.DEVNULL)
    while first.poll() is None and not any(data.glob("postgres/making*/PG_VERSION")):
        time.sleep(0.005)
    first.send_signal(signal.SIGINT)
    first.wait()
    server = EmbeddedPostgres(data)
    server.start()
    try:
        assert server.is_running() and not any(server.cluster.glob("making*"))
    finally:
        server.stop()


def test_a_cluster_is_made_on_another_disk_its_place_leads_to() -> None:
    with tempfile.TemporaryDirectory() as place:  # the server's own user can enter it, whoever runs the tests
        os.chmod(place, 0o711)
        data, cluster = open_data_folder(Path(place) / "data"), Path(place) / "cluster"
        cluster.mkdir()
        (data / "postgres").symlink_to(cluster)
        server = EmbeddedPostgres(data)
        server.start()
        try:
            assert server.is_running() and (cluster / "PG_VERSION").exists()
        finally:
            server.stop()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("creating subdirectories ... ok\ninitdb: error: could not write file: No space left on device\ninitdb: removing contents", "2 GB"),
        ("The files belong to x.\ninitdb: error: something else\ninitdb: removing contents", "initdb: error: something else"),
    ],
)
def test_a_program_of_the_server_that_fails_is_told_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, told: str
) -> None:
    os.chmod(tmp_path, 0o711)
    server = EmbeddedPostgres(open_data_folder(tmp_path / "data"))

    def fails(command: object, **more: Any) -> subprocess.CompletedProcess[str]:
        more["stdout"].write(said)
        return subprocess.CompletedProcess([], 1)

    monkeypatch.setattr(subprocess, "run", fails)
    with pytest.raises(UnavailableError) as refused:
        server.start()
    assert told in refused.value.zh and told in refused.value.en and "\n" not in refused.value.zh + refused.value.en
