"""Single messages through the proxy: greetings, certificates, a vendor's own, refused ones."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call_result
from ocpp.v16 import call as call16
from ocpp.v16.datatypes import IdTagInfo
from ocpp.v16.enums import AuthorizationStatus, RegistrationStatus
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from certs.pki import Pki, make_test_pki
from contracts.identity import client_context
from site_agent.devices.ocpp.proxy.proxy import CloudProxy
from site_agent.devices.ocpp.proxy.settings import CloudConfig, FinalWord
from site_agent.devices.ocpp.settings import Timing
from site_agent.store.memory import MemoryCloudQueue, MemoryKeyValues
from support.cloud_csms import Json, cloud_csms
from support.fast_clock import FastClock
from support.ocpp_charger import RawCharger
from support.ocpp_depot import Depot, connected, depot, station
from support.waiting import until

pytestmark = pytest.mark.row("safety:S7")

_TIMING = Timing(greeting_s=1.0, call_timeout_s=2.0)


@asynccontextmanager
async def behind(
    url: str, version: str, answers: dict[str, Any] | None = None, **settings: Any
) -> AsyncIterator[tuple[Depot, RawCharger, CloudProxy]]:
    """A bare charger that has booted, and the proxy to the cloud at `url`."""
    settings = {"patience_s": 400.0} | settings
    config = CloudConfig(url=url, identity="CP 1/x", **settings)
    async with (
        depot(
            station(cloud=config),
            timing=_TIMING,
            clock=FastClock(40.0),
            clouds=MemoryCloudQueue(),
            memory=MemoryKeyValues(),
        ) as site,
        connected(site, version=version, answers=answers) as charger,
    ):
        proxy = site.system.stations["CP1"].proxy
        assert proxy is not None
        await charger.boot()
        await charger.hears("TriggerMessage")
        yield site, charger, proxy


async def test_greets_first_and_waits_until_it_is_welcome(version: str) -> None:
    statuses = iter(["Pending", "Rejected", "Accepted"])

    def boot(_: Json) -> Json:
        return {"status": next(statuses, "Accepted"), "currentTime": "2026-01-01T00:00:00Z",
                "interval": 5}  # fmt: skip

    async with (
        cloud_csms(BootNotification=boot) as cloud,
        behind(cloud.url, version) as (site, charger, proxy),
    ):
        await charger.status(site.clock, "Available")
        await cloud.hears("StatusNotification")
        assert cloud.actions("BootNotification", "StatusNotification")[:4] == [
            *["BootNotification"] * 3, "StatusNotification"
        ]  # fmt: skip
        assert cloud.logins[0][0] == "/steve/websocket/CP%201%2Fx"
        await cloud.hears("Heartbeat")
        await until(lambda: not proxy.waiting)


async def test_data_transfer_gets_the_clouds_answer_and_ours_without_it(version: str) -> None:
    asked = {"vendorId": "example.org", "data": "price?"}
    async with (
        cloud_csms(DataTransfer={"status": "Accepted", "data": "0.30"}) as cloud,
        behind(cloud.url, version) as (_, charger, _),
    ):
        await cloud.hears("BootNotification")
        answer = await charger.call("DataTransfer", asked)
        assert answer == {"status": "Accepted", "data": "0.30"}
        await cloud.stop()
        assert (await charger.call("DataTransfer", asked))["status"] == "UnknownVendorId"


async def test_a_vehicles_certificate_comes_from_the_cloud_and_ours_does_not() -> None:
    given = {"status": "Accepted", "exiResponse": "AAAA"}
    ask = {"iso15118SchemaVersion": "urn:x", "action": "Install", "exiRequest": "BBBB"}
    async with (
        cloud_csms(Get15118EVCertificate=given, SignCertificate={"status": "Accepted"}) as cloud,
        behind(cloud.url, "ocpp2.0.1") as (_, charger, _),
    ):
        await cloud.hears("BootNotification")
        assert await charger.call("Get15118EVCertificate", ask) == given
        assert len(cloud.of("Get15118EVCertificate")) == 1
        own = {"csr": "x", "certificateType": "ChargingStationCertificate"}
        assert (await charger.call("SignCertificate", own))["status"] == "Rejected"
        theirs = {"csr": "x", "certificateType": "V2GCertificate"}
        assert (await charger.call("SignCertificate", theirs))["status"] == "Accepted"
        assert cloud.of("SignCertificate") == [theirs]


async def test_only_reports_the_cloud_asked_for_are_told_to_it() -> None:
    def report(number: int) -> Json:
        return {"requestId": number, "generatedAt": "2026-01-01T00:00:00Z", "seqNo": 0}

    async with (
        cloud_csms() as cloud,
        behind(cloud.url, "ocpp2.0.1") as (_, charger, _),
    ):
        order = {"requestId": 41, "reportBase": "FullInventory"}
        assert (await cloud.result("GetBaseReport", order))["status"] == "Accepted"
        await charger.call("NotifyReport", report(9))  # ours
        await charger.call("NotifyReport", report(41))
        assert (await cloud.hears("NotifyReport"))["requestId"] == 41
        assert len(cloud.of("NotifyReport")) == 1


async def test_kept_profiles_are_reported() -> None:
    schedule = {"id": 1, "chargingRateUnit": "A",
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 9.0}]}  # fmt: skip
    wire = {"id": 5, "stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Relative", "chargingSchedule": [schedule]}  # fmt: skip
    async with (
        cloud_csms() as cloud,
        behind(cloud.url, "ocpp2.0.1") as (_, _, _),
    ):
        await cloud.result("SetChargingProfile", {"evseId": 1, "chargingProfile": wire})
        ask = {"requestId": 3, "chargingProfile": {"chargingProfilePurpose": "TxDefaultProfile"}}
        assert await cloud.result("GetChargingProfiles", ask) == {"status": "Accepted"}
        report = await cloud.hears("ReportChargingProfiles")
        assert (report["requestId"], report["chargingProfile"]) == (3, [wire])
        none = {"requestId": 4, "chargingProfile": {"stackLevel": 3}}
        assert await cloud.result("GetChargingProfiles", none) == {"status": "NoProfiles"}


async def test_a_start_the_cloud_refuses_to_know_holds_up_nothing_else() -> None:
    refusals: list[Json] = []

    def refuse(payload: Json) -> list[str]:
        refusals.append(payload)
        return ["InternalError", "database"]

    async with (
        cloud_csms(StartTransaction=refuse) as cloud,
        behind(cloud.url, "ocpp1.6") as (site, charger, proxy),
    ):
        ref = await charger.begin(site.clock)
        await charger.end(site.clock, ref, 2000.0)
        await until(lambda: not proxy.waiting)
        assert len(refusals) == 3
        assert not cloud.of("StopTransaction")  # of a transaction it does not know
        del cloud.answers["StartTransaction"]
        ref = await charger.begin(site.clock, register_wh=2000.0)
        await charger.end(site.clock, ref, 3000.0)
        assert (await cloud.hears("StopTransaction"))["transactionId"] > 7000


async def test_what_a_charger_tells_twice_the_cloud_hears_once() -> None:
    stop = {"transactionId": 0, "meterStop": 9, "timestamp": "2026-01-05T10:00:00Z"}
    async with (
        cloud_csms() as cloud,
        behind(cloud.url, "ocpp1.6") as (site, charger, proxy),
    ):
        stop["transactionId"] = int(await charger.begin(site.clock))
        for _ in range(2):
            await charger.call("StopTransaction", stop)
        await charger.begin(site.clock, register_wh=2000.0)
        await until(lambda: len(cloud.of("StartTransaction")) == 2 and not proxy.waiting)
        assert len(cloud.of("StopTransaction")) == 1


async def test_our_policy_may_have_a_veto(version: str) -> None:
    async with (
        cloud_csms() as cloud,
        behind(cloud.url, version, final_word=FinalWord.BOTH) as (_, charger, _),
    ):
        await cloud.hears("BootNotification")
        for tag, status in (("TAG1", "Accepted"), ("STRANGER", "Invalid")):
            token: Any = {"idToken": tag, "type": "ISO14443"}
            asked = {"idTag": tag} if version == "ocpp1.6" else {"idToken": token}
            info = next(iter((await charger.call("Authorize", asked)).values()))
            assert (info["status"] == "Accepted") is (status == "Accepted")


# --- TLS ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    folder = tmp_path_factory.mktemp("pki")
    return make_test_pki(folder, sites=["cp1"], chargers=["cp1"], hosts=["127.0.0.1"])


async def test_a_client_certificate_for_a_cloud_that_asks_for_one(pki: Pki) -> None:
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(pki.site_ca))
    server.verify_mode = ssl.CERT_REQUIRED
    server.load_cert_chain(pki.broker.cert, pki.broker.key)
    shown = pki.chargers["cp1"]
    trusted = client_context(pki.site_ca, shown.cert, shown.key)
    async with (
        cloud_csms(tls=server) as cloud,
        behind(cloud.url, "ocpp1.6", tls=trusted) as (_, _, _),
    ):
        await cloud.hears("BootNotification")


async def test_a_cloud_nobody_vouches_for_is_not_spoken_to(pki: Pki) -> None:
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(pki.broker.cert, pki.broker.key)
    async with (
        cloud_csms(tls=server) as cloud,
        behind(cloud.url, "ocpp1.6", tls=client_context(None)) as (site, _, proxy),
    ):
        await until(lambda: proxy.tally.counts["cloud away"] > 0)
        assert not cloud.logins
        assert site.state().online


# --- another implementation ---------------------------------------------------------------------


class TheirCsms(ChargePoint):
    """The central system of the `ocpp` package."""

    told: list[tuple[str, Any]]

    @on("BootNotification")  # type: ignore[no-untyped-call, untyped-decorator]
    def on_boot(self, **_: Any) -> Any:
        return call_result.BootNotification(
            current_time="2026-01-01T00:00:00Z", interval=300, status=RegistrationStatus.accepted
        )

    @on("StatusNotification")  # type: ignore[no-untyped-call, untyped-decorator]
    def on_status(self, **_: Any) -> Any:
        return call_result.StatusNotification()

    @on("StartTransaction")  # type: ignore[no-untyped-call, untyped-decorator]
    def on_start(self, **start: Any) -> Any:
        self.told.append(("start", start["meter_start"]))
        info = IdTagInfo(status=AuthorizationStatus.accepted)
        return call_result.StartTransaction(transaction_id=4242, id_tag_info=info)

    @on("StopTransaction")  # type: ignore[no-untyped-call, untyped-decorator]
    def on_stop(self, **stop: Any) -> Any:
        self.told.append(("stop", stop["transaction_id"]))
        return call_result.StopTransaction()


async def test_with_the_central_system_of_the_ocpp_package() -> None:
    told: list[tuple[str, Any]] = []
    answers: list[Any] = []

    async def on_connect(socket: ServerConnection) -> None:
        csms = TheirCsms("CP1", socket)  # type: ignore[no-untyped-call]
        csms.told = told

        async def order() -> None:
            await until(lambda: bool(told))
            wire = {"charging_profile_id": 1, "stack_level": 0, "charging_profile_purpose":
                    "TxDefaultProfile", "charging_profile_kind": "Relative", "charging_schedule":
                    {"charging_rate_unit": "A", "charging_schedule_period":
                     [{"start_period": 0, "limit": 9.0}]}}  # fmt: skip
            request = call16.SetChargingProfile(connector_id=1, cs_charging_profiles=wire)
            answers.append(await csms.call(request, suppress=False))  # type: ignore[no-untyped-call]

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(order())
            with suppress(ConnectionClosed):
                await csms.start()  # type: ignore[no-untyped-call]

    server = await serve(on_connect, "127.0.0.1", 0, subprotocols=[Subprotocol("ocpp1.6")])
    url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/csms"
    async with server, behind(url, "ocpp1.6") as (site, charger, proxy):
        ref = await charger.begin(site.clock)
        await until(lambda: bool(answers))
        assert answers[0].status == "Accepted"
        assert site.state().ceiling_a == 9
        await charger.end(site.clock, ref, 2000.0)
        await until(lambda: not proxy.waiting)
    assert told == [("start", 1000), ("stop", 4242)]
