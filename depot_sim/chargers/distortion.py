"""Meter values as odd chargers word them. Works on the payloads of every version."""

from __future__ import annotations

import math
from collections.abc import Callable

from depot_sim.chargers.json_rpc import Json
from depot_sim.chargers.personality import Personality

_ENERGY = "Energy.Active.Import.Register"
_LISTS = ("meterValue", "transactionData")
"""Where messages keep their meter values."""

_Samples = list[Json]


def distortion(personality: Personality) -> Callable[[Json], Json]:
    """What happens to every payload on its way out."""
    steps: list[Callable[[_Samples], _Samples]] = []
    if personality.energy_only_kwh:
        steps.append(_energy_only_kwh)
    if personality.dirty_every:
        steps.append(_Dirt(personality.dirty_every))
    if not steps:
        return lambda payload: payload

    def distort(payload: Json) -> Json:
        for step in steps:
            payload = _changed(payload, step)
        return payload

    return distort


def _changed(payload: Json, step: Callable[[_Samples], _Samples]) -> Json:
    lists = {
        key: [{**value, "sampledValue": step(value["sampledValue"])} for value in payload[key]]
        for key in _LISTS
        if key in payload
    }
    return {**payload, **lists}


def _energy_only_kwh(samples: _Samples) -> _Samples:
    return [_in_kwh(sample) for sample in samples if sample.get("measurand") == _ENERGY] or samples


def _in_kwh(sample: Json) -> Json:
    """In kWh, with the noise of a binary fraction as in `0.45024000000000003`."""
    kwh = math.nextafter(float(sample["value"]) / 1000.0, math.inf)
    if "unitOfMeasure" in sample:
        return {**sample, "value": kwh, "unitOfMeasure": {"unit": "kWh"}}
    return {**sample, "value": repr(kwh), "unit": "kWh"}


class _Dirt:
    """One bad sample beside the good ones, in every `every`-th meter value.

    It calls itself the power, in a unit that is none of power's and that the schema of 1.6 does
    not know, with a key of the vendor's own and a value of the wrong type: a number in 1.6, a text
    in 2.x.
    """

    def __init__(self, every: int) -> None:
        self._every = every
        self._count = 0

    def __call__(self, samples: _Samples) -> _Samples:
        self._count += 1
        if self._count % self._every:
            return samples
        dirty: Json = {"measurand": "Power.Active.Import", "vendorQuality": "good"}
        if any(isinstance(sample["value"], str) for sample in samples):
            dirty |= {"value": 50.01, "unit": "Hz"}
        else:
            dirty |= {"value": "50.01", "unitOfMeasure": {"unit": "Hz"}}
        return [*samples, dirty]
