"""Jinja pages: escaped, strict about missing values, in one frame."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from contracts.web.files import TEMPLATES, StaticUrls
from site_agent.web.state import WebState

_HERE = Path(__file__).parent
STATIC = _HERE / "static"


class Pages:
    """Renders templates for one site."""

    def __init__(self, state: WebState) -> None:
        self._state = state

    def text(self, template: str, values: Mapping[str, object]) -> str:
        """A template as text."""
        local = self._state.now().astimezone(self._state.zone)
        frame = {
            "site_id": self._state.site_id,
            "banner": self._state.banner,
            "page_zone": f"{local:%Z} (UTC{local:%z})",
        }
        return _environment().get_template(template).render({**frame, **values})

    def page(self, template: str, values: Mapping[str, object], status: int = 200) -> HTMLResponse:
        """A whole page."""
        return HTMLResponse(self.text(template, values), status)

    def error(self, status: int, title: str) -> HTMLResponse:
        """What a person sees when something is not there or went wrong."""
        return self.page("error.html", {"code": status, "title": title}, status)


@cache
def _environment() -> Environment:
    """Templates are compiled once."""
    environment = Environment(
        loader=FileSystemLoader([_HERE / "templates", TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["static"] = StaticUrls(STATIC)
    return environment
