"""What a person should know: raised once when it begins, cleared once when it ends."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.site_link.messages import Notice, Severity
from site_agent.domain.fleet.readiness import Outlook, Readiness
from site_agent.domain.functions import Unheld
from site_agent.domain.leases import Nature, leases
from site_agent.domain.protect.envelope import Side
from site_agent.domain.protect.estimate import worst_a
from site_agent.domain.protect.lasting import keeps
from site_agent.domain.site import ROOT, SiteSnapshot
from site_agent.flows.report.rows import name, text
from site_agent.ports import KeyValues

_SETTLED = timedelta(seconds=60)
"""A device has shown by then whether it keeps its own timer."""
RAISED_KEY = "notices/raised"

METER_STALE = "meter-stale"
METER_NOT_TRUSTED = "meter-not-trusted"
CHARGER_OFFLINE = "charger-offline"
BATTERY_OFFLINE = "battery-offline"
PV_OFFLINE = "pv-offline"
LIMIT_NOT_OBEYED = "limit-not-obeyed"
KEEPS_LIMIT = "charger-keeps-limit"
KEEPS_SETPOINT = "device-keeps-setpoint"
KNOWS_NO_LIMITS = "charger-knows-no-limits"
LIMIT_UNMET = "limit-unmet"
VEHICLE_STUCK = "vehicle-does-not-resume"
FOREIGN_PROFILE = "foreign-charging-profile"
LOCAL_CONTROL = "local-control"
REFUSED = "refused-but-charging"
IDENTITY_CONFLICT = "identity-conflict"
DEPARTURE_AT_RISK = "departure-at-risk"
DEPARTURE_TIGHT = "departure-tight"
FUNCTION_REFUSED = "inverter-function-refused"

Key = tuple[str, str]
"""(code, subject)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Something that is true now, and worth a notice once it has lasted `after`."""

    severity: Severity
    text: str
    after: timedelta = timedelta(0)


def conditions(
    snapshot: SiteSnapshot,
    unmet: Mapping[Side, str],
    prospects: tuple[Readiness, ...],
    unheld: tuple[Unheld, ...] = (),
) -> Mapping[Key, Condition]:
    """Everything worth a notice in one picture of the site; `unmet`: limits it cannot keep."""
    return dict(
        [
            *_meter(snapshot),
            *_chargers(snapshot),
            *_keepers(snapshot),
            *_troubled(snapshot),
            *_identities(snapshot),
            *_others(snapshot),
            *_limits(unmet),
            *_vehicles(prospects),
            *_functions(unheld),
        ]
    )


def _meter(snapshot: SiteSnapshot) -> Iterator[tuple[Key, Condition]]:
    distrust = snapshot.belief.distrust
    if distrust is not None:
        words = (
            f"not trusted, by its {distrust.check.value}: {distrust.words} (noticed after "
            f"{distrust.detected_in.total_seconds():.0f} s); chargers share a static split"
        )
        yield (METER_NOT_TRUSTED, ROOT), Condition(severity=Severity.ALARM, text=words)
    elif snapshot.pcc.power_w.fresh(snapshot.at, snapshot.model.meter_max_age) is None:
        words = "no fresh reading at the connection point: chargers share a static split"
        starting = timedelta(seconds=2)
        yield (METER_STALE, ROOT), Condition(severity=Severity.ALARM, text=words, after=starting)


def _chargers(snapshot: SiteSnapshot) -> Iterator[tuple[Key, Condition]]:
    for charger in snapshot.chargers:
        worst = worst_a(charger, snapshot.at, snapshot.model.device_max_age)
        if not charger.online:
            yield (
                (CHARGER_OFFLINE, charger.spec.evse_id),
                Condition(
                    severity=Severity.WARNING,
                    text=f"does not answer; counted at {worst:.0f} A a phase",
                    after=timedelta(seconds=15),
                ),
            )
        elif not charger.controllable:
            yield (
                (KNOWS_NO_LIMITS, charger.spec.evse_id),
                Condition(
                    severity=Severity.WARNING,
                    text=f"knows no limits and can only be stopped; counted at {worst:.0f} A a "
                    "phase; set its fail_safe_current_a to its rating",
                ),
            )
        elif not charger.obeys:
            limit = charger.confirmed_limit_a or 0.0
            yield (
                (LIMIT_NOT_OBEYED, charger.spec.evse_id),
                Condition(
                    severity=Severity.ALARM,
                    text=f"draws {worst:.0f} A a phase under a limit of {limit:.0f} A",
                ),
            )


def _keepers(snapshot: SiteSnapshot) -> Iterator[tuple[Key, Condition]]:
    words = "does not end a limit by itself: it is given only what the site bears without an agent"
    for charger in snapshot.chargers:
        if keeps(charger):
            condition = Condition(severity=Severity.WARNING, text=words)
            yield (KEEPS_LIMIT, charger.spec.evse_id), condition
    for lease in leases(snapshot):
        if lease.nature is not Nature.CHARGER and not lease.lapses:
            text = f"does not end a setpoint by itself: without us it {lease.then}; {lease.cost}"
            condition = Condition(severity=Severity.WARNING, text=text, after=_SETTLED)
            yield (KEEPS_SETPOINT, lease.device_id), condition


def _troubled(snapshot: SiteSnapshot) -> Iterator[tuple[Key, Condition]]:
    stuck = Condition(
        severity=Severity.WARNING, text="a vehicle does not resume charging after a pause"
    )
    refused = Condition(
        severity=Severity.WARNING,
        text="its card was refused, yet the transaction runs on at 0 A or the charger's least: "
        "the charger is asked to end it; if it stays, end it at the charger or draw the plug",
        after=timedelta(seconds=30),
    )
    for charger in snapshot.chargers:
        if charger.refused:
            yield (REFUSED, charger.spec.evse_id), refused
        if charger.stuck:
            yield (VEHICLE_STUCK, charger.spec.evse_id), stuck
        if charger.outranked:
            named = f": {charger.outranked_by}" if charger.outranked_by else ""
            words = f"holds a charging profile that is not ours, above ours{named}; clear it there"
            outranked = Condition(severity=Severity.WARNING, text=words)
            yield (FOREIGN_PROFILE, charger.spec.evse_id), outranked


def _identities(snapshot: SiteSnapshot) -> Iterator[tuple[Key, Condition]]:
    """Somebody has taken another's card, vehicle or bay: the strongest evidence counts."""
    for charger in snapshot.chargers:
        if charger.identity is not None and charger.identity.conflicts:
            yield (
                (IDENTITY_CONFLICT, charger.spec.evse_id),
                Condition(
                    severity=Severity.INFO,
                    text="; ".join(charger.identity.conflicts),
                    after=timedelta(seconds=30),
                ),
            )


def _others(snapshot: SiteSnapshot) -> Iterator[tuple[Key, Condition]]:
    lasting = timedelta(seconds=15)
    offline = Condition(severity=Severity.WARNING, text="does not answer", after=lasting)
    yield from _under_local_control(snapshot)
    for battery in snapshot.batteries:
        if not battery.online and not battery.local:
            yield (BATTERY_OFFLINE, battery.spec.battery_id), offline
        elif not (battery.obeys or battery.local):
            words = f"gives {battery.spec.max_discharge_w:.0f} W, less than it was asked"
            broken = Condition(severity=Severity.ALARM, text=words)
            yield (LIMIT_NOT_OBEYED, battery.spec.battery_id), broken
    for inverter in snapshot.pv:
        if not inverter.online and not inverter.local:
            yield (PV_OFFLINE, inverter.spec.pv_id), offline
        elif not (inverter.obeys or inverter.local):
            made_w = -(inverter.power_w.value or 0.0)
            words = f"makes {made_w:.0f} W, more than the limit it has accepted"
            broken = Condition(severity=Severity.ALARM, text=words)
            yield (LIMIT_NOT_OBEYED, inverter.spec.pv_id), broken


def _under_local_control(snapshot: SiteSnapshot) -> Iterator[tuple[Key, Condition]]:
    words = "is under local control and takes no setpoints: give it back to remote control there"
    taken = [one.spec.battery_id for one in snapshot.batteries if one.local]
    taken += [one.spec.pv_id for one in snapshot.pv if one.local]
    for device_id in taken:
        yield (LOCAL_CONTROL, device_id), Condition(severity=Severity.WARNING, text=words)


def _limits(unmet: Mapping[Side, str]) -> Iterator[tuple[Key, Condition]]:
    lasting = timedelta(seconds=15)
    for side, words in unmet.items():
        condition = Condition(severity=Severity.ALARM, text=words, after=lasting)
        yield (LIMIT_UNMET, side.value), condition


def _vehicles(prospects: tuple[Readiness, ...]) -> Iterator[tuple[Key, Condition]]:
    for prospect in prospects:
        if not prospect.need.known:
            continue
        helps = f"; {prospect.helps}" if prospect.helps else ""
        if prospect.outlook is Outlook.WILL_MISS:
            words = f"will miss its departure: {prospect.reason}{helps}"
            condition = Condition(
                severity=Severity.WARNING, text=words, after=timedelta(seconds=30)
            )
            yield (DEPARTURE_AT_RISK, prospect.need.vehicle_id), condition
        elif prospect.outlook is Outlook.AT_RISK:
            words = f"may miss its departure: {prospect.reason}"
            condition = Condition(severity=Severity.INFO, text=words, after=timedelta(minutes=2))
            yield (DEPARTURE_TIGHT, prospect.need.vehicle_id), condition


def _functions(unheld: tuple[Unheld, ...]) -> Iterator[tuple[Key, Condition]]:
    """One for each function of each device, since they come and go one by one."""
    for one in unheld:
        yield (
            (FUNCTION_REFUSED, f"{one.subject}/{one.slot}"),
            Condition(
                severity=Severity.WARNING,
                text=f"{one.subject} does not do {one.slot}: {one.reason}",
                after=timedelta(0) if one.refused else timedelta(seconds=60),
            ),
        )


class NoticeBoard:
    """Turns conditions into notices at their edges, also over a restart (call `load` first)."""

    def __init__(self, memory: KeyValues) -> None:
        self._memory = memory
        self._since: dict[Key, datetime] = {}
        self._raised: set[Key] = set()

    async def load(self) -> None:
        """Take up which notices stand, so that what ended meanwhile is cleared."""
        found = json.loads(await self._memory.get(RAISED_KEY) or "[]")
        self._raised = {(code, subject) for code, subject in found}

    def edges(self, present: Mapping[Key, Condition], now: datetime) -> list[Notice]:
        """Notices due at `now`; they count as sent once given to `sent`."""
        self._since = {key: self._since.get(key, now) for key in present}
        raised = [
            _notice(key, condition.severity, now, condition.text, raised=True)
            for key, condition in present.items()
            if key not in self._raised and now - self._since[key] >= condition.after
        ]
        cleared = [
            _notice(key, Severity.INFO, now, "over", raised=False)
            for key in sorted(self._raised - set(present))
        ]
        return raised + cleared

    async def sent(self, notices: list[Notice]) -> None:
        """These are in the outbox."""
        if not notices:
            return
        for notice in notices:
            key = (notice.code, notice.subject)
            (self._raised.add if notice.raised else self._raised.discard)(key)
        await self._memory.put(RAISED_KEY, json.dumps(sorted(self._raised)))


def _notice(key: Key, severity: Severity, at: datetime, words: str, *, raised: bool) -> Notice:
    code, subject = key
    return Notice(
        at=at,
        code=code,
        subject=name(subject),
        severity=severity,
        raised=raised,
        text=text(words),
    )
