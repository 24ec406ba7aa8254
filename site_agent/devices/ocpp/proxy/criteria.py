"""Which of its charging profiles an order of the cloud means. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection

from site_agent.devices.ocpp.proxy import reading
from site_agent.devices.ocpp.proxy.profile_book import Kept
from site_agent.devices.ocpp.wire import fields
from site_agent.devices.ocpp.wire.frames import Json

SOURCE = "CSO"
"""Who has set a profile of the cloud's (2.0.1 part 2, ChargingLimitSourceEnumType)."""

Matches = Callable[[Kept], bool]


def to_clear(payload: Json, *, version_16: bool) -> Matches:
    """Those that a ClearChargingProfile means (1.6 §5.4, 2.0.1 K10)."""
    id_key, evse_key = ("id", "connectorId") if version_16 else ("chargingProfileId", "evseId")
    where = payload if version_16 else fields.part(payload, "chargingProfileCriteria")
    number = payload.get(id_key)
    return _matching(where, where.get(evse_key), None if number is None else [number])


def to_report(payload: Json) -> Matches:
    """Those that a GetChargingProfiles means (2.0.1 K09)."""
    where = fields.part(payload, "chargingProfile")
    ids, sources = where.get("chargingProfileId"), where.get("chargingLimitSource")
    if isinstance(sources, list) and SOURCE not in sources:
        return lambda _: False
    return _matching(where, payload.get("evseId"), ids if isinstance(ids, list) else None)


def _matching(where: Json, evse: object, ids: Collection[object] | None) -> Matches:
    level, purpose = where.get("stackLevel"), where.get("chargingProfilePurpose")

    def matches(kept: Kept) -> bool:
        profile = kept.profile
        return (
            evse in (None, profile.evse)
            and level in (None, profile.stack_level)
            and purpose in (None, reading.purpose_word(kept.wire))
            and (ids is None or profile.profile_id in ids)
        )

    return matches
