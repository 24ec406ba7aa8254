"""One line a message, in JSON: a request, then any number of items, then the end or an error.

::

    -> {"token": "...", "command": "ocpp.list", "args": {}}
    <- {"item": {...}}
    <- {"end": true}      or      {"error": {"kind": "transient", "text": "CP1: offline"}}
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

from contracts.errors import (
    GridyardError,
    LinkDownError,
    PermanentError,
    ProtocolError,
    TransientError,
)

Json = Mapping[str, object]

LARGEST_REQUEST = 128 * 1024
"""Bytes; a certificate chain or a long charging profile has room."""
LARGEST_ANSWER = 2 * 1024 * 1024
"""Bytes of one line."""

_KINDS: Mapping[str, type[GridyardError]] = {
    "offline": LinkDownError,
    "transient": TransientError,
    "protocol": ProtocolError,
    "permanent": PermanentError,
}


async def read(stream: asyncio.StreamReader) -> Json | None:
    """The next message; None when the peer has no more. The stream's own limit bounds a line.

    Raises:
        ProtocolError: too long, cut off, or no JSON object.
    """
    try:
        line = await stream.readuntil(b"\n")
    except asyncio.IncompleteReadError as cut:
        if cut.partial:
            raise ProtocolError("the message is cut off") from cut
        return None
    except asyncio.LimitOverrunError as long:
        raise ProtocolError("the message is too long") from long
    except ConnectionError:
        return None
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ProtocolError("the message is no JSON") from error
    if not isinstance(message, dict):
        raise ProtocolError("the message is no JSON object")
    return message


def line(message: Json) -> bytes:
    """A message as it goes over the wire."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def error_of(error: GridyardError) -> Json:
    """An error as an answer."""
    kind = next((name for name, of in _KINDS.items() if isinstance(error, of)), "permanent")
    return {"error": {"kind": kind, "text": str(error)[:2000]}}


def raised(answer: object) -> GridyardError:
    """The error an answer tells of."""
    told = answer if isinstance(answer, dict) else {}
    return _KINDS.get(str(told.get("kind")), PermanentError)(str(told.get("text", "failed")))
