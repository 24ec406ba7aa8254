"""The agent's web server as its settings want it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from site_agent.config.web import WebSettings
from site_agent.flows.control.control_loop import Cycle
from site_agent.web.api import api_routes
from site_agent.web.health import health_routes
from site_agent.web.pages import page_routes
from site_agent.web.rendering import Pages
from site_agent.web.server import Part, WebServer
from site_agent.web.state import WebState


def make_web(
    settings: WebSettings | None,
    state: WebState,
    latest: Callable[[], Cycle | None],
    others: Sequence[Part] = (),
) -> WebServer | None:
    """The server of page, API, health and the parts of others; None where none is wanted.

    Raises:
        ConfigError: password file or certificate cannot be used.
    """
    if settings is None:
        return None
    state = replace(state, banner=settings.banner)
    own = (page_routes(state), api_routes(state), health_routes(latest, state.clock))
    parts = [*(Part(router=one) for one in own), *others]
    return WebServer(settings, parts, state.clock, state.stopping, Pages(state).error)
