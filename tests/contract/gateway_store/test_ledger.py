"""What was asked, decided and sent."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from contracts.site_link.messages import (
    InstructionState,
)
from contracts.time import Interval
from gateway.domain.event import Opt
from gateway.ports import JournalEntry, Ledger, UtilityMemory
from support.gateway_store import (
    HOUR,
    MINUTE,
    SECOND,
    T0,
    dispatch_plan,
    grid_event,
    instruction,
    opted,
    status,
)


async def test_an_event_comes_back_as_it_went_in(ledger: Ledger) -> None:
    event = grid_event()
    await ledger.put_event(event, opted(event), T0 - MINUTE)
    stored = await ledger.event("u1/e1")
    assert stored is not None
    assert (stored.event, stored.decision) == (event, opted(event))
    assert (stored.received_at, stored.opted_out_sites) == (T0 - MINUTE, frozenset())
    assert await ledger.event("u1/other") is None


async def test_the_newest_modification_counts_and_first_notice_is_kept(ledger: Ledger) -> None:
    first, second = grid_event(), grid_event(modification=3)
    await ledger.put_event(first, opted(first), T0 - 3 * MINUTE)
    await ledger.put_event(second, opted(second, Opt.OUT), T0 - MINUTE)
    late = grid_event(modification=1)
    await ledger.put_event(late, opted(late), T0)
    stored = await ledger.event("u1/e1")
    assert stored is not None
    assert (stored.event.modification, stored.decision.opt) == (3, Opt.OUT)
    assert (stored.notified_at, stored.received_at) == (T0 - 3 * MINUTE, T0 - MINUTE)


async def test_the_same_modification_again_replaces_the_answer_only(ledger: Ledger) -> None:
    event = grid_event()
    await ledger.put_event(event, opted(event), T0 - MINUTE)
    await ledger.put_event(event.cancel(), opted(event, Opt.OUT), T0)
    stored = await ledger.event("u1/e1")
    assert stored is not None
    assert stored.event.cancelled
    assert stored.decision.opt is Opt.OUT
    assert stored.received_at == T0 - MINUTE


async def test_events_newest_first_and_by_end(ledger: Ledger) -> None:
    for name, start in (("old", T0 - 9 * HOUR), ("mid", T0), ("new", T0 + HOUR)):
        event = grid_event(name, start=start)
        await ledger.put_event(event, opted(event), T0)
    endless = replace(
        grid_event("endless", start=T0 - 99 * HOUR),
        window=Interval(start=T0 - 99 * HOUR, end=None),
    )
    await ledger.put_event(endless, opted(endless), T0)
    shortened = replace(
        grid_event("new", modification=1), window=Interval.lasting(T0 - 5 * HOUR, HOUR)
    )
    assert [s.event.event_id for s in await ledger.events()] == ["new", "mid", "old", "endless"]
    open_now = await ledger.events(ending_after=T0)
    assert [s.event.event_id for s in open_now] == ["new", "mid", "endless"]
    await ledger.put_event(shortened, opted(shortened), T0)
    open_now = await ledger.events(ending_after=T0)
    assert [s.event.event_id for s in open_now] == ["mid", "endless"]


async def test_a_sites_opt_out_is_kept_through_modifications(ledger: Ledger) -> None:
    event = grid_event()
    await ledger.put_event(event, opted(event), T0)
    for _ in range(2):
        await ledger.opt_out_site(event.key, "depot-2", T0, "owner said so")
    newer = grid_event(modification=1)
    await ledger.put_event(newer, opted(newer), T0)
    stored = await ledger.event(event.key)
    assert stored is not None
    assert stored.opted_out_sites == {"depot-2"}
    (word,) = await ledger.opt_outs(event.key)
    assert (word.site_id, word.at, word.cause) == ("depot-2", T0, "owner said so")
    assert await ledger.opt_outs("u1/other") == []
    assert (await ledger.events())[0].opted_out_sites == {"depot-2"}
    for _ in range(2):
        await ledger.opt_in_site(event.key, "depot-2")
    assert (await ledger.events())[0].opted_out_sites == frozenset()


async def test_plans_and_instructions_are_numbered_and_come_back(ledger: Ledger) -> None:
    sent = await ledger.put_plan(
        dispatch_plan(), [instruction("i1"), instruction("i2", site="depot-2")]
    )
    again = await ledger.put_plan(dispatch_plan(2), [instruction("i3"), instruction("i4")])
    assert [(i.instruction_id, i.site_seq) for i in (*sent, *again)] == [
        ("i1", 1),
        ("i2", 1),
        ("i3", 2),
        ("i4", 3),
    ]
    assert await ledger.plans("u1/e1") == [dispatch_plan(1), dispatch_plan(2)]
    stored = await ledger.instructions("u1/e1")
    assert [(s.instruction, s.revision) for s in stored] == [
        (sent[0], 1),
        (sent[1], 1),
        (again[0], 2),
        (again[1], 2),
    ]


async def test_a_plan_that_cannot_be_stored_leaves_nothing_behind(ledger: Ledger) -> None:
    await ledger.put_plan(dispatch_plan(), [instruction("i1")])
    with pytest.raises(IntegrityError):
        await ledger.put_plan(dispatch_plan(2), [instruction("i2"), instruction("i1")])
    assert [p.revision for p in await ledger.plans("u1/e1")] == [1]
    assert [s.instruction.instruction_id for s in await ledger.instructions("u1/e1")] == ["i1"]
    (numbered,) = await ledger.put_plan(dispatch_plan(2), [instruction("i2")])
    assert numbered.site_seq == 2


async def test_unseen_are_the_newest_of_each_event_not_expired(ledger: Ledger) -> None:
    await ledger.put_plan(dispatch_plan(), [instruction("old"), instruction("x", site="depot-2")])
    await ledger.put_plan(dispatch_plan(2), [instruction("new")])
    await ledger.put_plan(
        dispatch_plan(event_key="u1/e2"), [instruction("other", event="u1/e2", minutes=10)]
    )

    async def unseen(after: int, minutes: int) -> list[str]:
        found = await ledger.unseen_instructions("depot-1", after, T0 + minutes * MINUTE)
        return [one.instruction_id for one in found]

    assert await unseen(0, 0) == ["new", "other"]
    assert await unseen(2, 0) == ["other"]
    assert await unseen(0, 10) == ["new"]
    assert await unseen(0, 90) == []


async def test_numbers_go_on_above_what_a_site_has_seen(ledger: Ledger) -> None:
    await ledger.site_has_seen("depot-1", 41)
    await ledger.site_has_seen("depot-1", 7)
    (numbered,) = await ledger.put_plan(dispatch_plan(), [instruction("i1")])
    assert numbered.site_seq == 42


async def test_statuses_are_kept_once_in_order_of_time(ledger: Ledger) -> None:
    await ledger.put_plan(dispatch_plan(), [instruction("i1")])
    applied, stored = status(InstructionState.APPLIED, 9), status(InstructionState.STORED, 1)
    for one in (applied, stored, applied):
        await ledger.put_statuses([("depot-1", one)])
    nobodys = replace(stored, instruction_id="nobody's")
    await ledger.put_statuses([("depot-1", nobodys), ("depot-1", stored), ("depot-1", nobodys)])
    (found,) = await ledger.instructions("u1/e1")
    assert found.statuses == (stored, applied)
    journal = [entry.action for entry in await ledger.journal(stored.event_id)]
    assert journal == ["depot-1: instruction stored"] * 2 + ["depot-1: instruction applied"]


async def test_the_journal_is_in_order_of_time(ledger: Ledger) -> None:
    entries = [
        JournalEntry(at=T0 + n * SECOND, subject="u1/e1", action=f"a{n}", cause="c") for n in (2, 1)
    ]
    for entry in entries:
        await ledger.log(entry)
    await ledger.log(JournalEntry(at=T0, subject="else", action="a", cause="c"))
    assert await ledger.journal("u1/e1") == entries[::-1]


async def test_report_versions_are_immutable_and_once_is_once(ledger: Ledger) -> None:
    assert await ledger.report("u1/e1") is None
    assert await ledger.report_final("u1/e1") is None
    assert await ledger.put_report("u1/e1", {"n": 1}, final=False, once="m0") == 1
    assert await ledger.report_final("u1/e1") is False
    assert await ledger.put_report("u1/e1", {"n": 2}, final=False, once="m0") == 1
    assert await ledger.put_report("u1/e1", {"n": 3}, final=True) == 2
    assert await ledger.put_report("u1/e2", {"n": 9}, final=False, once="m0") == 1
    assert await ledger.report("u1/e1") == {"n": 3, "version": 2, "final": True}
    assert await ledger.report("u1/e1", 1) == {"n": 1, "version": 1, "final": False}
    assert await ledger.report("u1/e1", 9) is None
    assert await ledger.report_final("u1/e1") is True


async def test_curves_of_a_reports_sites_come_only_where_they_are_wanted(ledger: Ledger) -> None:
    sites: list[dict[str, object]] = [
        {"site_id": name, "days": [], "curves": {"of": name}} for name in ("a", "b", "c")
    ]
    await ledger.put_report("u1/e1", {"sites": sites}, final=False)
    whole = {"version": 1, "final": False}
    assert await ledger.report("u1/e1") == whole | {"sites": sites}
    some = await ledger.report("u1/e1", curves_of=["b", "nobody"])
    assert some == whole | {"sites": [{"site_id": "a"}, sites[1], {"site_id": "c"}]}
    assert await ledger.report("u1/e1", curves_of=slice(1, 2)) == some
    bare = await ledger.report("u1/e1", 1, curves_of=())
    assert await ledger.report("u1/e1", curves_of=slice(3, 9)) == bare
    assert bare == whole | {"sites": [{"site_id": one["site_id"]} for one in sites]}


async def test_a_job_is_claimed_exactly_once(ledger: Ledger) -> None:
    assert await ledger.claim_job("settle", T0)
    assert not await ledger.claim_job("settle", T0)
    assert await ledger.claim_job("settle", T0 + SECOND)
    assert await ledger.claim_job("start", T0)


async def test_what_adapters_remember(memory: UtilityMemory) -> None:
    await memory.save("u1", "event", "a", {"x": [1, None, "ü"]})
    await memory.save("u1", "event", "b", 7)
    await memory.save("u2", "event", "a", "other")
    await memory.save("u1", "event", "b", 8)
    assert await memory.load("u1", "event") == {"a": {"x": [1, None, "ü"]}, "b": 8}
    await memory.forget("u1", "event", "a")
    await memory.forget("u1", "event", "never there")
    assert await memory.load("u1", "event") == {"b": 8}
    assert await memory.load("u1", "report") == {}
