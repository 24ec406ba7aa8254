"""A statement in a real Chromium: readable by a site's owner, also on a phone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from playwright.async_api import Browser, expect

from contracts.testing import FakeClock
from gateway.domain.settle.sharing import Sharing
from gateway.reports import document
from gateway.web.links import statement_url
from support.browser_pages import assert_good, on_a_port, page_of
from support.gateway_web import EVENT, EVENT_URL, NOW, PROGRAM, World, fill, make_world
from support.participation import START, build_report

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
MONTH = "2026-11"


async def settled(world: World, amount: str) -> None:
    """The event's report once more, with this energy paid, and the month settled."""
    report = build_report()
    line = replace(report.lines[0], amount=Decimal(amount))
    sharing = {
        site: Sharing(site_share=Decimal("0.75"), site_share_of_charges=Decimal("0.5"))
        for site in ("harbor", "north-yard")
    }
    made = replace(report, lines=(line, *report.lines[1:]), sharing=sharing)
    await world.ledger.put_report(EVENT, document.dump(made), final=False)
    await world.state.statements.settle(PROGRAM, MONTH)


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """A gateway's pages with two versions of a month, on a real port."""
    world = make_world(FakeClock(NOW))
    await fill(world, build_report(), START, START + timedelta(minutes=30))
    for amount in ("400.80", "390.10"):
        await settled(world, amount)
    async with on_a_port(world) as url:
        yield url


@pytest.mark.row("mv:M4")
@pytest.mark.parametrize("width", [1280, 390], ids=["desktop", "phone"])
async def test_totals_first_then_lines_with_rule_and_inputs_on_demand(
    browser: Browser, url: str, width: int
) -> None:
    page, said = await page_of(browser, width)
    await page.goto(url + statement_url(PROGRAM, MONTH))
    await expect(page.get_by_test_id("statement-total")).to_have_text("390.10 USD")
    await expect(page.get_by_test_id("waits-for")).to_contain_text("the end of 2026-11")
    month = page.get_by_test_id("statement-month")
    await expect(month.get_by_role("heading", name="November 2026")).to_be_visible()
    rule = month.get_by_text("200.4 kWh counted")
    await expect(rule).to_be_hidden()
    await month.get_by_text("Rule and inputs").first.click()
    await expect(rule).to_be_visible()
    await assert_good(page, said)
    versions = page.get_by_test_id("statement-versions")
    await versions.get_by_role("link", name="Version 1").click()
    await expect(page.get_by_test_id("statement-total")).to_have_text("400.80 USD")
    await assert_good(page, said)


@pytest.mark.parametrize("width", [1280, 390], ids=["desktop", "phone"])
async def test_an_owner_sees_their_part_and_gets_to_their_own_report(
    browser: Browser, url: str, width: int
) -> None:
    page, said = await page_of(browser, width)
    await page.goto(url + "/statements")
    await page.get_by_label("Program or site").select_option("harbor")
    await page.get_by_label("Month or season").fill(MONTH)
    await page.get_by_role("button", name="Show").click()
    await expect(page.get_by_role("heading", name="Your part")).to_be_visible()
    await expect(page.get_by_test_id("statement-figures")).to_contain_text("Mean performance")
    for section in await page.locator("section.card").all():
        await expect(section).not_to_contain_text("North Yard")
    await assert_good(page, said)
    await page.get_by_test_id("statement-lines").get_by_role("link").first.click()
    await expect(page).to_have_url(f"{url}{EVENT_URL}/report?audience=owner&site_id=harbor")
    await expect(page.get_by_text("for the owner of Harbor").first).to_be_visible()
