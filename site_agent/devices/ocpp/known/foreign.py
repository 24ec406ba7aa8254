"""Charging profiles on a charger that are not ours: looked for, reported, never cleared.

They come from before our time, from a menu at the charger or from a back end that still reaches
it. From 2.0.1 on a charger lists what it holds: profiles of the kinds we use that stand higher in
the stack than ours. In every version it says what all of them together allow (composite schedule):
more than our limit in a running transaction means that somebody else's profile counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

import structlog

from contracts.errors import LinkDownError, PermanentError, ProtocolError, TransientError
from contracts.time import Clock
from site_agent.devices.ocpp.evse.charger import OcppCharger
from site_agent.devices.ocpp.known.asking import Asked, held_profiles
from site_agent.devices.ocpp.limits.installer import Link
from site_agent.devices.ocpp.limits.knowledge import Knowledge
from site_agent.devices.ocpp.limits.profiles import Purpose, lease_id, resting_id
from site_agent.devices.ocpp.settings import Version
from site_agent.devices.ocpp.versions.words import HeldProfile, ProfileFilter

_PURPOSES: Mapping[str, Purpose] = {
    **{purpose.value: purpose for purpose in Purpose},
    "ChargingStationMaxProfile": Purpose.STATION_MAX,
}
_FIRST_S = 20.0
"""After a connection: by then our own profiles are there."""
_EVERY_S = 300.0
_REPORT_S = 20.0
_MOST_NAMED = 3
_log = structlog.get_logger(__name__)


class Looked(Asked, Protocol):
    """A station, as far as it is looked at."""

    @property
    def evses(self) -> Mapping[int, OcppCharger]:
        """By connector (1.6) or EVSE number."""
        ...


async def watch(station: Looked, link: Link, clock: Clock) -> None:
    """Look soon after the connection and then now and then, until cancelled.

    Raises:
        LinkDownError: the connection is gone.
    """
    await clock.sleep(_FIRST_S)
    while True:
        if link.ready:
            await look(station, link)
        await clock.sleep(_EVERY_S)


async def look(station: Looked, link: Link) -> None:
    """Find what outranks ours; `OcppCharger.state` has it.

    Raises:
        LinkDownError: the connection is gone.
    """
    held = await _listed(station, link)
    ours = {of(number) for number in station.evses for of in (resting_id, lease_id)}
    others = [one for one in held if one.profile_id not in ours]
    for number, evse in station.evses.items():
        found = above(others, number, evse.knowledge)
        words = [f"{one.purpose} {one.profile_id} at level {one.stack_level}" for one in found]
        if not found and (allowed_a := await evse.steering.rank.limit(link)) is not None:
            words = [f"its schedule allows {allowed_a:.1f} A"]
        lasting = any(_PURPOSES[one.purpose] is not Purpose.TX for one in found)
        await evse.steering.outranked(", ".join(words[:_MOST_NAMED]), lasting=lasting)


def above(held: Iterable[HeldProfile], connector: int, known: Knowledge) -> list[HeldProfile]:
    """Those of `held`, none of them ours, that count before ours at one EVSE."""
    return [one for one in held if one.connector in (0, connector) and _outranks(one, known)]


def _outranks(one: HeldProfile, known: Knowledge) -> bool:
    """A TxProfile stands above every TxDefaultProfile; a maximum only caps, unless ours is one."""
    purpose = _PURPOSES.get(one.purpose)
    forms = [form for form in (known.resting, known.lease) if form and form.purpose is purpose]
    if not forms:
        return purpose is Purpose.TX
    return one.stack_level > max(form.stack_level for form in forms)


async def _listed(station: Looked, link: Link) -> tuple[HeldProfile, ...]:
    if link.dialect.version is Version.V16:
        return ()
    try:
        return await held_profiles(station, ProfileFilter(), _REPORT_S)
    except LinkDownError:
        raise
    except (TransientError, PermanentError, ProtocolError) as error:
        name = station.config.charge_point_id
        _log.info("profiles not listed", charge_point=name, reason=str(error)[:200])
        return ()
