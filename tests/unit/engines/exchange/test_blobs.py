"""The folder of large messages: whole files under their digest, and nothing left of what was not finished."""

from __future__ import annotations

import os
import time
from hashlib import sha256
from pathlib import Path

import pytest

from xinglin.base.errors import NotFoundError
from xinglin.engines.exchange import Blobs

CONTENT = b"a large message"
DIGEST = sha256(CONTENT).digest()
LONG_AGO = time.time() - 7200


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def age(path: Path) -> None:
    os.utime(path, (LONG_AGO, LONG_AGO))


def test_what_a_killed_process_did_not_finish_is_removed_and_the_rest_stays(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    blobs.put(DIGEST, CONTENT)
    [whole] = files(tmp_path)
    left, fresh = (whole.with_name(f"{whole.name}.{number}") for number in (4_000_001, 4_000_002))
    for partial in (left, fresh):
        partial.write_bytes(CONTENT[:5])
    for path in (whole, left):
        age(path)
    assert blobs.forget_partial() == 1
    assert sorted(files(tmp_path)) == sorted([whole, fresh]), "another process may still be writing"
    assert blobs.get(DIGEST) == CONTENT


def test_what_is_sent_again_after_an_erasure_is_kept_whole(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    blobs.put(DIGEST, CONTENT)
    blobs.replace(DIGEST, b"a message")
    assert blobs.get(DIGEST) == b"a message"
    blobs.put(DIGEST, CONTENT)
    assert blobs.get(DIGEST) == CONTENT


def test_a_file_is_forgotten_only_when_nobody_put_it_lately(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    blobs.put(DIGEST, CONTENT)
    assert list(blobs.digests()) == [DIGEST]
    assert not blobs.forget(DIGEST)
    age(files(tmp_path)[0])
    blobs.put(DIGEST, CONTENT)
    assert not blobs.forget(DIGEST), "put again a moment ago"
    age(files(tmp_path)[0])
    assert blobs.forget(DIGEST) and not blobs.forget(DIGEST)
    assert files(tmp_path) == []
    with pytest.raises(NotFoundError):
        blobs.get(DIGEST)
