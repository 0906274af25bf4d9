"""Keyed 64-bit hashes of what a resource can be found by."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

from xinglin.base.errors import FaultError

_CACHE_LIMIT: Final = 65_536
_LEAST_SECRET_BYTES: Final = 16


class Tokens:
    """Hashes with the secret of the installation, so that an index tells nothing to who has only the index.

    bits: how many bits of a hash are kept; fewer than 64 is for tests of collisions.
    """

    def __init__(self, secret: bytes, *, bits: int = 64) -> None:
        if len(secret) < _LEAST_SECRET_BYTES:
            raise FaultError("安装密钥太短，至少 16 字节", "the installation's secret is too short; give at least 16 bytes")
        self._key = secret[:64]
        self._mask = (1 << bits) - 1
        self._known: dict[str, int] = {}
        self._groups: dict[tuple[str, str, str | None, str | None], tuple[int, ...]] = {}

    def of(self, text: str) -> int:
        """Return the hash of a text as a signed 64-bit integer."""
        found = self._known.get(text)
        if found is not None:
            return found
        digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8, key=self._key).digest()
        value = int.from_bytes(digest, "big", signed=True) & self._mask
        if value >= 1 << 63:
            value -= 1 << 64
        if len(self._known) >= _CACHE_LIMIT:
            self._known.clear()
        self._known[text] = value
        return value

    def present(self, rtype: str, param: str) -> int:
        """Return the token of "this parameter has a value" (`:missing`)."""
        return self.of(f"{rtype}\x1f{param}\x1fp")

    def group(self, rtype: str, param: str, system: str | None, code: str | None) -> tuple[int, ...]:
        """Return every token of a value with a system, a code or both: the parameter is present, the code, the system, the pair.

        param: may carry a modifier (`identifier:of-type`).
        """
        key = (rtype, param, system, code)
        found = self._groups.get(key)
        if found is None:
            made = [self.present(rtype, param.partition(":")[0])]
            if code is not None:
                made += [self.coded(rtype, param, system or "", code), self.code(rtype, param, code)]
            if system is not None:
                made.append(self.system(rtype, param, system))
            if len(self._groups) >= _CACHE_LIMIT:
                self._groups.clear()
            found = self._groups[key] = tuple(made)
        return found

    def coded(self, rtype: str, param: str, system: str, code: str) -> int:
        """Return the token of a system and a code; system "" is a code that has none."""
        return self.of(f"{rtype}\x1f{param}\x1fc{system}\x1f{code}")

    def code(self, rtype: str, param: str, code: str) -> int:
        """Return the token of a code whatever its system."""
        return self.of(f"{rtype}\x1f{param}\x1fa{code}")

    def system(self, rtype: str, param: str, system: str) -> int:
        """Return the token of a system whatever the code."""
        return self.of(f"{rtype}\x1f{param}\x1fs{system}")

    def reference(self, rtype: str, param: str, target: str) -> int:
        """Return the token of a reference: `Type/id` or an absolute address."""
        return self.of(f"{rtype}\x1f{param}\x1fr{target}")

    def uri(self, rtype: str, param: str, uri: str) -> int:
        """Return the token of a URI."""
        return self.of(f"{rtype}\x1f{param}\x1fu{uri}")

    def exact(self, rtype: str, param: str, text: str) -> int:
        """Return the token of a string exactly as written."""
        return self.of(f"{rtype}\x1f{param}\x1fx{text}")

    def unit(self, system: str, code: str) -> int:
        """Return the token of a unit's system and code."""
        return self.of(f"unit\x1f{system}\x1f{code}")

    def unit_code(self, code: str) -> int:
        """Return the token of a unit's code, or of its text, alone."""
        return self.of(f"unit\x1f{code}")
