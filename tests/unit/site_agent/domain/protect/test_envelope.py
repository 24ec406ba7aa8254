"""All limits at an instant, and who wins."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contracts.site_link.messages import InstructionState
from site_agent.domain.instruction import SiteInstruction
from site_agent.domain.protect.envelope import Bound, Envelope, Limit, Side, combine
from site_agent.domain.protect.limits import limits_at
from site_agent.domain.site import ROOT, CircuitNode
from site_agent.flows.orders.acceptance import in_domain_words
from support.site import NOON, instruction, model

ROW = CircuitNode(node_id="row", parent=ROOT, limit_a=63.0)


def held(limit_w: float | None, seq: int = 1, **facts: object) -> SiteInstruction:
    made = instruction(limit_w, seq=seq, **facts)  # type: ignore[arg-type]  # a test's shorthand
    return in_domain_words(made, InstructionState.STORED)


def at_noon(*instructions: SiteInstruction, contract_w: float = 100_000.0) -> Envelope:
    depot = model(nodes=[ROW], root_a=250.0, contract_w=contract_w)
    return combine(limits_at(depot, instructions, NOON))


def test_without_events_the_contract_and_the_fuses_stand() -> None:
    envelope = at_noon()
    assert envelope.import_w == Bound(value=100_000.0, cause="the connection contract")
    assert envelope.export_w is None
    assert {node: bound.value for node, bound in envelope.node_current_a.items()} == {
        ROOT: 250.0,
        "row": 63.0,
    }
    assert not envelope.event


def test_a_contract_beyond_the_fuse_is_held_by_the_fuse() -> None:
    bound = at_noon(contract_w=500_000.0).import_w
    assert bound == Bound(value=250 * 690.0, cause="the fuse of pcc (250 A a phase)")


def test_the_tightest_event_wins_and_keeps_its_cause() -> None:
    envelope = at_noon(
        held(50_000.0), held(40_000.0, seq=2, event_id="e2", cause="your share of 2 MW")
    )
    cause = "the import limit of event e2: your share of 2 MW"
    assert envelope.import_w == Bound(value=40_000.0, cause=cause)
    assert envelope.event


def test_what_always_holds_is_no_event() -> None:
    standing = replace(held(40_000.0, load_w=9_000.0), standing=True)
    envelope = at_noon(standing)
    assert envelope.import_w.cause == "the import limit of envelope e1"
    assert not envelope.event
    assert at_noon(standing, held(None, seq=2, event_id="e2", export_w=0.0)).event


def test_an_event_above_the_contract_does_not_lift_it() -> None:
    envelope = at_noon(held(900_000.0))
    assert envelope.import_w.cause == "the connection contract"
    assert envelope.event


def test_a_fallback_is_named_as_such() -> None:
    early = NOON.replace(hour=11)
    one = held(50_000.0, start=early, fallback_w=70_000.0, expires_at=NOON.replace(hour=13))
    cause = "the import limit in the fallback of event e1"
    assert at_noon(one).import_w == Bound(value=70_000.0, cause=cause)


def test_every_side_of_every_event_binds_and_keeps_its_cause() -> None:
    first = held(50_000.0, load_w=30_000.0, generation_w=-20_000.0, export_w=-5_000.0)
    second = held(None, seq=2, event_id="e2", load_w=20_000.0, generation_w=-30_000.0, export_w=0.0)
    envelope = at_noon(first, second)
    assert envelope.import_w == Bound(value=50_000.0, cause="the import limit of event e1")
    assert envelope.export_w == Bound(value=0.0, cause="the export limit of event e2")
    assert envelope.load_w == Bound(value=20_000.0, cause="the load limit of event e2")
    assert envelope.generation_w == Bound(value=-20_000.0, cause="the generation limit of event e1")


def test_of_storage_targets_the_newest_wins_however_it_is_listed() -> None:
    older = held(None, seq=4, storage_w=-9_000.0)
    newer = held(None, seq=7, event_id="e2", storage_w=2_000.0)
    wins = Bound(value=2_000.0, cause="the storage target of event e2")
    assert at_noon(older, newer).storage_w == at_noon(newer, older).storage_w == wins


def test_a_newer_event_without_a_target_leaves_the_older_one() -> None:
    older = held(None, storage_w=0.0)
    newer = held(10_000.0, seq=2, event_id="e2")
    assert at_noon(older, newer).storage_w == Bound(
        value=0.0, cause="the storage target of event e1"
    )


def test_to_stop_is_to_draw_and_to_make_nothing() -> None:
    envelope = at_noon(
        held(None, load_w=30_000.0, generation_w=-5_000.0),
        held(None, seq=2, event_id="e2", energize=False, cause="a line is down"),
    )
    stop = Bound(value=0.0, cause="the order to stop of event e2: a line is down")
    assert (envelope.load_w, envelope.generation_w) == (stop, stop)
    assert envelope.event


def test_one_event_that_goes_on_does_not_lift_anothers_stop() -> None:
    envelope = at_noon(held(None, energize=False), held(None, seq=2, event_id="e2", energize=True))
    assert envelope.load_w == Bound(value=0.0, cause="the order to stop of event e1")


def test_of_export_limits_the_highest_wins() -> None:
    limits = [
        Limit(side=Side.IMPORT, bound=Bound(value=1.0, cause="c")),
        Limit(side=Side.EXPORT, bound=Bound(value=-9.0, cause="loose")),
        Limit(side=Side.EXPORT, bound=Bound(value=-5.0, cause="tight")),
    ]
    assert combine(limits).export_w == Bound(value=-5.0, cause="tight")


def test_a_node_takes_its_tightest_limit() -> None:
    limits = [
        Limit(side=Side.IMPORT, bound=Bound(value=1.0, cause="c")),
        Limit(side=Side.NODE, node="row", bound=Bound(value=63.0, cause="breaker")),
        Limit(side=Side.NODE, node="row", bound=Bound(value=50.0, cause="cable")),
    ]
    assert combine(limits).node_current_a == {"row": Bound(value=50.0, cause="cable")}


def test_a_site_without_an_import_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="without an import limit"):
        combine([])
