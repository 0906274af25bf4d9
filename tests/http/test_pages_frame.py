"""The frame of every page: sign-in, language, form token, rights, headers, refusals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from tests.http.page_fixtures import PASSWORD, form_token, frame_platform
from xinglin.base.errors import NotFoundError, UnavailableError
from xinglin.web.app import make_app
from xinglin.web.menu import Entry
from xinglin.web.page import Visit, page, render


async def _refuse(visit: Visit) -> Response:
    raise NotFoundError("没有这位居民的档案", "there is no record of this resident", where="person")


async def _break(visit: Visit) -> Response:
    raise RuntimeError("王小丽 420999195801011234")


async def _show(visit: Visit) -> Response:
    return render(visit, "account/password.html", {"refusal": ""})


@pytest.fixture
def platform() -> Any:
    return frame_platform()


@pytest.fixture
def client(platform: Any) -> Iterator[TestClient]:
    mounts = [
        page("/test/refuse", _refuse, right="resident.read"),
        page("/test/break", _break, right="resident.read"),
        page("/test/county", _show, right="county.figures"),
    ]
    app = make_app(platform, mounts=mounts, entries=[Entry("statistics", "统计报表", "/test/county", ("county.figures",))])
    with TestClient(app, base_url="https://district.test", raise_server_exceptions=False) as client:
        yield client


def sign_in(client: TestClient, login: str, password: str = PASSWORD, wanted: str = "/") -> Any:
    token = form_token(client.get("/sign-in").text)
    form = {"login": login, "password": password, "form_token": token, "next": wanted}
    return client.post("/sign-in", data=form, follow_redirects=False)


@pytest.mark.parametrize(("cookie", "title"), [("zh", "登录"), ("en", "Sign in")])
def test_sign_in_page_speaks_both_languages(client: TestClient, cookie: str, title: str) -> None:
    client.cookies.set("xinglin_language", cookie)
    answer = client.get("/sign-in")
    assert answer.status_code == 200 and f"<h1>{title}</h1>" in answer.text


def test_a_page_leads_a_stranger_to_sign_in_and_back(client: TestClient) -> None:
    away = client.get("/test/county?year=2026", follow_redirects=False)
    assert away.headers["location"] == "/sign-in?next=%2Ftest%2Fcounty%3Fyear%3D2026"
    assert sign_in(client, "county", wanted="/test/county").headers["location"] == "/test/county"
    assert client.get("/test/county").status_code == 200


def test_wrong_password_is_refused_and_the_right_one_is_not(client: TestClient) -> None:
    refused = sign_in(client, "county", "nearly right")
    assert refused.status_code == 403 and "账号或密码不对" in refused.text and "xinglin_session" not in refused.cookies
    assert sign_in(client, "county").status_code == 303


def test_sign_in_leads_to_no_other_site(client: TestClient) -> None:
    assert sign_in(client, "county", wanted="//elsewhere.example/x").headers["location"] == "/"
    client.cookies.clear()
    assert sign_in(client, "county", wanted="https://elsewhere.example").headers["location"] == "/"


def test_session_cookie_is_closed_to_scripts_and_other_sites(client: TestClient) -> None:
    cookie = sign_in(client, "county").headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=lax" in cookie and "secure" in cookie


def test_a_right_opens_the_page_and_its_lack_does_not(client: TestClient) -> None:
    sign_in(client, "county")
    assert client.get("/test/county").status_code == 200
    client.cookies.clear()
    sign_in(client, "village_doctor")
    refused = client.get("/test/county")
    assert refused.status_code == 403 and "没有权限" in refused.text


def test_menu_shows_only_what_one_may_open(client: TestClient) -> None:
    sign_in(client, "county")
    assert 'href="/test/county"' in client.get("/account").text
    client.cookies.clear()
    sign_in(client, "village_doctor")
    assert 'href="/test/county"' not in client.get("/account").text


def test_a_form_without_its_token_changes_nothing(client: TestClient, platform: Any) -> None:
    sign_in(client, "county")
    token = form_token(client.get("/account").text)
    assert client.post("/sign-out", data={"form_token": "0" * 64}).status_code == 403
    assert len(platform.security.open) == 1
    assert client.post("/sign-out", data={"form_token": token}, follow_redirects=False).status_code == 303
    assert platform.security.open == {}


def test_htmx_sends_its_token_as_a_header(client: TestClient, platform: Any) -> None:
    sign_in(client, "county")
    token = form_token(client.get("/account").text)
    answer = client.post("/sign-out", headers={"hx-request": "true", "x-form-token": token})
    assert answer.headers["hx-redirect"] == "/sign-in" and platform.security.open == {}


def test_a_first_password_must_be_changed_before_anything_else(client: TestClient, platform: Any) -> None:
    platform.security.first_password.add("county")
    assert sign_in(client, "county").headers["location"] == "/account/password"
    assert client.get("/account", follow_redirects=False).headers["location"] == "/account/password"


def test_language_switch_keeps_the_page(client: TestClient) -> None:
    sign_in(client, "county")
    token = form_token(client.get("/account").text)
    answer = client.post("/language", data={"form_token": token, "language": "en", "back": "/account"}, follow_redirects=False)
    assert answer.headers["location"] == "/account" and "My account" in client.get("/account").text


@pytest.mark.parametrize(("cookie", "words"), [("zh", "没有这位居民的档案"), ("en", "There is no record of this resident")])
def test_a_refusal_is_a_page_or_a_notice(client: TestClient, cookie: str, words: str) -> None:
    sign_in(client, "village_doctor")
    client.cookies.set("xinglin_language", cookie)
    full, part = client.get("/test/refuse"), client.get("/test/refuse", headers={"hx-request": "true"})
    assert full.status_code == part.status_code == 404
    assert words in full.text and "<html" in full.text
    assert words in part.text and "<html" not in part.text
    assert "person:" not in full.text + part.text, "the name of a field is for programs"


def test_a_fault_gives_a_number_and_no_record(client: TestClient) -> None:
    sign_in(client, "village_doctor")
    answer = client.get("/test/break")
    assert answer.status_code == 500 and "系统出错" in answer.text
    assert "王小丽" not in answer.text and "420999195801011234" not in answer.text
    assert answer.headers.get("x-request-number", "") in answer.text


def test_unknown_address_is_a_page_in_words(client: TestClient) -> None:
    assert "没有这个页面" in client.get("/nowhere").text


def test_every_answer_forbids_inline_scripts_and_framing(client: TestClient) -> None:
    for path in ("/sign-in", "/nowhere", "/health"):
        headers = client.get(path).headers
        assert "script-src 'self'" in headers["content-security-policy"] and "unsafe" not in headers["content-security-policy"]
        assert headers["x-frame-options"] == "DENY" and headers["cache-control"] == "no-store"


def test_static_files_are_kept_for_a_year_under_their_hash(client: TestClient) -> None:
    path = next(part.split('"')[0] for part in client.get("/sign-in").text.split('href="') if "xinglin.css" in part)
    answer = client.get(path)
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert client.get("/static/other/xinglin.css").headers["cache-control"] == "no-cache"
    assert client.get("/static/other/..%2f..%2fpage.py").status_code == 404


def test_banner_of_invented_data_stands_on_every_page_of_a_demo_only() -> None:
    for demo, there in ((True, True), (False, False)):
        with TestClient(make_app(frame_platform(demo=demo))) as client:
            assert ("虚构数据" in client.get("/sign-in").text) is there
            assert ("虚构数据" in client.get("/nowhere").text) is there


def test_a_page_says_so_while_the_database_is_away_and_works_when_it_is_back(client: TestClient, platform: Any) -> None:
    sign_in(client, "county")
    known = platform.security.scope_of

    async def away(token: str) -> Any:
        raise UnavailableError("数据库暂时连接不上，请稍后再试", "the database is away; try again in a moment")

    platform.security.scope_of = away
    answer = client.get("/account")
    assert answer.status_code == 503 and "数据库暂时连接不上" in answer.text and answer.headers["retry-after"] == "5"
    platform.security.scope_of = known
    assert client.get("/account").status_code == 200


def test_every_route_names_its_right(client: TestClient) -> None:
    app: Any = client.app
    open_to_all = {"/static/{version}/{name:path}", "/health"}
    bare = [
        route.path
        for route in app.routes
        if isinstance(route, Route) and route.path not in open_to_all and not hasattr(route.endpoint, "right")
    ]
    assert bare == []
