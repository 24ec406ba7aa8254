"""What a VEN answers to the events of a distribution, row by row of the profile."""

import re
from dataclasses import replace

import pytest

from contracts.errors import TransientError
from contracts.openadr import codec
from contracts.openadr.payloads import (
    ResponseRequired,
    Target,
)
from support.openadr import distribution, oadr_event
from support.openadr_answering_ven import IN, OUT, REGISTRATION, Ven, levels

PEAK = "http://utility.example/peak"


@pytest.mark.row("openadr:E1")
async def test_an_empty_distribution_is_no_trouble_and_needs_no_answer() -> None:
    ven = Ven()
    assert await ven.hears() == {}
    assert not ven.answers.brought_news


@pytest.mark.row("openadr:E2")
async def test_never_means_no_answer_and_the_event_is_taken_all_the_same() -> None:
    ven = Ven()
    silent = replace(oadr_event("quiet"), response_required=ResponseRequired.NEVER)
    assert await ven.hears(silent, oadr_event("loud")) == {"loud": (200, IN)}
    assert {e.event_id for e in ven.intake.received} == {"quiet", "loud"}


@pytest.mark.row("openadr:E3")
async def test_each_event_is_answered_once_with_its_ids_as_text() -> None:
    ven = Ven()
    ids = ("007", "1.2.3", "true", "a b/ü")
    twice = oadr_event("007", modification=1)
    message = distribution(*(oadr_event(i) for i in ids), twice, request_id="0042")
    answer = await ven.answers.answer(message, REGISTRATION)
    assert answer is not None
    sent = codec.decode(codec.encode(answer))
    assert sent == answer
    assert {(r.event_id, r.modification_number) for r in answer.event_responses} == {
        ("007", 1), ("1.2.3", 0), ("true", 0), ("a b/ü", 0)
    }  # fmt: skip
    assert {r.request_id for r in answer.event_responses} == {"0042"}


@pytest.mark.row("openadr:E16")
@pytest.mark.parametrize(
    ("target", "code", "named"),
    [
        (Target(), 200, ()),
        (Target(ven_ids=("ven-1",)), 200, ()),
        (Target(party_ids=("ven-1",)), 200, ()),
        (Target(resource_ids=("depot-1",)), 200, ("depot-1",)),
        (Target(group_ids=("north",)), 200, ("north",)),
        (Target(resource_ids=("depot-1", "not-ours")), 200, ("depot-1",)),
        (Target(ven_ids=("ven-1",), resource_ids=("not-ours",)), 200, ()),
        (Target(ven_ids=("ven-2",), group_ids=("north",)), 200, ("north",)),
        (Target(ven_ids=("ven-2",)), 462, None),
        (Target(resource_ids=("not-ours",)), 462, None),
        (Target(group_ids=("south",)), 462, None),
        (Target(pnodes=("n1",)), 462, None),
        (Target(other_kinds=("x",)), 462, None),
    ],
)
async def test_targets_are_or_ed_and_what_names_others_is_refused(
    target: Target, code: int, named: tuple[str, ...] | None
) -> None:
    ven = Ven()
    assert (await ven.hears(oadr_event(target=target)))["e1"][0] == code
    assert (ven.last.targets if ven.intake.received else None) == named


@pytest.mark.row("openadr:E17")
async def test_an_unknown_signal_is_answered_460_for_ever_and_nobody_is_bothered() -> None:
    ven = Ven()
    strange = replace(levels(1), name="x-own", type="x-own")
    event = oadr_event(signals=(strange,))
    assert await ven.hears(event) == {"e1": (460, OUT)}
    again = await ven.reborn()
    assert await again.hears(event) == {"e1": (460, OUT)}
    assert not again.answers.brought_news
    await again.hears()
    assert (again.intake.received, again.intake.withdrawn) == ([], [])
    assert ven.documents.documents == {}


@pytest.mark.row("openadr:E17")
async def test_a_modification_that_cannot_be_used_leaves_the_one_before_in_force() -> None:
    ven = Ven()
    await ven.hears(oadr_event())
    bad = oadr_event(modification=1, signals=())
    assert await ven.hears(bad) == {"e1": (460, OUT)}
    assert await ven.hears(bad) == {"e1": (460, OUT)}
    assert ven.intake.withdrawn == []
    assert await ven.hears(oadr_event(modification=2)) == {"e1": (200, IN)}
    assert [e.modification for e in ven.intake.received] == [0, 2]


@pytest.mark.row("openadr:E18")
async def test_another_vtns_distribution_is_answered_452_and_changes_nothing() -> None:
    ven = Ven()
    await ven.hears(oadr_event())
    foreign = replace(distribution(oadr_event("x")), vtn_id="vtn")
    answer = await ven.answers.answer(foreign, REGISTRATION)
    assert answer is not None
    assert (answer.response.code, answer.event_responses) == (452, ())
    assert ven.intake.withdrawn == []
    assert [e.event_id for e in ven.intake.received] == ["e1"]


@pytest.mark.row("openadr:E18")
@pytest.mark.parametrize(
    ("contexts", "code"),
    [(frozenset(), 200), (frozenset({PEAK}), 200), (frozenset({"http://other.example"}), 452)],
)
async def test_a_market_context_we_are_not_enrolled_in_is_answered_452(
    contexts: frozenset[str], code: int
) -> None:
    ven = Ven(market_contexts=contexts)
    assert (await ven.hears(oadr_event()))["e1"][0] == code


@pytest.mark.row("openadr:E19")
async def test_times_go_out_in_utc_with_z() -> None:
    ven = Ven()
    answer = await ven.answers.answer(distribution(oadr_event()), REGISTRATION)
    assert answer is not None
    text = codec.encode(distribution(oadr_event())).decode()
    stamps = re.findall(r">(\d{4}-\d\d-\d\dT[^<]+)<", text)
    assert stamps
    assert all(stamp.endswith("Z") for stamp in stamps)


@pytest.mark.parametrize(
    "error",
    [TransientError("disk full"), ValueError("a bug")],
    ids=["not now", "a bug"],
)
async def test_one_events_failure_never_touches_anothers_answer(error: Exception) -> None:
    ven = Ven()
    ven.intake.failing["bad"] = error
    events = (oadr_event("good"), oadr_event("bad"), oadr_event("better"))
    answer = await ven.hears(*events)
    assert answer.pop("bad", (200, OUT)) == (200, OUT)
    assert answer == {"good": (200, IN), "better": (200, IN)}
    assert ven.answers.unanswered is isinstance(error, TransientError)
    ven.intake.failing.clear()
    assert (await ven.hears(*events))["bad"] == (200, IN)
    assert [e.event_id for e in ven.intake.received].count("good") == 1
