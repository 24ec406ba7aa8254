"""Constants of model 704: power factor while injecting or absorbing, and reactive power.

**When the agent dies** the inverter's own timer (`PFWInjRvrtTms`, `PFWAbsRvrtTms`,
`VarSetRvrtTms`) runs out after `lease_s` and brings back what it had before us, switch and value
(`...EnaRvrt` and the reversion values). An inverter without the timer keeps the constant until the
agent is back and takes it away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from contracts.errors import PermanentError
from contracts.inverter import FixedPowerFactor, FixedVar, InverterFunction
from site_agent.devices.modbus.link import Priority
from site_agent.devices.sunspec.codec import ModelCodec, Values
from site_agent.devices.sunspec.curves import Numbers, fixed
from site_agent.devices.sunspec.unit import SunSpecUnit


@dataclass(frozen=True, slots=True)
class Mode:
    """One constant: its prefix, and each of its values with the one it reverts to."""

    prefix: str
    slot: str
    values: Mapping[str, str | None]


MODES = (
    Mode("VarSet", "fixed_var", {
        "VarSetMod": None, "VarSet": "VarSetRvrt", "VarSetPct": "VarSetPctRvrt",
    }),
    Mode("PFWInj", "power_factor_injecting", {
        "PFWInj.PF": "PFWInjRvrt.PF", "PFWInj.Ext": "PFWInjRvrt.Ext",
    }),
    Mode("PFWAbs", "power_factor_absorbing", {
        "PFWAbs.PF": "PFWAbsRvrt.PF", "PFWAbs.Ext": "PFWAbsRvrt.Ext",
    }),
)  # fmt: skip


class Fixed:
    """One constant of an inverter; as `adopted.Adopted`."""

    def __init__(self, unit: SunSpecUnit, mode: Mode, *, lease_s: float) -> None:
        self.name = f"704.{mode.prefix}"
        self.slots = frozenset({mode.slot})
        self._unit = unit
        self._mode = mode
        self._lease_s = lease_s
        prefix = mode.prefix
        self._ena, self._ena_after = f"{prefix}Ena", f"{prefix}EnaRvrt"
        self._timer = f"{prefix}RvrtTms"
        after = [name for name in mode.values.values() if name]
        names = (self._ena, self._ena_after, self._timer, *mode.values, *after)
        self._codecs = {704: ModelCodec(704, names)}

    async def present(self) -> bool:
        """Whether the inverter has the mode."""
        return await self._unit.has(self._codecs) and (await self._read())[self._ena] is not None

    async def settings(self) -> Numbers:
        """The switch and the values now, for `restore`."""
        values = await self._read()
        kept = {name: values[name] for name in (self._ena, *self._mode.values)}
        known = {name: value for name, value in kept.items() if value is not None}
        return known | {"Ena": values[self._ena] or 0.0}

    async def hold(self, functions: Mapping[str, InverterFunction], own: Numbers) -> None:
        """Put the constant in force and renew the timer; `own` are the settings before us.

        Raises:
            PermanentError: it cannot, and why.
        """
        for function in functions.values():
            if isinstance(function, FixedPowerFactor | FixedVar):
                await self._put(fixed(function))
        await self._switch(1.0, own)

    async def off(self, own: Numbers) -> None:
        """Switch it off, until the timer says otherwise."""
        await self._switch(0.0, own)

    async def restore(self, own: Numbers) -> None:
        """Bring back `own`; raises as `hold`."""
        values = await self._read()
        if values[self._timer] is not None:
            await self._put({self._timer: 0.0})
        if not own["Ena"]:
            await self._put({self._ena: 0.0})
        await self._put({name: own[name] for name in self._mode.values if name in own})
        await self._put({self._ena: own["Ena"]})

    async def _switch(self, on: float, own: Numbers) -> None:
        """The switch, with what comes back when we fall silent; the timer always afresh."""
        values = await self._read()
        if values[self._timer] is None:
            await self._put({self._ena: on})
            return
        pairs = self._mode.values.items()
        after = {after: own[name] for name, after in pairs if after and name in own}
        after |= {self._ena_after: own["Ena"]}
        await self._put({name: v for name, v in after.items() if values[name] is not None})
        await self._put({self._ena: on}, always={self._timer: self._lease_s})

    async def _read(self) -> Values:
        return (await self._unit.read(self._codecs, Priority.SLOW)).values

    async def _put(self, numbers: Numbers, always: Numbers | None = None) -> None:
        """Write what is not so already, and `always` in any case.

        Raises:
            PermanentError: the inverter does not keep it.
        """
        different = await self._unit.differs(self._codecs, numbers, Priority.SLOW)
        changes = {name: numbers[name] for name in different} | dict(always or {})
        if not changes:
            return
        lost = await self._unit.put(self._codecs, changes, Priority.SLOW)
        if lost := lost & numbers.keys():
            raise PermanentError(f"model 704: it did not keep {', '.join(sorted(lost))}")
