"""What `gridyard nominations` asks of a running gateway, over its API.

Raises:
    PermanentError: the gateway refuses, with its reason.
    TransientError: no gateway answers there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import tzinfo
from typing import cast
from urllib.parse import quote, urlencode

from gridyard.at_gateway.asking import asked, told
from gridyard.event.asking import Json, instant

_API = "nominations"


def every(url: str, program: str, since: str | None, zone: tzinfo) -> list[Json]:
    """Those of a program (empty: of all) whose period ends after a time on the wall of a zone."""
    query = {"program": program} | (
        {} if since is None else {"since": instant(since, zone).isoformat()}
    )
    return cast("list[Json]", asyncio.run(asked(url, f"{_API}?{urlencode(query)}")))


def one(url: str, nomination_id: str) -> Json:
    """One nomination."""
    return cast("Json", asyncio.run(asked(url, _path(nomination_id))))


def proposed(url: str, body: Mapping[str, object], key: str | None) -> Json:
    """What could be promised."""
    return cast("Json", asyncio.run(told(url, _API, body, key=key)))


def decided(url: str, nomination_id: str, body: Mapping[str, object], key: str | None) -> Json:
    """The nomination after a person's word."""
    return cast("Json", asyncio.run(told(url, f"{_path(nomination_id)}/decisions", body, key=key)))


def _path(nomination_id: str) -> str:
    return f"{_API}/{quote(nomination_id, safe='')}"
