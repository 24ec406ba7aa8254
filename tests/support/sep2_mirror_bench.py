"""Mirror metering at a bench: a server that keeps, forgets and limits, and a clock by hand."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import httpx

from contracts.sep2.resources import (
    MirrorMeterReading,
    MirrorUsagePoint,
    MirrorUsagePointList,
    Resource,
)
from contracts.testing import FakeClock
from gateway.utility.sep2.memory import Sep2Memory
from gateway.utility.sep2.mirror import MirrorMetering
from gateway.utility.sep2.settings import DeviceSettings
from support.sep2_acting import (
    T0,
    UTILITY,
    FragileMemory,
    Sites,
    device_view,
    sep2_settings,
    server_view,
)
from support.sep2_tree_server import OWN_LFDI, TreeServer

MINUTE = timedelta(minutes=1)
FORWARD, REVERSE = 1, 19


class MirrorServer(TreeServer):
    """Keeps mirror usage points as the standard says."""

    def __init__(self) -> None:
        super().__init__()
        self.on_post = self._posted
        self.post_rate: timedelta | None = None
        self.most_readings = 1000
        self.says_where = True
        self.created = Counter[int]()
        """Answers to POSTs of usage points by status code."""

    def _posted(self, path: str, resource: Resource) -> httpx.Response:
        if path == "/mup":
            assert isinstance(resource, MirrorUsagePoint)
            return self._point(resource)
        assert isinstance(resource, MirrorMeterReading)
        if path not in self.resources:
            return httpx.Response(404)
        if any(len(one.readings) > self.most_readings for one in resource.reading_sets):
            return httpx.Response(413)
        return httpx.Response(201)

    def _point(self, resource: MirrorUsagePoint) -> httpx.Response:
        known = [
            path
            for path, one in self.resources.items()
            if isinstance(one, MirrorUsagePoint) and one.mrid == resource.mrid
        ]
        path = known[0] if known else f"/mup/{len(self.resources)}"
        self.resources[path] = replace(resource, href=path, post_rate=self.post_rate)
        points = [one for one in self.resources.values() if isinstance(one, MirrorUsagePoint)]
        self.resources["/mup"] = MirrorUsagePointList(href="/mup", items=tuple(points))
        self.created[204 if known else 201] += 1
        headers = {"Location": path} if self.says_where else {}
        return httpx.Response(204 if known else 201, headers=headers)

    def points(self) -> dict[str, MirrorUsagePoint]:
        """By what they are."""
        found = [one for one in self.resources.values() if isinstance(one, MirrorUsagePoint)]
        return {f"{one.device_lfdi[-1]}/{one.description}": one for one in found}


class Bench:
    def __init__(self, *devices: DeviceSettings, **more: object) -> None:
        self.settings = sep2_settings(*devices, **more)
        self.clock = FakeClock(T0)
        self.memory = FragileMemory()
        self.server = MirrorServer()
        self.sites = Sites()
        self.ahead = timedelta(0)
        self.view = server_view(*(device_view(one) for one in self.settings.devices))

    async def start(self) -> None:
        self.metering = MirrorMetering(
            self.settings,
            OWN_LFDI,
            self.server.transport(self.settings),
            self.sites,
            self.sites,
            Sep2Memory(self.memory, UTILITY),
            self.clock,
        )
        await self.metering.restore()

    async def until(self, minutes: float, *, every: float = 0.5) -> None:
        """Tell what is due every half minute until then."""
        end = T0 + minutes * MINUTE
        while True:
            await self.tell()
            if self.clock.now() >= end:
                return
            await self.clock.advance(every * 60)

    async def tell(self) -> None:
        import asyncio  # noqa: PLC0415

        work = asyncio.ensure_future(self.metering.tell(self.view, self.clock.now() + self.ahead))
        while not work.done():
            await self.clock.advance(0.001)
        work.result()

    def readings(self, what: str, direction: int = FORWARD) -> dict[float, tuple[int, int]]:
        """What the server has: by minute from T0, (value, flags); later ones overwrite."""
        point = self.server.points()[what]
        types = [one for one in point.meter_readings if one.reading_type]
        names = {
            one.mrid
            for one in types
            if one.reading_type and one.reading_type.flow_direction == direction
        }
        kept: dict[float, tuple[int, int]] = {}
        for path, one in self.server.posted:
            if path != point.href or not isinstance(one, MirrorMeterReading):
                continue
            for reading in (r for s in one.reading_sets for r in s.readings if one.mrid in names):
                assert reading.time_period is not None
                assert reading.value is not None
                start = (reading.time_period.start - T0) / MINUTE
                kept[start] = (reading.value, reading.quality_flags or 0)
        return kept
