"""The discovery half of our IEEE 2030.5 client against a running simulator, over real TLS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from certs.certificates import Identity
from contracts.clock import SystemClock
from contracts.identity import sep2_client_context, sep2_server_context
from contracts.sep2.dialect import CSIPAUS_V1_2
from gateway.utility.sep2.client import Sep2Client
from gateway.utility.sep2.settings import Sep2Settings
from gateway.utility.sep2.transport import Exchange, Sep2Transport
from gateway.utility.sep2.view import DeviceView, ServerView
from support.sep2_server import RunningSep2, device_lfdi, lfdi_of
from support.waiting import PATIENCE_S, until


class Watching:
    """A client whose view is watched instead of obeyed."""

    def __init__(self, server: RunningSep2, identity: Identity, of: Sep2Settings) -> None:
        tls = sep2_client_context(of.ca, of.cert, of.key, of.ciphers)
        self.trace: list[Exchange] = []
        self.transport = Sep2Transport(of, tls, on_message=self.trace.append)
        self.followed = 0
        listener = of.listener
        self.client = Sep2Client(
            of,
            self.transport,
            self,
            SystemClock(),
            own_lfdi=lfdi_of(identity),
            listener_tls=None
            if listener is None
            else sep2_server_context(listener.cert, listener.key, of.ca, of.ciphers),
        )
        self.server = server

    async def follow(self, view: ServerView, server_now: datetime) -> datetime | None:
        self.followed += 1
        return None

    def device(self, number: int) -> DeviceView | None:
        return self.client.view.devices.get(device_lfdi(number))

    def programs(self, number: int) -> list[str]:
        """Primacies and descriptions say which program it is."""
        device = self.device(number)
        return [] if device is None else [str(p.program.primacy) for p in device.programs]

    def controls(self, number: int) -> list[str]:
        """mRIDs of everything listed for a device."""
        device = self.device(number)
        programs = () if device is None else device.programs
        return [control.canonical_mrid for p in programs for control in p.controls]

    @property
    def sees(self) -> set[int]:
        """Numbers of the devices shown."""
        return {n for n in range(1, 10) if device_lfdi(n) in self.client.view.devices}

    async def until(self, condition: Callable[[], bool], timeout_s: float = PATIENCE_S) -> None:
        await until(condition, timeout_s)


def client_settings(
    server: RunningSep2,
    identity: Identity | None = None,
    numbers: Iterable[int] = (1, 2),
    **more: Any,
) -> Sep2Settings:
    """An aggregator of these devices that polls only as often as the server wants."""
    ours = identity or server.pki.sep2.aggregator
    devices = [
        {
            "lfdi": device_lfdi(number),
            "pin": 111115,
            "sites": [f"depot-{number}"],
            "ratings": {"rtg_max_w": 1e5},
        }
        for number in numbers
    ]
    fields: dict[str, Any] = {
        "utility_id": "utility",
        "url": str(server.url),
        "ca": server.pki.sep2.ca,
        "cert": ours.cert,
        "key": ours.key,
        "csipaus": CSIPAUS_V1_2,
        "devices": devices,
        "max_backoff_s": 0.5,
        "timeout_s": 5,
    }
    return Sep2Settings.model_validate(fields | more)


@asynccontextmanager
async def watching(
    server: RunningSep2, identity: Identity | None = None, **more: Any
) -> AsyncIterator[Watching]:
    """A running client; `more` are settings."""
    of = client_settings(server, identity, **more)
    watch = Watching(server, identity or server.pki.sep2.aggregator, of)
    task = asyncio.create_task(watch.client.run())
    try:
        yield watch
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()
