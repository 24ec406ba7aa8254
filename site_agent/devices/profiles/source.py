"""A device read by its profile, as a `Source`.

**When the agent dies** nothing happens to what is only read. `steered` has the part that writes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import timedelta

from contracts.errors import GridyardError, ProtocolError
from contracts.time import Clock
from site_agent.devices.freshness import Freshness
from site_agent.devices.modbus.link import Priority, RegisterLink
from site_agent.devices.points.board import PointBoard
from site_agent.devices.polling import Poller
from site_agent.devices.profiles.meaning import points_of, read_points, registers_of
from site_agent.devices.profiles.reader import Reader
from site_agent.devices.profiles.schema import Group, Profile, Register
from site_agent.ports import Wake

_LOST_S = 30.0
_LOST_AGES = 3.0


class ProfileSource:
    """Reads each group on its own absolute deadlines, in as few requests as the device takes."""

    def __init__(
        self,
        profile: Profile,
        link: RegisterLink,
        *,
        name: str,
        clock: Clock,
        wake: Wake,
        unit_id: int | None = None,
    ) -> None:
        self._profile = profile
        self._name = name
        self._link = link
        self._clock = clock
        self._wake = wake
        self._unit_id = profile.transport.unit_id if unit_id is None else unit_id
        self._readers: dict[str, Reader] = {}
        self._points = {group: points_of(profile, group) for group in profile.groups}
        self._recognised = False
        self._board = PointBoard(profile.points, clock.now(), _freshness(profile))
        told = (name for name, points in self._points.items() if points)
        quickest_first = sorted(told, key=lambda name: profile.groups[name].every)
        self._pollers = [self._poller(group) for group in quickest_first]

    @property
    def board(self) -> PointBoard:
        """Its newest readings."""
        return self._board

    @property
    def answers(self) -> bool:
        """Whether the group that is read most often was answered last time."""
        return bool(self._pollers[0].answers)

    async def run(self) -> None:
        """Read all groups until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for poller in self._pollers:
                tasks.create_task(poller.run())

    async def numbers(
        self, registers: Iterable[Register], priority: Priority
    ) -> Mapping[Register, float | None]:
        """What registers say now, None where they say nothing; raises as `RegisterLink`."""
        wanted = list(registers)
        numbers = await self._reader(wanted).read(priority)
        return {register: numbers[id(register)] for register in wanted}

    def _reader(self, registers: Iterable[Register]) -> Reader:
        return Reader(self._profile, self._link, self._unit_id, registers, self._clock)

    def _poller(self, group: str) -> Poller:
        settings = self._profile.groups[group]
        fast = settings.every == min(one.every for one in self._profile.groups.values())
        priority = Priority.FAST if fast else Priority.SLOW

        async def poll() -> None:
            await self._read(group, priority)

        return Poller(
            f"{self._name} ({group})",
            poll,
            period_s=settings.every,
            clock=self._clock,
            wake=self._wake,
        )

    async def _read(self, group: str, priority: Priority) -> None:
        try:
            await self._take(group, priority)
        except GridyardError:
            self._recognised = False  # another device may come in its place
            raise

    async def _take(self, group: str, priority: Priority) -> None:
        await self._recognise()
        if group not in self._readers:
            self._readers[group] = self._reader(registers_of(self._profile, group))
        at = self._clock.now()
        numbers = await self._readers[group].read(priority)
        said = read_points(self._profile, self._points[group], lambda one: numbers[id(one)])
        for point, one in said.items():
            self._board.put(point, one.value, at, one.quality)

    async def _recognise(self) -> None:
        """Nothing is believed of, nor told to, a device that is not the one of the profile."""
        match = self._profile.match
        if match is not None and not self._recognised:
            told = (await self.numbers([match], Priority.SLOW))[match]
            if told not in match.among:
                raise ProtocolError(f"is no {self._profile.name}: {match.address} says {told}")
        self._recognised = True


def _freshness(profile: Profile) -> dict[str, Freshness]:
    first = profile.first_group
    return {
        name: _ages(profile.groups[point.group or first]) for name, point in profile.points.items()
    }


def _ages(group: Group) -> Freshness:
    return Freshness(
        stale_after=timedelta(seconds=group.max_age),
        lost_after=timedelta(seconds=max(_LOST_S, _LOST_AGES * group.max_age)),
    )
