"""What is wrong at one charger reaches a person, with what to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from site_agent.flows.report.notices import FOREIGN_PROFILE, REFUSED, NoticeBoard, conditions
from site_agent.store.memory import MemoryKeyValues
from support.site import NOON, charger, snapshot


async def test_a_refused_card_that_runs_on_is_told_after_half_a_minute_until_it_ends() -> None:
    runs_on = replace(charger("a"), refused=True)
    board = NoticeBoard(MemoryKeyValues())
    told = conditions(snapshot(chargers=[runs_on, charger("b")]), {}, ())
    assert board.edges(told, NOON) == []
    (notice,) = board.edges(told, NOON + timedelta(seconds=30))
    assert (notice.code, notice.subject, notice.raised) == (REFUSED, "a", True)
    assert "end it at the charger" in notice.text
    await board.sent([notice])
    over = conditions(snapshot(chargers=[charger("a"), charger("b")]), {}, ())
    (cleared,) = board.edges(over, NOON + timedelta(seconds=60))
    assert (cleared.code, cleared.subject, cleared.raised) == (REFUSED, "a", False)


def test_a_strangers_profile_is_named_where_the_charger_says_which() -> None:
    named = replace(charger("a"), outranked=True, outranked_by="TxProfile 7 at level 3")
    told = conditions(snapshot(chargers=[named, replace(charger("b"), outranked=True)]), {}, ())
    assert "TxProfile 7 at level 3" in told[FOREIGN_PROFILE, "a"].text
    assert told[FOREIGN_PROFILE, "b"].text.endswith("above ours; clear it there")
