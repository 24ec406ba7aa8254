"""Charging sessions over real sockets in both versions, through restarts of either side."""

from __future__ import annotations

import asyncio

import pytest

from contracts.errors import LinkDownError, TransientError
from contracts.reading import Quality
from site_agent.devices.ocpp.settings import Timing
from site_agent.devices.ocpp.wire.fields import stamp
from site_agent.store.memory import MemorySessions
from support.fast_clock import FastClock
from support.ocpp_charger import Json, limit, profile, samples, samples16, schedule
from support.ocpp_depot import QUICK, connected, depot, spec, station
from support.waiting import until


async def test_a_whole_session(version: str) -> None:
    async with depot() as site, connected(site, version=version) as charger:
        booted = await charger.boot()
        assert booted["status"] == "Accepted"
        assert booted["interval"] == 60
        resting = await charger.hears_profile("TxDefaultProfile")
        assert limit(profile(resting)) == 6.0
        await charger.status(site.clock, "Preparing")
        await until(lambda: site.state().plugged)

        ref = await charger.begin(site.clock, register_wh=1000)
        state = site.state()
        assert (state.online, state.id_tag) == (True, "TAG1")
        assert state.transaction_id is not None
        assert state.confirmed_limit_a == 6.0

        await site.ask(16.15)
        sent = profile(await charger.hears_profile("TxProfile"))
        assert str(sent["transactionId"]) == ref
        assert limit(sent) == 16.1  # rounded down to what 1.6 can say
        assert site.state().confirmed_limit_a == 16.1

        now = stamp(site.clock.now())
        await charger.sample(ref, now, power_w=11040, register_wh=1500, l1_a=16, l2_a=15.5, l3_a=16)
        state = site.state()
        assert (state.power_w.value, state.power_w.quality) == (11040, Quality.GOOD)
        assert state.current_a.value == 16
        assert state.energy_wh.value == 500

        await charger.end(site.clock, ref, register_wh=1600)
        state = site.state()
        assert state.transaction_id is None
        assert state.confirmed_limit_a == 6.0
        assert (state.power_w.value, state.power_w.quality) == (0.0, Quality.ESTIMATED)
        assert await site.sessions.running("evse-1") is None


async def test_limit_before_a_transaction_is_sent_when_it_begins(version: str) -> None:
    async with depot() as site, connected(site, version=version) as charger:
        await charger.boot()
        await charger.hears("TriggerMessage")
        await site.ask(10)
        assert charger.profiles("TxProfile") == []
        await charger.begin(site.clock)
        assert limit(profile(await charger.hears_profile("TxProfile"))) == 10
        await until(lambda: site.state().confirmed_limit_a == 10)


async def test_lease_is_renewed_before_it_ends(version: str) -> None:
    timing = Timing(lease_s=60.0)
    async with depot(timing=timing) as site, connected(site, version=version) as charger:
        await charger.boot()
        await charger.hears("TriggerMessage")
        await charger.begin(site.clock)
        await site.ask(10)
        since = site.state().limit_in_force_since
        before = len(charger.heard)
        renewed = profile(await charger.hears_profile("TxProfile", after=before))
        assert limit(renewed) == 10
        first = charger.profiles()[0]
        assert schedule(renewed)["startSchedule"] > schedule(first)["startSchedule"]
        assert schedule(renewed)["duration"] == 60 + 30 + 1  # lease, clock margin, after its tail
        assert schedule(renewed)["chargingSchedulePeriod"][1] == {"startPeriod": 90, "limit": 6.0}
        assert site.state().limit_in_force_since == since


async def test_reconnect_without_boot_keeps_transaction_and_limit(version: str) -> None:
    async with depot() as site:
        async with connected(site, version=version) as charger:
            await charger.boot()
            await charger.hears("TriggerMessage")
            ref = await charger.begin(site.clock)
            await site.ask(12)
        await until(lambda: not site.state().online)
        assert site.state().confirmed_limit_a == 12
        with pytest.raises(TransientError):
            await site.ask(8)
        async with connected(site, version=version) as charger:
            await charger.sample(ref, stamp(site.clock.now()), power_w=8000, register_wh=2000)
            sent = profile(await charger.hears_profile("TxProfile"))
            assert (str(sent["transactionId"]), limit(sent)) == (ref, 8)
            state = site.state()
            assert state.online
            assert state.energy_wh.value == 1000


async def test_our_restart_adopts_the_running_transaction(version: str) -> None:
    sessions, clock = MemorySessions(), FastClock(20.0)
    async with (
        depot(sessions=sessions, clock=clock) as site,
        connected(site, version=version) as charger,
    ):
        await charger.boot()
        ref = await charger.begin(site.clock)
        number = site.state().transaction_id
    async with depot(sessions=sessions, clock=clock) as site:
        state = site.state()
        assert (state.transaction_id, state.id_tag) == (number, "TAG1")
        assert state.confirmed_limit_a is None  # a limit of our earlier life may be in force
        async with connected(site, version=version) as charger:
            await charger.sample(ref, stamp(site.clock.now()), power_w=7000, register_wh=3000)
            await charger.hears("TriggerMessage")
            assert site.state().confirmed_limit_a is None
            await site.ask(9)
            state = site.state()
            assert (state.transaction_id, state.confirmed_limit_a) == (number, 9)
            assert state.energy_wh.value == 2000  # the start is known over the restart
            await charger.end(site.clock, ref, register_wh=3100)
            again = await charger.begin(site.clock, register_wh=3100, ref="tx-2")
            assert site.state().transaction_id not in (None, number)
            assert again != ref


async def test_a_start_told_twice_is_one_transaction() -> None:
    async with depot() as site, connected(site) as charger:
        start = {"connectorId": 1, "idTag": "TAG1", "meterStart": 10}
        start["timestamp"] = stamp(site.clock.now())
        first = await charger.call("StartTransaction", start)
        second = await charger.call("StartTransaction", start)
        assert first["transactionId"] == second["transactionId"]


async def test_an_unknown_tag_is_told_so(version: str) -> None:
    async with depot() as site, connected(site, version=version) as charger:
        if version == "ocpp1.6":
            answer = await charger.call("Authorize", {"idTag": "STRANGER"})
            assert answer["idTagInfo"]["status"] == "Invalid"
        else:
            token = {"idToken": "STRANGER", "type": "ISO14443"}
            answer = await charger.call("Authorize", {"idToken": token})
            assert answer["idTokenInfo"]["status"] == "Unknown"


async def test_replayed_samples_stay_out_of_the_present(version: str) -> None:
    async with depot() as site, connected(site, version=version) as charger:
        ref = await charger.begin(site.clock, register_wh=1000)
        await charger.sample(ref, stamp(site.clock.now()), power_w=7000, register_wh=1460)
        await charger.sample(ref, "2026-01-01T10:00:00Z", power_w=22000, register_wh=1376)
        state = site.state()
        assert (state.power_w.value, state.energy_wh.value) == (7000, 460)
        assert site.counts()["sample told late"] == 1


async def test_a_late_sample_does_not_bring_a_closed_transaction_back() -> None:
    async with depot() as site, connected(site) as charger:
        ref = await charger.begin(site.clock, register_wh=1000)
        await charger.end(site.clock, ref, 1500)
        await charger.sample(ref, stamp(site.clock.now()), power_w=7000)
        assert site.state().transaction_id is None


async def test_the_end_of_a_transaction_we_never_saw_is_recorded() -> None:
    async with depot() as site, connected(site, version="ocpp2.0.1") as charger:
        event = charger.event("Ended", "2026-01-05T10:30:00Z", "tx-lost", {})
        event["meterValue"] = [
            samples(f"2026-01-05T10:{minute}:00Z", register_wh=100.0 * index)
            for index, minute in enumerate((10, 15, 20, 30))
        ]
        assert await charger.call("TransactionEvent", event) == {}
        assert await site.sessions.running("evse-1") is None
        again = await site.sessions.start("evse-1", None, site.clock.now(), 0.0, "tx-lost")
        assert await site.sessions.running("evse-1") is None, again


async def test_a_transaction_a_rebooted_charger_knows_nothing_of_is_dropped(version: str) -> None:
    async with depot() as site:
        async with connected(site, version=version) as charger:
            await charger.begin(site.clock)
        async with connected(site, version=version) as charger:
            await charger.boot()
            await charger.status(site.clock, "Available")
            assert site.state().transaction_id is None


@pytest.mark.row("pitfall:P14")
@pytest.mark.row("safety:S6")
async def test_the_newest_socket_wins(version: str) -> None:
    async with depot() as site, connected(site, version=version) as old:
        await old.boot()
        async with connected(site, version=version) as new:
            await new.boot()
            async with asyncio.timeout(60):
                await old.socket.wait_closed()
            assert old.socket.close_code == 1008
            await new.hears("TriggerMessage")
            assert site.state().online
            await new.begin(site.clock)
            await site.ask(11)
            assert limit(new.profiles()[0]) == 11
            assert site.system.stations["CP1"].generation == 2


@pytest.mark.row("library:L3")
async def test_a_call_in_flight_fails_at_once_when_the_socket_closes(version: str) -> None:
    timing = Timing(call_timeout_s=60.0)
    async with depot(timing=timing) as site, connected(site, version=version) as charger:
        await charger.boot()
        await charger.hears("TriggerMessage")
        await charger.begin(site.clock)
        charger.answers["SetChargingProfile"] = None
        async with asyncio.TaskGroup() as tasks:
            asking = tasks.create_task(fails_with(LinkDownError, site.ask(20)))
            await charger.hears_profile("TxProfile")
            charger.socket.transport.abort()
            async with asyncio.timeout(1):
                await asking
        # nobody knows whether the charger took the raise before the cut: it counts
        assert site.state().confirmed_limit_a == 20


@pytest.mark.row("pitfall:P13")
async def test_a_deaf_charger_is_cut_off_to_reconnect() -> None:
    timing = Timing(greeting_s=0.05, call_timeout_s=0.05, silence_s=8.0)
    async with depot(timing=timing) as site, connected(site) as charger:
        for action in ("GetConfiguration", "SetChargingProfile", "TriggerMessage"):
            charger.answers[action] = None
        async with asyncio.timeout(60):
            await charger.socket.wait_closed()
        assert charger.socket.close_code == 1001
        assert site.counts()["deaf"] == 1


@pytest.mark.row("pitfall:P11")
async def test_a_charger_that_ignores_triggers_is_served_all_the_same(version: str) -> None:
    timing = Timing(call_timeout_s=0.25)
    answers: Json = {"TriggerMessage": None}
    async with (
        depot(timing=timing) as site,
        connected(site, version=version, answers=answers) as charger,
    ):
        await charger.boot()
        await charger.hears(
            "TriggerMessage", lambda p: p["requestedMessage"] != "StatusNotification"
        )
        await charger.begin(site.clock)
        await site.ask(14)
        assert limit(charger.profiles()[0]) == 14


async def test_wanted_settings_are_written_and_right_ones_left_alone(version: str) -> None:
    async with depot() as site, connected(site, version=version) as charger:
        await charger.boot()
        await charger.hears("TriggerMessage")
        assert site.state().online
        if version == "ocpp1.6":
            changed = {p["key"]: p["value"] for a, p in charger.heard if a == "ChangeConfiguration"}
            assert changed == {
                "MeterValueSampleInterval": "10",
                "MeterValuesSampledData": "Energy.Active.Import.Register,"
                "Power.Active.Import,Current.Import",
            }
        else:
            wrote = [p["setVariableData"][0] for a, p in charger.heard if a == "SetVariables"]
            changed = {w["variable"]["name"]: w["attributeValue"] for w in wrote}
            assert changed["TxUpdatedInterval"] == "10"
            assert "HeartbeatInterval" not in changed


@pytest.mark.row("library:L5")
async def test_a_dirty_sample_costs_only_itself() -> None:
    async with depot() as site, connected(site) as charger:
        ref = await charger.begin(site.clock)
        value = samples16(stamp(site.clock.now()), power_w=7000, register_wh=2000, l1_a=10)
        value["sampledValue"] += [
            {"value": "50", "measurand": "Power.Active.Import", "unit": "Hz"},
            {"value": "n/a", "measurand": "SoC"},
            {"value": "230", "measurand": "Voltage", "vendorKey": 1},
        ]
        body = {"connectorId": 1, "transactionId": int(ref), "meterValue": [value]}
        assert await charger.call("MeterValues", body) == {}
        state = site.state()
        assert (state.power_w.value, state.current_a.value) == (7000, 10)
        assert site.counts()["bad sample"] == 2


async def fails_with(kind: type[Exception], work: object) -> None:
    with pytest.raises(kind):
        await work  # type: ignore[misc]  # any awaitable


async def test_two_evses_of_one_station_are_two_chargers() -> None:
    both = station(evses={1: spec(1), 2: spec(2, fail_safe_current_a=8.0)})
    async with depot(both, timing=QUICK) as site, connected(site) as charger:
        await charger.boot()
        await charger.hears("TriggerMessage")
        rests = {
            p["connectorId"]: limit(profile(p))
            for a, p in charger.heard
            if a == "SetChargingProfile"
        }
        assert rests == {1: 6.0, 2: 8.0}
        start = {
            "connectorId": 2,
            "idTag": "TAG1",
            "meterStart": 0,
            "timestamp": stamp(site.clock.now()),
        }
        await charger.call("StartTransaction", start)
        assert site.state("evse-1").transaction_id is None
        assert site.state("evse-2").transaction_id is not None
