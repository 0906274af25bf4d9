"""Cryptography by name: an international suite and the Chinese one (SM3, SM4), chosen by the installation.

What the libraries at hand do not offer is absent and says so: SM2 signatures are not in `cryptography`, so the suite `sm` has no
signature, and asking for it raises UnsupportedError.
Source: GB/T 32905 (SM3), GB/T 32907 (SM4), RFC 8998 (SM4-GCM); FIPS 180-4, RFC 2104, NIST SP 800-38D, RFC 8032.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature, InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import hmac as keyed
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, CipherAlgorithm, algorithms, modes

from xinglin.base.errors import IncorrectError, UnsupportedError

NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Digest:
    """A hash function and its keyed form (HMAC)."""

    name: str
    _algorithm: Callable[[], hashes.HashAlgorithm]

    def hash(self, data: bytes) -> bytes:
        """Return the digest of data."""
        digest = hashes.Hash(self._algorithm())
        digest.update(data)
        return digest.finalize()

    def mac(self, key: bytes, data: bytes) -> bytes:
        """Return the HMAC of data under key."""
        code = keyed.HMAC(key, self._algorithm())
        code.update(data)
        return code.finalize()


@dataclass(frozen=True, slots=True)
class AuthenticatedCipher:
    """A block cipher in Galois/counter mode. A sealed text is nonce (12 bytes), ciphertext, tag (16 bytes)."""

    name: str
    key_bytes: int
    _algorithm: Callable[[bytes], CipherAlgorithm]

    def seal(self, key: bytes, plain: bytes, *, nonce: bytes, context: bytes = b"") -> bytes:
        """Return plain, enciphered and bound to context. A nonce of 12 bytes must never serve twice under one key."""
        if len(nonce) != NONCE_BYTES:
            raise IncorrectError("nonce 须为 12 字节", "a nonce has 12 bytes", where=self.name)
        cipher = Cipher(self._algorithm(key[: self.key_bytes]), modes.GCM(nonce)).encryptor()
        cipher.authenticate_additional_data(context)
        return nonce + cipher.update(plain) + cipher.finalize() + cipher.tag

    def open(self, key: bytes, sealed: bytes, *, context: bytes = b"") -> bytes:
        """Return what was sealed.  Raises: IncorrectError if key, context or text is not the one it was sealed with."""
        nonce, tag, body = sealed[:NONCE_BYTES], sealed[-TAG_BYTES:], sealed[NONCE_BYTES:-TAG_BYTES]
        try:
            cipher = Cipher(self._algorithm(key[: self.key_bytes]), modes.GCM(nonce, tag)).decryptor()
            cipher.authenticate_additional_data(context)
            return cipher.update(body) + cipher.finalize()
        except (InvalidTag, ValueError) as error:
            raise IncorrectError("密文已损坏或密钥不符", "the sealed text is damaged or the key is another's", where=self.name) from error


class Signature(Protocol):
    """A public-key signature; keys and signatures are bytes."""

    @property
    def name(self) -> str:
        """Return the algorithm's name."""
        ...

    def public_key(self, private_key: bytes) -> bytes:
        """Return the public half of a private key."""
        ...

    def sign(self, private_key: bytes, data: bytes) -> bytes:
        """Return the signature of data."""
        ...

    def verify(self, public_key: bytes, data: bytes, signature: bytes) -> bool:
        """Tell whether signature is that of data."""
        ...


@dataclass(frozen=True, slots=True)
class Ed25519:
    """RFC 8032 signatures; a private key is 32 random bytes."""

    name: str = "Ed25519"

    def public_key(self, private_key: bytes) -> bytes:
        """Return the 32 bytes of the public key."""
        return Ed25519PrivateKey.from_private_bytes(private_key).public_key().public_bytes_raw()

    def sign(self, private_key: bytes, data: bytes) -> bytes:
        """Return the 64 bytes of the signature."""
        return Ed25519PrivateKey.from_private_bytes(private_key).sign(data)

    def verify(self, public_key: bytes, data: bytes, signature: bytes) -> bool:
        """Tell whether signature is that of data under this public key."""
        try:
            Ed25519PublicKey.from_public_bytes(public_key).verify(signature, data)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Suite:
    """The algorithms an installation works with."""

    name: str
    digest: Digest
    cipher: AuthenticatedCipher
    _signature: Signature | None

    @property
    def signature(self) -> Signature:
        """Return the signature algorithm.  Raises: UnsupportedError where the suite's is not available here."""
        if self._signature is None:
            raise UnsupportedError(
                "本机密码库没有 SM2 签名；请改用 international 套件签名，或接入国密设备",
                "no SM2 signature in the libraries here; sign with the suite international or attach a device that has it",
                where=self.name,
            )
        return self._signature

    def algorithms(self) -> dict[str, str]:
        """Return use → name of the algorithm, "" where it is not available: what the security page shows."""
        signature = self._signature.name if self._signature else ""
        return {"hash": self.digest.name, "hmac": f"HMAC-{self.digest.name}", "cipher": self.cipher.name, "signature": signature}


_SUITES: Final = {
    "international": Suite(
        "international", Digest("SHA-256", hashes.SHA256), AuthenticatedCipher("AES-256-GCM", 32, algorithms.AES), Ed25519()
    ),
    "sm": Suite("sm", Digest("SM3", hashes.SM3), AuthenticatedCipher("SM4-GCM", 16, algorithms.SM4), None),
}


def suite_names() -> tuple[str, ...]:
    """Return the names of the suites."""
    return tuple(_SUITES)


def suite(name: str) -> Suite:
    """Return a suite whose hash and cipher were just seen to work on this machine.

    Raises: IncorrectError for an unknown name, UnsupportedError where this machine's OpenSSL lacks its algorithms.
    """
    found = _SUITES.get(name)
    if found is None:
        raise IncorrectError("密码套件只有 international 或 sm", f"write one of {', '.join(_SUITES)}", where="cryptography")
    try:
        found.digest.mac(b"k", b"")
        found.cipher.seal(bytes(found.cipher.key_bytes), b"", nonce=bytes(NONCE_BYTES))
    except UnsupportedAlgorithm as error:
        raise UnsupportedError(
            f"本机的 OpenSSL 不支持 {found.digest.name} 或 {found.cipher.name}",
            f"the OpenSSL of this machine lacks {found.digest.name} or {found.cipher.name}; use the suite international",
            where=name,
        ) from error
    return found


def digest_named(name: str) -> Digest:
    """Return the digest of any suite by its own name, so that what was written under one suite is checked under another."""
    for each in _SUITES.values():
        if each.digest.name == name:
            return each.digest
    raise IncorrectError(f"未知的摘要算法 {name}", f"no digest named {name}", where="algorithm")


def same(left: bytes, right: bytes) -> bool:
    """Compare two secrets in a time that does not depend on where they differ."""
    return hmac.compare_digest(left, right)


def totp(secret: bytes, step: int, *, digits: int = 6) -> str:
    """Return the one-time code of a time step.  Source: RFC 6238 (SHA-1, the form every authenticator app reads), RFC 4226 section 5.3."""
    code = hmac.new(secret, step.to_bytes(8, "big"), hashlib.sha1).digest()
    offset = code[-1] & 0x0F
    value = int.from_bytes(code[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{value % 10**digits:0{digits}d}"
