"""Stations and EVSEs as JSON documents: currents A per phase, powers W, energies Wh, times UTC."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from contracts.reading import Reading
from site_agent.devices.ocpp.evse.charger import OcppCharger
from site_agent.devices.ocpp.limits.profiles import Capabilities
from site_agent.devices.ocpp.operate.meanings import meaning
from site_agent.devices.ocpp.operate.secrets import short_tag, shown
from site_agent.devices.ocpp.station import Station
from site_agent.domain.device import ChargerState

Json = dict[str, object]


def station(
    one: Station, seen: Mapping[str, ChargerState], now: datetime, checked_in: Json | None
) -> Json:
    """One station for a list; `seen`: its EVSEs as the control loop judges them, if it runs."""
    link, plate = one.link, one.nameplate
    return {
        "charge_point": one.config.charge_point_id,
        "online": link is not None,
        "ready": link is not None and link.ready,
        "version": None if link is None else link.dialect.version.value,
        "vendor": plate and plate.vendor,
        "model": plate and plate.model,
        "firmware": plate and plate.firmware,
        "online_since": _time(one.trace.connected_at),
        "last_frame_age_s": None
        if link is None
        else round((now - link.session.last_seen).total_seconds(), 1),
        "connections": one.generation,
        "faults": dict(one.tally.counts),
        "checked_in": checked_in,
        "evses": [evse(number, each, seen, now) for number, each in one.evses.items()],
    }


def evse(number: int, one: OcppCharger, seen: Mapping[str, ChargerState], now: datetime) -> Json:
    """One EVSE."""
    state = one.state(now)
    judged = seen.get(one.spec.evse_id)
    return {
        "evse": number,
        "id": one.spec.evse_id,
        "phases": list(one.spec.phases),
        "max_a": one.spec.max_current_a,
        "fail_safe_a": one.spec.fail_safe_current_a,
        "plugged": state.plugged,
        "transaction": state.transaction_id,
        "id_tag": None if state.id_tag is None else short_tag(state.id_tag),
        "asked_a": one.asked_a,
        "trial_a": one.trial_a,
        "confirmed_a": state.confirmed_limit_a,
        "measured_a": _value(state.current_a),
        "power_w": _value(state.power_w),
        "energy_wh": _value(state.energy_wh),
        "soc_pct": _value(state.soc_pct),
        "obeys": state.obeys if judged is None else judged.obeys,
        "pausable": state.pausable,
        "lapse": state.lapse.value,
        "ceiling_a": state.ceiling_a,
        "follows_within_s": state.follows_within and state.follows_within.total_seconds(),
        "phases_used": state.phases_used,
        "resting_a": one.steering.resting.share_a,
        "writes_a_day": one.steering.writes_a_day(now),
    }


def told(one: Station) -> Json:
    """What it has told about itself; `inventory` only once all its settings were asked for."""
    known = one.inventory
    return {
        "conditions": {
            str(number): " ".join(filter(None, (said.status, said.error)))
            for number, said in known.conditions.items()
        },
        "transfers": dict(known.progress),
        "inventory": {
            setting.name: shown(setting.name, setting.value) for setting in known.settings
        },
        "security_events": [
            {"at": event.at.isoformat(), "kind": event.kind, "info": event.info}
            for event in known.security_events
        ],
    }


def faults(one: Station) -> list[Json]:
    """What it did wrong, most frequent first, and what that means."""
    return [
        {"kind": kind, "count": count, "meaning": meaning(kind)}
        for kind, count in one.tally.counts.most_common()
    ]


def capabilities(can: Capabilities) -> Json:
    """What it says about smart charging; None: it does not say."""
    return {
        "units": [unit.value for unit in can.units],
        "max_stack_level": can.max_stack_level,
        "max_periods": can.max_periods,
        "max_profiles": can.max_profiles,
    }


def _value(reading: Reading) -> float | None:
    if reading.value is None or not reading.quality.usable:
        return None
    return round(reading.value, 2)


def _time(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()
