"""Profiles reported, and limits of somebody else."""

from __future__ import annotations

from depot_sim.chargers.json_rpc import timestamp
from support.charger_bench import ChargerBench
from support.ocpp201_words import ACCEPTED, Json, profile


async def test_profiles_are_reported(bench: ChargerBench) -> None:
    ref = await bench.charging()
    get: Json = {"requestId": 3, "chargingProfile": {}}
    assert bench.ask("GetChargingProfiles", get) == {"status": "NoProfiles"}
    absolute = profile(8, purpose="TxDefaultProfile", id=2, chargingProfileKind="Absolute")
    absolute["chargingSchedule"][0] |= {"startSchedule": timestamp(bench.now), "duration": 300}
    for evse_id, one in ((1, profile(transactionId=ref)), (0, absolute)):
        installed = {"evseId": evse_id, "chargingProfile": one}
        assert bench.ask("SetChargingProfile", installed) == ACCEPTED
    assert bench.ask("GetChargingProfiles", get) == ACCEPTED
    told = await bench.told("ReportChargingProfiles")
    assert [(part["evseId"], part["tbc"]) for part in told] == [(0, True), (1, False)]
    assert told[0]["chargingProfile"][0]["chargingSchedule"][0]["duration"] == 300
    assert told[1]["chargingProfile"][0]["transactionId"] == ref
    only = get | {"chargingProfile": {"chargingProfilePurpose": "TxProfile"}}
    assert bench.ask("GetChargingProfiles", only) == ACCEPTED
    assert len(await bench.told("ReportChargingProfiles")) == 1
    assert bench.ask("GetChargingProfiles", get | {"evseId": 2}) == {"status": "NoProfiles"}


async def test_an_external_limit_is_told_and_not_the_central_systems_to_clear(
    bench: ChargerBench,
) -> None:
    await bench.charging()
    bench.cabinet.limit_externally(10.0)
    assert bench.station.limit(1, bench.now).current_a == 10.0
    (told,) = await bench.told("NotifyChargingLimit")
    assert told["chargingLimit"]["chargingLimitSource"] == "EMS"
    assert bench.ask("ClearChargingProfile", {"chargingProfileCriteria": {}}) == {
        "status": "Unknown"
    }
    external = {"chargingProfilePurpose": "ChargingStationExternalConstraints"}
    clear = {"chargingProfileCriteria": external}
    assert bench.ask("ClearChargingProfile", clear) == {"status": "Unknown"}
    asked = {"requestId": 3, "chargingProfile": external}
    assert bench.ask("GetChargingProfiles", asked) == ACCEPTED
    (report,) = await bench.told("ReportChargingProfiles")
    assert report["chargingLimitSource"] == "EMS"
    bench.cabinet.limit_externally(None)
    assert bench.station.limit(1, bench.now).current_a == 32.0
    assert await bench.told("ClearedChargingLimit") == [{"chargingLimitSource": "EMS"}]
