"""Vehicles that feed back, over OCPP 2.1: only where station or vehicle and the settings agree."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from contracts.errors import TransientError
from depot_sim.chargers.charger import Charger, ChargerSpec
from depot_sim.chargers.link import Endpoint
from depot_sim.chargers.personality import compose
from depot_sim.physics.evse import Evse
from depot_sim.physics.vehicle import Vehicle
from site_agent.devices.ocpp.settings import Timing, Version
from support.fast_clock import FastClock
from support.ocpp_charger import profile, samples, schedule
from support.ocpp_depot import Depot, connected, depot, spec, station
from support.waiting import PATIENCE_S, until

EVERY = (Version.V21, Version.V201, Version.V16)
V2X = {"V2XChargingCtrlr.SupportedOperationModes": "ChargingOnly,CentralSetpoint"}
AT = "2026-01-05T12:00:00Z"


def two_way(**changes: Any) -> Any:
    allowed = spec(1, **{"max_discharge_a": 16.0, **changes})
    return station(versions=EVERY, evses={1: allowed})


def variables(held: dict[str, str]) -> Any:
    """A station with these variables and no others."""

    def answer(payload: dict[str, Any]) -> dict[str, Any]:
        results = []
        for asked in payload["getVariableData"]:
            name = f"{asked['component']['name']}.{asked['variable']['name']}"
            known = {"attributeStatus": "Accepted", "attributeValue": held.get(name)}
            unknown = {"attributeStatus": "UnknownVariable"}
            results.append({**asked, **(known if name in held else unknown)})
        return {"getVariableResult": results}

    return answer


def needs(transfer: str = "AC_BPT", **more: Any) -> dict[str, Any]:
    return {"evseId": 1, "chargingNeeds": {"requestedEnergyTransfer": transfer, **more}}


def first_period(sent: dict[str, Any]) -> dict[str, Any]:
    period: dict[str, Any] = schedule(sent)["chargingSchedulePeriod"][0]
    return period


async def ready(site: Depot) -> None:
    await until(lambda: site.state().online)


async def test_a_station_that_takes_setpoints_discharges_by_its_sign() -> None:
    answers = {"GetVariables": variables(V2X)}
    async with (
        depot(two_way()) as site,
        connected(site, version="ocpp2.1", answers=answers) as charger,
    ):
        await charger.boot()
        await ready(site)
        assert site.state().bidirectional
        await charger.begin(site.clock)
        await site.ask(-10.05)
        sent = await charger.hears_profile("TxProfile")
        period = first_period(profile(sent))
        assert period["operationMode"] == "CentralSetpoint"
        assert [period[f"setpoint{phase}"] for phase in ("", "_L2", "_L3")] == [-10.0] * 3
        assert period["dischargeLimit"] == -10.0
        assert period["limit"] == 0
        assert site.state().confirmed_limit_a == -10.0
        await site.ask(10)
        again = await charger.hears_profile("TxProfile", after=charger.heard.index(
            ("SetChargingProfile", sent)) + 1)  # fmt: skip
        assert first_period(profile(again)) == {"startPeriod": 0, "limit": 10.0}


async def test_never_more_than_the_settings_allow() -> None:
    answers = {"GetVariables": variables(V2X)}
    async with (
        depot(two_way(max_discharge_a=8.0)) as site,
        connected(site, version="ocpp2.1", answers=answers) as charger,
    ):
        await charger.boot()
        await ready(site)
        await charger.begin(site.clock)
        await site.ask(-20)
        assert site.state().confirmed_limit_a == -8.0


@pytest.mark.parametrize(
    ("version", "discharge_a", "held"),
    [
        ("ocpp2.1", 0.0, V2X),
        ("ocpp2.1", 16.0, {}),
        ("ocpp2.0.1", 16.0, V2X),
        ("ocpp1.6", 16.0, {}),
    ],
)
async def test_elsewhere_a_discharge_means_nothing_at_all(
    version: str, discharge_a: float, held: dict[str, str]
) -> None:
    answers = {"GetVariables": variables(held)}
    async with (
        depot(two_way(max_discharge_a=discharge_a)) as site,
        connected(site, version=version, answers=answers) as charger,
    ):
        await charger.boot()
        await ready(site)
        assert not site.state().bidirectional
        await charger.begin(site.clock)
        await site.ask(-10)
        period = first_period(profile(await charger.hears_profile("TxProfile")))
        assert "setpoint" not in period
        assert period["limit"] == 0
        assert site.state().confirmed_limit_a == 0


async def test_the_vehicles_own_word_counts_until_it_leaves() -> None:
    answers = {"GetVariables": variables(V2X)}
    async with (
        depot(two_way()) as site,
        connected(site, version="ocpp2.1", answers=answers) as charger,
    ):
        await charger.boot()
        await ready(site)
        await charger.call("NotifyEVChargingNeeds", needs("AC_three_phase"))
        assert not site.state().bidirectional
        parameters = {"maxDischargePower": 11000}
        await charger.call("NotifyEVChargingNeeds", needs(v2xChargingParameters=parameters))
        assert site.state().bidirectional
        await charger.call("NotifyEVChargingNeeds", needs("DC"))
        assert not site.state().bidirectional
        await charger.status(site.clock, "Available")
        assert site.state().bidirectional
        assert site.system.stations["CP1"].inventory.needs == {}


async def test_a_silent_stations_vehicle_may_say_it() -> None:
    answers = {"GetVariables": variables({})}
    async with (
        depot(two_way()) as site,
        connected(site, version="ocpp2.1", answers=answers) as charger,
    ):
        await charger.boot()
        await ready(site)
        assert not site.state().bidirectional
        await charger.call("NotifyEVChargingNeeds", needs("DC_BPT"))
        assert site.state().bidirectional


async def test_a_charger_that_refuses_to_discharge_rests() -> None:
    def setting(payload: dict[str, Any]) -> dict[str, Any]:
        refused = "setpoint" in first_period(profile(payload))
        return {"status": "Rejected" if refused else "Accepted"}

    answers = {"GetVariables": variables(V2X), "SetChargingProfile": setting}
    async with (
        depot(two_way()) as site,
        connected(site, version="ocpp2.1", answers=answers) as charger,
    ):
        await charger.boot()
        await ready(site)
        await charger.begin(site.clock)
        await site.ask(-10)
        assert site.state().confirmed_limit_a == 0
        assert site.state().pausable


async def test_what_is_fed_back_is_measured() -> None:
    async with depot(two_way()) as site, connected(site, version="ocpp2.1") as charger:
        await charger.boot()
        await ready(site)
        at = site.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        await charger.begin(site.clock, register_wh=1000)
        for fed_back_wh in (200.0, 700.0):
            value = samples(at, register_wh=1000)
            value["sampledValue"] += [
                {"value": 6900, "measurand": "Power.Active.Export"},
                {"value": 0, "measurand": "Power.Active.Import"},
                {"value": fed_back_wh, "measurand": "Energy.Active.Export.Register"},
                *({"value": 10, "measurand": "Current.Export", "phase": p} for p in ("L1", "L2")),
            ]
            await charger.call("TransactionEvent", charger.event("Updated", at, "tx-1", value))
        state = site.state()
        assert state.power_w.value == -6900
        assert state.current_a.value == -10
        assert state.energy_wh.value == -500


async def test_a_simulated_vehicle_feeds_back_and_charges_again() -> None:
    clock = FastClock(40.0)
    timing = Timing(lease_s=30.0, patience_s=10.0, meter_interval_s=2, greeting_s=0.1)
    async with depot(two_way(), timing=timing, clock=clock) as site:
        endpoint = Endpoint(url=site.url("").rstrip("/"), charger_id="CP1")
        charger = Charger(
            ChargerSpec(
                endpoint=endpoint,
                version="2.1",
                evses={1: Evse(rated_a=32, bidirectional=True)},
                personality=compose(()),
                meter_interval_s=2,
            ),
            clock,
        )
        async with asyncio.TaskGroup() as tasks:
            jobs = [tasks.create_task(charger.run()), tasks.create_task(passing(charger, clock))]
            await until(lambda: site.state().confirmed_limit_a == 6)
            charger.plug(
                Vehicle(
                    id="van-1", id_tag="TAG1", capacity_wh=60_000, soc_pct=60.0, max_ac_w=22_080,
                    max_discharge_w=11_000,
                )
            )  # fmt: skip
            await until(lambda: site.state().transaction_id is not None)
            await until(lambda: site.state().bidirectional)
            for limit_a, power_w in ((-10.0, -6900.0), (8.0, 5520.0)):
                await follows(site, limit_a, power_w)
            for job in jobs:
                job.cancel()


async def follows(site: Depot, limit_a: float, power_w: float) -> None:
    """Ask as the control loop does, until the meter shows it."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with suppress(TransientError):
                await site.ask(limit_a)
            state = site.state()
            measured = state.power_w.value or 0.0
            if state.confirmed_limit_a == limit_a and abs(measured - power_w) < 300:
                return
            await site.clock.sleep(1)


async def passing(charger: Charger, clock: FastClock) -> None:
    last_s = clock.monotonic()
    while True:
        await clock.sleep(0.2)
        now_s = clock.monotonic()
        charger.step(now_s, now_s - last_s)
        last_s = now_s
