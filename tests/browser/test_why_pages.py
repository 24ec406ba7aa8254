"""From an event's and a site's page to why, in a real Chromium: readable, in place, no script."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from playwright.async_api import Browser, expect

from contracts.testing import FakeClock
from support.browser_pages import assert_good, on_a_port, page_of
from support.gateway_web import EVENT_URL, NOW, fill, make_world
from support.participation import START, build_report

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """A gateway's pages amid an event, on a real port."""
    world = make_world(FakeClock(NOW))
    await fill(world, build_report(), START, START + timedelta(minutes=30))
    async with on_a_port(world) as url:
        yield url


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
