"""Subscriptions at the simulator, and its Notifications at our own HTTPS listener.

Lists are polled every 15 min here, so what is seen within seconds has come by Notification.
"""

from __future__ import annotations

import ssl
from typing import Any

import httpx
import pytest

from certs.pki import Pki
from contracts.identity import client_context, sep2_client_context
from support.ports import steady_ports
from support.sep2_client import Watching, watching
from support.sep2_server import device_lfdi, running_sep2

CONTROL = {"program": "system", "duration_s": 600, "modes": {"opModImpLimW": 50_000}}
SUBSCRIBED = 8
"""EndDevices, the assignments of both, and of each of two groups programs, controls, default
(of one)."""


def listener(pki: Pki) -> dict[str, Any]:
    port = steady_ports(1)[0]
    identity = pki.sep2.aggregator
    return {
        "host": "127.0.0.1",
        "port": port,
        "url": f"https://127.0.0.1:{port}/notify",
        "cert": identity.cert,
        "key": identity.key,
    }


async def subscribed(watch: Watching) -> None:
    """Everything that can be is."""
    await watch.until(lambda: watch.sees == {1, 2})
    await watch.until(lambda: watch.transport.requests["POST Subscription"] >= SUBSCRIBED)


@pytest.mark.row("sep2:40", "sep2:41", "csip:P31", "csip-test:CORE-018", "csip-test:UTIL-003")
@pytest.mark.row("csip-test:MAINT-001", "csip-test:MAINT-003", "csip-test:MAINT-004")
@pytest.mark.row("csip-test:MAINT-005", "csip-test:AGG-001")
async def test_every_kind_of_change_arrives_by_notification(pki: Pki) -> None:
    async with running_sep2(pki) as server, watching(server, listener=listener(pki)) as watch:
        await subscribed(watch)
        await server.act("add-control", start_in_s=60, **CONTROL)
        await watch.until(lambda: len(watch.controls(1)) == len(watch.controls(2)) == 1)
        await server.act("set-default", program="system", default={"modes": {"opModExpLimW": 1}})
        await watch.until(lambda: _default_modes(watch) == {"opModExpLimW"})
        await server.act("set-primacy", primacies={"system": 0, "feeder": 7})
        await watch.until(lambda: watch.programs(1) == ["0", "7"])
        await server.act("move-device", device="depot-2", fsas=["feeder"])
        await watch.until(lambda: watch.programs(2) == ["7"])
        await server.act("delete-device", device="depot-1")
        await watch.until(lambda: watch.sees == {2})
        again = {"lfdi": device_lfdi(1), "label": "depot-1", "fsas": ["system"]}
        await server.act("add-device", device=again)
        await watch.until(lambda: watch.sees == {1, 2})
        told = [one for one in await server.look("/exchanges") if one["method"] == "NOTIFY"]
        assert told
        assert {one["status"] for one in told} <= {201, 400}


@pytest.mark.row("sep2:41")
async def test_a_notification_with_other_mrids_is_only_a_hint(pki: Pki) -> None:
    habits = {"notify_without_pen": True}
    async with (
        running_sep2(pki, habits=habits) as server,
        watching(server, listener=listener(pki)) as watch,
    ):
        await subscribed(watch)
        made = await server.act("add-control", start_in_s=60, **CONTROL)
        await watch.until(lambda: watch.controls(1) == [made["mrid"].upper()])


@pytest.mark.row("csip-test:CORE-019", "csip-test:ERR-002", "csip:P52")
async def test_subscriptions_that_end_leave_polling(pki: Pki) -> None:
    async with (
        running_sep2(pki, poll_rate_s=1) as server,
        watching(server, listener=listener(pki)) as watch,
    ):
        await subscribed(watch)
        await server.act("end-subscriptions")
        await server.until("/exchanges", lambda all_: _told(all_) >= SUBSCRIBED)
        await server.act("add-control", start_in_s=60, **CONTROL)
        await watch.until(lambda: len(watch.controls(1)) == 1)


@pytest.mark.row("csip:P52")
async def test_a_listener_nobody_can_reach_leaves_polling(pki: Pki) -> None:
    elsewhere = listener(pki) | {"url": "https://127.0.0.1:1/notify"}
    async with (
        running_sep2(pki, poll_rate_s=1) as server,
        watching(server, listener=elsewhere) as watch,
    ):
        await subscribed(watch)
        await server.act("add-control", start_in_s=60, **CONTROL)
        await watch.until(lambda: len(watch.controls(1)) == 1)


@pytest.mark.row("sep2:40", "csip:P11")
async def test_the_listener_lets_in_the_utilitys_pki_only(pki: Pki) -> None:
    ours = listener(pki)
    async with running_sep2(pki) as server, watching(server, listener=ours) as watch:
        await subscribed(watch)
        await server.act("notify")
        await server.until("/exchanges", lambda all_: _told(all_) >= SUBSCRIBED)
        tls = sep2_client_context(pki.sep2.ca, pki.sep2.server.cert, pki.sep2.server.key)
        nobody = client_context(pki.sep2.ca)
        nobody.minimum_version = ssl.TLSVersion.TLSv1_2
        async with httpx.AsyncClient(verify=tls, trust_env=False) as client:
            assert (await client.get(ours["url"])).status_code == 405
            xml = {"Content-Type": "application/sep+xml"}
            wrong = await client.post(ours["url"], content=b"<x/>", headers=xml)
            assert wrong.status_code == 400
        async with httpx.AsyncClient(verify=nobody, trust_env=False) as client:
            with pytest.raises(httpx.TransportError):
                await client.get(ours["url"])


def _default_modes(watch: Watching) -> set[str]:
    device = watch.device(2)
    programs = [] if device is None else device.programs
    defaults = [p.default for p in programs if p.default is not None]
    return {mode for default in defaults for mode in default.der_control_base.modes}


def _told(exchanges: list[dict[str, Any]]) -> int:
    return sum(one["method"] == "NOTIFY" for one in exchanges)
