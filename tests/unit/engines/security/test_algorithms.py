"""Both suites give the published answers; what is not available says so; secrets stay the installation's."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from xinglin.base.errors import IncorrectError, UnavailableError, UnsupportedError
from xinglin.engines.security import InstallationSecrets, PasswordPolicy, mask_id_number, mask_name, mask_phone, suite, suite_names
from xinglin.engines.security.algorithms import totp
from xinglin.engines.security.passwords import check_password, make_password


def test_published_values_come_out() -> None:
    # FIPS 180-4 example; GB/T 32905-2016 annex A.1; RFC 4231 case 2.
    assert suite("international").digest.hash(b"abc").hex().startswith("ba7816bf8f01cfea")
    assert suite("sm").digest.hash(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert suite("international").digest.mac(b"Jefe", b"what do ya want for nothing?").hex().startswith("5bdcc146bf60754e")


def test_sm4_gcm_gives_the_value_of_rfc_8998() -> None:
    # RFC 8998, appendix A.1.
    key, nonce = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210"), bytes.fromhex("00001234567800000000ABCD")
    plain = bytes.fromhex(
        "AAAAAAAAAAAAAAAABBBBBBBBBBBBBBBBCCCCCCCCCCCCCCCCDDDDDDDDDDDDDDDDEEEEEEEEEEEEEEEEFFFFFFFFFFFFFFFFEEEEEEEEEEEEEEEEAAAAAAAAAAAAAAAA"
    )
    context = bytes.fromhex("FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2")
    sealed = suite("sm").cipher.seal(key, plain, nonce=nonce, context=context)
    assert sealed[12:28].hex() == "17f399f08c67d5ee19d0dc9969c4bb7d" and sealed[-16:].hex() == "83de3541e4c2b58177e065a9bf7b62ec"


@pytest.mark.parametrize("name", suite_names())
def test_what_was_sealed_opens_only_whole_and_in_its_context(name: str) -> None:
    cipher, key = suite(name).cipher, bytes(range(32))
    sealed = cipher.seal(key, b"secret", nonce=bytes(12), context=b"row 1")
    assert cipher.open(key, sealed, context=b"row 1") == b"secret"
    changed = sealed[:14] + bytes([sealed[14] ^ 1]) + sealed[15:]
    for attempt in ((key, sealed, b"row 2"), (bytes(32), sealed, b"row 1"), (key, changed, b"row 1"), (key, b"", b"row 1")):
        with pytest.raises(IncorrectError):
            cipher.open(attempt[0], attempt[1], context=attempt[2])
    with pytest.raises(IncorrectError):
        cipher.seal(key, b"", nonce=b"short")


def test_a_signature_is_checked() -> None:
    signature, private = suite("international").signature, bytes(range(32))
    signed = signature.sign(private, b"report")
    assert signature.verify(signature.public_key(private), b"report", signed)
    assert not signature.verify(signature.public_key(private), b"reports", signed)


def test_what_is_not_available_says_so() -> None:
    assert suite("sm").algorithms() == {"hash": "SM3", "hmac": "HMAC-SM3", "cipher": "SM4-GCM", "signature": ""}
    with pytest.raises(UnsupportedError):
        _ = suite("sm").signature
    with pytest.raises(IncorrectError):
        suite("rot13")


def test_one_time_codes_are_those_of_the_rfc() -> None:
    # RFC 6238, appendix B (SHA-1, 8 digits).
    secret = b"12345678901234567890"
    for seconds, code in ((59, "94287082"), (1111111109, "07081804"), (2000000000, "69279037")):
        assert totp(secret, seconds // 30, digits=8) == code


def test_secrets_are_made_once_and_kept_private(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    first = InstallationSecrets.load(folder)
    again = InstallationSecrets.load(folder)
    assert first.key("token") == again.key("token") != first.key("cursor")
    assert InstallationSecrets.load(tmp_path / "other").key("token") != first.key("token")
    assert {oct(path.stat().st_mode & 0o777) for path in (folder, folder / "installation.key")} == {"0o700", "0o600"}
    assert [path.name for path in folder.iterdir()] == ["installation.key"]
    assert first.key("token").hex() not in repr(first)


def test_processes_that_start_at_once_get_the_same_secret(tmp_path: Path) -> None:
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(InstallationSecrets.load(tmp_path / "secrets").key("x"))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 12 and len(set(found)) == 1


def test_a_key_others_can_read_or_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    InstallationSecrets.load(folder)
    path = folder / "installation.key"
    os.chmod(path, 0o644)
    with pytest.raises(UnavailableError, match="chmod 600"):
        InstallationSecrets.load(folder)
    os.chmod(path, 0o600)
    path.write_bytes(b"short")
    with pytest.raises(UnavailableError, match="32 bytes"):
        InstallationSecrets.load(folder)


@pytest.mark.parametrize("password", ["Ab1!efgh", "alllowercase1", "Wang-Li-Doctor-1", "Aa1Aa1Aa1Aa1", "Aa1!" + "x" * 300, ""])
def test_a_weak_password_is_refused(password: str) -> None:
    with pytest.raises(IncorrectError):
        check_password(password, "wang-li", PasswordPolicy())


def test_a_good_password_and_every_made_one_pass() -> None:
    check_password("Correct-Horse-1", "wang", PasswordPolicy())
    check_password("杏林春暖花开时节2026", "wang", PasswordPolicy(classes=2))
    made = {make_password(os.urandom) for _ in range(200)}
    assert len(made) == 200
    for password in made:
        check_password(password, "wang-xiaoli", PasswordPolicy())  # "wang" alone stands in one of some ten thousand by chance


def test_every_broken_rule_is_named_at_once() -> None:
    with pytest.raises(IncorrectError, match=r"10 to 256.*at least 3.*without the login"):
        check_password("wang", "wang", PasswordPolicy())


@pytest.mark.parametrize(
    ("mask", "value", "shown"),
    [
        (mask_id_number, "420999195801011234", "420*************34"),
        (mask_id_number, "1234567", "*****67"),
        (mask_id_number, "12", "**"),
        (mask_phone, " 13900001234 ", "139****1234"),
        (mask_phone, "0712345", "*****45"),
        (mask_phone, "1", "*"),
        (mask_name, "王小丽", "王**"),
        (mask_name, "王", "*"),
        (mask_name, "", ""),
    ],
)
def test_a_list_shows_only_a_part(mask: object, value: str, shown: str) -> None:
    assert mask(value) == shown  # type: ignore[operator]
