"""From bytes to entries: each kind of rubbish is told what it is."""

from __future__ import annotations

import gzip

import orjson
import pytest

from xinglin.engines.exchange import UnreadableError, read_message

BUNDLE = orjson.dumps({"resourceType": "Bundle", "type": "batch", "entry": [{"resource": {"resourceType": "Patient", "id": "1"}}]})


def test_a_bundle_is_read_plain_gzipped_and_with_a_byte_order_mark() -> None:
    for content in (BUNDLE, gzip.compress(BUNDLE), b"\xef\xbb\xbf" + BUNDLE):
        reading = read_message(content)
        assert (reading.atomic, len(reading.entries)) == (False, 1)


@pytest.mark.parametrize(
    ("content", "reason", "says"),
    [
        (b"", "empty", "空"),
        (b"  \n", "empty", "空"),
        (gzip.compress(BUNDLE, mtime=0)[:-12], "unreadable", "截断"),
        (b"\x1f\x8bnot really", "unreadable", "损坏"),
        (BUNDLE[:-5], "unreadable", "JSON"),
        (b"PK\x03\x04word/document.xml", "not_fhir", "Word"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "not_fhir", "Office"),
        (b"%PDF-1.7", "not_fhir", "PDF"),
        ('{"resourceType":"Patient","name":[{"text":"王小丽"}]}'.encode("gb18030"), "encoding", "GB18030"),
        ('{"resourceType":"Patient","name":[{"text":"王小丽"}]}'.encode("utf-16"), "encoding", "UTF-16"),
        ('{"resourceType":"Patient","name":[{"text":"王小丽"}]}'.encode("utf-16-le"), "encoding", "UTF-16"),
        (gzip.compress('{"resourceType":"Patient"}'.encode("utf-16-be"), mtime=0), "encoding", "UTF-16"),
        (b"\xff\xfe\x00\x00{\x00\x00\x00", "unreadable", "UTF-8"),
        (b"1", "not_fhir", "FHIR"),
        (bytes(range(128, 256)) * 3, "unreadable", "UTF-8"),
        (b"[]", "not_fhir", "resourceType"),
        (b"Apache License\nVersion 2.0", "not_fhir", "普通文本"),
        (b'{"resourceType":"Bundle","type":"transaction"}', "empty", "entry"),
        (b'{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"GET","url":"Patient"}}]}', "not_fhir", "resource"),
    ],
)
def test_rubbish_is_told_what_to_send_instead(content: bytes, reason: str, says: str) -> None:
    with pytest.raises(UnreadableError) as refusal:
        read_message(content)
    assert refusal.value.reason == reason
    assert says in refusal.value.zh
