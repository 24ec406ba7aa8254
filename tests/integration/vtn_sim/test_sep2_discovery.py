"""Discovery over real mutual TLS: who a client is, what it sees, and how lists come in pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from certs.pki import Pki
from contracts.sep2.resources import (
    DERControlList,
    DERProgramList,
    DeviceCapability,
    EndDeviceList,
    FunctionSetAssignmentsList,
    Time,
)
from support.sep2_server import made_pki, running_sep2


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return made_pki(tmp_path_factory.mktemp("pki"))


async def test_everything_is_found_by_links(pki: Pki) -> None:
    async with running_sep2(pki) as server:
        peer = await server.peer()
        entry = await peer.get(peer.entry, DeviceCapability)
        assert entry.time_link and entry.end_device_list_link
        time = await peer.get(entry.time_link.href, Time)
        assert time.quality == 7
        devices = await peer.get(entry.end_device_list_link.href, EndDeviceList, "?s=0&l=10")
        assert [d.lfdi for d in devices.items]
        fsas = devices.items[0].function_set_assignments_list_link
