"""What a baseline was computed from, as one number, so that it can be made again and compared."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from functools import lru_cache

from contracts.time import Interval
from gateway.domain.curves import Sampler, grid_of
from gateway.domain.measure.baseline_run import BaselineInputs
from gateway.domain.measure.own_day import moved_in, own_windows
from gateway.domain.measure.past_days import PastDays
from gateway.domain.program.measuring import ExportRule
from gateway.domain.program.method import Anchor, BaselineMethod

_FIRST = (
    "name",
    "y_days",
    "x_days",
    "look_back",
    "day_type",
    "min_days",
    "min_coverage",
    "adjustment",
    "adjust_from",
    "adjust_until",
    "adjust_low",
    "adjust_high",
)
"""Parameters of a method that are always told; those that came later only when they say anything,
so that hashes of reports from before them hold."""


def inputs_hash(inputs: BaselineInputs, past: PastDays, days: Sequence[Interval]) -> str:
    """SHA-256 over the parameters and the loads of the own day, of `days` and of control sites."""
    head = {
        "method": _parameters(inputs.method),
        "zone": inputs.zone.key,
        "event": [inputs.event.start, inputs.event.end],
        "span": [inputs.span.start, inputs.span.end],
        "resolution": inputs.resolution,
        "other_events": sorted([str(e.start), str(e.end)] for e in inputs.other_events),
        "holidays": sorted(str(day) for day in inputs.holidays),
        **_later(inputs),
    }
    digest = hashlib.sha256(json.dumps(head, default=str, sort_keys=True).encode())
    own = own_windows(inputs.method, inputs.event, inputs.zone, inputs.notified)
    for part in past.bytes_in((*own, *days)):
        digest.update(part)
    for control in sorted(inputs.controls, key=lambda one: one.name):
        for part in Sampler(control.load).bytes_in(grid_of((*own, inputs.span))):
            digest.update(part)
    return digest.hexdigest()


@lru_cache(maxsize=64)
def _parameters(method: BaselineMethod) -> Mapping[str, object]:
    first, later = BaselineMethod(), [one.name for one in fields(method) if one.name not in _FIRST]
    silent = {name for name in later if getattr(method, name) == getattr(first, name)}
    return {name: value for name, value in asdict(method).items() if name not in silent}


def _later(inputs: BaselineInputs) -> dict[str, object]:
    """Inputs that came after the first hashes, where they have a say."""
    found: dict[str, object] = {}
    if inputs.method.anchor is Anchor.NOTIFICATION:
        found["notified"] = inputs.notified
    if moved := moved_in(inputs):
        found["moved"] = sorted([str(one.start), str(one.end)] for one in moved)
    if inputs.export is not ExportRule.COUNTED:
        found["export"] = inputs.export
    if inputs.controls:
        found["controls"] = sorted(
            [one.name, sorted([str(e.start), str(e.end)] for e in one.events)]
            for one in inputs.controls
        )
    return found
