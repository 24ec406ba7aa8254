"""The pages as people see them, in a real Chromium, while the demo's event runs."""

from __future__ import annotations

import asyncio
import re

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, expect

from gridyard.demo.plan import EVENT_ID, QUICK, UTILITY_ID
from support.demo import RunningDemo
from support.visitor import Visitor

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(180),
    pytest.mark.xdist_group("realtime"),
]
EVENT_PAGE = f"/events/{UTILITY_ID}/{EVENT_ID}"
REPORT_S = QUICK.end + QUICK.observe + 60.0


async def visitor(browser: Browser, demo: RunningDemo, width: int = 1280) -> Visitor:
    context = await browser.new_context(
        viewport={"width": width, "height": 900},
        timezone_id="Europe/London",
        locale="en-GB",
        reduced_motion="reduce",
    )
    return Visitor(await context.new_page(), demo.url)


async def assert_accessible(guest: Visitor) -> None:
    found = await Axe().run(guest.page)
    assert found.violations_count == 0, found.generate_report()


async def assert_fits(guest: Visitor) -> None:
    overflow = await guest.page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert overflow <= 0, f"{overflow} px too wide"


async def during_event(demo: RunningDemo) -> None:
    await asyncio.to_thread(
        demo.wait_for, "status", REPORT_S, lambda line: line["text"] == "event is active"
    )


@pytest.mark.parametrize("width", [1280, 390], ids=["desktop", "phone"])
async def test_the_live_page_follows_the_event(
    browser: Browser, demo: RunningDemo, width: int
) -> None:
    await during_event(demo)
    guest = await visitor(browser, demo, width)
    await guest.go("/")
    ticks = re.compile(r"^([3-9]|\d{2,})$")
    await expect(guest.page.locator("body")).to_have_attribute("data-ticks", ticks, timeout=15_000)
    await expect(guest.page.get_by_text("In progress").first).to_be_visible()
    await expect(guest.page.get_by_text("SIMULATED").first).to_be_visible()
    await expect(guest.page.locator("#chart canvas")).to_be_visible()
    for depot in ("North depot", "Harbour depot", "East depot"):
        await expect(guest.page.get_by_role("link", name=depot).first).to_be_visible()
    await assert_fits(guest)
    await assert_accessible(guest)
    assert guest.faults == []


async def test_the_event_page_explains_the_plan(browser: Browser, demo: RunningDemo) -> None:
    await during_event(demo)
    guest = await visitor(browser, demo)
    await guest.go(EVENT_PAGE)
    await expect(guest.page.locator("#plan")).to_contain_text("depot")
    await expect(guest.page.get_by_text("Reduce by 60.0 kW").first).to_be_visible()
    await assert_fits(guest)
    await assert_accessible(guest)
    assert guest.faults == []


@pytest.mark.parametrize("width", [1280, 390], ids=["desktop", "phone"])
async def test_the_report_page_has_figures_chart_and_method(
    browser: Browser, demo: RunningDemo, width: int
) -> None:
    await asyncio.to_thread(demo.wait_for, "report", REPORT_S)
    guest = await visitor(browser, demo, width)
    await guest.go(f"{EVENT_PAGE}/report")
    await expect(guest.page.get_by_text("10-of-10 type").first).to_be_visible()
    await expect(guest.page.locator("svg[role=img]").first).to_be_visible()
    await expect(guest.page.get_by_text("PRELIMINARY").first).to_be_visible()
    await assert_fits(guest)
    await assert_accessible(guest)
    assert guest.faults == []


async def test_an_unknown_page_says_so_in_words(browser: Browser, demo: RunningDemo) -> None:
    guest = await visitor(browser, demo)
    answer = await guest.page.goto(f"{demo.url}/events/nobody/nothing")
    assert answer is not None
    assert answer.status == 404
    await expect(guest.page.get_by_role("heading").first).to_be_visible()
    await assert_accessible(guest)
