"""`gridyard sep2 certify --watch` against the simulator, whose operator acts when told to."""

from __future__ import annotations

from typing import Any

import pytest

from certs.pki import Pki
from contracts.errors import PermanentError
from support.sep2_certify import listener, watched
from support.sep2_server import RunningSep2, device_lfdi, running_sep2

LIMIT: dict[str, Any] = {"modes": {"opModImpLimW": 50_000}}


async def control(server: RunningSep2, name: str, **more: Any) -> None:
    fields = {"program": "feeder", "start_in_s": 2, "duration_s": 1, **LIMIT, **more}
    await server.act("add-control", name=name, **fields)


async def test_a_single_event_is_judged_step_by_step(pki: Pki) -> None:
    async def operator(server: RunningSep2) -> None:
        await control(server, "evening", description="evening")

    async with running_sep2(pki, poll_rate_s=1) as server:
        await control(server, "old", start_in_s=300)
        found, said = await watched(server, "BASIC-017", operator)
        answered = await server.look("/responses?event=evening")
    assert (found.outcome, found.reasons) == ("PASS", [])
    assert [one["status"] for one in answered] == [1, 2, 3]
    assert [(one.step, one.ok) for one in found.steps] == [
        ("control seen", True),
        ("Response 1", True),
        ("Response 2", True),
        ("Response 3", True),
        ("outcome", True),
    ]
    assert {one.subject for one in found.steps} == {"evening at depot-1"}, "not what was there"
    text = "\n".join(said)
    assert "post in a program of a configured device a DERControl" in text
    assert "would be in force at depot-1: opModImpLimW 50000 W" in text


async def test_cancelled_before_and_while(pki: Pki) -> None:
    async def operator(server: RunningSep2) -> None:
        await control(server, "whole")
        await control(server, "never", start_in_s=30)
        await control(server, "part", duration_s=60, modes={"opModExpLimW": 1000})
        await server.until("/responses", lambda all_: _codes(all_, "never") == [1])
        await server.act("cancel-event", event="never")
        await server.until("/responses", lambda all_: _codes(all_, "part") == [1, 2])
        await server.act("cancel-event", event="part")

    async with running_sep2(pki, poll_rate_s=1) as server:
        found, _ = await watched(server, "CORE-022", operator)
    assert (found.outcome, found.reasons) == ("PASS", [])


async def test_the_better_one_runs_and_the_worse_is_answered_7(pki: Pki) -> None:
    async def operator(server: RunningSep2) -> None:
        await control(server, "worse", program="system", start_in_s=4)
        await control(server, "better", program="feeder", start_in_s=4)

    async with running_sep2(pki, poll_rate_s=1) as server:
        found, _ = await watched(server, "BASIC-021", operator)
    assert (found.outcome, found.reasons) == ("PASS", [])
    outcomes = {one.detail for one in found.steps if one.step == "outcome"}
    assert outcomes == {"ran", "displaced before its start"}


async def test_a_changed_default_a_moved_device_and_swapped_primacies(pki: Pki) -> None:
    async def change(server: RunningSep2) -> None:
        await server.act("set-default", program="system", default=LIMIT)

    async def move(server: RunningSep2) -> None:
        await server.act("move-device", device="depot-2", fsas=["feeder"])

    async def swap(server: RunningSep2) -> None:
        await server.act("set-primacy", primacies={"system": 1, "feeder": 5})

    programs = [
        {"name": "system", "description": "system", "primacy": 5, "default": {"modes": {}}},
        {"name": "feeder", "description": "feeder", "primacy": 1},
    ]
    async with running_sep2(pki, poll_rate_s=1, programs=programs) as server:
        for procedure, operator, what in (
            ("BASIC-016", change, "another default of system"),
            ("MAINT-003", move, "depot-2 has other programs: feeder"),
            ("MAINT-005", swap, "primacy of feeder: 1 -> 5"),
        ):
            found, said = await watched(server, procedure, operator)
            assert (found.outcome, found.reasons) == ("PASS", []), procedure
            assert what in said


async def test_a_device_is_added_and_deleted(pki: Pki) -> None:
    async def add(server: RunningSep2) -> None:
        again = {"lfdi": device_lfdi(1), "label": "depot-1", "fsas": ["system"]}
        await server.act("add-device", device=again)

    async def delete(server: RunningSep2) -> None:
        await server.act("delete-device", device="depot-1")

    async with running_sep2(pki, poll_rate_s=1) as server:
        found, said = await watched(server, "MAINT-001", delete)
        assert (found.outcome, found.reasons) == ("PASS", [])
        assert "depot-1 is no longer listed" in said
        found, said = await watched(server, "AGG-001", add)
        assert (found.outcome, found.reasons) == ("PASS", [])
        assert "depot-1 is listed now" in said


async def test_notifications_are_seen_and_the_subscriptions_deleted(pki: Pki) -> None:
    async def operator(server: RunningSep2) -> None:
        await server.until("/subscriptions", lambda held: len(held) >= 8)
        await control(server, "told", start_in_s=3)

    async with running_sep2(pki) as server:
        found, said = await watched(
            server, "CORE-018", operator, listener=listener(pki), poll_s=None
        )
        assert await server.look("/subscriptions") == []
    assert (found.outcome, found.reasons) == ("PASS", [])
    assert any("read again after its Notification" in text for text in said)


async def test_refused_responses_fail(pki: Pki) -> None:
    async def operator(server: RunningSep2) -> None:
        fault = {"effect": "status", "kind": "ResponseList", "method": "POST", "status": 400}
        await server.act("add-fault", fault=fault)
        await control(server, "evening", description="evening")

    async with running_sep2(pki, poll_rate_s=1) as server:
        found, _ = await watched(server, "BASIC-017", operator)
    assert found.outcome == "FAIL"
    assert found.reasons == ["Response 1 to evening at depot-1 was refused: HTTP 400"]
    assert [one.ok for one in found.steps if one.step == "Response 1"] == [False]


async def test_a_server_that_takes_no_response_in_time_fails(pki: Pki) -> None:
    async def operator(server: RunningSep2) -> None:
        fault = {"effect": "status", "kind": "ResponseList", "method": "POST", "status": 503}
        await server.act("add-fault", fault=fault)
        await control(server, "evening", description="evening", start_in_s=60)

    async with running_sep2(pki, poll_rate_s=1) as server:
        found, said = await watched(server, "BASIC-017", operator, patience_s=1)
    assert found.outcome == "FAIL"
    assert "no Response 1 to evening at depot-1 was taken" in found.reasons[0]
    assert any("Response 1 to evening at depot-1: 503" in text for text in said)


async def test_what_does_not_come_is_not_seen(pki: Pki) -> None:
    async def operator(server: RunningSep2) -> None:
        await control(server, "silent", description="silent", response_required=0)

    async with running_sep2(pki, poll_rate_s=1) as server:
        found, said = await watched(server, "BASIC-017", operator, lasts_s=4)
    assert found.outcome == "NOT SEEN"
    assert found.reasons[0].startswith("0 of 1 seen: control that ran to its end")
    assert any("does not ask for the Responses" in one for one in found.reasons), said


async def test_what_the_settings_cannot_do_is_said_at_once(pki: Pki) -> None:
    async def nothing(server: RunningSep2) -> None:
        pytest.fail("the operator is not asked")

    async with running_sep2(pki) as server:
        for procedure, why in (("CORE-018", "listener"), ("UTIL-004", "4 devices")):
            with pytest.raises(ExceptionGroup) as caught:
                await watched(server, procedure, nothing)
            assert caught.group_contains(PermanentError, match=why)


def _codes(responses: list[dict[str, Any]], event: str) -> list[int]:
    return [one["status"] for one in responses if one["event"] == event]
