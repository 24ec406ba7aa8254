"""Our client finds everything at the simulator, over real mutual TLS, and bears its faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from certs.pki import Pki
from certs.sep2 import make_sep2_pki
from contracts.sep2.resources import DERControlList, EndDevice
from support.ports import steady_ports
from support.sep2_client import client_settings, watching
from support.sep2_server import device_lfdi, now, running_sep2

CCM8 = "ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0"
CONTROL = {"program": "system", "duration_s": 600, "modes": {"opModImpLimW": 50_000}}


@pytest.mark.row("sep2:3", "sep2:4", "csip:P6", "csip:P8", "csip:P9", "csip-test:COMM-002")
@pytest.mark.row("csip-test:COMM-003")
async def test_everything_is_found_with_the_one_suite_of_the_standard(pki: Pki) -> None:
    async with running_sep2(pki, ciphers=CCM8) as server:
        await server.act("add-control", start_in_s=60, **CONTROL)
        async with watching(server, ciphers=CCM8) as watch:
            await watch.until(lambda: watch.sees == {1, 2} and watch.client.health.connected)
            assert watch.programs(1) == ["1", "5"]
            assert watch.programs(2) == ["5"]
            assert len(watch.controls(1)) == len(watch.controls(2)) == 1
            device = watch.device(1)
            assert device is not None
            assert device.der is not None
            assert device.der.capability is not None
            assert device.log_events is not None
            assert watch.client.view.mirror_usage_points is not None
            await watch.until(lambda: watch.followed > 0)
        first = watch.trace[0]
        assert first.href == server.url.path, "DeviceCapability before anything else"
        exchanges = await server.look("/exchanges")
        assert not [one for one in exchanges if one["remarks"]], "every path came from a link"


async def test_a_path_prefix_of_the_day_is_followed(pki: Pki) -> None:
    async with (
        running_sep2(pki, entry="/a/b/entry") as one,
        running_sep2(pki) as other,
        watching(one) as first,
        watching(other) as second,
    ):
        await first.until(lambda: first.sees == {1, 2})
        await second.until(lambda: second.sees == {1, 2})
        places = {device.href for device in (first.device(1), second.device(1)) if device}
        assert len(places) == 2, "the simulator makes up its paths at every start"


@pytest.mark.row("csip:P11", "csip:P16")
async def test_peers_of_another_pki_do_not_come_together(pki: Pki, tmp_path: Path) -> None:
    foreign = make_sep2_pki(tmp_path, now(), hosts=["127.0.0.1", "localhost"])
    async with running_sep2(pki) as server:
        async with watching(server, foreign.aggregator, max_backoff_s=60) as watch:
            await watch.until(lambda: "GET" in watch.client.health.detail)
            assert watch.trace == [], "the server turns us away"
        async with watching(server, ca=foreign.ca, max_backoff_s=60) as watch:
            await watch.until(lambda: "CERTIFICATE_VERIFY_FAILED" in watch.client.health.detail)
            assert watch.trace == [], "we turn the server away"


@pytest.mark.row("sep2:9", "csip:P18")
async def test_a_server_that_does_not_know_us_is_waited_for(pki: Pki) -> None:
    stranger = {"name": "agg", "lfdi": "B" * 40}
    async with (
        running_sep2(pki, aggregators=[stranger]) as server,
        watching(server, poll_s=0.1) as watch,
    ):
        await watch.until(lambda: "not enrolled yet" in watch.client.health.detail)
        await watch.until(lambda: len(watch.trace) > 3)
        assert {one.status for one in watch.trace} == {404}
        assert not watch.client.health.connected


@pytest.mark.row("sep2:6")
async def test_in_band_a_device_comes_onto_the_list_by_our_post(pki: Pki) -> None:
    devices = [
        {"lfdi": device_lfdi(1), "label": "depot-1", "fsas": ["system"], "registered": False},
        {"lfdi": device_lfdi(2), "label": "depot-2", "fsas": ["system"]},
    ]
    async with (
        running_sep2(pki, devices=devices) as server,
        watching(server, in_band=True) as watch,
    ):
        await watch.until(lambda: watch.sees == {1, 2})
        posts = [one for one in watch.trace if one.method == "POST"]
        assert [one.status for one in posts] == [201]
        assert watch.transport.decode(posts[0].request or b"", EndDevice).lfdi == device_lfdi(1)


@pytest.mark.row("sep2:6")
async def test_in_band_switched_off_leaves_the_rest_alone(pki: Pki) -> None:
    devices = [
        {"lfdi": device_lfdi(1), "label": "depot-1", "fsas": ["system"], "registered": False},
        {"lfdi": device_lfdi(2), "label": "depot-2", "fsas": ["system"]},
    ]
    async with (
        running_sep2(pki, devices=devices, in_band="off") as server,
        watching(server, in_band=True, poll_s=0.1) as watch,
    ):
        await watch.until(lambda: watch.sees == {2} and watch.followed > 0)
        await watch.until(lambda: watch.transport.requests["GET EndDeviceList"] > 3)
        assert watch.transport.requests["POST EndDevice"] == 1
        assert "1 not listed" in watch.client.health.detail


@pytest.mark.row("sep2:7", "sep2:13", "csip-test:MAINT-001", "csip-test:MAINT-003")
@pytest.mark.row("csip-test:MAINT-005", "csip-test:AGG-001")
async def test_changes_at_the_utility_are_seen_by_polling(pki: Pki) -> None:
    async with (
        running_sep2(pki) as server,
        watching(server, numbers=(1, 2, 3), poll_s=0.1) as watch,
    ):
        await watch.until(lambda: watch.sees == {1, 2})
        await server.act("move-device", device="depot-2", fsas=["feeder"])
        await watch.until(lambda: watch.programs(2) == ["1"])
        await server.act("set-primacy", primacies={"system": 0, "feeder": 7})
        await watch.until(lambda: watch.programs(1) == ["0", "7"])
        new = {"lfdi": device_lfdi(3), "label": "depot-3", "fsas": ["system"]}
        await server.act("add-device", device=new)
        await watch.until(lambda: watch.sees == {1, 2, 3})
        await server.act("delete-device", device="depot-1")
        await watch.until(lambda: watch.sees == {2, 3})
        await server.act("set-pin", device="depot-3", pin=123455)
        await watch.until(lambda: watch.sees == {2})
        assert "PIN" in watch.client.health.detail
        await server.act("set-pin", device="depot-3", pin=111115)
        await watch.until(lambda: watch.sees == {2, 3})


FAULTS: list[dict[str, object]] = [
    {"effect": "status", "status": 500},
    {"effect": "status", "status": 503, "retry_after_s": 0},
    {"effect": "status", "status": 404},
    {"effect": "slow", "delay_s": 0.8},
    {"effect": "cut"},
    {"effect": "drop"},
    {"effect": "redirect", "status": 301},
    {"effect": "redirect", "status": 302, "location": "https://utility.example/elsewhere"},
    {"effect": "content-type"},
    {"effect": "garbage"},
    {"effect": "endless"},
]


@pytest.mark.row("csip-test:ERR-001")
async def test_a_fault_is_borne_and_over_when_it_is_over(pki: Pki) -> None:
    async with running_sep2(pki) as server, watching(server, poll_s=0.1, timeout_s=0.6) as watch:
        await watch.until(lambda: watch.sees == {1, 2})
        for count, fault in enumerate(FAULTS, 1):
            await server.act("add-fault", fault={"kind": "DERControlList", "times": 2} | fault)
            asked = watch.transport.requests["GET DERControlList"] + 2
            await watch.until(lambda: watch.transport.requests["GET DERControlList"] >= asked)  # noqa: B023
            assert watch.programs(1) == ["1", "5"], fault
            await server.act("clear-faults")
            await server.act("add-control", start_in_s=60, **CONTROL)
            await watch.until(lambda: len(watch.controls(1)) == count)  # noqa: B023
            await watch.until(lambda: watch.client.health.detail == "2 of 2 devices")


async def test_from_the_start_everything_may_go_wrong(pki: Pki) -> None:
    async with running_sep2(pki) as server:
        for effect in ("status", "cut", "drop", "garbage", "content-type", "redirect"):
            await server.act("add-fault", fault={"effect": effect, "times": 3})
        async with watching(server, poll_s=0.1) as watch:
            await watch.until(lambda: watch.sees == {1, 2} and watch.client.health.connected)


@pytest.mark.row("sep2:42")
async def test_a_server_that_restarts_elsewhere_in_its_tree_is_found_again(pki: Pki) -> None:
    port = steady_ports(1)[0]
    async with running_sep2(pki, port=port) as server:
        watched = watching(server, poll_s=0.1, timeout_s=1)
        watch = await watched.__aenter__()
        await watch.until(lambda: watch.sees == {1, 2})
        before = watch.device(1)
    try:
        await watch.until(lambda: not watch.client.health.connected)
        assert watch.sees == {1, 2}, "what was known goes on"
        async with running_sep2(pki, port=port):
            await watch.until(lambda: watch.client.health.connected)
            await watch.until(lambda: watch.device(1) is not None and watch.device(1) != before)
            device = watch.device(1)
            assert before is not None
            assert device is not None
            assert device.href != before.href
            assert watch.programs(1) == ["1", "5"]
    finally:
        await watched.__aexit__(None, None, None)


@pytest.mark.row("sep2:8")
@pytest.mark.parametrize("max_items", [1, 3, 255])
async def test_small_pages_lose_nothing(pki: Pki, max_items: int) -> None:
    async with running_sep2(pki, max_items=max_items) as server:
        for _ in range(7):
            await server.act("add-control", start_in_s=60, **CONTROL)
        async with watching(server) as watch:
            await watch.until(lambda: len(watch.controls(2)) == 7)
            lists = watch.transport.requests["GET DERControlList"]
            assert lists >= 7 / max_items


async def test_a_real_server_is_read_by_hand_as_well(pki: Pki) -> None:
    """The transport alone, for the command line."""
    async with running_sep2(pki) as server, watching(server) as watch:
        await watch.until(lambda: watch.sees == {1, 2})
        device = watch.device(1)
        assert device is not None
        again = await watch.transport.get(device.href, EndDevice)
        assert again.canonical_lfdi == device.lfdi
        with pytest.raises(Exception, match="EndDevice"):
            await watch.transport.get(device.href, DERControlList)
        assert client_settings(server).devices[0].lfdi == device.lfdi
