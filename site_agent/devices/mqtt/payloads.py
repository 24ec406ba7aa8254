"""The JSON that a battery and this agent exchange, and the topics it travels on.

Below `depot/<site>/<asset>/`::

    state    battery, retained   {"ts", "seq", "power_w", "soc_pct", "setpoint_w" | null}
    status   battery, retained   online | offline, plain text; offline is also its last will
    cmd      agent, never kept   {"id", "ts", "expires_at", "valid_for_s", "power_w"}
    ack      battery             {"id", "ts", "accepted", "reason"}

Times are RFC 3339 with an offset, powers W, charging positive. A command arriving after
`expires_at` is refused; an accepted one holds for `valid_for_s` and then lapses to 0 W. Unknown
fields are ignored; everything else is refused, for whatever a device sends is hostile until read.
"""

from __future__ import annotations

import re
from typing import Annotated, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from contracts.errors import ConfigError, ProtocolError

MAX_BYTES = 4096
_LEVEL = re.compile(r"[A-Za-z0-9_-]{1,64}")


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, allow_inf_nan=False)


class StateMessage(_Message):
    """What a battery says of itself; `seq` counts up from its start."""

    ts: AwareDatetime
    seq: Annotated[int, Field(ge=0, lt=1 << 63)]
    power_w: float
    soc_pct: Annotated[float, Field(ge=0, le=100)]
    setpoint_w: float | None = None


class AckMessage(_Message):
    """A battery's answer to the command `id`."""

    id: Annotated[str, Field(max_length=100)]
    ts: AwareDatetime
    accepted: bool
    reason: Annotated[str, Field(max_length=500)] = ""


class CommandMessage(_Message):
    """A setpoint on lease."""

    id: str
    ts: AwareDatetime
    expires_at: AwareDatetime
    valid_for_s: float
    power_w: float


M = TypeVar("M", bound=_Message)


def read(model: type[M], payload: bytes) -> M:
    """Read a message.

    Raises:
        ProtocolError: too long, not JSON, or not such a message.
    """
    _bound(payload)
    try:
        return model.model_validate_json(payload)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in fault["loc"]) or "(whole)"
        raise ProtocolError(f"{place}: {fault['msg']}"[:200]) from error


def read_status(payload: bytes) -> bool:
    """Whether the battery says that it is online; raises as `read`."""
    _bound(payload)
    if payload not in (b"online", b"offline"):
        raise ProtocolError("status is neither online nor offline")
    return payload == b"online"


def topic(site_id: str, asset_id: str) -> str:
    """The common beginning of an asset's topics.

    Raises:
        ConfigError: an id with more than letters, digits, `_` and `-` (a dot would be two levels
            to a NATS broker).
    """
    for level in (site_id, asset_id):
        if not _LEVEL.fullmatch(level):
            raise ConfigError(f"{level!r} cannot be an MQTT topic level")
    return f"depot/{site_id}/{asset_id}"


def _bound(payload: bytes) -> None:
    if len(payload) > MAX_BYTES:
        raise ProtocolError(f"{len(payload)} bytes, at most {MAX_BYTES} are read")
