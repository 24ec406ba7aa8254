"""Jinja pages: escaped, strict about missing values, with the frame every page shares."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from contracts.web.files import TEMPLATES, StaticUrls
from gateway.reports import words
from gateway.web.state import WebState

_HERE = Path(__file__).parent
STATIC = _HERE / "static"


class Pages:
    """Renders templates for one application."""

    def __init__(self, state: WebState) -> None:
        self._state = state

    def text(self, template: str, **values: object) -> str:
        """A template as text."""
        now, tz = self._state.now(), self._state.zone
        frame = {
            "simulated": self._state.simulated,
            "page_zone": words.zone(now, tz),
        }
        return _environment().get_template(template).render(frame | values)

    def page(self, template: str, **values: object) -> HTMLResponse:
        """A whole page."""
        return HTMLResponse(self.text(template, **values))

    def error(self, status: int, title: str) -> HTMLResponse:
        """What a person sees when something is not there or went wrong."""
        return HTMLResponse(self.text("error.html", status=status, title=title), status)


@cache
def _environment() -> Environment:
    """Shared by every application: templates are compiled once."""
    environment = Environment(
        loader=FileSystemLoader([_HERE / "templates", TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["static"] = StaticUrls(STATIC)
    environment.filters["capitalize_first"] = _capitalize_first
    return environment


def _capitalize_first(text: str) -> str:
    """The first letter large, the rest as it is (unlike `capitalize`)."""
    return text[:1].upper() + text[1:]
