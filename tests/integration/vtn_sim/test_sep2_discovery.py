"""Over real mutual TLS: who a client is, what it finds by links, and what it costs."""

from __future__ import annotations

import re
import ssl
import statistics
import time
from collections import deque
from typing import Any

import httpx
import pytest

from certs.certificates import Identity
from certs.pki import Pki
from certs.sep2 import make_sep2_pki
from certs.sep2_faults import Fault, make_faulty
from contracts.identity import sfdi
from contracts.sep2.dialect import CSIPAUS_V1_2, Dialect
from contracts.sep2.resources import (
    DERCapability,
    DERStatus,
    DeviceCapability,
    EndDevice,
    EndDeviceList,
    LogEvent,
    MirrorUsagePoint,
    Response,
    Scaled,
)
from support import sep2_schema
from support.sep2_server import (
    HEADERS,
    RunningSep2,
    Sep2Peer,
    device_lfdi,
    lfdi_of,
    made_pki,
    now,
    running_sep2,
)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return made_pki(tmp_path_factory.mktemp("pki"))


async def device_list(peer: Sep2Peer, limit: int = 255) -> EndDeviceList:
    entry = await peer.get(peer.entry, DeviceCapability)
    assert entry.end_device_list_link is not None
    return await peer.get(entry.end_device_list_link.href, EndDeviceList, f"?s=0&l={limit}")


# --- who is it -----------------------------------------------------------------------------------


async def test_a_client_is_who_its_certificate_says(pki: Pki) -> None:
    async with running_sep2(pki) as server:
        peer = await server.peer()
        agg = lfdi_of(pki.sep2.aggregator)
        liar = {"X-Client-LFDI": "F" * 40, "X-Forwarded-Client-Cert": "x", "LFDI": "F" * 40}
        answer = await peer.http.get(peer.entry, headers={**HEADERS, **liar})
        assert answer.status_code == 200
        listed = await device_list(peer)
        assert {d.lfdi for d in listed.items} == {agg, device_lfdi(1), device_lfdi(2)}
        own = next(d for d in listed.items if d.lfdi == agg)
        assert own.sfdi == sfdi(agg)
        (exchange,) = await server.look("/exchanges?limit=1")
        assert exchange["lfdi"] == agg


async def test_strangers_find_nothing(pki: Pki) -> None:
    """CSIP P18: 404, 403 on POST."""
    strangers = make_sep2_pki(pki.folder / "sep2", now(), hosts=["127.0.0.1"], devices=["x"])
    async with running_sep2(pki) as server:
        stranger = await server.peer(strangers.devices["x"])
        known = await server.peer()
        href = (await device_list(known)).href or ""
        new = EndDevice(lfdi=device_lfdi(9), sfdi=sfdi(device_lfdi(9)), changed_time=now())
        for path in (stranger.entry, href, "/nowhere"):
            assert await stranger.status("GET", path) == 404
        assert await stranger.status("POST", href, new) == 403


@pytest.mark.parametrize("fault", [Fault.SELF_SIGNED, Fault.WRONG_ROOT, Fault.RSA_KEY])
async def test_bad_certificates_do_not_get_in(pki: Pki, fault: Fault) -> None:
    bad = make_faulty(pki.folder / "sep2", fault, now(), ["127.0.0.1"])
    context = ssl.create_default_context(cafile=str(pki.sep2.ca))
    context.load_cert_chain(bad.cert, bad.key)
    async with (
        running_sep2(pki) as server,
        httpx.AsyncClient(verify=context, trust_env=False) as client,
    ):
        with pytest.raises(httpx.TransportError):
            await client.get(server.url)
        assert (await (await server.peer()).send("GET", server.url.path)).status_code == 200


async def test_without_a_certificate_nobody_gets_in(pki: Pki) -> None:
    context = ssl.create_default_context(cafile=str(pki.sep2.ca))
    async with (
        running_sep2(pki) as server,
        httpx.AsyncClient(verify=context, trust_env=False) as client,
    ):
        with pytest.raises(httpx.TransportError):
            await client.get(server.url)


async def test_ccm8_is_what_is_spoken(pki: Pki) -> None:
    async with running_sep2(pki) as server:
        peer = await server.peer()
        answer = await peer.send("GET", peer.entry)
        stream = answer.extensions["network_stream"]
        tls = stream.get_extra_info("ssl_object")
        assert tls.cipher()[0] == "ECDHE-ECDSA-AES128-CCM8"
        assert tls.version() == "TLSv1.2"


async def test_a_device_may_come_itself(pki: Pki) -> None:
    made = make_sep2_pki(pki.folder / "sep2", now(), hosts=["127.0.0.1"], devices=["d"])
    own: Identity = made.devices["d"]
    devices = [{"lfdi": lfdi_of(own), "direct": True, "fsas": ["feeder"]}]
    async with running_sep2(pki, devices=devices) as server:
        listed = await device_list(await server.peer(own))
        assert [d.lfdi for d in listed.items] == [lfdi_of(own)]
        aggregators = await device_list(await server.peer())
        assert [d.lfdi for d in aggregators.items] == [lfdi_of(pki.sep2.aggregator)]


# --- what is there -------------------------------------------------------------------------------


async def test_addresses_are_new_at_every_start(pki: Pki) -> None:
    found = []
    for _ in range(2):
        async with running_sep2(pki) as server:
            found.append((await device_list(await server.peer())).href)
    assert found[0] != found[1]


async def crawl(server: RunningSep2, dialect: Dialect) -> dict[str, list[str]]:
    """Every link of the server, followed; what the schema says against each document."""
    peer = await server.peer()
    queue, faults = deque([peer.entry]), dict[str, list[str]]()
    while queue:
        path = queue.popleft()
        if path in faults:
            continue
        answer = await peer.send("GET", path + "?s=0&l=255")
        faults[path] = sep2_schema.faults(answer.content, dialect)
        assert answer.status_code in (200, 404), path
        if answer.status_code == 404:  # only what a device has not told yet
            assert path.rpartition("/")[2] in ("dercap", "derg", "ders", "dera", "cp"), path
        for href in re.findall(rb'(?:href|replyTo)="([^"]+)"', answer.content):
            queue.append(href.decode())
    return faults


@pytest.mark.parametrize(("csipaus", "per_device"), [(None, False), (CSIPAUS_V1_2, True)])
async def test_every_document_is_as_the_schema_has_it(
    pki: Pki, csipaus: str | None, per_device: bool
) -> None:
    limit = {"opModImpLimW": 90_000} if csipaus else {"opModMaxLimW": 80.0}
    curve = {"name": "vv", "mode": "opModVoltVar", "points": [[92, 44], [108, -44]], "y_ref": 3}
    default = {
        "modes": limit,
        "grad_w_percent_per_s": 0.27,
        "es_delay_s": 300,
        "es_high_freq_hz": 60.5,
        "es_low_volt_percent": 88,
    }
    settings: dict[str, Any] = {
        "csipaus": csipaus,
        "habits": {"per_device_hrefs": per_device},
        "programs": [
            {"name": "system", "primacy": 5, "default": default, "description": "all of it"},
            {"name": "feeder", "primacy": 1, "curves": [curve]},
        ],
        "load_programs": [{"name": "loads", "primacy": 3}],
        "tariffs": [
            {"name": "tou", "prices": [{"at": "00:00", "price": 0.2, "export_price": -0.05}]}
        ],
        "flow_reservation": {},
        "fsas": [
            {
                "name": "system",
                "programs": ["system"],
                "load_programs": ["loads"],
                "tariffs": ["tou"],
            },
            {"name": "feeder", "programs": ["feeder"]},
        ],
    }
    async with running_sep2(pki, **settings) as server:
        await server.act(
            "add-control",
            program="feeder",
            start_in_s=-5,
            duration_s=600,
            randomize_start_s=30,
            ramp_s=5,
            device_category=0x200,
            modes={
                "opModVoltVar": "vv",
                "opModFixedPFInjectW": {"power_factor": 0.95, "absorbs": True},
            },
        )
        modes = {"opModTargetW": 150_000, "opModConnect": True, "opModFixedVar": {"percent": 44}}
        for start in (60, 100):
            await server.act(
                "add-control", program="system", start_in_s=start, duration_s=600, modes=modes
            )
        await server.act(
            "add-load-control",
            program="loads",
            start_in_s=10,
            duration_s=60,
            device_category=512,
            duty_cycle_percent=50,
            target_w=3000,
            offset_percent=5,
            override_s=60,
        )
        await tell_everything(server, doe_modes=15 if csipaus else None)
        faults = await crawl(server, Dialect(csipaus=csipaus))
    assert len(faults) > 70
    assert {path: found for path, found in faults.items() if found} == {}


async def tell_everything(server: RunningSep2, doe_modes: int | None) -> None:
    """What a client would post, so that it can be read back."""
    peer = await server.peer()
    device = next(d for d in (await device_list(peer)).items if d.der_list_link)
    assert device.href
    der = f"{device.href}/der/1"
    status = DERStatus(reading_time=now())
    capability = DERCapability(
        modes_supported=8, rtg_max_w=Scaled.of(1e6), type=83, doe_modes_supported=doe_modes
    )
    assert await peer.status("PUT", f"{der}/ders", status) == 204
    assert await peer.status("PUT", f"{der}/dercap", capability) == 204
    log = LogEvent(
        created_date_time=now(),
        function_set=11,
        log_event_code=0,
        log_event_id=1,
        log_event_pen=40732,
        profile_id=2,
    )
    assert await peer.status("POST", f"{device.href}/lel", log) == 201
    entry = await peer.get(peer.entry, DeviceCapability)
    assert entry.mirror_usage_point_list_link
    mup = MirrorUsagePoint(mrid="AB" * 16, device_lfdi=device.lfdi or "", role_flags=3, status=1)
    assert await peer.status("POST", entry.mirror_usage_point_list_link.href, mup) == 201
    (event, *_) = await server.look("/events")
    prefix = (await server.look(""))["prefix"]
    answer = Response(
        created_date_time=now(),
        end_device_lfdi=device.lfdi or "",
        status=1,
        subject=event["mrid"],
    )
    assert await peer.status("POST", f"{prefix}/rsps/der/rsp", answer) == 201


# --- what it costs -------------------------------------------------------------------------------


async def test_requests_are_counted_and_pages_of_a_thousand_devices_are_quick(pki: Pki) -> None:
    devices = [{"lfdi": device_lfdi(n), "fsas": ["system"]} for n in range(1, 1001)]
    async with running_sep2(pki, devices=devices) as server:
        peer = await server.peer()
        href = (await device_list(peer, 1)).href or ""
        assert (await server.api.delete("/api/sep2/requests")).status_code == 204
        took, seen = [], set()
        for start in range(0, 1001, 50):
            begun = time.process_time()
            answer = await peer.send("GET", f"{href}?s={start}&l=50")
            took.append(time.process_time() - begun)
            seen |= set(re.findall(rb"<lFDI>(\w+)<", answer.content))
        assert len(seen) == 1001
        assert await server.look("/requests") == {"GET EndDeviceList": 21}
        assert statistics.median(took) < 0.5
