"""One utility's steering without sockets, over processes that come and go."""

from __future__ import annotations

from datetime import datetime, timedelta

from contracts.sep2.resources import DERControlResponse, ModeValue, Scaled
from contracts.testing import FakeClock
from gateway.domain.operating_envelope import SiteBounds
from gateway.utility.sep2.memory import Sep2Memory
from gateway.utility.sep2.outbox import Sep2Outbox
from gateway.utility.sep2.settings import DeviceSettings
from gateway.utility.sep2.steering import Steering
from gateway.utility.sep2.view import EMPTY, ServerView
from support.sep2_acting import (
    T0,
    UTILITY,
    Envelopes,
    FragileMemory,
    XmlWire,
    running,
    sep2_settings,
)

MINUTE = timedelta(minutes=1)


def imports(watts: float) -> dict[str, ModeValue]:
    return {"opModImpLimW": Scaled.of(watts)}


def exports(watts: float) -> dict[str, ModeValue]:
    return {"opModExpLimW": Scaled.of(watts)}


class Bench:
    """One utility, its clock and ours, over processes that come and go."""

    def __init__(
        self, *devices: DeviceSettings, ahead: timedelta = timedelta(0), **more: object
    ) -> None:
        """`more` are settings of the utility."""
        self.settings = sep2_settings(*devices, **more)
        self.clock = FakeClock(T0 - ahead)
        self.ahead = ahead
        """How much the server's clock is before ours."""
        self.memory = FragileMemory()
        self.wire = XmlWire()
        self.envelopes = Envelopes()
        self.view: ServerView = EMPTY

    async def start(self) -> None:
        """A fresh process over the same memory, server and sites."""
        memory = Sep2Memory(self.memory, UTILITY)
        self.outbox = Sep2Outbox(memory, self.wire, self.wire, self.clock)
        await self.outbox.restore()
        self.steering = Steering(self.settings, self.envelopes, self.outbox, memory, self.clock)
        await self.steering.restore()

    async def follow(self, *, minutes: float = 0) -> datetime | None:
        await self.clock.advance(minutes * 60)
        return await self.steering.follow(self.view, self.clock.now() + self.ahead)

    async def send(self) -> list[tuple[int, int, int]]:
        async with running(self.outbox.run()):
            await self.clock.advance(10)
        return self.answers()

    def answers(self) -> list[tuple[int, int, int]]:
        """(last digit of the LFDI, number of the control, code) in order of arrival."""
        return [
            (int(one.end_device_lfdi[-1]), int(one.subject[:8]), one.status or 0)
            for one in self.wire.resources(DERControlResponse)
        ]

    def told(self, site: str = "depot-1") -> list[tuple[float, float | None, SiteBounds]]:
        """Steps in minutes from T0 of our clock, with their bounds."""
        return [
            (
                (step.interval.start - T0) / MINUTE,
                None if step.interval.end is None else (step.interval.end - T0) / MINUTE,
                step.bounds,
            )
            for step in self.envelopes.imposed[site].steps
        ]
