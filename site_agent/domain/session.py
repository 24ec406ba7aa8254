"""A charging session as it is kept: when, who, and how much energy, each told from estimated."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from contracts.reading import Quality

_RESET_SHARE = 0.5
"""A register that falls below this share of what it read has begun anew; one that falls by less
has told a lower value by mistake."""
_ROUNDING_WH = 1.0
"""OCPP 1.6 tells starts and ends in whole Wh, samples more finely."""
START_UNKNOWN = "start register unknown"
END_UNKNOWN = "end not told"
FELL = "register fell"
PRESUMED = "Other"
"""Reason of an end that was not told: another transaction has begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterSample:
    """What a charger's meter said at one instant of the charger's clock; None: not told."""

    at: datetime
    power_w: float | None = None
    """Charging positive."""
    current_a: float | None = None
    """Of the most loaded phase."""
    register_wh: float | None = None
    soc_pct: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyCount:
    """The energy of one session, Wh (>= 0); None: no register was ever told."""

    energy_wh: float | None
    quality: Quality
    """Good: from the registers at its start and end. Estimated: `remarks` say why."""
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargingSession:
    """One transaction, running or over. Times are as the charger told them."""

    transaction_id: int
    """Ours; never given twice."""
    evse_id: str
    ref: str
    """Its id on the wire: in OCPP 1.6 ours as a rule, in 2.0.1 the charger's."""
    id_tag: str | None
    started_at: datetime
    start_wh: float | None
    """The register at its start; None when it was never told."""
    ended_at: datetime | None
    """None: it runs, or its end has not been told yet."""
    reason: str | None
    energy: EnergyCount
    """While it runs: so far."""


def energy_of(
    start_wh: float | None, registers_wh: Iterable[float], stop_wh: float | None
) -> EnergyCount:
    """Energy of a session from its registers, Wh: at its start, in between by time, at its end.

    A register that begins anew (a reboot, another meter) counts from zero again; one that falls a
    little counts nothing until it has made up for it. What the registers did not show is not
    counted, so no energy counts twice.
    """
    told = [wh for wh in (start_wh, *registers_wh, stop_wh) if wh is not None]
    if not told:
        return EnergyCount(energy_wh=None, quality=Quality.OFFLINE, remarks=(END_UNKNOWN,))
    total_wh, fell = _climbed(told)
    if start_wh is None and total_wh == 0.0:  # one reading says nothing about how much flowed
        return EnergyCount(energy_wh=None, quality=Quality.OFFLINE, remarks=(START_UNKNOWN,))
    if start_wh is not None and stop_wh is not None and not fell:
        total_wh = max(0.0, stop_wh - start_wh)
    doubts = ((start_wh is None, START_UNKNOWN), (stop_wh is None, END_UNKNOWN), (fell, FELL))
    remarks = tuple(text for applies, text in doubts if applies)
    quality = Quality.ESTIMATED if remarks else Quality.GOOD
    return EnergyCount(energy_wh=total_wh, quality=quality, remarks=remarks)


def _climbed(told: Sequence[float]) -> tuple[float, bool]:
    """How far a register has climbed, Wh, and whether it ever fell."""
    total_wh, highest_wh, before_wh, fell = 0.0, told[0], told[0], False
    for wh in told[1:]:
        if wh >= highest_wh - _ROUNDING_WH:
            if wh > highest_wh:
                total_wh += wh - highest_wh
                before_wh, highest_wh = highest_wh, wh
            continue
        fell = True
        if wh >= _RESET_SHARE * highest_wh:
            continue
        # Back above where it was before its last step, that step was one wrong reading.
        total_wh += wh - highest_wh if wh >= before_wh else wh
        before_wh, highest_wh = min(before_wh, wh), wh
    return total_wh, fell


def presumption(energy: EnergyCount) -> EnergyCount:
    """The same, of a session whose end the charger has not told: another one has begun."""
    remarks = tuple(dict.fromkeys((*energy.remarks, END_UNKNOWN)))
    quality = energy.quality if energy.energy_wh is None else Quality.ESTIMATED
    return EnergyCount(energy_wh=energy.energy_wh, quality=quality, remarks=remarks)
