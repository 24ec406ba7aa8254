"""An integrator's tools against the simulator, over real mutual TLS."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from certs.pki import Pki
from contracts.clock import SystemClock
from contracts.identity import sep2_client_context
from gateway.utility.sep2.settings import Sep2Settings
from gateway.utility.sep2.transport import Sep2Transport
from gridyard.findings import Finding
from gridyard.sep2.check import check
from gridyard.sep2.tree import walk
from support.sep2_client import client_settings
from support.sep2_server import lfdi_of, running_sep2


@asynccontextmanager
async def transport_to(settings: Sep2Settings) -> AsyncIterator[Sep2Transport]:
    tls = sep2_client_context(settings.ca, settings.cert, settings.key, settings.ciphers)
    transport = Sep2Transport(settings, tls)
    try:
        yield transport
    finally:
        await transport.aclose()


async def findings(settings: Sep2Settings) -> dict[str, Finding]:
    async with transport_to(settings) as transport:
        return {one.step: one async for one in check(settings, transport, SystemClock())}


async def test_a_good_connection_passes_every_step(pki: Pki) -> None:
    async with running_sep2(pki) as server:
        found = await findings(client_settings(server))
    assert all(one.ok for one in found.values()), found
    assert lfdi_of(pki.sep2.aggregator) in found["our certificate"].detail
    assert "2 groups" in found["depot-1 (site)"].detail


async def test_a_device_nobody_enrolled_and_a_wrong_pin_are_told_apart(pki: Pki) -> None:
    async with running_sep2(pki) as server:
        await server.act("set-pin", device="depot-1", pin=222_227)
        await server.act("delete-device", device="depot-2")
        found = await findings(client_settings(server))
    assert not found["depot-1 (site)"].ok
    assert "PIN differs" in found["depot-1 (site)"].detail
    assert not found["depot-2 (site)"].ok
    assert "not listed" in found["depot-2 (site)"].detail
    assert found["depot-2 (site)"].hint == "the utility must enrol it"


async def test_a_server_that_trusts_others_is_diagnosed(pki: Pki) -> None:
    async with running_sep2(pki) as server:
        wrong = client_settings(server).model_copy(update={"ca": pki.utility_ca})
        found = await findings(wrong)
    assert list(found) == ["our certificate", "DeviceCapability"]
    assert "does not lead to `ca`" in found["DeviceCapability"].hint


async def test_nobody_there_is_diagnosed(pki: Pki) -> None:
    async with running_sep2(pki) as server:
        settings = client_settings(server)
    found = await findings(settings)
    assert "nobody listens" in found["DeviceCapability"].hint


async def test_the_tree_holds_what_the_server_shows_and_nothing_twice(pki: Pki) -> None:
    async with running_sep2(pki) as server, transport_to(client_settings(server)) as transport:
        nodes = [node async for node in walk(transport)]
    names = [node.name for node in nodes]
    assert names[0] == "DeviceCapability"
    assert names.count("DERProgram") == 2
    assert {"EndDevice", "FunctionSetAssignments", "DefaultDERControl", "Time"} <= set(names)
    unread = {node.name for node in nodes if node.failed}
    told_by_us = {"DERCapability", "DERSettings", "DERStatus", "DERAvailability"}
    assert unread <= told_by_us | {"ConnectionPoint"}, "only what nobody has PUT yet"
