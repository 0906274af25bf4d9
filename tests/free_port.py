"""A port for a server that another process starts: asked for and used a moment later, with other tests at work beside."""

from __future__ import annotations

import os
import socket
from random import Random

# Below the ports a system gives to connections and to who asks for any (Linux: from 32768), so that none of those takes it meanwhile.
FIRST, LAST = 20_000, 31_999
_chance = Random(os.getpid())


def free_port() -> int:
    """Return a port of this machine nobody listens on."""
    for port in (_chance.randint(FIRST, LAST) for _ in range(200)):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no port is free")
