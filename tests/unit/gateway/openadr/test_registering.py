"""Registration as a stored state machine, step by step, against a VTN in a few lines."""

from datetime import timedelta
from pathlib import Path

import pytest

from contracts.errors import ProtocolError, TransientError
from contracts.openadr.payloads import (
    CanceledPartyRegistration,
    CancelPartyRegistration,
    CreatedPartyRegistration,
    CreatePartyRegistration,
    EiResponse,
    Payload,
    Profile,
    QueryRegistration,
)
from gateway.utility.openadr.memory import Registration, Stage, VenMemory
from gateway.utility.openadr.registering import DEFAULT_POLL, VenRegistrar
from gateway.utility.openadr.settings import OpenAdrSettings
from support.openadr import DictMemory


class Vtn:
    """Gives out ids and remembers what it was asked."""

    def __init__(self) -> None:
        self.heard: list[Payload] = []
        self.code = 200
        self.poll: timedelta | None = timedelta(seconds=7)
        self.profiles: tuple[Profile, ...] = (Profile(),)
        self.registrations = 0

    async def exchange(self, message: Payload) -> Payload:
        self.heard.append(message)
        match message:
            case CreatePartyRegistration():
                self.registrations += not message.registration_id
                return self._created(
                    message.ven_id or "ven-9",
                    message.registration_id or f"reg-{self.registrations}",
                )
            case CancelPartyRegistration():
                return CanceledPartyRegistration(response=EiResponse(code=self.code))
            case _:
                return self._created(None, None)

    def _created(self, ven_id: str | None, registration_id: str | None) -> Payload:
        return CreatedPartyRegistration(
            response=EiResponse(code=self.code),
            ven_id=ven_id,
            registration_id=registration_id,
            vtn_id="VTN",
            poll_frequency=self.poll,
            profiles=self.profiles,
        )


def registrar(vtn: Vtn, memory: DictMemory, **more: object) -> VenRegistrar:
    settings = OpenAdrSettings.model_validate(
        {
            "utility_id": "util",
            "url": "https://vtn.example.com/OpenADR2/Simple/2.0b",
            "ven_name": "gridyard",
            "ca": Path("ca.pem"),
            "cert": Path("cert.pem"),
            "key": Path("key.pem"),
            **more,
        }
    )
    return VenRegistrar(settings, VenMemory(memory, "util"), vtn.exchange, signs=False)


@pytest.mark.row("openadr:R1", "openadr:R2")
async def test_query_comes_first_then_create_without_ids_and_both_ids_are_kept() -> None:
    vtn, memory = Vtn(), DictMemory()
    made = await registrar(vtn, memory).ensure()
    assert [type(m) for m in vtn.heard] == [QueryRegistration, CreatePartyRegistration]
    created = vtn.heard[1]
    assert isinstance(created, CreatePartyRegistration)
    assert (created.ven_id, created.registration_id, created.ven_name) == (None, None, "gridyard")
    reborn = registrar(vtn, memory)
    await reborn.restore()
    assert await reborn.ensure() == made
    assert (made.ven_id, made.registration_id, made.vtn_id) == ("ven-9", "reg-1", "VTN")
    assert len(vtn.heard) == 2


@pytest.mark.row("openadr:R3")
async def test_a_ven_id_given_beforehand_is_sent() -> None:
    vtn = Vtn()
    await registrar(vtn, DictMemory(), ven_id="007").ensure()
    created = vtn.heard[-1]
    assert isinstance(created, CreatePartyRegistration)
    assert (created.ven_id, created.registration_id) == ("007", None)


@pytest.mark.row("openadr:R4")
async def test_registering_again_carries_both_ids_and_offers_reports_once_more() -> None:
    vtn, memory = Vtn(), DictMemory()
    ours = registrar(vtn, memory)
    await ours.ensure()
    await ours.move_to(Stage.COMPLETE)
    await ours.register()
    again = vtn.heard[-1]
    assert isinstance(again, CreatePartyRegistration)
    assert (again.ven_id, again.registration_id) == ("ven-9", "reg-1")
    assert vtn.registrations == 1
    assert ours.current is not None
    assert ours.current.stage is Stage.OFFER_REPORTS


@pytest.mark.row("openadr:R4")
@pytest.mark.parametrize("code", [452, 463])
async def test_a_vtn_that_does_not_know_our_ids_any_more_is_registered_with_afresh(
    code: int,
) -> None:
    vtn = Vtn()
    ours = registrar(vtn, DictMemory())
    await ours.ensure()
    vtn.code = code
    with pytest.raises(TransientError):
        await ours.register()
    vtn.code = 200
    assert (await ours.ensure()).registration_id == "reg-2"


@pytest.mark.row("openadr:R6")
@pytest.mark.parametrize(("code", "left"), [(200, False), (452, False), (463, False), (451, True)])
async def test_we_cancel_and_one_the_vtn_does_not_know_is_cancelled_already(
    code: int, left: bool
) -> None:
    vtn, memory = Vtn(), DictMemory()
    ours = registrar(vtn, memory)
    await ours.ensure()
    vtn.code = code
    if left:
        with pytest.raises(TransientError):
            await ours.cancel()
    else:
        await ours.cancel()
    message = vtn.heard[-1]
    assert isinstance(message, CancelPartyRegistration)
    assert (message.registration_id, message.ven_id) == ("reg-1", "ven-9")
    assert bool(memory.documents) is left
    assert (ours.current is not None) is left


@pytest.mark.row("openadr:R7")
@pytest.mark.parametrize(
    ("registration_id", "code", "stage"),
    [("reg-1", 200, Stage.CANCELLED), ("reg-2", 452, Stage.OFFER_REPORTS)],
)
async def test_the_vtn_cancels_but_only_by_our_registration_id(
    registration_id: str, code: int, stage: Stage
) -> None:
    vtn, memory = Vtn(), DictMemory()
    ours = registrar(vtn, memory)
    await ours.ensure()
    message = CancelPartyRegistration(request_id="c1", registration_id=registration_id)
    answer = await ours.cancelled_by_vtn(message)
    assert (answer.response.code, answer.response.request_id) == (code, "c1")
    reborn = registrar(vtn, memory)
    await reborn.restore()
    assert reborn.current is not None
    assert reborn.current.stage is stage


@pytest.mark.row("openadr:R8")
@pytest.mark.parametrize(
    ("asked", "ours", "poll_s"),
    [
        (timedelta(seconds=7), None, 7.0),
        (None, None, DEFAULT_POLL.total_seconds()),
        (timedelta(seconds=7), 1.5, 1.5),
        (timedelta(0), None, DEFAULT_POLL.total_seconds()),
    ],
    ids=["as the VTN asks", "it does not ask", "our setting wins", "zero is no frequency"],
)
async def test_the_poll_frequency_is_obeyed(
    asked: timedelta | None, ours: float | None, poll_s: float
) -> None:
    vtn = Vtn()
    vtn.poll = asked
    assert (await registrar(vtn, DictMemory(), poll_s=ours).ensure()).poll_s == poll_s


@pytest.mark.row("openadr:R8")
async def test_a_changed_poll_frequency_holds_from_the_next_registration_on() -> None:
    vtn, memory = Vtn(), DictMemory()
    ours = registrar(vtn, memory)
    await ours.ensure()
    vtn.poll = timedelta(minutes=2)
    assert (await ours.register()).poll_s == 120.0
    stored = await VenMemory(memory, "util").registration()
    assert stored is not None
    assert stored.poll_s == 120.0


@pytest.mark.row("openadr:R1")
@pytest.mark.parametrize(
    "profiles",
    [(Profile(name="2.0a"),), (Profile(name="2.0b", transports=("xmpp",)),)],
    ids=["2.0a only", "XMPP only"],
)
async def test_a_vtn_that_does_not_speak_our_profile_is_not_registered_with(
    profiles: tuple[Profile, ...],
) -> None:
    vtn = Vtn()
    vtn.profiles = profiles
    with pytest.raises(ProtocolError, match="does not speak"):
        await registrar(vtn, DictMemory()).ensure()
    assert vtn.registrations == 0


def _push(url: str) -> dict[str, object]:
    fingerprint = ":".join(["AB"] * 10)
    return {"listener": {"url": url}, "vtn_fingerprint": fingerprint}


@pytest.mark.parametrize(
    ("before", "after", "again"),
    [
        ({}, _push("https://ven.example.com:8444/x"), True),
        (_push("https://ven.example.com:8444/x"), {}, True),
        (_push("https://ven.example.com:8444/x"), _push("https://ven.example.com:8444/x"), False),
    ],
    ids=["to push", "to pull", "as before"],
)
async def test_another_way_to_reach_us_is_registered_with_the_same_ids(
    before: dict[str, object], after: dict[str, object], again: bool
) -> None:
    vtn, memory = Vtn(), DictMemory()
    await registrar(vtn, memory, **before).ensure()
    reborn = registrar(vtn, memory, **after)
    await reborn.restore()
    await reborn.ensure()
    assert vtn.registrations == 1
    assert sum(isinstance(m, CreatePartyRegistration) for m in vtn.heard) == 1 + again


async def test_a_registration_stored_by_an_older_release_is_complete() -> None:
    memory = DictMemory()
    memory.documents["util", "Registration", "current"] = {
        "ven_id": "v", "registration_id": "r", "vtn_id": "VTN", "poll_s": 1.0
    }  # fmt: skip
    ours = registrar(Vtn(), memory)
    await ours.restore()
    assert ours.current == Registration(
        ven_id="v", registration_id="r", vtn_id="VTN", poll_s=1.0, stage=Stage.COMPLETE
    )
