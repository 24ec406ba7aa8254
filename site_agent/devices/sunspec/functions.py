"""Autonomous functions of a SunSpec inverter, by the 700 series: one part for each function.

What a part had before us is remembered on disk before its first register is written, and brought
back when its function ends, also by the next run after `kill -9`. **When the agent dies** inverters
with timers go back by themselves after `LEASE_S`: see `fixed` and `adopted`, and for what has no
timer. Modes of reactive power exclude each other (IEEE 1547-2018, 5.3.1): while one is held, the
inverter's own others are switched off.

Registers are read and written behind everything else on the link, so that setpoints never wait for
more than the one request under way.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from contracts.errors import GridyardError, PermanentError, ProtocolError, TransientError
from contracts.inverter import CurveKind, InverterFunction, slot
from contracts.time import Clock
from site_agent.devices.modbus.link import RegisterLink
from site_agent.devices.sunspec.adopted import Adopted
from site_agent.devices.sunspec.curves import Numbers
from site_agent.devices.sunspec.fixed import MODES, Fixed
from site_agent.devices.sunspec.supervision import require_remote
from site_agent.devices.sunspec.unit import SunSpecUnit
from site_agent.domain.functions import REACTIVE
from site_agent.ports import KeyValues

LEASE_S = 300.0
"""Long enough to ride through a restart of the agent: no function of these keeps the site safe."""
REFUSED_REST_S = 3600.0
"""What an inverter has refused is not written again for so long."""
MEMORY_KEY = "inverter-functions/"

_KINDS = CurveKind
_MODELS: Mapping[int, frozenset[str]] = {
    705: frozenset({_KINDS.VOLT_VAR}),
    706: frozenset({_KINDS.VOLT_WATT}),
    707: frozenset({_KINDS.LV_MUST_TRIP, _KINDS.LV_MAY_TRIP, _KINDS.LV_MOMENTARY_CESSATION}),
    708: frozenset({_KINDS.HV_MUST_TRIP, _KINDS.HV_MAY_TRIP, _KINDS.HV_MOMENTARY_CESSATION}),
    709: frozenset({_KINDS.LF_MUST_TRIP, _KINDS.LF_MAY_TRIP}),
    710: frozenset({_KINDS.HF_MUST_TRIP, _KINDS.HF_MAY_TRIP}),
    711: frozenset({"frequency_droop"}),
    712: frozenset({_KINDS.WATT_VAR}),
}
Functions = Mapping[str, InverterFunction]
_log = structlog.get_logger(__name__)


class Part(Protocol):
    """What holds one function, or several that one model keeps together."""

    @property
    def name(self) -> str:
        """Its name in memory."""
        ...

    @property
    def slots(self) -> frozenset[str]:
        """Whose functions it holds."""
        ...

    async def present(self) -> bool:
        """Whether the inverter has it."""
        ...

    async def settings(self) -> Numbers:
        """What is set now; `Ena` 1: in force."""
        ...

    async def hold(self, functions: Functions, own: Numbers) -> None:
        """Put them in force, to go back to `own` by itself where it can."""
        ...

    async def off(self, own: Numbers) -> None:
        """Put nothing in force."""
        ...

    async def restore(self, own: Numbers) -> None:
        """Go back to `own` now."""
        ...


@dataclass(frozen=True, slots=True)
class _Refusal:
    functions: Functions
    why: str
    at_s: float


class SunSpecFunctions:
    """`site_agent.ports.AutonomousFunctions` of one unit."""

    def __init__(
        self,
        link: RegisterLink,
        unit: int,
        *,
        device_id: str,
        memory: KeyValues,
        clock: Clock,
        lease_s: float = LEASE_S,
    ) -> None:
        self._device_id = device_id
        self._memory = memory
        self._clock = clock
        of = self._unit = SunSpecUnit(link, unit)
        constants = [Fixed(of, mode, lease_s=lease_s) for mode in MODES]
        curves = [
            Adopted(of, model_id, slots, clock=clock, lease_s=lease_s)
            for model_id, slots in _MODELS.items()
        ]
        self._parts: tuple[Part, ...] = (*constants, *curves)
        self._own: dict[str, Numbers] | None = None
        self._refused: dict[str, _Refusal] = {}

    async def hold(self, functions: Sequence[InverterFunction]) -> Mapping[str, str]:
        """See `site_agent.ports.AutonomousFunctions`."""
        own = await self._load()
        if not functions and not own:
            self._refused.clear()
            return {}
        await require_remote(self._unit)
        wanted = await self._possible({slot(one): one for one in functions})
        failed: list[GridyardError] = []
        reactive = any(part.slots & REACTIVE for part in self._parts if wanted[part.name])
        await self._turn(wanted, failed, reactive=reactive)
        if reactive and not any(part.slots & REACTIVE for part in self._parts if wanted[part.name]):
            await self._turn(wanted, failed, reactive=False)  # none was taken: its own again
        if failed:
            raise failed[0]
        return {name: one.why for one in self._refused.values() for name in one.functions}

    async def _possible(self, asked: Functions) -> dict[str, Functions]:
        """What each part should hold, without what it lacks or has just refused."""
        wanted: dict[str, Functions] = {}
        for part in self._parts:
            mine = {name: asked[name] for name in part.slots if name in asked}
            refusal = self._refused.get(part.name)
            now_s = self._clock.monotonic()
            if refusal and (refusal.functions != mine or now_s - refusal.at_s >= REFUSED_REST_S):
                del self._refused[part.name]
            if mine and part.name not in self._refused and not await part.present():
                self._refuse(part, mine, f"no model {part.name}")
            wanted[part.name] = {} if part.name in self._refused else mine
        return wanted

    async def _turn(
        self, wanted: dict[str, Functions], failed: list[GridyardError], *, reactive: bool
    ) -> None:
        """First what ends, then what begins, then what comes back; what is refused is dropped."""
        own = await self._load()

        def turn(part: Part) -> int:
            back = part.name in own and own[part.name]["Ena"]
            silenced = reactive and part.slots & REACTIVE
            return 1 if wanted[part.name] else 2 if back and not silenced else 0

        for part in sorted(self._parts, key=turn):
            try:
                await self._move(part, wanted[part.name], reactive=reactive)
            except PermanentError as error:
                if not wanted[part.name]:
                    failed.append(error)
                    continue
                self._refuse(part, wanted[part.name], str(error))
                wanted[part.name] = {}
                await self._give_up(part, failed)
            except (TransientError, ProtocolError) as error:
                failed.append(error)

    async def _move(self, part: Part, functions: Functions, *, reactive: bool) -> None:
        if functions:
            await part.hold(functions, await self._remembered(part))
        elif reactive and part.slots & REACTIVE:
            await self._silence(part)
        else:
            await self._restore(part)

    async def _give_up(self, part: Part, failed: list[GridyardError]) -> None:
        """After a refusal the inverter should have its own settings, whatever was half done."""
        try:
            await self._restore(part)
        except GridyardError as error:
            failed.append(error)

    async def _silence(self, part: Part) -> None:
        """Switch a mode of the inverter's own off, if it is on."""
        own = await self._load()
        known = part.name in own
        if not known and not (await part.present() and (await part.settings())["Ena"]):
            return
        await part.off(await self._remembered(part))

    async def _remembered(self, part: Part) -> Numbers:
        """What the part had before us: durable before anything is written."""
        own = await self._load()
        if part.name not in own:
            settings = await part.settings()
            await self._save(own | {part.name: settings})
            own = await self._load()
        return own[part.name]

    async def _restore(self, part: Part) -> None:
        own = await self._load()
        if part.name in own:
            await part.restore(own[part.name])
            await self._save({name: kept for name, kept in own.items() if name != part.name})
            _log.info("inverter has its own again", device=self._device_id, part=part.name)

    async def _load(self) -> dict[str, Numbers]:
        if self._own is None:
            found = await self._memory.get(MEMORY_KEY + self._device_id)
            self._own = json.loads(found or "{}")
        return self._own

    async def _save(self, own: dict[str, Numbers]) -> None:
        await self._memory.put(MEMORY_KEY + self._device_id, json.dumps(own))
        self._own = own

    def _refuse(self, part: Part, functions: Functions, why: str) -> None:
        _log.warning(
            "inverter refuses a function",
            device=self._device_id,
            functions=sorted(functions),
            why=why,
        )
        self._refused[part.name] = _Refusal(functions, why, self._clock.monotonic())
