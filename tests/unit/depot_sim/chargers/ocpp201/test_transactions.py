"""Starting, stopping, costs, unlocking and availability."""

from __future__ import annotations

from support.charger_bench import ChargerBench
from support.ocpp201_words import ACCEPTED, REJECTED, Json, profile, token


async def test_start_status_cost_and_stop(bench: ChargerBench) -> None:
    bench.answers["Authorize"] = {"idTokenInfo": {"status": "Unknown"}}
    bench.plug(evse_id=2)
    await bench.told()
    start: Json = {"remoteStartId": 7, "idToken": token("4711", "Central")}
    assert bench.ask("RequestStartTransaction", start | {"evseId": 9}) == REJECTED
    answer = bench.ask("RequestStartTransaction", start)
    ref = answer["transactionId"]
    status = bench.ask("GetTransactionStatus", {"transactionId": ref})
    assert status == {"ongoingIndicator": True, "messagesInQueue": True}
    events = await bench.told("TransactionEvent")
    assert events[0]["idToken"] == token("4711", "Central")
    assert events[0]["transactionInfo"]["remoteStartId"] == 7
    status = bench.ask("GetTransactionStatus", {"transactionId": ref})
    assert status == {"ongoingIndicator": True, "messagesInQueue": False}
    assert bench.ask("CostUpdated", {"transactionId": ref, "totalCost": 1.5}) == {}
    transaction = bench.station.outlets[2].transaction
    assert transaction is not None
    assert transaction.cost == 1.5
    unlock = {"evseId": 2, "connectorId": 1}
    assert bench.ask("UnlockConnector", unlock) == {"status": "OngoingAuthorizedTransaction"}
    assert bench.ask("RequestStopTransaction", {"transactionId": "none"}) == REJECTED
    assert bench.ask("RequestStopTransaction", {"transactionId": ref}) == ACCEPTED
    assert bench.ask("UnlockConnector", unlock) == {"status": "Unlocked"}
    nowhere = unlock | {"connectorId": 2}
    assert bench.ask("UnlockConnector", nowhere) == {"status": "UnknownConnector"}
    assert bench.ask("GetTransactionStatus") == {"messagesInQueue": True}
    await bench.told()
    assert bench.ask("GetTransactionStatus") == {"messagesInQueue": False}


async def test_a_start_waits_for_a_vehicle(bench: ChargerBench) -> None:
    start: Json = {"remoteStartId": 7, "idToken": token("4711", "Central"), "evseId": 1}
    start["chargingProfile"] = profile(8)
    assert bench.ask("RequestStartTransaction", start) == ACCEPTED
    bench.pass_time(30)
    bench.plug()
    events = await bench.told("TransactionEvent")
    assert events[0]["transactionInfo"]["remoteStartId"] == 7
    assert bench.station.limit(1, bench.now).current_a == 8


async def test_availability(bench: ChargerBench) -> None:
    ref = await bench.charging()
    off = {"operationalStatus": "Inoperative"}
    assert bench.ask("ChangeAvailability", off) == {"status": "Scheduled"}
    bench.ask("RequestStopTransaction", {"transactionId": ref})
    statuses = [s["connectorStatus"] for s in await bench.told("StatusNotification")]
    assert statuses == ["Unavailable", "Unavailable"]
    assert bench.ask("ChangeAvailability", {"operationalStatus": "Operative"}) == ACCEPTED
