"""A running broker with mutual TLS, and what stands behind the gateway's end of the link."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from certs.pki import Pki, make_test_pki
from support.site_link import GatewayHandler, Net, running


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_test_pki(tmp_path_factory.mktemp("pki"), sites=["depot-1", "depot-2"])


@pytest.fixture
async def net(pki: Pki, tmp_path: Path) -> AsyncIterator[Net]:
    net = Net(pki, tmp_path)
    async with running(net.broker.run()):
        await net.broker.ready.wait()
        yield net


@pytest.fixture
def handler() -> GatewayHandler:
    return GatewayHandler()
