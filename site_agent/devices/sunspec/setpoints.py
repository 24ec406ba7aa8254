"""The ways to set a battery's power: watts by model 704, else rates by model 124 (last resort).

**When the agent dies** 704's timer brings the battery to 0 W (`WSetRvrt`, with `WSetEnaRvrt` on);
124's timer (`InOutWRte_RvrtTms`) gives it back to its own control, where the device honours the
timer at all. Without a working timer the last setpoint stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from contracts.errors import PermanentError
from site_agent.devices.modbus.link import Priority
from site_agent.devices.sunspec.codec import CapabilityMissingError, ModelCodec, Values
from site_agent.devices.sunspec.lapse import Timer
from site_agent.devices.sunspec.unit import Codecs, Read, SunSpecUnit, require_kept

_IN_WATTS = 1.0
"""704.WSetMod: the setpoint is in watts."""
_BOTH_LIMITS = 3.0
"""124.StorCtl_Mod: bit 0 holds the charging rate, bit 1 the discharging rate."""
_FROM_GRID = 1.0
"""124.ChaGriSet: charging from the grid is allowed."""
_FULL_PCT = 100.0


class PowerControl(Protocol):
    """One way to set a battery's power."""

    async def usable(self) -> bool:
        """Whether the device has all that it needs; raises as `SunSpecUnit.read`."""
        ...

    async def write(self, generated_w: float, priority: Priority) -> Timer:
        """Write the setpoint, its timer afresh, and read both back; generation positive here.

        Raises:
            CapabilityMissingError: a point or its scale factor is missing; nothing is written.
            ModbusRefusedError: the device refuses.
            TransientError, ProtocolError: not confirmed.
        """
        ...


class Watts:
    """704.WSet, all in one FC16."""

    _NEEDED = ("WSetEna", "WSet")
    _OPTIONAL = ("WSetMod", "WSetRvrt", "WSetEnaRvrt", "WSetRvrtTms")

    def __init__(self, unit: SunSpecUnit, *, lease_s: float) -> None:
        self._unit = unit
        self._lease_s = lease_s
        names = (*self._NEEDED, *self._OPTIONAL, "WSetRvrtRem")
        self._codecs: Codecs = {704: ModelCodec(704, names)}

    async def usable(self) -> bool:
        """Whether there are a switch and a scaled setpoint."""
        return await self._unit.implements(self._codecs, self._NEEDED)

    async def write(self, generated_w: float, priority: Priority) -> Timer:
        """As `PowerControl.write`."""
        written = await self._unit.change(
            self._codecs, lambda before: self._changes(before, generated_w), priority
        )
        require_kept(written.refused & {*self._NEEDED, "WSetMod"})
        values = written.values
        return Timer(total_s=values["WSetRvrtTms"], remaining_s=values["WSetRvrtRem"])

    def _changes(self, before: Read, generated_w: float) -> Mapping[str, float]:
        changes = {  # written one by one, the timer goes first: no setpoint without its end
            "WSetEnaRvrt": 1.0,
            "WSetRvrtTms": self._lease_s,
            "WSetRvrt": 0.0,
            "WSetEna": 1.0,
            "WSetMod": _IN_WATTS,
            "WSet": generated_w,
        }
        return _known(changes, before.values, self._OPTIONAL)


class Rates:
    """Rates of 124 as a percentage of WChaMax; a negative one forces the other direction.

    Fronius' practice: power stays between minus `OutWRte` and `InWRte`, so both the same holds it
    there. Rates and their timer go first, the switch follows: never old rates in force.
    """

    _RATES = ("OutWRte", "InWRte")

    def __init__(self, unit: SunSpecUnit, *, lease_s: float) -> None:
        self._unit = unit
        self._lease_s = lease_s
        names = ("WChaMax", "StorCtl_Mod", *self._RATES, "InOutWRte_WinTms", "InOutWRte_RvrtTms")
        self._codecs: Codecs = {124: ModelCodec(124, (*names, "ChaGriSet"))}

    async def usable(self) -> bool:
        """Whether there are both rates, a switch, and what the rates are a percentage of."""
        return await self._unit.implements(self._codecs, ("WChaMax", "StorCtl_Mod", *self._RATES))

    async def write(self, generated_w: float, priority: Priority) -> Timer:
        """As `PowerControl.write`."""
        before = (await self._unit.read(self._codecs, priority)).values
        if not before["WChaMax"]:
            raise CapabilityMissingError("a rate in percent needs the battery's maximum (WChaMax)")
        most = _FULL_PCT
        pct = max(-most, min(most, _FULL_PCT * generated_w / before["WChaMax"]))
        rates = {"OutWRte": pct + 0.0, "InWRte": 0.0 - pct}
        timers = {"InOutWRte_WinTms": 0.0, "InOutWRte_RvrtTms": self._lease_s}
        await self._put(rates | dict(_known(timers, before, tuple(timers))), priority)
        switches = {"StorCtl_Mod": _BOTH_LIMITS, "ChaGriSet": _FROM_GRID}
        await self._put(_known(switches, before, ("ChaGriSet",)), priority)
        after = (await self._unit.read(self._codecs, priority)).values
        return Timer(total_s=after["InOutWRte_RvrtTms"], claimed=False)

    async def _put(self, numbers: Mapping[str, float], priority: Priority) -> None:
        lost = await self._unit.put(self._codecs, numbers, priority)
        require_kept(lost & {*self._RATES, "StorCtl_Mod"})


class Steering:
    """Sets one battery's power by the first way that it has all the points of."""

    def __init__(self, unit: SunSpecUnit, *, lease_s: float) -> None:
        self._ways: tuple[PowerControl, ...] = (
            Watts(unit, lease_s=lease_s),
            Rates(unit, lease_s=lease_s),
        )
        self._way: PowerControl | None = None

    async def write(self, generated_w: float, priority: Priority) -> Timer:
        """As `PowerControl.write`; after a refusal the way is chosen anew."""
        try:
            way = self._way = self._way or await self._choose()
            return await way.write(generated_w, priority)
        except PermanentError:
            self._way = None
            raise

    async def _choose(self) -> PowerControl:
        for way in self._ways:
            if await way.usable():
                return way
        raise CapabilityMissingError("neither 704 nor 124 sets its power")


def _known(
    changes: Mapping[str, float], values: Values, optional: Sequence[str]
) -> Mapping[str, float]:
    """What the device has; what is not optional stays, so that writing it fails closed."""
    return {k: v for k, v in changes.items() if k not in optional or values[k] is not None}
