"""The depot's own page in a real Chromium: a real agent, simulated hardware, no gateway."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, expect

from support.site_page import RunningSite, running_site, until_charging
from support.visitor import Visitor

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(180),
    pytest.mark.xdist_group("realtime"),
]
TICKS = re.compile(r"^([3-9]|\d{2,})$")
SOON_MS = 60_000


async def visitor(browser: Browser, site: RunningSite, width: int = 1280) -> Visitor:
    context = await browser.new_context(
        viewport={"width": width, "height": 900},
        timezone_id="America/New_York",  # the site's own zone is shown all the same
        locale="en-GB",
        reduced_motion="reduce",
    )
    return Visitor(await context.new_page(), site.url)


async def assert_sound(guest: Visitor) -> None:
    """Accessible, within its width, and without anything a visitor must never meet."""
    found = await Axe().run(guest.page)
    assert found.violations_count == 0, found.generate_report()
    overflow = await guest.page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert overflow <= 0, f"{overflow} px too wide"
    assert guest.faults == []


@pytest.mark.row("site:E16")
async def test_the_page_is_live_without_a_gateway_on_a_screen_and_on_a_phone(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_site(tmp_path / "site") as site:
        assert site.settings.link is None
        await until_charging(site, 20_000.0)
        for width, picture in ((1280, "picture-wide"), (390, "picture-narrow")):
            guest = await visitor(browser, site, width)
            await guest.go("/")
            body = guest.page.locator("body")
            await expect(body).to_have_attribute("data-ticks", TICKS, timeout=SOON_MS)
            await expect(guest.page.get_by_test_id("live-state")).to_contain_text("Live")
            await expect(guest.page.get_by_test_id("clock")).to_contain_text("CE")
            drawn = guest.page.get_by_test_id(picture)
            await expect(drawn).to_be_visible()
            await expect(drawn.get_by_test_id("cell-cp-1")).to_contain_text("Charging")
            await expect(drawn.get_by_test_id("cell-cp-4")).to_contain_text("Free")
            await expect(drawn.get_by_test_id("cell-roof")).to_contain_text("15.0 kW")
            await expect(guest.page.get_by_test_id("limits")).to_contain_text("row-2")
            await expect(guest.page.get_by_test_id("vehicles")).to_contain_text("van-1")
            await assert_sound(guest)


@pytest.mark.row("site:X1")
async def test_a_charger_leads_to_why_and_to_what_was_before(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_site(tmp_path / "site") as site:
        guest = await visitor(browser, site)
        await guest.go("/")
        row = guest.page.get_by_test_id("charger-cp-6")
        await expect(row).to_contain_text("shares the fuse of row-2", timeout=SOON_MS)
        await row.get_by_role("link", name="cp-6").click()
        sentence = guest.page.get_by_test_id("sentence")
        await expect(sentence).to_contain_text("cp-6 ")
        await expect(guest.page.get_by_test_id("chain")).to_contain_text("Setpoint")
        await assert_sound(guest)
        await guest.page.get_by_role("link", name="Why, at").last.click()
        await expect(sentence).to_contain_text("cp-6 ")
        await expect(guest.page.get_by_text("(the past)")).to_be_visible()
        await guest.go("/journal")
        await expect(guest.page.get_by_test_id("journal")).to_contain_text("cp-6")
        await assert_sound(guest)
        answer = await guest.page.goto(f"{site.url}/why/nobody")
        assert answer is not None
        assert answer.status == 404
        await expect(guest.page.get_by_role("heading")).to_contain_text("'nobody'")


async def test_the_page_says_when_its_agent_is_gone(browser: Browser, tmp_path: Path) -> None:
    async with running_site(tmp_path / "site") as site:
        guest = await visitor(browser, site)
        await guest.go("/")
        await expect(guest.page.get_by_test_id("live-state")).to_have_text("Live", timeout=SOON_MS)
    state = guest.page.get_by_test_id("live-state")
    await expect(state).to_contain_text("Interrupted", timeout=SOON_MS)
    await expect(guest.page.get_by_test_id("picture-wide")).to_be_visible()  # as it was last
