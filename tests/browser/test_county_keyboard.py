"""The county office's keyboard: from a typed day and a number down to the message that brought an entry, and back to what was known."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn

from tests.browser.test_keyboard import ARGUMENTS, CHROMIUM, new_page, sign_in
from tests.http.statistics_world import MEASURE, World, statistics_world
from xinglin.web.app import make_app

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
async def world(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not here")
    async with statistics_world(database_url, tmp_path_factory.mktemp("county")) as found:
        yield found


@pytest.fixture(scope="module")
async def screen(world: World) -> AsyncIterator[Any]:
    """A page at 1366×768, signed in as the county office."""
    from playwright.async_api import async_playwright

    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(make_app(world.platform), log_level="warning", lifespan="off"))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.05)
    async with async_playwright() as player:
        browser = await player.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        page = await new_page(browser, base_url=address)
        await sign_in(page, address, "county")
        yield page
        await browser.close()
    server.should_exit = True
    await task


async def go(page: Any, *keys: str) -> str:
    """Press keys, the last of which leads to another page; returns its address."""
    before = page.url
    for key in keys:
        await page.keyboard.press(key)
    await page.wait_for_url(lambda url: url != before)
    return str(page.url)


async def test_a_number_is_opened_down_to_the_message_by_keys_alone(world: World, screen: Any) -> None:
    await screen.goto(f"/measures/{MEASURE}")
    assert "by=institution" in await go(screen, "ArrowDown", "Enter")
    assert "by=village" in await go(screen, "ArrowDown", "Enter")
    assert "by=practitioner" in await go(screen, "ArrowDown", "Enter")
    people = await go(screen, "ArrowDown", "Enter")
    assert "/measures/people?" in people
    assert f"/measures/{MEASURE}/why/" in await go(screen, "ArrowDown", "y")
    assert "/exchange/messages/" in await go(screen, "ArrowDown", "Enter")


async def test_a_day_and_what_was_known_then_are_typed(world: World, screen: Any) -> None:
    first = world.today.replace(day=1)
    await screen.goto(f"/measures/{MEASURE}")
    await screen.focus("#as_of")
    await screen.keyboard.press("Control+A")
    await screen.keyboard.type(f"{first:%Y%m%d}")
    await go(screen, "Enter")
    assert await screen.input_value("#as_of") == first.isoformat()
    await screen.focus("#known")
    await screen.keyboard.type("3")
    await go(screen, "Enter")
    assert "当时所知" in await screen.inner_text("main") and await screen.locator(".note.warn").count()
