"""From an event's and a site's page to why, in a real Chromium: readable, in place, no script."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from contracts.http_server import serve
from contracts.testing import FakeClock
from support.gateway_web import EVENT_URL, NOW, fill, make_world
from support.participation import START, build_report

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """A gateway's pages amid an event, on a real port."""
    world, ports = make_world(FakeClock(NOW)), asyncio.Queue[int]()
    await fill(world, build_report(), START, START + timedelta(minutes=30))
    stopping = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(
            serve(world.app, host="127.0.0.1", port=0, stopping=stopping, ready=ports.put_nowait)
        )
        yield f"http://127.0.0.1:{await ports.get()}"
        stopping.set()


async def page_of(browser: Browser, width: int) -> tuple[Page, list[str]]:
    """A page, and what it complains of."""
    page = await browser.new_page(viewport={"width": width, "height": 900})
    said: list[str] = []
    page.on("console", lambda one: said.append(one.text) if one.type == "error" else None)
    return page, said


async def assert_good(page: Page, said: list[str]) -> None:
    found = await Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    overflow = await page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert overflow <= 0, f"{overflow} px too wide"
    assert said == []


@pytest.mark.row("portfolio:X1")
@pytest.mark.parametrize("width", [1280, 390], ids=["desktop", "phone"])
async def test_from_the_event_to_why_and_to_another_time(
    browser: Browser, url: str, width: int
) -> None:
    page, said = await page_of(browser, width)
    await page.goto(url + EVENT_URL)
    await page.get_by_test_id("why-link").click()
    sentence = page.get_by_test_id("why-sentence")
    await expect(sentence).to_contain_text("2 of 3 sites are asked for it, nothing is missing")
    await assert_good(page, said)
    await page.get_by_label("Date and time").fill("2026-11-20T16:45")
    await page.get_by_role("button", name="Ask").click()
    await expect(sentence).to_contain_text("begins at 17:00")
    await page.get_by_role("link", name="Back to the event").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("evt-2026-1121")


@pytest.mark.row("portfolio:X1")
async def test_from_the_site_and_from_an_instruction(browser: Browser, url: str) -> None:
    page, said = await page_of(browser, 1280)
    await page.goto(url + "/sites/north-yard")
    await page.get_by_test_id("why-link").click()
    sentence = page.get_by_test_id("why-sentence")
    await expect(sentence).to_contain_text("north-yard is to import at most")
    await assert_good(page, said)
    await page.goto(url + EVENT_URL)
    await page.get_by_role("link", name="why number 2 to North Yard Bus Depot").first.click()
    await expect(sentence).to_contain_text("Instruction 2 to north-yard")
    await assert_good(page, said)
