"""A visitor of the pages who notices everything a visitor must never meet."""

from __future__ import annotations

from playwright.async_api import ConsoleMessage, Page, Request


class Visitor:
    """A page with a list of everything a visitor must never meet."""

    def __init__(self, page: Page, base_url: str) -> None:
        self.page = page
        self.base_url = base_url
        self.faults: list[str] = []
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.faults.append(f"page error: {error}"))
        page.on("request", self._asked)

    async def go(self, path: str) -> None:
        answer = await self.page.goto(self.base_url + path)
        assert answer is not None
        assert answer.ok, f"{path}: {answer.status}"

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(f"console {message.type}: {message.text}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.base_url, "data:", "blob:")):
            self.faults.append(f"request off-site: {request.url}")
