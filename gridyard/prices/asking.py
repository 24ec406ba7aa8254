"""What a running gateway knows of prices and offers."""

from __future__ import annotations

from typing import Any

import httpx

from contracts.errors import LinkDownError, PermanentError

_TIMEOUT_S = 10.0


async def asked(api: str, path: str) -> Any:  # noqa: ANN401 (JSON)
    """The gateway's answer below `/api/v1`.

    Raises:
        LinkDownError: no gateway answers at `api`.
        PermanentError: it knows nothing of that name.
    """
    try:
        async with httpx.AsyncClient(base_url=api, timeout=_TIMEOUT_S, trust_env=False) as client:
            answer = await client.get(f"/api/v1/{path}")
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise LinkDownError(f"no gateway answers at {api}: {error}") from error
    if not answer.is_success:
        try:
            why = answer.json()["title"]
        except (ValueError, KeyError, TypeError):
            why = f"HTTP {answer.status_code}"
        raise PermanentError(f"{api}: {why}")
    return answer.json()
