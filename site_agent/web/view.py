"""What the depot's page shows, as text and shapes: made anew from each control cycle."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from site_agent.domain.fleet.readiness import Outlook, Readiness
from site_agent.domain.journal import Entry
from site_agent.domain.protect.envelope import Bound
from site_agent.domain.protect.estimate import watts_per_amp
from site_agent.domain.why.answer import Seen, Subject, amps, kw, kwh, span
from site_agent.domain.why.asked import answer
from site_agent.domain.why.charger import doing
from site_agent.domain.why.index import Index, index_of
from site_agent.web.cells import cells_by_node, why_url
from site_agent.web.diagram import Diagram, columns_for, diagram
from site_agent.web.words import NA, OUTLOOKS, Mark, age, charger_mark, clock, exact, percent, power

LEAST, MOST, NARROW = 5, 8, 2
"""Cells a row of the single-line picture, on a screen (from, to) and on a phone."""
STALE = timedelta(seconds=10)
"""A control cycle older than this is not the present."""
_TIGHT = 0.97


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One figure."""

    key: str
    label: str
    value: str
    unit: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRow:
    """One limit in force."""

    what: str
    value: str
    now: str
    tight: bool
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargerRow:
    """One charger."""

    name: str
    url: str
    mark: Mark
    vehicle: str
    limit: str
    drawn: str
    age: str
    since: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleRow:
    """One vehicle that is here or expected."""

    name: str
    url: str
    mark: Mark
    at: str
    soc: str
    needs: str
    leaves: str
    ready_by: str
    why: str
    helps: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRow:
    """One line of the journal."""

    at: str
    exact: str
    kind: str
    subject: str
    text: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PageView:
    """The page."""

    site_id: str
    clock: str
    zone: str
    warnings: tuple[str, ...]
    binding: str
    mode: str
    mode_why: str
    tiles: tuple[Tile, ...]
    wide: Diagram
    narrow: Diagram
    limits: tuple[LimitRow, ...]
    chargers: tuple[ChargerRow, ...]
    vehicles: tuple[VehicleRow, ...]
    entries: tuple[EntryRow, ...]


def page_view(
    seen: Seen,
    prospects: Sequence[Readiness],
    entries: Sequence[Entry],
    now: datetime,
    zone: tzinfo,
) -> PageView:
    """The page of this cycle; `entries` newest first."""
    index = index_of(seen)
    cells = cells_by_node(index)
    return PageView(
        site_id=seen.snapshot.model.site_id,
        clock=f"{now.astimezone(zone):%H:%M:%S}",
        zone=f"{now.astimezone(zone):%Z}",
        warnings=tuple(_warnings(seen, now)),
        binding=answer(index, Subject.SITE, seen.snapshot.model.site_id).sentence,
        mode=seen.mode,
        mode_why=seen.mode_why,
        tiles=tuple(_tiles(seen, prospects)),
        wide=diagram(index, cells, "wide", columns_for(cells, LEAST, MOST)),
        narrow=diagram(index, cells, "narrow", NARROW),
        limits=tuple(limit_rows(index)),
        chargers=tuple(_charger_rows(index, zone)),
        vehicles=tuple(_vehicle_row(one, seen, zone) for one in prospects),
        entries=tuple(entry_row(entry, now, zone) for entry in entries),
    )


def entry_row(entry: Entry, now: datetime, zone: tzinfo) -> EntryRow:
    """One line of the journal; its link explains the subject as it was then."""
    stamp = entry.at.astimezone(zone)
    day = "" if stamp.date() == now.astimezone(zone).date() else f"{stamp:%m-%d} "
    return EntryRow(
        at=f"{day}{stamp:%H:%M:%S}",
        exact=exact(entry.at, zone),
        kind=entry.kind.value,
        subject=entry.subject,
        text=entry.text,
        url=f"{why_url(entry.subject)}?at={entry.at:%Y-%m-%dT%H:%M:%S.%fZ}",
    )


def _warnings(seen: Seen, now: datetime) -> Iterator[str]:
    snapshot = seen.snapshot
    if now - snapshot.at > STALE:
        seconds = (now - snapshot.at).total_seconds()
        yield f"The last control cycle was {seconds:.0f} s ago: all figures are old."
    if seen.decision.building_w is None:
        yield "The meter is silent: the site runs on a static split that assumes the largest load."
    yield from (f"{words[:1].upper()}{words[1:]}." for words in seen.decision.unmet.values())
    if not seen.snapshot.chargers:
        yield "No charger is configured yet."


def _tiles(seen: Seen, prospects: Sequence[Readiness]) -> Iterator[Tile]:
    snapshot, model = seen.snapshot, seen.snapshot.model
    now, max_age = snapshot.at, model.device_max_age
    pcc_w = snapshot.pcc.power_w.fresh(now, model.meter_max_age)
    label = "Grid" if pcc_w is None else "Export" if pcc_w < 0 else "Import"
    limit_w = seen.decision.envelope.import_w.value
    over = pcc_w is not None and pcc_w > limit_w
    limit = f"{'above the' if over else 'of'} {kw(limit_w)} allowed"
    yield _tile("grid", label, pcc_w, "no meter reading" if pcc_w is None else limit)
    drawn = [one.power_w.fresh(now, max_age) for one in snapshot.chargers]
    charging = sum(one is not None and one > 0 for one in drawn)
    plugged = sum(one.plugged or one.transaction_id is not None for one in snapshot.chargers)
    total_w = sum(one or 0.0 for one in drawn)
    yield _tile("charging", "Charging", total_w, f"{charging} of {plugged} vehicles here")
    if snapshot.pv:
        made = [one.power_w.fresh(now, max_age) for one in snapshot.pv]
        rated_w = sum(one.spec.rated_w for one in snapshot.pv)
        silent = None in made
        made_w = None if silent else -sum(one or 0.0 for one in made)
        yield _tile("pv", "PV", made_w, f"of {kw(rated_w)} rated")
    if snapshot.batteries:
        yield _battery_tile(seen)
    yield _ready_tile(prospects)


def _tile(key: str, label: str, power_w: float | None, note: str) -> Tile:
    shown = NA if power_w is None else kw(abs(power_w)).removesuffix(" kW")
    return Tile(key=key, label=label, value=shown, unit="kW", note=note)


def _battery_tile(seen: Seen) -> Tile:
    snapshot = seen.snapshot
    now, max_age = snapshot.at, snapshot.model.device_max_age
    powers = [one.power_w.fresh(now, max_age) for one in snapshot.batteries]
    socs = [one.soc_pct.fresh(now, max_age) for one in snapshot.batteries]
    known = [one for one in socs if one is not None]
    soc = sum(known) / len(known) if known else None
    if None in powers:
        return _tile("battery", "Battery", None, "does not answer")
    total_w = sum(one or 0.0 for one in powers)
    does = "charges" if total_w > 0 else "discharges" if total_w < 0 else "rests"
    return _tile("battery", f"Battery {does}", total_w, f"{percent(soc)} charged")


def _ready_tile(prospects: Sequence[Readiness]) -> Tile:
    fine = sum(one.outlook in (Outlook.READY, Outlook.ON_TRACK) for one in prospects)
    bad = sum(one.outlook is Outlook.WILL_MISS for one in prospects)
    risk = sum(one.outlook is Outlook.AT_RISK for one in prospects)
    note = ", ".join(
        text
        for count, text in ((bad, f"{bad} will not be ready"), (risk, f"{risk} at risk"))
        if count
    )
    label, unit = "Vehicles on track", f"of {len(prospects)}"
    empty = "no vehicle is here or expected"
    return Tile(
        key="ready",
        label=label,
        value=str(fine),
        unit=unit,
        note=note or ("all will be ready" if prospects else empty),
    )


def limit_rows(index: Index) -> Iterator[LimitRow]:
    """Every limit in force, with what is used of it now and its source."""
    seen = index.seen
    snapshot, envelope = seen.snapshot, seen.decision.envelope
    model = snapshot.model
    pcc_w = snapshot.pcc.power_w.fresh(snapshot.at, model.meter_max_age)
    yield _watts("Import", envelope.import_w, pcc_w)
    if envelope.export_w is not None:
        exported = None if pcc_w is None else -pcc_w
        yield _watts("Export", envelope.export_w, exported)
    for what, bound in (
        ("Controlled load", envelope.load_w),
        ("Generation", envelope.generation_w),
        ("Storage target", envelope.storage_w),
    ):
        if bound is not None:
            yield _watts(what, bound, None)
    for node in model.nodes:
        told = answer(index, Subject.NODE, node.node_id)
        bound = envelope.node_current_a[node.node_id]
        carries = told.sentence.split(" of ", 1)[0].removeprefix(f"{node.node_id} carries ")
        yield LimitRow(
            what=f"Current in {node.node_id}",
            value=f"{amps(bound.value)} a phase",
            now=carries if carries != told.sentence else NA,
            tight=bool(told.binding),
            source=bound.cause,
        )


def _watts(what: str, bound: Bound, used_w: float | None) -> LimitRow:
    limit_w = abs(bound.value)
    tight = used_w is not None and limit_w > 0 and used_w >= _TIGHT * limit_w
    shown = NA if used_w is None else kw(used_w)
    return LimitRow(what=what, value=kw(limit_w), now=shown, tight=tight, source=bound.cause)


def _charger_rows(index: Index, zone: tzinfo) -> Iterator[ChargerRow]:
    snapshot, needs, told = index.seen.snapshot, index.needs, index.limits
    for state in snapshot.chargers:
        name = state.spec.evse_id
        limit_a, need = told[name].limit_a, needs.get(name)
        drawn_w = state.power_w.fresh(snapshot.at, snapshot.model.device_max_age)
        limit_w = limit_a * watts_per_amp(state, snapshot.at, snapshot.model.device_max_age)
        since = state.limit_in_force_since
        vehicle = "" if need is None else need.vehicle_id if need.known else "unknown vehicle"
        yield ChargerRow(
            name=name,
            url=why_url(name),
            mark=charger_mark(state, limit_a, need, drawn_w),
            vehicle=vehicle,
            limit=f"{amps(limit_a)} · {kw(limit_w)}",
            drawn=power(drawn_w),
            age=age(state.power_w, snapshot.at),
            since="" if since is None else clock(since, snapshot.at, zone),
            why=doing(index, name),
        )


def _vehicle_row(one: Readiness, seen: Seen, zone: tzinfo) -> VehicleRow:
    need, now = one.need, seen.snapshot.at
    late = f" ({kwh(one.missing_wh)} short)" if one.missing_wh > 0 else ""
    return VehicleRow(
        name=need.vehicle_id,
        url=why_url(need.vehicle_id if need.known else need.evse_id),
        mark=OUTLOOKS[one.outlook],
        at=need.evse_id if one.here else "not here yet",
        soc=percent(one.soc_pct),
        needs=f"{kwh(need.required_wh)}{late}" if need.required_wh > 0 else "nothing",
        leaves=clock(need.departure, now, zone),
        ready_by=NA if one.ready_at is None else clock(one.ready_at, now, zone),
        why=_outlook(one, now),
        helps=one.helps,
    )


def _outlook(one: Readiness, now: datetime) -> str:
    """How much is to spare, or what is wrong; energies in kWh."""
    if one.outlook is Outlook.READY:
        return ""
    if one.outlook is Outlook.ON_TRACK and one.here:
        return f"{span(one.need.laxity(now))} to spare"
    return re.sub(r"\b(\d+) Wh\b", lambda found: kwh(float(found[1])), one.reason)
