"""An agent on a database file that dies and comes back, and simulated chargers that outlive it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from depot_sim.chargers.charger import Charger, ChargerSpec
from depot_sim.chargers.events import Event, Transaction, TransactionEnded, TransactionStarted
from depot_sim.chargers.link import Endpoint
from depot_sim.chargers.personality import Entry, compose
from depot_sim.faults import FaultKind
from depot_sim.physics.evse import Evse
from depot_sim.physics.vehicle import Vehicle
from site_agent.devices.ocpp.central import CentralSystem
from site_agent.devices.ocpp.settings import Timing
from site_agent.domain.fleet.access import Access
from site_agent.domain.session import ChargingSession
from site_agent.store.sqlite import SqliteStore, open_store
from support.fast_clock import FastClock
from support.ocpp_depot import spec, station
from support.ports import steady_ports
from support.waiting import until

SPEED = 100.0
TIMING = Timing(lease_s=300.0, meter_interval_s=2, greeting_s=0.05)
FAULTS = {"drop": FaultKind.DROP, "reboot": FaultKind.KILL}
OUTAGE_S = 3.0
ENOUGH_WH = 20.0
"""Of energy, for a session to have gone on."""


@dataclass
class Truth:
    """What a charger's own register says of its sessions, in order."""

    transactions: list[Transaction] = field(default_factory=list)
    stopped_wh: dict[int, float] = field(default_factory=dict)

    def note(self, event: Event) -> None:
        if isinstance(event, TransactionStarted):
            self.transactions.append(event.transaction)
        if isinstance(event, TransactionEnded):
            self.stopped_wh[id(event.transaction)] = event.sample.register_wh

    def energies_wh(self, last_wh: float) -> list[float]:
        """Of each; one that was never stopped went on until the next began."""
        starts = [transaction.start_wh for transaction in self.transactions]
        stops = [*starts, last_wh][1:]
        return [
            self.stopped_wh.get(id(transaction), stop) - transaction.start_wh
            for transaction, stop in zip(self.transactions, stops, strict=True)
        ]


class Plug:
    """One simulated charger, its driver, and the truth about it."""

    def __init__(
        self, number: int, spoken: str, personality: Sequence[Entry], url: str, clock: FastClock
    ) -> None:
        self.evse_id = f"evse-{number}"
        self.charger = Charger(
            ChargerSpec(
                endpoint=Endpoint(url=url, charger_id=f"CP{number}"),
                version=spoken,
                evses={1: Evse(rated_a=32)},
                personality=compose(personality),
                meter_interval_s=2,
                seed="restarts",
            ),
            clock,
        )
        self._clock = clock
        self._tag = f"TAG{number}"
        self._away_until_s = 0.0
        self.truth = Truth()
        box = self.charger.station.outbox
        put = box.put

        def noted(event: Event) -> None:
            self.truth.note(event)
            put(event)

        box.put = noted  # type: ignore[method-assign]  # the only place all events pass

    @property
    def register_wh(self) -> float:
        return self.charger.station.outlets[1].evse.register_wh

    @property
    def settled(self) -> bool:
        """Whether everything that has happened has been told and answered."""
        box = self.charger.station.outbox
        return self.charger.connected and not box.waiting and not box._late

    @property
    def away(self) -> bool:
        """Whether a fault keeps it from the network."""
        return self._clock.monotonic() < self._away_until_s

    def fail(self, kind: FaultKind) -> None:
        """Let a fault of `OUTAGE_S` begin."""
        self._away_until_s = self._clock.monotonic() + OUTAGE_S
        self.charger.fail(kind, OUTAGE_S)

    def plug(self) -> None:
        if self.charger.vehicle() is None:
            vehicle = Vehicle(
                id=self._tag, id_tag=self._tag, capacity_wh=90_000, soc_pct=5.0, max_ac_w=22_080
            )
            self.charger.plug(vehicle)

    def unplug(self) -> None:
        self.charger.unplug()

    async def charges(self, wh: float = ENOUGH_WH) -> None:
        """Return once so much more has flowed."""
        goal_wh = self.register_wh + wh
        await until(lambda: self.register_wh >= goal_wh)

    async def live(self) -> None:
        """Its network and its physics."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.charger.run())
            tasks.create_task(self._pass_time())

    async def _pass_time(self) -> None:
        last_s = self._clock.monotonic()
        while True:
            await self._clock.sleep(0.5)
            now_s = self._clock.monotonic()
            self.charger.step(now_s, now_s - last_s)
            last_s = now_s


class Bench:
    """The agent, its file and its chargers."""

    def __init__(self, path: Path, clock: FastClock, port: int, plugs: Sequence[Plug]) -> None:
        self.path = path
        self.clock = clock
        self.plugs = list(plugs)
        self.store: SqliteStore | None = None
        self.system: CentralSystem | None = None
        self._port = port
        self._life: asyncio.Task[None] | None = None

    async def agent_up(self) -> None:
        """Start the agent, as `gridyard site` does."""
        if self._life is not None:
            return
        self.store = open_store(self.path, self.clock.now())
        numbers = range(1, len(self.plugs) + 1)
        self.system = CentralSystem(
            [
                station(f"CP{n}", evses={1: spec(n, fail_safe_current_a=32.0, max_current_a=32.0)})
                for n in numbers
            ],
            sessions=self.store.sessions,
            access=Access(),
            clock=self.clock,
            wake=lambda: None,
            host="127.0.0.1",
            port=self._port,
            timing=TIMING,
            memory=self.store.key_values,
        )
        self._life = asyncio.create_task(self._live(self.system, self.store))
        await self.system.ready.wait()

    async def _live(self, system: CentralSystem, store: SqliteStore) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(system.run())
            tasks.create_task(store.sessions.run(self.clock))

    async def agent_down(self) -> None:
        """Kill it: what it had only in memory is gone.

        Not in mid-handshake, where a socket of this process would outlive its server, as none of
        a killed process does.
        """
        if self._life is None or self.store is None:
            return
        await until(lambda: all(plug.charger.connected or plug.away for plug in self.plugs))
        life, self._life = self._life, None
        life.cancel()
        await asyncio.wait([life])
        self.store.database.close()

    async def happens(self, plug: Plug, step: str) -> None:
        """One step, by name: of the agent (up, down, told) or of a charger and its driver."""
        match step:
            case "up" | "down" | "told":
                await {"up": self.agent_up, "down": self.agent_down, "told": self.told}[step]()
            case "charge":
                await plug.charges()
            case "drop" | "reboot":
                plug.fail(FAULTS[step])
            case _:
                {"plug": plug.plug, "unplug": plug.unplug}[step]()

    async def told(self) -> None:
        """Return once every charger has told all it knows."""
        await self.agent_up()
        await until(lambda: all(plug.settled for plug in self.plugs))

    async def sessions(self, plug: Plug) -> list[ChargingSession]:
        """What the agent has of one charger."""
        assert self.store is not None
        ever = timedelta(days=30)
        now = self.clock.now()
        found = await self.store.sessions.sessions(now - ever, now + ever)
        return [session for session in found if session.evse_id == plug.evse_id]

    async def agrees(self) -> None:
        """Every session is there once, with the energy that the charger's register gives it."""
        for plug in self.plugs:
            held = await self.sessions(plug)
            true_wh = plug.truth.energies_wh(plug.register_wh)
            for session, wh in zip(held, true_wh, strict=True):
                told = session.energy.energy_wh or 0.0
                # Of an end that nobody has told, not even by a next start, it knows no more than
                # the last sample.
                enough = wh - 2.0 if session.ended_at is not None else 0.0
                assert enough <= told <= wh + 2.0, (plug.evse_id, session, wh)  # 1.6: whole Wh
            refs = [transaction.ref for transaction in plug.truth.transactions]
            assert [s.ref for s in held] == refs
        everybody = [s for plug in self.plugs for s in await self.sessions(plug)]
        numbers = [session.transaction_id for session in everybody]
        assert len(set(numbers)) == len(numbers)


@asynccontextmanager
async def bench(path: Path, *chargers: tuple[str, Sequence[Entry]]) -> AsyncIterator[Bench]:
    """Chargers of `(version, personality)` that live on while the agent comes and goes."""
    clock = FastClock(SPEED)
    (port,) = steady_ports(1)
    url = f"ws://127.0.0.1:{port}/ocpp"
    plugs = [
        Plug(number, spoken, personality, url, clock)
        for number, (spoken, personality) in enumerate(chargers, start=1)
    ]
    made = Bench(path, clock, port, plugs)
    async with asyncio.TaskGroup() as tasks:
        lives = [tasks.create_task(plug.live()) for plug in plugs]
        try:
            await made.agent_up()
            yield made
        finally:
            await made.agent_down()  # waits for chargers between two sockets, which must live
            for life in lives:
                life.cancel()
