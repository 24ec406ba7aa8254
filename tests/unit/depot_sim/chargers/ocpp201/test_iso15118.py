"""Contracts, needs and plans of vehicles that speak ISO 15118."""

from __future__ import annotations

from datetime import timedelta

import pytest

from depot_sim.chargers.json_rpc import timestamp
from depot_sim.physics.evse import Evse
from support.charger_bench import ChargerBench
from support.ocpp201_words import ACCEPTED, profile
from support.signing import Signer


async def test_a_contract_certificate_is_shown(bench: ChargerBench) -> None:
    chain = Signer(bench.now, "mobility operator").leaf("DE8AA1A2B3C4D5")
    await bench.charging("DE8AA1A2B3C4D5", tag_type="eMAID", contract=chain)
    (asked,) = [payload for name, payload in bench.heard if name == "Authorize"]
    assert asked["certificate"] == chain
    (identity,) = asked["iso15118CertificateHashData"]
    assert identity["hashAlgorithm"] == "SHA256"
    assert "Get15118EVCertificate" not in [name for name, _ in bench.heard]


async def test_a_contract_is_fetched_first(bench: ChargerBench) -> None:
    await bench.charging("DE8AA1A2B3C4D5", tag_type="eMAID")
    names = [name for name, _ in bench.heard]
    assert names.index("Get15118EVCertificate") < names.index("Authorize")
    assert "NotifyEVChargingNeeds" in names


async def test_a_damaged_contract_is_not_shown(bench: ChargerBench) -> None:
    await bench.charging("DE8AA1A2B3C4D5", tag_type="eMAID", contract="damaged")
    (asked,) = [payload for name, payload in bench.heard if name == "Authorize"]
    assert "certificate" not in asked


async def test_a_vehicle_tells_its_needs_and_its_plan(bench: ChargerBench) -> None:
    departure = bench.now + timedelta(hours=4)
    ref = await bench.charging("DE8AA1A2B3C4D5", tag_type="eMAID", departure=departure)
    (told,) = [payload for name, payload in bench.heard if name == "NotifyEVChargingNeeds"]
    needs = told["chargingNeeds"]
    assert needs["requestedEnergyTransfer"] == "AC_three_phase"
    assert needs["departureTime"] == timestamp(departure)
    assert needs["acChargingParameters"]["energyAmount"] == pytest.approx(26_087, abs=1)
    leased = {"evseId": 1, "chargingProfile": profile(transactionId=ref)}
    assert bench.ask("SetChargingProfile", leased) == ACCEPTED
    (plan,) = await bench.told("NotifyEVChargingSchedule")
    assert plan["chargingSchedule"]["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 10}]


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
async def test_needs_of_a_vehicle_on_dc(version: str) -> None:
    bench = ChargerBench(version, evse=Evse(rated_a=100, dc=True))
    await bench.charging("DE8AA1A2B3C4D5", tag_type="eMAID", max_dc_w=50_000)
    (told,) = [payload for name, payload in bench.heard if name == "NotifyEVChargingNeeds"]
    assert told["chargingNeeds"]["dcChargingParameters"]["stateOfCharge"] == 40
