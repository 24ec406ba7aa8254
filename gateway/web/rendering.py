"""Jinja pages: escaped, strict about missing values, with the frame every page shares."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

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
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["static"] = static_url
    environment.filters["capitalize_first"] = _capitalize_first
    return environment


@cache
def static_url(path: str) -> str:
    """Address of a static file with its content's hash, so that browsers may keep it for ever."""
    digest = hashlib.sha256((STATIC / path).read_bytes()).hexdigest()[:12]
    return f"/static/{path}?v={digest}"


def _capitalize_first(text: str) -> str:
    """The first letter large, the rest as it is (unlike `capitalize`)."""
    return text[:1].upper() + text[1:]
