"""From records of a telegram to canonical points.

A present value (function 0, storage 0) of the main unit (subunit 0) counts, found by the code of
its quantity. Phases are told apart by what follows the extension FF (as meters of Finder,
Saia-Burgess and EMU do) or FC (EN 13757-3, table of orthogonal extensions). Where a meter shows no
total, it is the sum of its phases or tariffs. What a meter says in another way, a record map says
for it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import takewhile

from site_agent.devices.mbus.records import Record, Telegram

Points = Mapping[str, float | None]
"""Points a meter shows; None where it says that it has no value."""
_Found = dict[str, float | None]

_CODED = (0xFB, 0xFD)
"""The quantity is in the first extension."""
_KINDS: Mapping[str, frozenset[tuple[int, ...]]] = {
    "power": frozenset({(n,) for n in range(0x28, 0x30)} | {(0xFB, 0x28), (0xFB, 0x29)}),
    "energy": frozenset({(n,) for n in range(8)} | {(0xFB, 0x00), (0xFB, 0x01)}),
    "voltage": frozenset((0xFD, n) for n in range(0x40, 0x50)),
    "current": frozenset((0xFD, n) for n in range(0x50, 0x60)),
}
"""Codes of value information (EN 13757-3, tables of primary and extended codes)."""
_NO_ERROR, _POSITIVE, _NEGATIVE = 0x00, 0x3B, 0x3C
"""Extensions that leave a quantity what it is; the last two count in one direction only."""
_PHASED = (0xFF, 0xFC)
_TOTAL, _PHASES = 0, (1, 2, 3)
_FAULT_BIT = 0x08
"""Permanent error, in the status of a telegram (EN 13757-3, status field)."""

POINTS = (
    "active_power",
    *(f"{name}_l{phase}" for name in ("active_power", "current", "voltage") for phase in _PHASES),
    "import_energy",
    "export_energy",
    "fault",
)
"""What may be found by codes; a record map may name any other point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRule:
    """Which record is a point; DIF with DIFEs and VIF with VIFEs in hex, as telegrams have them."""

    dib: str
    vib: str
    scale: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordMap:
    """How one meter's records become points."""

    rules: Mapping[str, RecordRule] = field(default_factory=dict)
    """By point; they come before what is found by codes."""
    shows: tuple[str, ...] = POINTS
    """Points the meter has; a single-phase one shows nothing of L2."""


def points(telegrams: Iterable[Telegram], how: RecordMap) -> Points:
    """What the telegrams of one readout say."""
    told = tuple(telegrams)
    records = [record for telegram in told for record in telegram.records]
    found = {**_by_codes(records), **_by_rules(records, how.rules)}
    found["fault"] = float(any(telegram.status & _FAULT_BIT for telegram in told))
    return {point: value for point, value in found.items() if point in how.shows}


def _by_rules(records: Iterable[Record], rules: Mapping[str, RecordRule]) -> _Found:
    known = {(record.dib.hex(), record.vib.hex()): record.value for record in records}
    return {
        point: _times(known[key], rule.scale)
        for point, rule in rules.items()
        if (key := (rule.dib.lower(), rule.vib.lower())) in known
    }


def _by_codes(records: Iterable[Record]) -> _Found:
    present = [one for one in records if not (one.function or one.storage or one.subunit)]
    power, current, voltage = (_phases(present, kind) for kind in ("power", "current", "voltage"))
    found = {f"active_power_l{phase}": watts for phase, watts in power.items() if phase}
    if power:
        found["active_power"] = power.get(_TOTAL, _sum(power.values()))
    for name, values in (("current", current), ("voltage", voltage)):
        alone = {1: values[_TOTAL]} if [*values] == [_TOTAL] else values
        found |= {f"{name}_l{n}": _magnitude(one) for n, one in alone.items() if n}
    return found | _energies(present)


def _phases(records: Iterable[Record], kind: str) -> dict[int, float | None]:
    """Values by phase, the total as 0; the first of each counts."""
    values: dict[int, float | None] = {}
    for record in records:
        phase = _phase(record.vib)
        if _is(record, kind) and not record.tariff and phase is not None:
            values.setdefault(phase, record.value)
    return values


def _phase(vib: bytes) -> int | None:
    """The phase a record is about, 0 for all of them; None for something else again."""
    places = [place for place in range(1, len(vib)) if vib[place] in _PHASED]
    if not places:
        return _TOTAL
    number = vib[places[0] + 1] if places[0] + 1 < len(vib) else -1
    return number if number in (_TOTAL, *_PHASES) else None


def _energies(records: Iterable[Record]) -> _Found:
    tariffs: dict[str, dict[int, float | None]] = {}
    for record in records:
        if _is(record, "energy") and _phase(record.vib) == _TOTAL:
            way = "export_energy" if _NEGATIVE in _split(record.vib)[1] else "import_energy"
            tariffs.setdefault(way, {}).setdefault(record.tariff, record.value)
    return {way: by.get(_TOTAL, _sum(by.values())) for way, by in tariffs.items()}


def _is(record: Record, kind: str) -> bool:
    """Whether a record is of a kind and no extension makes something else of it."""
    code, extensions = _split(record.vib)
    return code in _KINDS[kind] and {*extensions} <= {_NO_ERROR, _POSITIVE, _NEGATIVE}


def _split(vib: bytes) -> tuple[tuple[int, ...], list[int]]:
    """The code of a quantity and its common extensions, without the bits that more follow."""
    coded = vib[0] in _CODED if vib else False
    code = (
        (vib[0], *(one & 0x7F for one in vib[1:2]))
        if coded
        else tuple(one & 0x7F for one in vib[:1])
    )
    common = takewhile(lambda one: one not in _PHASED, vib[len(code) :])
    return code, [one & 0x7F for one in common]


def _sum(values: Collection[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor + 0.0  # no -0.0


def _magnitude(value: float | None) -> float | None:
    return None if value is None else abs(value)
