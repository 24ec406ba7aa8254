"""Discovery at a fleet's server, for tests of what it finds and what that costs."""

from __future__ import annotations

from dataclasses import replace

from contracts.sep2.resources import (
    EndDeviceList,
)
from contracts.testing import FakeClock
from gateway.utility.sep2.discovery import Discovery
from gateway.utility.sep2.settings import Sep2Settings
from gateway.utility.sep2.view import ServerView
from support.sep2_tree_server import OWN_LFDI, Fleet, lfdi, settings


class Finder:
    """Discovery at a fleet's server, in steps until nothing is due."""

    def __init__(self, fleet: Fleet, of: Sep2Settings, *, direct: bool = False) -> None:
        self.fleet = fleet
        self.clock = fleet.clock = FakeClock()
        transport = fleet.direct(of) if direct else fleet.transport(of)
        self.discovery = Discovery(of, transport, self.clock, OWN_LFDI)
        self.views: list[ServerView] = []

    @property
    def view(self) -> ServerView:
        return self.discovery.view

    async def settle(self) -> ServerView:
        while True:
            more = await self.discovery.step()
            self.views.append(self.view)
            if not more:
                return self.view

    async def after(self, seconds: float) -> ServerView:
        """Everything due so much later is read."""
        await self.clock.advance(seconds)
        return await self.settle()

    def programs(self, number: int) -> list[str]:
        return [program.href for program in self.view.devices[lfdi(number)].programs]


def finder(count: int = 3, **more: object) -> Finder:
    shape = {name: more.pop(name) for name in ("groups", "prefix", "shared") if name in more}
    return Finder(Fleet(count, **shape), settings(count, **more))  # type: ignore[arg-type]


def listed(fleet: Fleet, path: str) -> EndDeviceList:
    found = fleet.resources[path]
    assert isinstance(found, EndDeviceList)
    return found


def alter_device(fleet: Fleet, number: int, **fields: object) -> None:
    """Change an EndDevice in the list."""
    place = f"{fleet.prefix}/edev"
    items = tuple(
        replace(one, **fields) if one.href == f"{place}/{number}" else one  # type: ignore[arg-type]
        for one in listed(fleet, place).items
    )
    fleet.change(place, items=items)
