"""The meter at the connection point, by what it shows itself and beside what devices tell."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from contracts.metering import ENERGY_ERROR, PROOF_SHARE, energy_slack_wh, level_slack_w
from gateway.domain.anomaly.finding import Code, Finding
from gateway.domain.anomaly.picture import PCC, Picture, blocks, runs
from gateway.domain.words import kw, pct, span

STUCK_SLOTS = 30
"""A meter that shows the very same for so long, while devices move, stands still."""
_SAME = 1e-9
_SPIKE_SHARE = 0.5
"""Of the contract: no building leaps this far for a moment without its devices."""
_SPIKE_SLOTS, _AROUND = 2, 5
_LEVEL_SLOTS, _LEVEL_BLOCKS = 15, 2
_REGISTER_HOURS = 6.0
_HOUR_S = 3600.0


def stuck(picture: Picture) -> Iterator[Finding]:
    """The very same number, while devices have moved by what must show."""
    pcc, devices = picture.pcc_w, picture.devices_w
    same = np.abs(np.diff(pcc)) <= _SAME * np.maximum(1.0, np.abs(pcc[1:]))
    least_w = PROOF_SHARE * picture.contract_w
    for first, end in runs(same, STUCK_SLOTS - 1):
        known = devices[first : end + 1]
        known = known[~np.isnan(known)]
        moved_w = float(np.ptp(known)) if len(known) else 0.0
        if moved_w >= least_w:
            at = picture.span(first, end + 1)
            yield Finding(
                code=Code.STUCK,
                subject=PCC,
                evidence=at,
                reason=(
                    f"the meter shows {kw(float(pcc[first]))} for {_long(picture, first, end + 1)}"
                    f" while devices moved by {kw(moved_w)}"
                ),
                what_to_do=(
                    "Look whether the meter or its gateway has frozen; restart it, and leave this"
                    " time out of any bill or baseline"
                ),
            )


def spikes(picture: Picture) -> Iterator[Finding]:
    """A leap for a moment that no device has made."""
    pcc, devices = picture.pcc_w, picture.devices_w
    if len(pcc) <= 2 * _AROUND:
        return
    leap = pcc - _median(pcc)
    moved = np.nan_to_num(np.abs(devices - _median(devices)))
    least_w = _SPIKE_SHARE * picture.contract_w
    far = np.nan_to_num(np.abs(leap)) > np.maximum(least_w, 2.0 * moved)
    for first, end in runs(far, 1):
        if end - first > _SPIKE_SLOTS:
            continue
        worst = first + int(np.argmax(np.abs(leap[first:end])))
        yield Finding(
            code=Code.SPIKE,
            subject=PCC,
            evidence=picture.span(first, end),
            reason=(
                f"the meter leapt to {kw(float(pcc[worst]))}, {kw(float(leap[worst]))} from what"
                f" it showed around, for {_long(picture, first, end)}; no device moved as much"
            ),
            what_to_do=(
                "Look at the wiring to the meter and for doubled addresses on its bus; check"
                " whether this minute made the month's demand peak"
            ),
        )


def submeters(picture: Picture) -> Iterator[Finding]:
    """Devices draw more than comes in: a building gives nothing."""
    pcc, devices, told = (
        blocks(one, _LEVEL_SLOTS) for one in (picture.pcc_w, picture.devices_w, picture.told_w)
    )
    slack = np.array([level_slack_w(picture.contract_w, one) for one in told.tolist()])
    missing = np.nan_to_num(devices - pcc - slack)
    for first, end in runs(missing > 0, _LEVEL_BLOCKS):
        most = first + int(np.argmax(missing[first:end]))
        yield Finding(
            code=Code.SUBMETERS,
            subject=PCC,
            evidence=picture.span(_LEVEL_SLOTS * first, _LEVEL_SLOTS * end),
            reason=(
                f"devices drew {kw(float(devices[most]))} while the meter showed"
                f" {kw(float(pcc[most]))}; the building cannot have given the rest"
            ),
            what_to_do=(
                "Look for a meter with a wrong sign, scale or phase, or for generation that nobody"
                " meters"
            ),
        )


def register(picture: Picture) -> Iterator[Finding]:
    """The energy register beside the power, over the whole window."""
    known = np.flatnonzero(~np.isnan(picture.register_wh))
    if len(known) < 2:  # noqa: PLR2004 (two readings make a difference)
        return
    first, last = int(known[0]), int(known[-1])
    power = picture.pcc_w[first : last + 1]
    hours = (last - first) * picture.grid.seconds / _HOUR_S
    if hours < _REGISTER_HOURS or np.isnan(power).any():
        return
    counted_wh = float(picture.register_wh[last] - picture.register_wh[first])
    if counted_wh < 0 or (np.diff(picture.register_wh[known]) < 0).any():
        return  # it has begun anew: another meter, or it ran over
    # Means of slots: from the middle of the first to the middle of the last.
    drawn = np.maximum(0.0, power) * picture.grid.seconds / _HOUR_S
    summed_wh = float(drawn.sum() - (drawn[0] + drawn[-1]) / 2.0)
    if abs(summed_wh - counted_wh) > energy_slack_wh(picture.contract_w, summed_wh, hours):
        yield Finding(
            code=Code.REGISTER,
            subject=PCC,
            evidence=picture.span(first, last + 1),
            reason=(
                f"the meter's register counted {counted_wh / 1000:,.1f} kWh, its power sums up to"
                f" {summed_wh / 1000:,.1f} kWh: more than {pct(ENERGY_ERROR)} apart"
            ),
            what_to_do="Compare both with the utility's meter; the one that fits it is right",
        )


def _median(values: np.ndarray) -> np.ndarray:
    """Of the slots around each one; what is not known there is left out."""
    padded = np.pad(values, _AROUND, mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * _AROUND + 1)
    known = np.where(np.isnan(around).all(axis=1, keepdims=True), 0.0, around)
    found = np.nanmedian(known, axis=1)
    return np.asarray(np.where(np.isnan(values), np.nan, found))


def _long(picture: Picture, first: int, end: int) -> str:
    return span((end - first) * picture.grid.step)
