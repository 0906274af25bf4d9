"""Pages go out packed, but not where their length would tell another site something."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from tests.http.page_fixtures import frame_platform
from xinglin.web.app import make_app

TEXT = b'{"resourceType": "Bundle", "entry": []}' * 40
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


async def _send(request: Request) -> Response:
    kind = request.query_params["kind"]
    return Response(TEXT[: int(request.query_params.get("bytes", 10_000))], media_type=kind, headers={"etag": 'W/"3"'})


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(make_app(frame_platform(), mounts=[Route("/sent", _send)]), base_url="https://district.test") as client:
        client.cookies.set("xinglin_session", "somebody")
        yield client


def is_packed(client: TestClient, path: str, **headers: str) -> bool:
    sent = {"accept-encoding": "gzip", **{name.replace("_", "-"): value for name, value in headers.items()}}
    with client.stream("GET", path, headers=sent) as answer:
        raw = b"".join(answer.iter_raw())
        packed = answer.headers.get("content-encoding") == "gzip"
        assert int(answer.headers["content-length"]) == len(raw), path
    if path.startswith("/sent") and "bytes" not in path:
        assert (gzip.decompress(raw) if packed else raw) == TEXT
    return packed


def test_what_our_own_page_or_the_person_asks_for_is_packed_and_what_another_site_asks_for_is_not(client: TestClient) -> None:
    for asked_by, expected in (("same-origin", True), ("none", True), ("cross-site", False), ("same-site", False)):
        assert is_packed(client, "/sign-in", sec_fetch_site=asked_by) is expected, asked_by
        assert is_packed(client, "/sent?kind=application/fhir%2Bjson", sec_fetch_site=asked_by) is expected, asked_by
    assert not is_packed(client, "/sign-in"), "a session over TLS, and nobody says who asked"


def test_a_program_without_a_session_gets_its_answers_packed(client: TestClient) -> None:
    client.cookies.clear()
    assert is_packed(client, "/sent?kind=application/fhir%2Bjson")
    client.cookies.set("xinglin_session", "somebody")
    assert not is_packed(client, "/sent?kind=application/fhir%2Bjson")


def test_small_answers_and_files_that_are_packed_already_stay_as_they_are(client: TestClient) -> None:
    assert not is_packed(client, "/sent?kind=text/html&bytes=1000", sec_fetch_site="same-origin")
    assert is_packed(client, "/sent?kind=text/html&bytes=1100", sec_fetch_site="same-origin")
    assert not is_packed(client, f"/sent?kind={SHEET}", sec_fetch_site="same-origin")
    assert not is_packed(client, "/sent?kind=text/html", sec_fetch_site="same-origin", accept_encoding="identity")


def test_a_packed_page_keeps_its_other_headers(client: TestClient) -> None:
    answer = client.get("/sent?kind=text/html", headers={"sec-fetch-site": "same-origin"})
    assert answer.headers["etag"] == 'W/"3"' and "default-src 'none'" in answer.headers["content-security-policy"]
    assert "accept-encoding" in answer.headers["vary"].casefold() and answer.headers["cache-control"] == "no-store"
