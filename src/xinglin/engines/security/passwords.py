"""Passwords: the rules, the hash, and first passwords that must be changed."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from xinglin.base.errors import IncorrectError

LONGEST: Final = 256
_FIRST_ALPHABET: Final = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """What a password must be.

    least: characters.  classes: how many of capital letter, small letter, digit, other.  remembered: earlier ones that may not come back.
    Source: GB/T 22239-2019, 8.1.4.1 asks for complexity and change; the numbers are this project's (unverified).
    """

    least: int = 10
    classes: int = 3
    remembered: int = 5


@dataclass(frozen=True, slots=True)
class HashCost:
    """How much work one argon2id hash is.  Source: RFC 9106, section 4, second recommended choice."""

    passes: int = 3
    memory_kib: int = 65536
    lanes: int = 4


def normalise(password: str) -> str:
    """Return a password as it is hashed: NFKC, so that full-width typing makes no difference."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "replace").decode("utf-8")


def check_password(password: str, login: str, policy: PasswordPolicy) -> None:
    """Refuse a password against the rules, naming every rule it breaks.  Raises: IncorrectError."""
    password = normalise(password)
    kinds = {_kind(letter) for letter in password}
    broken = []
    if not policy.least <= len(password) <= LONGEST:
        broken.append((f"长度 {policy.least} 到 {LONGEST} 位", f"{policy.least} to {LONGEST} characters long"))
    if len(kinds) < policy.classes:
        broken.append(
            (
                f"大写、小写、数字、其他字符至少 {policy.classes} 类",
                f"at least {policy.classes} of capitals, small letters, digits and others",
            )
        )
    if login and login.casefold() in password.casefold():
        broken.append(("不含登录名", "without the login in it"))
    if len(set(password)) < policy.least // 2:
        broken.append(("不要反复用同几个字符", "not the same few characters again and again"))
    if broken:
        zh, en = "；".join(zh for zh, _ in broken), "; ".join(en for _, en in broken)
        raise IncorrectError(f"密码要求：{zh}", f"choose a password that is {en}", where="password")


def _kind(letter: str) -> str:
    if letter.isdigit():
        return "digit"
    return "capital" if letter.isupper() else "small" if letter.islower() else "other"


def make_password(entropy: Callable[[int], bytes], *, length: int = 14) -> str:
    """Return a random first password that can be read over the phone and meets the rules (three classes by construction)."""

    def pick(alphabet: str) -> str:
        # 4 bytes against at most 56 letters: the bias is under 1e-7.
        return alphabet[int.from_bytes(entropy(4), "big") % len(alphabet)]

    body = [pick(_FIRST_ALPHABET) for _ in range(length - 3)]
    return "".join([pick("ABCDEFGHJKLMNPQRSTUVWXYZ"), pick("abcdefghijkmnpqrstuvwxyz"), *body, pick("23456789")])


class Hasher:
    """Hashes and checks passwords with argon2id, in threads, a few at a time so that sign-ins cannot take all memory."""

    def __init__(self, cost: HashCost, *, at_once: int = 2) -> None:
        self._argon2 = PasswordHasher(time_cost=cost.passes, memory_cost=cost.memory_kib, parallelism=cost.lanes, type=Type.ID)
        self._turn = asyncio.Semaphore(at_once)
        # What an unknown login is checked against, so that it costs the same work as a known one.
        self._nobodys = self._argon2.hash("nobody's password")

    async def hash(self, password: str) -> str:
        """Return the hash of a password, with its salt and cost in it."""
        async with self._turn:
            return await asyncio.to_thread(self._argon2.hash, normalise(password))

    async def verify(self, known_hash: str | None, password: str) -> bool:
        """Tell whether a password has this hash; with None the same work is done and the answer is no."""
        async with self._turn:
            agrees = await asyncio.to_thread(self._verify, known_hash or self._nobodys, normalise(password[: LONGEST + 1]))
        return agrees and known_hash is not None

    def _verify(self, known_hash: str, password: str) -> bool:
        try:
            return bool(self._argon2.verify(known_hash, password))
        except (VerificationError, InvalidHashError):
            return False
