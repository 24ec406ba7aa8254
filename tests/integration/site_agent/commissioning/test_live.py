"""Live values of one unit: what is new, what has gone stale, and what comes back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from contracts.clock import SystemClock
from contracts.reading import Quality
from site_agent.devices.commissioning import sunspec_survey
from site_agent.devices.commissioning.capture import Device, Recorder
from site_agent.devices.commissioning.live import Pace, Picture, of_unit
from site_agent.devices.commissioning.probe import NobodyThereError
from site_agent.devices.commissioning.read_only import ReadOnlyLink, running
from site_agent.devices.commissioning.replay import Lookup, answer_to
from support import raw_modbus
from support.raw_modbus import Peer, Wire
from support.sunspec_image import address_of, common, image, model

CLOCK = SystemClock()


class Meter(Peer):
    """A SunSpec meter whose power a test may change, or that it may silence."""

    def __init__(self) -> None:
        self.registers = image(common(), model(203, W=100, W_SF=0, TotWhImp=5, TotWh_SF=0))
        self.mute = False
        super().__init__(Wire.TCP, otherwise=self._answer_it)

    def shows(self, watts: int) -> None:
        self.registers[address_of(self.registers, 203) + 18] = watts

    async def _answer_it(self, request: raw_modbus.Request) -> None:
        recorder = Recorder()
        for address, word in self.registers.items():
            recorder.read(1, 3, address, [word])
        capture = recorder.capture(datetime(2026, 1, 5, tzinfo=UTC), device=Device())
        if not self.mute:
            request.send(answer_to(Lookup(capture), request.unit, request.pdu))


def power(picture: Picture) -> tuple[object, Quality]:
    (row,) = [row for row in picture.rows if row.name == "W"]
    return row.value, row.quality


async def test_a_silent_device_keeps_its_last_values_as_stale_and_comes_back() -> None:
    meter, seen = Meter(), list[Picture]()

    def tell(picture: Picture) -> None:
        seen.append(picture)
        if len(seen) == 1:
            meter.shows(200)
        if len(seen) == 2:
            meter.mute = True
        if len(seen) == 3:
            meter.mute = False
            meter.shows(300)

    async with raw_modbus.serving(meter):
        link = ReadOnlyLink(meter.settings(timeout_s=1.0), CLOCK)
        async with running(link):
            surveys = (sunspec_survey.survey,)
            await of_unit(link, 1, CLOCK, surveys, Pace(0.05, 4), tell)
    assert power(seen[0]) == (100, Quality.GOOD)
    assert power(seen[1]) == (200, Quality.GOOD)
    assert power(seen[2]) == (200, Quality.STALE)
    assert "no answer" in seen[2].trouble
    assert power(seen[3]) == (300, Quality.GOOD)
    ages = [row.as_dict(seen[2].at)["age_s"] for row in seen[2].rows if row.name == "W"]
    assert isinstance(ages[0], float)
    assert ages[0] >= 1.0
    assert all(row.device != "1 Common" for row in seen[1].rows)  # settings are read once


async def test_nobody_is_told_apart_from_a_device() -> None:
    meter = Meter()
    meter.mute = True
    async with raw_modbus.serving(meter):
        link = ReadOnlyLink(meter.settings(), CLOCK)
        with pytest.raises(ExceptionGroup) as caught:
            async with running(link):
                await of_unit(link, 1, CLOCK, (sunspec_survey.survey,), Pace(1), lambda _: None)
    assert isinstance(caught.value.exceptions[0], NobodyThereError)
