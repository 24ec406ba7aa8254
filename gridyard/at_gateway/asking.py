"""What a running gateway is asked and told over its API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from contracts.errors import LinkDownError, PermanentError, TransientError

_TIMEOUT_S = 30.0
_FILE_S = 300.0
_SERVER_ERROR = 500


async def asked(api: str, path: str, *, timeout_s: float = _TIMEOUT_S) -> Any:  # noqa: ANN401 (JSON)
    """The gateway's answer below `/api/v1`.

    Raises:
        LinkDownError: no gateway answers at `api`.
        PermanentError: it knows nothing of that name, or is no gateway.
        TransientError: it could not answer now.
    """
    return await _exchanged(api, "GET", path, None, None, timeout_s)


async def fetched(api: str, path: str) -> bytes:
    """A file of the gateway below `/api/v1`.

    Raises:
        LinkDownError: no gateway answers at `api`.
        PermanentError: it has none of that name, or is no gateway.
        TransientError: it could not answer now.
    """
    answer = await _answer(api, "GET", path, None, {})
    if not answer.is_success:
        _content(api, answer)  # raises, with what the gateway says
    return answer.content


async def told(
    api: str,
    path: str,
    body: Mapping[str, object] | Sequence[Mapping[str, object]],
    *,
    method: str = "POST",
    key: str | None = None,
) -> Any:  # noqa: ANN401 (JSON)
    """The gateway's answer to what it is told below `/api/v1`; with a key it may be told again.

    Raises:
        LinkDownError: no gateway answers at `api`.
        PermanentError: it refuses, and the message says why; or it is no gateway.
        TransientError: it could not do it now.
    """
    return await _exchanged(api, method, path, body, key)


async def posted(api: str, path: str, content: bytes, content_type: str) -> Any:  # noqa: ANN401 (JSON)
    """The gateway's answer to a file that is sent below `/api/v1`; see `told`."""
    url, headers = f"/api/v1/{path}", {"Content-Type": content_type}
    try:
        async with httpx.AsyncClient(base_url=api, timeout=_FILE_S, trust_env=False) as client:
            answer = await client.post(url, content=content, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise LinkDownError(f"no gateway answers at {api}: {error}") from error
    return _content(api, answer)


async def _exchanged(
    api: str,
    method: str,
    path: str,
    body: Mapping[str, object] | Sequence[Mapping[str, object]] | None,
    key: str | None,
    timeout_s: float = _TIMEOUT_S,
) -> Any:  # noqa: ANN401 (JSON)
    headers = {} if key is None else {"Idempotency-Key": key}
    return _content(api, await _answer(api, method, path, body, headers, timeout_s))


async def _answer(
    api: str,
    method: str,
    path: str,
    body: Mapping[str, object] | Sequence[Mapping[str, object]] | None,
    headers: Mapping[str, str],
    timeout_s: float = _TIMEOUT_S,
) -> httpx.Response:
    try:
        async with httpx.AsyncClient(base_url=api, timeout=timeout_s, trust_env=False) as client:
            return await client.request(method, f"/api/v1/{path}", json=body, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise LinkDownError(f"no gateway answers at {api}: {error}") from error


def _content(api: str, answer: httpx.Response) -> Any:  # noqa: ANN401 (JSON)
    try:
        content = answer.json()
    except ValueError as error:
        raise PermanentError(
            f"{api}: is this a gateway? It answers {answer.status_code} without JSON"
        ) from error
    if answer.is_success:
        return content
    said = _problem(content) or f"HTTP {answer.status_code}"
    if answer.status_code >= _SERVER_ERROR:
        raise TransientError(f"the gateway could not do it: {said}")
    raise PermanentError(f"the gateway refuses: {said}")


def _problem(content: object) -> str:
    """Of an answer by RFC 9457, what it says."""
    if not isinstance(content, Mapping):
        return ""
    said = [content.get("title"), content.get("detail")]
    errors = content.get("errors")
    said += [
        f"{one.get('pointer')}: {one.get('detail')}"
        for one in (errors if isinstance(errors, list) else [])
        if isinstance(one, Mapping)
    ]
    return "; ".join(str(one) for one in said if one)
