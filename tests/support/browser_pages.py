"""Pages in a real Chromium: what each test of them asks for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page

from contracts.http_server import serve
from support.gateway_web import World


@asynccontextmanager
async def on_a_port(world: World) -> AsyncIterator[str]:
    """The address of a gateway's pages."""
    stopping, ports = asyncio.Event(), asyncio.Queue[int]()
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
    """Accessible, no wider than the window, and without a complaint."""
    found = await Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    overflow = await page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert overflow <= 0, f"{overflow} px too wide"
    assert said == []
