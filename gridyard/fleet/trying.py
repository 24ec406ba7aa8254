"""One test event to webhooks, as the agent would send it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

import httpx

from contracts.clock import SystemClock
from contracts.errors import ConfigError
from site_agent.config import SiteSettings
from site_agent.fleet.webhooks.sender import Endpoint
from site_agent.flows.fleet.webhooks import body_of

Json = Mapping[str, object]


async def tried(settings: SiteSettings, name: str | None) -> list[Json]:
    """How each webhook (or the one of this name) answered to a signed `webhook.test`.

    Raises:
        ConfigError: there is none (of this name), or a secret cannot be read.
    """
    hooks = settings.fleet_systems.webhooks
    chosen = [one for one in hooks if name in (None, one.name)]
    if not chosen:
        there = ", ".join(one.name for one in hooks) or "none"
        raise ConfigError(f"no webhook {name or ''}: the settings have {there}".replace("  ", " "))
    found: list[Json] = []
    async with httpx.AsyncClient(trust_env=False) as client:
        for one in chosen:
            at = SystemClock().now()
            body = body_of("webhook.test", at, settings.site_id, {"webhook": one.name})
            event_id = f"evt_{uuid.uuid4().hex}"
            told = await Endpoint(one).deliver(client, event_id, body.encode(), at)
            found.append({
                "webhook": one.name, "heard": told.heard, "status": told.status,
                "why": told.why, "event_id": event_id,
            })  # fmt: skip
    return found
