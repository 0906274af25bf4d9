"""Nobody is led to a page that is closed to them: every link a person is shown opens."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import AsyncIterator
from html import unescape

import pytest

from tests.district import resident, send
from tests.http.plan_world import make, upload
from tests.http.signed_in import Person
from tests.http.statistics_world import World, statistics_world

LINK = re.compile(r'<a [^>]*?href="(/(?!fhir/)[^"#]*)')
MOST_PAGES = 120


@pytest.fixture(scope="module")
async def world(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with statistics_world(database_url, tmp_path_factory.mktemp("links")) as found:
        await send(found.platform, resident(32, "孙测", 420999101201, "E1") | {"birthDate": "1960-02-31"}, message_id="wrong")
        await make(found.county, await upload(found.county))
        yield found


def shape(path: str) -> str:
    """Return an address without its numbers and its question: one page of each kind is opened."""
    return re.sub(r"\d+", "N", path.partition("?")[0])


async def closed(person: Person) -> list[str]:
    """Return the links that do not open, each with the page that shows it, going from page to page."""
    seen, found = {"N"}, []
    waiting = deque([("/", "")])
    while waiting and len(seen) < MOST_PAGES:
        path, shown_on = waiting.popleft()
        answer = await person.client.get(path, follow_redirects=True)
        if answer.status_code != 200:
            found.append(f"{answer.status_code} {path} on {shown_on}")
        elif answer.headers["content-type"].startswith("text/html"):
            for link in map(unescape, LINK.findall(answer.text)):
                if shape(link) not in seen:
                    seen.add(shape(link))
                    waiting.append((link, path))
    return found


@pytest.mark.parametrize("login", ["county", "health", "doctor", "leader", "steward"])
async def test_every_link_opens(world: World, login: str) -> None:
    found = await closed(world.people[login])
    assert not found, "\n".join(found)
