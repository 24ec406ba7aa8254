"""The commands of the OCPP adapter, by name, for the agent's console."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

from contracts.errors import GridyardError, PermanentError
from contracts.time import Clock
from site_agent.devices.ocpp.central import CentralSystem
from site_agent.devices.ocpp.operate import asked, describe, recording
from site_agent.devices.ocpp.operate.asked import Args
from site_agent.devices.ocpp.operate.check_in import check_in
from site_agent.devices.ocpp.operate.orders import Orders
from site_agent.devices.ocpp.operate.steps import Verdict
from site_agent.devices.ocpp.security import Profile
from site_agent.devices.ocpp.station import Station
from site_agent.devices.ocpp.wire.trace import Frame
from site_agent.domain.device import ChargerState
from site_agent.ports import Command, KeyValues

Json = Mapping[str, object]
_QUEUED = 2000
_MOST_FRAMES = 500


class OcppCommands:
    """What a person may ask of the chargers; every answer carries the site's time zone once.

    `seen`: the chargers as the control loop judges them; `tls`: they come in by `wss`.
    """

    def __init__(
        self,
        central: CentralSystem,
        *,
        clock: Clock,
        memory: KeyValues,
        seen: Callable[[], Mapping[str, ChargerState]],
        zone: str,
        profile: Profile,
        tls: bool,
        agent: str,
    ) -> None:
        self._central = central
        self._clock = clock
        self._memory = memory
        self._seen = seen
        self._zone = zone
        self._profile = profile
        self._tls = tls
        self._agent = agent
        self._checking: set[str] = set()

    def table(self) -> Mapping[str, Command]:
        """Every command."""
        orders = Orders(self._central, self._clock)
        single = {
            "show": self._show,
            "get": orders.get,
            "set": orders.set,
            "composite": orders.composite,
            "start": orders.start,
            "stop": orders.stop,
            "trigger": orders.trigger,
            "reset": orders.reset,
            "unlock": orders.unlock,
            "availability": orders.availability,
            "call": orders.call,
        }
        streams: dict[str, Command] = {
            "list": self._list,
            "trace": self._trace,
            "check-in": self._check_in,
        }
        all_of_them = streams | {name: self._one(ask) for name, ask in single.items()}
        return {f"ocpp.{name}": command for name, command in all_of_them.items()}

    def _one(self, ask: Callable[[Args], Awaitable[Json]]) -> Command:
        async def command(args: Args, /) -> AsyncGenerator[Json, None]:
            yield {"zone": self._zone, **await ask(args)}

        return command

    # --- looking ----------------------------------------------------------------------------------

    async def _list(self, args: Args, /) -> AsyncGenerator[Json, None]:
        for one in self._central.stations.values():
            yield {"zone": self._zone, **await self._described(one)}

    async def _described(self, one: Station) -> dict[str, object]:
        checked_in = await self._checked_in(one)
        return describe.station(one, self._seen(), self._clock.now(), checked_in)

    async def _show(self, args: Args) -> Json:
        one = asked.station(self._central, args)
        link = one.link
        found: dict[str, object] = await self._described(one)
        found["fault_meanings"] = describe.faults(one)
        found["allowed_versions"] = [version.value for version in one.config.versions]
        if link is not None:
            found |= describe.told(one)
            found["capabilities"] = describe.capabilities(link.capabilities)
            with suppress(GridyardError):  # best effort: it may answer nothing
                answer = await one.command(link.dialect.read_settings())
                found["settings"] = link.dialect.settings(answer)
        return found

    # --- the trace --------------------------------------------------------------------------------

    async def _trace(self, args: Args, /) -> AsyncGenerator[Json, None]:
        one = asked.station(self._central, args)
        last = asked.count(args, "last", _MOST_FRAMES, _MOST_FRAMES)
        head = recording.header(
            one.config, one.timing, one.access.offline, self._agent, self._clock.now()
        )
        yield {"zone": self._zone, "header": head}
        with _Listener(one) as listener:
            for frame in one.trace.frames[-last:]:
                yield {"frame": recording.entry(frame)}
            while args.get("follow") is True:
                yield await listener.next()

    # --- check-in ---------------------------------------------------------------------------------

    async def _check_in(self, args: Args, /) -> AsyncGenerator[Json, None]:
        one = asked.station(self._central, args)
        number, evse = asked.evse(one, args)
        counts = dict.fromkeys(Verdict, 0)
        with self._alone(evse.spec.evse_id):
            async for step in check_in(
                one,
                number,
                self._clock,
                profile=self._profile,
                tls=self._tls,
                reboot=args.get("reboot") is True,
            ):
                counts[step.verdict] += 1
                yield step.as_dict()
        result = {
            "at": self._clock.now().isoformat(),
            "agent": self._agent,
            **{verdict.value.lower().replace(" ", "_"): n for verdict, n in counts.items()},
        }
        await self._memory.put(_key(one, number), json.dumps(result))
        yield {"zone": self._zone, "result": result}

    @contextmanager
    def _alone(self, evse_id: str) -> Iterator[None]:
        """Two check-ins of one EVSE would lower each other's limits.

        Raises:
            PermanentError: one is under way.
        """
        if evse_id in self._checking:
            raise PermanentError(f"{evse_id}: is being checked in already")
        self._checking.add(evse_id)
        try:
            yield
        finally:
            self._checking.discard(evse_id)

    async def _checked_in(self, one: Station) -> dict[str, object] | None:
        """The results by EVSE; None when it was never checked in."""
        found = {}
        for number in one.evses:
            held = await self._memory.get(_key(one, number))
            if held is not None:
                found[str(number)] = json.loads(held)
        return found or None


class _Listener:
    """The frames of a station from now on; those a slow reader misses are counted."""

    def __init__(self, one: Station) -> None:
        self._trace = one.trace
        self._frames: asyncio.Queue[Frame] = asyncio.Queue(_QUEUED)
        self._missed = 0

    def __enter__(self) -> _Listener:
        self._trace.listeners.append(self._take)
        return self

    def __exit__(self, *_: object) -> None:
        self._trace.listeners.remove(self._take)

    async def next(self) -> Json:
        """The next frame, or how many were missed."""
        if self._missed and self._frames.empty():
            missed, self._missed = self._missed, 0
            return {"missed": missed}
        return {"frame": recording.entry(await self._frames.get())}

    def _take(self, frame: Frame) -> None:
        try:
            self._frames.put_nowait(frame)
        except asyncio.QueueFull:
            self._missed += 1


def _key(one: Station, number: int) -> str:
    return f"ocpp/checked-in/{one.config.charge_point_id}/{number}"
