"""How slow a device's own heartbeat may be before its values count as old."""

from __future__ import annotations

import pytest

from site_agent.devices.sunspec.supervision import REFUSED_S, Supervision
from site_agent.devices.sunspec.unit import SunSpecUnit
from support.image_link import ImageLink
from support.manual_clock import ManualClock
from support.sunspec_image import address_of, common, image, model

HB = 18


class Bank:
    """A battery bank whose heartbeat a test moves."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.link = ImageLink(image(common(), model(802, LocRemCtl=0, Hb=0, CtrlHb=0)))
        self.seen = Supervision(SunSpecUnit(self.link, 1), "b1", clock=self.clock)
        self.place = address_of(self.link.registers, 802) + HB

    async def passes(self, seconds: int, every: int | None = None, *, asked: bool = False) -> None:
        """Looked at once a second; it counts `every` so many seconds."""
        for second in range(1, seconds + 1):
            self.clock.pass_s(1.0)
            if asked:
                self.seen.require()
            if every and second % every == 0:
                self.link.registers[self.place] += 1
            await self.seen.poll()


@pytest.mark.row("trap:S12")
@pytest.mark.parametrize(("every", "patience_s"), [(1, 10), (3, 10), (20, 60)])
async def test_a_slow_heartbeat_has_its_own_patience(every: int, patience_s: int) -> None:
    bank = Bank()
    await bank.passes(6 * every, every=every)
    assert bank.seen.alive
    await bank.passes(patience_s)
    assert bank.seen.alive
    await bank.passes(1)
    assert not bank.seen.alive
    await bank.passes(every, every=every)
    assert bank.seen.alive


async def test_a_heartbeat_that_stands_still_from_the_beginning_says_nothing() -> None:
    bank = Bank()
    await bank.passes(300)
    assert bank.seen.alive
    assert bank.link.writes == [], "and nobody has asked for anything"


async def test_a_heartbeat_refused_at_night_is_tried_again() -> None:
    bank = Bank()
    bank.link.read_only = True
    await bank.passes(10, asked=True)
    assert bank.link.writes == []
    assert bank.seen.alive
    bank.link.read_only = False
    await bank.passes(10, asked=True)
    assert bank.link.writes == [], "not at once: it would be refused every second of the night"
    await bank.passes(int(REFUSED_S), asked=True)
    assert len(bank.link.writes) > 1
