"""What a running gateway is asked and told over its API."""

from __future__ import annotations

from collections.abc import Mapping
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
    return await _exchanged(api, "GET", path, None)


async def told(api: str, path: str, body: Mapping[str, object]) -> Any:  # noqa: ANN401 (JSON)
    """The gateway's answer to what it is told below `/api/v1`.

    Raises:
        LinkDownError: no gateway answers at `api`.
        PermanentError: it refuses; the message says why.
    """
    return await _exchanged(api, "POST", path, body)


async def _exchanged(api: str, method: str, path: str, body: Mapping[str, object] | None) -> Any:  # noqa: ANN401 (JSON)
    try:
        async with httpx.AsyncClient(base_url=api, timeout=_TIMEOUT_S, trust_env=False) as client:
            answer = await client.request(method, f"/api/v1/{path}", json=body)
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise LinkDownError(f"no gateway answers at {api}: {error}") from error
    if not answer.is_success:
        raise PermanentError(f"{api}: {_problem(answer)}")
    return answer.json()


def _problem(answer: httpx.Response) -> str:
    try:
        found = answer.json()
        said = [found["title"], found.get("detail", "")]
        said += [f"{one['pointer']}: {one['detail']}" for one in found.get("errors", [])]
        return "; ".join(str(one) for one in said if one)
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"HTTP {answer.status_code}"
