"""A card is refused and the transaction runs on all the same: no current, an end asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from site_agent.devices.ocpp.proxy.settings import CloudConfig, FinalWord
from site_agent.devices.ocpp.settings import StationConfig, Timing
from site_agent.devices.ocpp.wire.fields import stamp
from site_agent.domain.fleet.access import Offline
from site_agent.store.memory import MemoryCloudQueue, MemoryKeyValues, MemorySessions
from support.cloud_csms import cloud_csms
from support.fast_clock import FastClock
from support.ocpp_access import FEW
from support.ocpp_charger import Json, RawCharger, limit, profile
from support.ocpp_depot import Depot, connected, depot, station
from support.waiting import until

pytestmark = pytest.mark.xdist_group("realtime-ocpp")

STRANGER, KNOWN = "NOBODY", "TAG1"
TIMING = Timing(greeting_s=0.05, call_timeout_s=30.0, patience_s=1e6)
_SPEED = 150.0


@asynccontextmanager
async def yard(version: str, **settings: Any) -> AsyncIterator[tuple[Depot, RawCharger]]:
    settings = dict[str, Any](timing=TIMING, clock=FastClock(_SPEED)) | settings
    async with depot(**settings) as site, connected(site, version=version) as charger:
        await charger.hears_profile("TxDefaultProfile")
        yield site, charger


async def starts(
    charger: RawCharger, site: Depot, tag: str, *, ago: timedelta = timedelta(0), **more: Any
) -> str:
    """Begin a transaction whatever the answer; its id."""
    at = stamp(site.clock.now() - ago)
    if charger.version == "ocpp1.6":
        start = {"connectorId": 1, "idTag": tag, "meterStart": 0, "timestamp": at}
        return str((await charger.call("StartTransaction", start))["transactionId"])
    await tells(charger, "Started", at, tag, **more)
    return "tx-1"


async def tells(charger: RawCharger, kind: str, at: str, tag: str, **more: Any) -> None:
    value: Json = {"timestamp": at, "sampledValue": [{"value": 0}]}
    token = {"idToken": {"idToken": tag, "type": "ISO14443"}}
    await charger.call("TransactionEvent", charger.event(kind, at, "tx-1", value) | token | more)


def stops(charger: RawCharger) -> list[Json]:
    return [sent for action, sent in charger.heard if "StopTransaction" in action]


async def test_it_gets_no_current_and_is_stopped_three_times_at_most(version: str) -> None:
    async with yard(version) as (site, charger):
        begun = site.clock.now()
        ref = await starts(charger, site, STRANGER)
        assert site.state().refused
        assert site.state().ceiling_a == 0.0
        await site.ask(16.0)
        assert limit(profile(await charger.hears_profile("TxProfile"))) == 0.0
        assert not stops(charger)
        await until(lambda: len(stops(charger)) == 1)
        assert site.clock.now() - begun >= timedelta(seconds=30)
        await until(lambda: len(stops(charger)) == 3)
        assert site.clock.now() - begun >= timedelta(seconds=150)
        three = site.clock.now()
        await until(lambda: site.clock.now() - three > timedelta(minutes=3))
        assert [str(sent["transactionId"]) for sent in stops(charger)] == [ref] * 3
        assert site.state().refused
        await charger.end(site.clock, ref, 0.0)
        assert not site.state().refused
        assert site.state().ceiling_a is None


async def test_one_without_limits_is_only_asked_to_stop(version: str) -> None:
    refusing = {"SetChargingProfile": ["NotImplemented", ""]}
    async with (
        depot(timing=TIMING, clock=FastClock(_SPEED)) as site,
        connected(site, version=version, answers=refusing) as charger,
    ):
        await charger.boot()
        await charger.hears("TriggerMessage")
        await starts(charger, site, STRANGER)
        assert site.state().refused
        assert site.state().ceiling_a is None
        await until(lambda: len(stops(charger)) == 1)


async def test_a_card_that_may_charge_and_one_that_ends_in_time_are_let_be(version: str) -> None:
    async with yard(version) as (site, charger):
        ref = await starts(charger, site, STRANGER)
        await charger.end(site.clock, ref, 0.0)
        ref = await charger.begin(site.clock, ref="tx-2")
        begun = site.clock.now()
        assert not site.state().refused
        await until(lambda: site.clock.now() - begun > timedelta(seconds=90))
        assert not stops(charger)


async def test_a_verdict_told_later_counts_and_another_card_does_not() -> None:
    async with yard("ocpp2.0.1") as (site, charger):
        begun = stamp(site.clock.now())
        await tells(charger, "Started", begun, KNOWN)
        await tells(charger, "Updated", begun, STRANGER)
        assert not site.state().refused
        await tells(charger, "Ended", begun, KNOWN)
        bare = charger.event("Started", begun, "tx-2", {
            "timestamp": begun, "sampledValue": [{"value": 0}]
        })  # fmt: skip
        await charger.call("TransactionEvent", bare)
        assert not site.state().refused
        late = charger.event("Updated", begun, "tx-2", bare["meterValue"][0])
        await charger.call(
            "TransactionEvent", late | {"idToken": {"idToken": STRANGER, "type": "ISO14443"}}
        )
        assert site.state().refused
        late = charger.event("Updated", begun, "tx-2", bare["meterValue"][0])
        await charger.call(
            "TransactionEvent", late | {"idToken": {"idToken": KNOWN, "type": "ISO14443"}}
        )
        assert not site.state().refused


@pytest.mark.parametrize("policy", [Offline.ANYONE, Offline.LIST])
async def test_started_while_nobody_could_be_asked(version: str, policy: Offline) -> None:
    access = replace(FEW, offline=policy)
    async with yard(version, access=access) as (site, charger):
        await starts(charger, site, STRANGER, ago=timedelta(minutes=20), offline=True)
        assert site.state().refused is (policy is Offline.LIST)


async def test_a_refusal_outlives_the_agent(version: str, tmp_path: Path) -> None:
    kept: dict[str, Any] = {"memory": MemoryKeyValues(), "sessions": MemorySessions()}
    async with yard(version, **kept) as (site, charger):
        await starts(charger, site, STRANGER)
        assert site.state().refused
    async with yard(version, **kept) as (site, _):
        assert site.state().refused


def behind(url: str, word: FinalWord) -> StationConfig:
    cloud = CloudConfig(url=url, identity="CP1", patience_s=600.0, final_word=word)
    return station(cloud=cloud)


@pytest.mark.parametrize("word", list(FinalWord))
@pytest.mark.parametrize("tag", [STRANGER, KNOWN])
async def test_the_last_word_counts(version: str, word: FinalWord, tag: str) -> None:
    """The cloud says the contrary of ours."""
    status = "Accepted" if tag == STRANGER else "Blocked"
    old = version == "ocpp1.6"
    key, action = ("idTagInfo", "StartTransaction") if old else ("idTokenInfo", "TransactionEvent")
    answer: Json = {key: {"status": status}} | ({"transactionId": 7} if old else {})
    kept: dict[str, Any] = {"memory": MemoryKeyValues(), "clouds": MemoryCloudQueue()}
    clock = FastClock(_SPEED)
    refused_by_us, by_cloud = tag == STRANGER, status == "Blocked"
    expected = {
        FinalWord.CLOUD: by_cloud,
        FinalWord.BOTH: refused_by_us or by_cloud,
        FinalWord.LOCAL: refused_by_us,
    }[word]
    async with (
        cloud_csms() as cloud,
        depot(behind(cloud.url, word), timing=TIMING, clock=clock, **kept) as site,
        connected(site, version=version) as charger,
    ):
        cloud.answers = {action: answer}
        await charger.boot()
        await charger.hears_profile("TxDefaultProfile")
        await starts(charger, site, tag)
        await until(lambda: site.state().refused is expected)
        assert site.state().transaction_id is not None


@pytest.mark.parametrize("word", list(FinalWord))
async def test_behind_a_cloud_its_list_and_its_offline_settings_stay(
    version: str, word: FinalWord
) -> None:
    kept: dict[str, Any] = {"memory": MemoryKeyValues(), "clouds": MemoryCloudQueue()}
    kept |= {"clock": FastClock(_SPEED), "timing": TIMING}
    access = replace(FEW, offline=Offline.LIST)
    async with (
        cloud_csms() as cloud,
        depot(behind(cloud.url, word), access=access, **kept) as site,
        connected(site, version=version) as charger,
    ):
        await charger.hears("TriggerMessage", boots)
        after = site.clock.now()
        if word is FinalWord.LOCAL:
            await charger.hears("GetLocalListVersion")
        await until(lambda: site.clock.now() - after > timedelta(seconds=60))
        written = any(concerns_offline(*heard) for heard in charger.heard)
        assert written is (word is FinalWord.LOCAL)


def boots(payload: Json) -> bool:
    """The last thing of the set-up before the list."""
    return bool(payload["requestedMessage"] == "BootNotification")


def concerns_offline(action: str, sent: Json) -> bool:
    names = ("LocalAuthList", "LocalAuthorize", "PreAuthorize", "OfflineTx")
    return "LocalList" in action or any(name in str(sent) for name in names)
