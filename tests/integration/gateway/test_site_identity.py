"""A whole gateway, and a site that comes, is seen, goes, is thrown out and comes again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from certs.pki import Pki, make_test_pki
from contracts.site_link.enrolment import Token
from gateway.config import GatewaySettings
from gridyard.credentials import make_credentials, site_folder
from gridyard.site import access
from site_agent.uplink.joining import join
from support.site_link import running
from support.waiting import until
from support.whole_gateway import CLOCK, enrolling, gateway

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_test_pki(tmp_path_factory.mktemp("pki"), sites=[])


@pytest.fixture
def settings(pki: Pki, tmp_path: Path) -> GatewaySettings:
    return enrolling(pki, tmp_path / "gateway")


async def token(settings: GatewaySettings, site_id: str = "depot-1") -> Token:
    return await access.enrol(settings, site_id, CLOCK.now(), HOUR)


async def revoke(settings: GatewaySettings, site_id: str = "depot-1") -> int:
    return await access.revoke(settings, site_id, CLOCK.now(), "lost")


@pytest.mark.row("portfolio:L4")
async def test_a_site_comes_goes_is_thrown_out_and_comes_again(
    settings: GatewaySettings, tmp_path: Path
) -> None:
    folder = tmp_path / "agent"
    waiting = await token(settings)  # the gateway need not run for that
    async with gateway(settings) as running_gateway:
        assert not await running_gateway.connected()
        await join(waiting, "depot-1", folder)
        async with running(running_gateway.site(folder).run()):
            await running_gateway.becomes(connected=True)
        await running_gateway.becomes(connected=False)  # long before it would be stale

        uplink = running_gateway.site(folder)
        async with running(uplink.run()):
            await running_gateway.becomes(connected=True)
            assert await revoke(settings) == 1
            await running_gateway.becomes(connected=False)
            await until(lambda: not uplink.connected)

    again = tmp_path / "again"
    async with gateway(settings) as restarted:
        uplink = restarted.site(folder)
        async with running(uplink.run()):
            await join(await token(settings), "depot-1", again)
            async with running(restarted.site(again).run()):
                await restarted.becomes(connected=True)
            assert not uplink.connected


async def test_credentials_made_elsewhere_can_be_revoked_too(
    settings: GatewaySettings, pki: Pki, tmp_path: Path
) -> None:
    """`gridyard certs` knows nothing of the gateway's database."""
    make_credentials(pki.folder, ["depot-1", "depot-2"], CLOCK)
    one, two = (site_folder(pki.folder, name) for name in ("depot-1", "depot-2"))
    async with gateway(settings) as running_gateway:
        first, second = running_gateway.site(one), running_gateway.site(two, "depot-2")
        async with running(first.run()), running(second.run()):
            await running_gateway.becomes(connected=True)
            await second.wait_connected()
            await revoke(settings)
            await running_gateway.becomes(connected=False)
            assert second.connected
            await until(lambda: not first.connected)


async def test_credentials_never_seen_before_their_revocation_are_shut_out_when_they_come(
    settings: GatewaySettings, pki: Pki
) -> None:
    make_credentials(pki.folder, ["depot-1"], CLOCK)
    assert await revoke(settings) == 0
    async with gateway(settings) as running_gateway:
        uplink = running_gateway.site(site_folder(pki.folder, "depot-1"))
        async with running(uplink.run()):
            await uplink.wait_connected()
            await until(lambda: not uplink.connected)
            await running_gateway.becomes(connected=False)


async def test_a_gateway_that_issues_nothing_has_no_door(settings: GatewaySettings) -> None:
    link = settings.link.model_copy(update={"enrolment": None})
    without = settings.model_copy(update={"link": link})
    with pytest.raises(Exception, match=r"add link\.enrolment"):
        await token(without)
    async with gateway(without) as running_gateway:
        assert not await running_gateway.connected()
