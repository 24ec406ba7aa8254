"""What a charger says about its own profiles, and taking ours away: best effort throughout."""

from __future__ import annotations

from contracts.errors import LinkDownError, PermanentError, ProtocolError, TransientError
from site_agent.devices.ocpp.limits.installer import Link
from site_agent.devices.ocpp.limits.profiles import Supply, lease_id, resting_id
from site_agent.devices.ocpp.versions.words import Composite, ProfileFilter
from site_agent.devices.ocpp.wire.frames import Json
from site_agent.devices.ocpp.wire.outbox import Priority, Request

_AHEAD_S = 60


async def composite(link: Link, connector: int, supply: Supply) -> Composite | None:
    """What all its profiles together allow in the next minute; None: it does not say.

    Raises:
        LinkDownError: the connection is gone (as both functions here).
    """
    answer = await asked(link, link.dialect.ask_composite(connector, _AHEAD_S))
    if answer is None:
        return None
    return link.dialect.composite(answer, phases=supply.phases, voltage_v=supply.voltage_v)


async def clear(link: Link, connector: int, *, rest: bool = False) -> bool:
    """Take our limit away, or (`rest`) our fail-safe share; whether there was one.

    Ours have fixed ids, so no other's profile is touched.
    """
    which = resting_id(connector) if rest else lease_id(connector)
    answer = await asked(link, link.dialect.clear_profiles(ProfileFilter(profile_id=which)))
    return answer is not None and link.dialect.accepted(answer)


async def asked(link: Link, request: Request) -> Json | None:
    """The answer, or None: nothing here is worth a connection."""
    try:
        return await link.session.call(
            request,
            key=(request.action, str(request.payload)),
            priority=Priority.ROUTINE,
            vital=False,
        )
    except LinkDownError:
        raise
    except (TransientError, PermanentError, ProtocolError):
        return None
