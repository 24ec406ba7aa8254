from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from contracts.openadr.payloads import (
    CanceledPartyRegistration,
    CancelPartyRegistration,
    CreatedPartyRegistration,
    EiResponse,
    Poll,
    QueryRegistration,
    RequestReregistration,
    Response,
)
from contracts.testing import FakeClock
from vtn_sim.openadr.vtn import Vtn


def code(answer: Any) -> int:
    """The response code of an answer."""
    response: EiResponse = answer.response
    return response.code


def test_a_query_tells_how_to_register_and_registers_nobody(vtn: Vtn) -> None:
    answer = vtn.handle("EiRegisterParty", QueryRegistration(request_id="007"))
    assert isinstance(answer, CreatedPartyRegistration)
    assert answer.response == EiResponse(request_id="007")
    assert answer.poll_frequency is not None
    assert answer.poll_frequency.total_seconds() == 10
    assert (answer.registration_id, answer.ven_id) == (None, None)
    assert not any(ven.registration_id for ven in vtn.registry.vens)


@pytest.mark.parametrize(
    ("request_content", "expected"),
    [
        pytest.param({"ven_id": "ven-1"}, 200, id="known id"),
        pytest.param({"ven_id": None, "ven_name": "depot"}, 200, id="known name"),
        pytest.param({"ven_id": "", "ven_name": "depot"}, 200, id="empty id, known name"),
        pytest.param({"ven_id": "ven-9"}, 452, id="unknown id"),
        pytest.param({"ven_id": None, "ven_name": "depot-9"}, 463, id="unknown name"),
        pytest.param({"ven_id": None}, 463, id="nothing"),
        pytest.param({"registration_id": "made-up"}, 452, id="unknown registration"),
        pytest.param({"profile": "2.0a"}, 451, id="2.0a"),
        pytest.param({"transport": "xmpp"}, 451, id="xmpp"),
        pytest.param({"http_pull_model": False}, 451, id="push"),
    ],
)
def test_who_may_register(
    vtn: Vtn, make_ven: Callable[..., Any], request_content: dict[str, Any], expected: int
) -> None:
    answer = make_ven(vtn).register(**request_content)
    assert code(answer) == expected
    assert bool(answer.registration_id) is (expected == 200)
    assert vtn.first_registration.is_set() is (expected == 200)
    assert answer.response.request_id == "r"


def test_strangers_get_an_id_where_they_are_welcome(
    make_vtn: Callable[..., Vtn], make_ven: Callable[..., Any]
) -> None:
    vtn = make_vtn(accept_unknown_vens=True)
    answer = make_ven(vtn).register(ven_id=None, ven_name="new")
    assert answer.response.ok
    assert answer.ven_id not in (None, "ven-1", "ven-2")
    again = make_ven(vtn).register(ven_id=None, ven_name="new")
    assert again.ven_id == answer.ven_id


def test_registering_again_with_the_registration_id_keeps_it(ven: Any) -> None:
    first = ven.registration_id
    assert ven.register(registration_id=first).registration_id == first
    assert ven.register().registration_id != first


@pytest.mark.parametrize(("ven_id", "expected"), [("ven-1", 463), ("ven-9", 452), ("", 452)])
def test_unregistered_and_unknown_vens_are_told_apart(vtn: Vtn, ven_id: str, expected: int) -> None:
    assert code(vtn.handle("OadrPoll", Poll(ven_id=ven_id))) == expected


def test_a_ven_may_end_its_registration(vtn: Vtn, ven: Any) -> None:
    wrong = CancelPartyRegistration(request_id="c", registration_id="x", ven_id="ven-1")
    assert code(vtn.handle("EiRegisterParty", wrong)) == 452
    foreign = CancelPartyRegistration(
        request_id="c", registration_id=ven.registration_id, ven_id="ven-2"
    )
    assert code(vtn.handle("EiRegisterParty", foreign)) == 452
    assert code(ven.poll()) == 200
    right = CancelPartyRegistration(request_id="c", registration_id=ven.registration_id)
    answer = vtn.handle("EiRegisterParty", right)
    assert isinstance(answer, CanceledPartyRegistration)
    assert code(answer) == 200
    assert code(ven.poll()) == 463
    assert code(vtn.handle("EiRegisterParty", right)) == 452


def test_an_empty_registration_id_cancels_nothing(vtn: Vtn, ven: Any) -> None:
    answer = vtn.handle(
        "EiRegisterParty", CancelPartyRegistration(request_id="c", registration_id="")
    )
    assert code(answer) == 452
    assert code(ven.poll()) == 200


def test_the_utility_may_end_a_registration(vtn: Vtn, ven: Any) -> None:
    vtn.ask_cancellation("ven-1")
    message = ven.poll()
    assert isinstance(message, CancelPartyRegistration)
    assert message.registration_id == ven.registration_id
    assert code(ven.poll()) == 200, "still registered until it agrees"
    done = CanceledPartyRegistration(
        response=EiResponse(), registration_id=ven.registration_id, ven_id="ven-1"
    )
    assert code(vtn.handle("EiRegisterParty", done)) == 200
    assert code(ven.poll()) == 463


def test_the_utility_may_demand_registration_again(vtn: Vtn, ven: Any) -> None:
    vtn.ask_reregistration("ven-1")
    assert ven.poll() == RequestReregistration(ven_id="ven-1")
    acknowledged = Response(response=EiResponse(), ven_id="ven-1")
    assert code(vtn.handle("EiRegisterParty", acknowledged)) == 200
    assert ven.register(registration_id=ven.registration_id).response.ok


def test_one_message_for_each_poll_then_none(vtn: Vtn, ven: Any) -> None:
    vtn.ask_reregistration("ven-1")
    vtn.ask_cancellation("ven-1")
    kinds = [type(ven.poll()).__name__ for _ in range(3)]
    assert kinds == ["RequestReregistration", "CancelPartyRegistration", "Response"]


def test_messages_wait_only_for_their_own_ven(vtn: Vtn, ven: Any, other_ven: Any) -> None:
    vtn.ask_reregistration("ven-2")
    assert isinstance(ven.poll(), Response)
    assert isinstance(other_ven.poll(), RequestReregistration)


@pytest.mark.parametrize("service", ["EiEvent", "EiReport", "EiRegisterParty"])
def test_a_message_at_the_wrong_endpoint_is_not_allowed(vtn: Vtn, ven: Any, service: str) -> None:
    assert code(vtn.handle(service, Poll(ven_id="ven-1"))) == 451


async def test_when_a_ven_was_last_seen(vtn: Vtn, ven: Any, clock: FakeClock) -> None:
    await clock.advance(5)
    ven.poll()
    assert vtn.registry.ven("ven-1").last_seen_at == clock.now()
