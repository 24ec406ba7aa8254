"""What holds of identities and verdicts whatever is presented."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from site_agent.domain.fleet.access import Access, Rule, Status
from site_agent.domain.fleet.identity import (
    Credential,
    Kind,
    Presented,
    Roster,
    credentials,
    hinted,
    normal,
)
from support.site import NOON

TAGS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=36)
PRESENTED = st.builds(
    Presented,
    token=st.none() | TAGS,
    token_type=st.sampled_from(
        (None, "ISO14443", "eMAID", "MacAddress", "EVCCID", "VIN", "NoAuthorization", "odd")
    ),
    emaid=st.none() | TAGS,
    vin=st.none() | TAGS,
    evccid=st.none() | TAGS,
    certificate=st.none() | TAGS,
)


@given(st.sampled_from(Kind), TAGS)
def test_a_normal_spelling_is_its_own(kind: Kind, text: str) -> None:
    assert normal(kind, normal(kind, text)) == normal(kind, text)


@given(TAGS)
def test_case_is_no_difference(tag: str) -> None:
    assert normal(Kind.TAG, tag.upper()) == normal(Kind.TAG, tag.lower())


@given(TAGS)
def test_a_hint_is_the_end_and_at_most_half(tag: str) -> None:
    shown = hinted(tag).removeprefix("…")
    assert tag.endswith(shown)
    assert len(shown) <= min(4, len(tag) / 2)


@given(PRESENTED, PRESENTED)
def test_what_is_told_later_is_believed(first: Presented, later: Presented) -> None:
    joined = first.joined(later)
    for name in ("token", "emaid", "vin", "evccid", "certificate"):
        told = getattr(later, name)
        assert getattr(joined, name) == told or told is None
    if first.contradicts(later):
        assert joined == later
    assert joined.joined(later) == joined


@given(PRESENTED)
def test_what_is_repeated_changes_nothing(told: Presented) -> None:
    assert not told.contradicts(told)
    assert told.joined(told) == told


@given(PRESENTED, st.data())
def test_the_strongest_evidence_wins(told: Presented, data: st.DataObject) -> None:
    keys = list(credentials(told))
    known = {key: Credential(vehicle=f"van-{number}") for number, key in enumerate(keys)}
    kept = {key: one for key, one in known.items() if data.draw(st.booleans())}
    found = Roster(credentials=kept, bays={"a": "bay-van"}).identify(told, "a")
    claims = [*(one.vehicle for one in kept.values()), "bay-van"]
    assert found.vehicle == claims[0]
    assert len(found.conflicts) == len(claims) - 1


@given(PRESENTED, st.booleans(), st.booleans())
def test_a_blocked_credential_never_charges(told: Presented, admit: bool, alone: bool) -> None:
    keys = list(credentials(told))
    known = {key: Credential(vehicle="van") for key in keys}
    if keys:
        known[keys[-1]] = replace(known[keys[-1]], blocked=True)
    access = Access(
        roster=Roster(credentials=known), strangers=Rule(admit=admit), concurrent=not alone
    )
    verdict = access.verdict(told, ("a",), NOON)
    assert (verdict.status is Status.BLOCKED) == bool(keys)


@pytest.mark.parametrize("tag", [None, ""])
def test_nobodys_hint_says_so(tag: str | None) -> None:
    assert hinted(tag) == "-"


def test_presented_tags_stay_out_of_logs() -> None:
    told = Presented(token="SECRET-TAG", emaid="SECRET-ID", vin="SECRET-VIN", evccid="SECRET-MAC")
    assert "SECRET" not in repr(told)
