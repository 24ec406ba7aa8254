"""A function whose curve an inverter adopts: models 705-710 and 712, and the droop of 711.

Curve 1 is what is in force and read-only. A new one is written into a curve that is not read-only,
its number into `AdptCrvReq`; when `AdptCrvRslt` says that it is done, curve 1 is compared with what
was asked, for a result may be that of an earlier request. Spare curves are ours to overwrite.

**When the agent dies** and the model has a timer (705, 706, 711, 712: `RvrtTms`), the inverter
adopts `RvrtCrv` after `lease_s`: a copy of what was in force before us, or a curve that does
nothing where the function was off, for no timer switches `Ena`. Trips (707-710) have no timer, nor
may another model lack it: these settings then stand until the agent is back and takes them away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import structlog

from contracts.errors import PermanentError, TransientError
from contracts.inverter import Curve, FrequencyDroop, InverterFunction
from contracts.time import Clock
from site_agent.devices.modbus.link import Priority
from site_agent.devices.sunspec.codec import ModelCodec, Values
from site_agent.devices.sunspec.curves import NEUTRAL, Numbers, curve, optional
from site_agent.devices.sunspec.unit import Codecs, SunSpecUnit

ADOPTION_S = 30.0
"""How long an inverter may take to adopt a curve."""
_POLL_S = 0.5
_COMPLETED, _FAILED = 1.0, 2.0
_MOST_CURVES, _MOST_POINTS = 32, 64
"""More than any inverter has; what claims more is not believed."""
_FIXED_PARTS = ("ReadOnly", "VRefAuto")
"""Of a curve: not settings."""
_POINT = "Pt."
"""In the path of a curve's points: these may be blank in the curve in force, settings not."""
_DROOP = 711

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Names:
    """What the points of a model are called: trips count curve sets, the droop has controls."""

    group: str = "Crv"
    count: str = "NCrv"
    request: str = "AdptCrvReq"
    result: str = "AdptCrvRslt"
    fallback: str | None = "RvrtCrv"


_CURVES, _TRIPS = _Names(), _Names(count="NCrvSet", fallback=None)
_CONTROLS = _Names("Ctl", "NCtl", "AdptCtlReq", "AdptCtlRslt", "RvrtCtl")
_NAMES = dict.fromkeys((705, 706, 712), _CURVES) | dict.fromkeys(range(707, 711), _TRIPS)
_NAMES[_DROOP] = _CONTROLS


@dataclass(frozen=True, slots=True)
class _Table:
    """One model as it was read."""

    codecs: Codecs
    values: Values

    def number(self, name: str) -> float:
        """A point that must be there."""
        value = self.values.get(name)
        if value is None:
            raise PermanentError(f"no {name}")
        return value

    def has(self, name: str) -> bool:
        """Whether the inverter has the point."""
        return self.values.get(name) is not None

    def curve(self, group: str, number: int) -> Iterator[tuple[str, float]]:
        """The settings of one of its curves."""
        prefix = f"{group}.{number}."
        for name, value in self.values.items():
            if name.startswith(prefix) and value is not None:
                path = name.removeprefix(prefix)
                if path not in _FIXED_PARTS:
                    yield path, value


class Adopted:
    """One model of an inverter: holds functions, switches off, and restores what was before."""

    def __init__(
        self,
        unit: SunSpecUnit,
        model_id: int,
        slots: frozenset[str],
        *,
        clock: Clock,
        lease_s: float,
    ) -> None:
        self.name = str(model_id)
        self.slots = slots
        self._unit = unit
        self._model_id = model_id
        self._names = _NAMES[model_id]
        self._clock = clock
        self._lease_s = lease_s
        self._head = {model_id: ModelCodec(model_id, self._head_names(), self._counts(0, 0))}
        self._whole: tuple[tuple[int, int], Codecs] | None = None

    async def present(self) -> bool:
        """Whether the inverter has the model."""
        return await self._unit.has(self._head)

    async def settings(self) -> Numbers:
        """What is in force now: `Ena` and the active curve, for `restore`."""
        table = await self._read()
        fallback = self._names.fallback
        kept = {"Ena": table.values.get("Ena") or 0.0}
        if fallback and table.has(fallback):
            kept[fallback] = table.number(fallback)
        return kept | {f"{self._names.group}.{k}": v for k, v in self._active(table).items()}

    async def hold(self, functions: Mapping[str, InverterFunction], own: Numbers) -> None:
        """Put the functions in force and renew the timer; `own` are the settings before us.

        Raises:
            PermanentError: it cannot, and why.
            TransientError: the adoption has not ended within `ADOPTION_S`.
        """
        table = await self._read()
        room = int(table.values.get("NPt") or 0)
        known = wanted = self._own_curve(own)
        for function in functions.values():
            if isinstance(function, Curve | FrequencyDroop):
                soft = {k: v for k, v in optional(function).items() if k in known}
                wanted = wanted | soft | curve(function, room)
        if lacking := [k for k in wanted if k not in known and _POINT not in k]:
            raise PermanentError(f"model {self._model_id}: no {', '.join(lacking)}")
        await self._activate(table, wanted)
        await self._arm(table, own)
        await self._put({"Ena": 1.0})

    async def off(self, own: Numbers) -> None:
        """Switch the function off (no timer switches it on again)."""
        await self._read()
        await self._put({"Ena": 0.0})

    async def restore(self, own: Numbers) -> None:
        """Bring back `own`; raises as `hold`."""
        table = await self._read()
        if table.has("RvrtTms"):
            await self._put({"RvrtTms": 0.0})
        if not own["Ena"]:
            await self._put({"Ena": 0.0})
        await self._activate(table, self._own_curve(own))
        await self._put({k: v for k, v in own.items() if k in ("Ena", self._names.fallback)})

    def _own_curve(self, own: Numbers) -> dict[str, float]:
        prefix = f"{self._names.group}."
        return {k.removeprefix(prefix): v for k, v in own.items() if k.startswith(prefix)}

    def _active(self, table: _Table) -> dict[str, float]:
        return dict(table.curve(self._names.group, 1))

    async def _activate(self, table: _Table, wanted: Numbers) -> None:
        """Let the inverter adopt a curve unless it is in force already."""
        if not await self._differ(table, 1, wanted):
            return
        spare = self._spare(table)
        await self._fill(spare, wanted)
        before = table.values.get(self._names.result)
        await self._unit.put(table.codecs, {self._names.request: float(spare)}, Priority.SLOW)
        await self._adopted(table, wanted, failed_before=before == _FAILED)

    async def _adopted(self, table: _Table, wanted: Numbers, *, failed_before: bool) -> None:
        until_s = self._clock.monotonic() + ADOPTION_S
        lost: list[str] = []
        while self._clock.monotonic() < until_s:
            await self._clock.sleep(_POLL_S)
            result = (await self._unit.read(self._head, Priority.SLOW)).values[self._names.result]
            if result == _FAILED and not failed_before:
                raise PermanentError(f"model {self._model_id}: it failed to adopt the curve")
            failed_before = False
            if result == _COMPLETED:
                lost = await self._differ(table, 1, wanted)
                if not lost:
                    return
        if lost:
            raise PermanentError(f"model {self._model_id}: it adopted another {', '.join(lost)}")
        raise TransientError(f"model {self._model_id}: not adopted within {ADOPTION_S:g} s")

    async def _arm(self, table: _Table, own: Numbers) -> None:
        """Where the inverter has a timer: what it adopts, and when, if we fall silent."""
        fallback = self._names.fallback
        if fallback is None or not (table.has(fallback) and table.has("RvrtTms")):
            return
        spare = self._spare(table)
        back = self._own_curve(own)
        if not own["Ena"]:
            back.update(NEUTRAL[self._model_id])
        try:
            await self._fill(spare, back)
        except PermanentError as error:
            _log.warning("no curve to fall back to", model=self._model_id, why=str(error))
            return
        await self._put({fallback: float(spare)})
        await self._unit.put(table.codecs, {"RvrtTms": self._lease_s}, Priority.SLOW)

    async def _fill(self, number: int, wanted: Numbers) -> None:
        await self._put({f"{self._names.group}.{number}.{k}": v for k, v in wanted.items()})

    async def _differ(self, table: _Table, number: int, wanted: Numbers) -> list[str]:
        named = {f"{self._names.group}.{number}.{k}": v for k, v in wanted.items()}
        return await self._unit.differs(table.codecs, named, Priority.SLOW)

    async def _put(self, numbers: Numbers) -> None:
        """Write what is not so already.

        Raises:
            PermanentError: the inverter does not keep it.
        """
        codecs = self._codecs
        different = await self._unit.differs(codecs, numbers, Priority.SLOW)
        if not different:
            return
        changes = {name: numbers[name] for name in different}
        if lost := await self._unit.put(codecs, changes, Priority.SLOW):
            names = ", ".join(sorted(lost))
            raise PermanentError(f"model {self._model_id}: it did not keep {names}")

    def _spare(self, table: _Table) -> int:
        """The last curve that may be written: the least likely to be a preset of somebody."""
        group = self._names.group
        curves = range(int(table.number(self._names.count)), 1, -1)
        free = (n for n in curves if table.values.get(f"{group}.{n}.ReadOnly") == 0)
        number = next(free, None)
        if number is None:
            raise PermanentError(f"model {self._model_id}: no curve may be written")
        return number

    async def _read(self) -> _Table:
        """The whole model, its layout by what it says of its curves.

        Raises:
            PermanentError: it claims more than there can be, or its length is another.
        """
        head = (await self._unit.read(self._head, Priority.SLOW)).values
        curves, points = int(head[self._names.count] or 0), int(head.get("NPt") or 0)
        if not (1 <= curves <= _MOST_CURVES and 0 <= points <= _MOST_POINTS):
            raise PermanentError(f"model {self._model_id}: {curves} curves of {points} points")
        if self._whole is None or self._whole[0] != (curves, points):
            codec = ModelCodec(self._model_id, counts=self._counts(curves, points))
            self._whole = (curves, points), {self._model_id: codec}
        length = await self._unit.length(self._codecs)
        if length != self._codecs[self._model_id].span:
            raise PermanentError(f"model {self._model_id}: {length} registers are not its layout")
        return _Table(self._codecs, (await self._unit.read(self._codecs, Priority.SLOW)).values)

    @property
    def _codecs(self) -> Codecs:
        if self._whole is None:
            raise PermanentError(f"model {self._model_id} has not been read")
        return self._whole[1]

    def _counts(self, curves: int, points: int) -> dict[str, int]:
        counts = {self._names.count: curves}
        return counts if self._model_id == _DROOP else counts | {"NPt": points}

    def _head_names(self) -> tuple[str, ...]:
        names = ("Ena", self._names.request, self._names.result, self._names.count)
        return names if self._model_id == _DROOP else (*names, "NPt")
