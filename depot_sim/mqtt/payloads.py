"""The JSON that devices and a site agent exchange over MQTT.

Topics, below `depot/<site>/<asset>/` (no dots in site and asset: NATS brokers split on them):

========  =========  ========  ==============================================================
topic     who        retained  payload
========  =========  ========  ==============================================================
state     device     yes       ``{"ts": RFC 3339, "seq": int, ...}`` and of a battery
                               ``power_w, soc_pct, setpoint_w``, of an inverter ``power_w,
                               available_w, energy_wh, limit_w``, of a meter ``power_w,
                               phases_w, currents_a, import_wh, export_wh``
status    device     yes       ``online`` or ``offline`` as plain text; ``offline`` is also the
                               last will
cmd       agent      no        ``{"id": str, "ts": RFC 3339, "expires_at": RFC 3339,
                               "valid_for_s": float}`` with ``power_w`` (battery) or
                               ``limit_w`` (inverter; null ends the limit)
ack       device     no        ``{"id": str, "ts": RFC 3339, "accepted": bool, "reason": str}``
========  =========  ========  ==============================================================

Powers are in W: import and charging positive, but an inverter's are generation, positive. `seq`
counts the states since the device started, from 1. `setpoint_w` and `limit_w` are the command in
force, null when none is: a battery then stands at 0 W, an inverter generates freely.

A command must arrive before `expires_at` (an old one from a queue is refused, and so is one the
broker has kept) and then holds for `valid_for_s` seconds from its arrival: the lease. When that
time has passed without another command, it ends by itself. A command with the id of the previous
one is acknowledged again and changes nothing. `reason` is empty when accepted.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from contracts.errors import ProtocolError
from depot_sim.mqtt.words import Order

MAX_COMMAND_BYTES = 4096
LONGEST_LEASE_S = 86_400.0


class _Command(BaseModel):
    """A setpoint with its lease; unknown fields are ignored."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    id: Annotated[str, Field(min_length=1, max_length=100)]
    ts: AwareDatetime
    expires_at: AwareDatetime
    valid_for_s: Annotated[float, Field(gt=0, le=LONGEST_LEASE_S)]


class _Power(_Command):
    power_w: float


class _Limit(_Command):
    limit_w: Annotated[float, Field(ge=0)] | None


def power(payload: bytes) -> Order:
    """Read a battery's command; raises as `limit`."""
    command = _read(_Power, payload)
    return _order(command, command.power_w)


def limit(payload: bytes) -> Order:
    """Read an inverter's command.

    Raises:
        ProtocolError: too long, not JSON, or not a command.
    """
    command = _read(_Limit, payload)
    return _order(command, command.limit_w)


def ack(*, id: str, at: datetime, reason: str) -> str:
    """Write an acknowledgement; an empty reason means accepted."""
    return json.dumps({"id": id, "ts": at.isoformat(), "accepted": not reason, "reason": reason})


C = TypeVar("C", bound=_Command)


def _read(model: type[C], payload: bytes) -> C:
    if len(payload) > MAX_COMMAND_BYTES:
        raise ProtocolError(f"command of {len(payload)} bytes")
    try:
        return model.model_validate_json(payload)
    except ValidationError as error:
        raise ProtocolError(str(error)) from error


def _order(command: _Command, value: float | None) -> Order:
    return Order(
        value=value,
        valid_for_s=command.valid_for_s,
        id=command.id,
        expires_at=command.expires_at,
    )
