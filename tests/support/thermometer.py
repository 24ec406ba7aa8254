"""A sensor that tells a temperature, where it has one to tell."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime

from contracts.reading import Quality, Reading


class Thermometer:
    """`site_agent.ports.Sensor`; `celsius` None: it is offline."""

    def __init__(self, point: str, celsius: float | None) -> None:
        self.point = point
        self.celsius = celsius

    async def run(self) -> None:
        await asyncio.Event().wait()

    def readings(self, now: datetime) -> Mapping[str, Reading]:
        quality = Quality.OFFLINE if self.celsius is None else Quality.GOOD
        return {self.point: Reading(value=self.celsius, quality=quality, at=now)}
