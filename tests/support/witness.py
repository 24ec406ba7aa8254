"""The power at a depot's connection point, read from its meter by nobody who controls it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP

from support.processes import LOOPBACK

_EVERY_S = 0.2


class Witness:
    """Samples the grid meter five times a second in a thread of its own; import positive."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._samples: list[tuple[datetime, float]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        """The meter must listen."""
        self._thread.start()

    def stop(self) -> None:
        """Before the meter goes."""
        self._stop.set()
        self._thread.join(10)

    @property
    def now_w(self) -> float:
        """The newest value."""
        return self._samples[-1][1] if self._samples else 0.0

    def between(self, start: datetime, end: datetime) -> Sequence[float]:
        """Every value read in `[start, end)`, W."""
        return [value for at, value in list(self._samples) if start <= at < end]

    def _watch(self) -> None:
        client: Any = SunSpecModbusClientDeviceTCP  # has no annotations
        device = client(slave_id=1, ipaddr=LOOPBACK, ipport=self._port)
        try:
            device.scan()
            meter = device.ac_meter_abcn[0]
            while not self._stop.wait(_EVERY_S):
                meter.read()
                self._samples.append((datetime.now(UTC), meter.W.cvalue))
        finally:
            device.disconnect()
