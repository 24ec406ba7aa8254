"""The ways to limit a PV inverter: WMaxLimPct by model 704, else by model 123.

**When the agent dies** the timer of the model runs out and the limit is off (704:
`WMaxLimPctEnaRvrt` 0, 123: by definition); see `pv`. Both count in percent of what the inverter
names its maximum; without that number, or a scale factor, nothing is written.
"""

from __future__ import annotations

from collections.abc import Mapping

from site_agent.devices.modbus.link import Priority
from site_agent.devices.sunspec.codec import CapabilityMissingError, ModelCodec, Values
from site_agent.devices.sunspec.lapse import Timer
from site_agent.devices.sunspec.unit import Codecs, Read, SunSpecUnit, require_kept

_1547 = 704
_NEEDED: Mapping[int, tuple[str, ...]] = {
    704: ("WMaxLimPctEna", "WMaxLimPct"),
    123: ("WMaxLim_Ena", "WMaxLimPct"),
}
_AFTER = ("WMaxLimPctRvrt", "WMaxLimPctEnaRvrt", "WMaxLimPctRvrtTms", "WMaxLimPctRvrtRem")
_CONTROL: Codecs = {
    704: ModelCodec(704, (*_NEEDED[704], *_AFTER)),
    123: ModelCodec(123, (*_NEEDED[123], "WMaxLimPct_WinTms", "WMaxLimPct_RvrtTms")),
}
_BASE: Mapping[int, Codecs] = {
    704: {702: ModelCodec(702, ("WMax", "WMaxRtg"))},
    123: {121: ModelCodec(121, ("WMax",)), 120: ModelCodec(120, ("WRtg",))},
}
"""What a limit's percentage is a percentage of, by model of control."""
_FULL_PCT = 100.0


class Curtailment:
    """Limits one inverter, by the first model that has all it takes."""

    def __init__(self, unit: SunSpecUnit, *, lease_s: float) -> None:
        self._unit = unit
        self._lease_s = lease_s
        self._model: int | None = None

    async def write(self, limit_w: float | None, priority: Priority) -> Timer:
        """Write the limit (None: none) with its timer afresh, and read both back.

        Raises:
            CapabilityMissingError: a point, its scale factor or the maximum is missing; nothing is
                written.
            ModbusRefusedError: the device refuses.
            TransientError, ProtocolError: not confirmed.
        """
        try:
            return await self._write(limit_w, priority)
        except CapabilityMissingError:
            self._model = None  # it may have been asleep
            raise

    async def _write(self, limit_w: float | None, priority: Priority) -> Timer:
        model = self._model = self._model or await self._choose()
        pct = None
        if limit_w is not None:
            base = await self._unit.read(_BASE[model], priority)
            pct = percent_of(base.values, limit_w)
        written = await self._unit.change(
            {model: _CONTROL[model]}, lambda before: self._changes(before, pct), priority
        )
        require_kept(written.refused & {*_NEEDED[model]})
        return _timer(written.values)

    async def _choose(self) -> int:
        for model, codec in _CONTROL.items():
            if await self._unit.implements({model: codec}, _NEEDED[model]):
                return model
        raise CapabilityMissingError("neither 704 nor 123 limits it")

    def _changes(self, before: Read, pct: float | None) -> Mapping[str, float]:
        on, full = float(pct is not None), _FULL_PCT if pct is None else pct
        if before.model_id == _1547:
            end = {
                "WMaxLimPctRvrt": _FULL_PCT,
                "WMaxLimPctEnaRvrt": 0.0,
                "WMaxLimPctRvrtTms": self._lease_s,
            }
            limit = {"WMaxLimPctEna": on, "WMaxLimPct": full}
        else:
            end = {"WMaxLimPct_WinTms": 0.0, "WMaxLimPct_RvrtTms": self._lease_s}
            limit = {"WMaxLimPct": full, "WMaxLim_Ena": on}
        known = {k: v for k, v in end.items() if before.values[k] is not None}
        return known | limit  # written one by one, the timer goes first: no limit without its end


def percent_of(base: Values, limit_w: float) -> float:
    """A limit as a percentage of the inverter's maximum, 0 to 100.

    Raises:
        CapabilityMissingError: the inverter does not say what its maximum is.
    """
    known_w = [watts for watts in base.values() if watts]
    if not known_w:
        raise CapabilityMissingError("a limit in percent needs the inverter's maximum power")
    return max(0.0, min(_FULL_PCT, _FULL_PCT * limit_w / known_w[0]))


def _timer(values: Values) -> Timer:
    total_s = values.get("WMaxLimPctRvrtTms", values.get("WMaxLimPct_RvrtTms"))
    return Timer(total_s=total_s, remaining_s=values.get("WMaxLimPctRvrtRem"))
