"""Contradictions about who is at a plug reach a person."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from site_agent.domain.fleet.identity import Identity
from site_agent.flows.report.notices import IDENTITY_CONFLICT, NoticeBoard, conditions
from site_agent.store.memory import MemoryKeyValues
from support.site import NOON, charger, snapshot


def test_a_contradiction_is_told_once_it_lasts() -> None:
    words = "bay says van-2, vehicle card says van-1"
    doubtful = replace(charger("a"), identity=Identity(vehicle="van-1", conflicts=(words,)))
    board = NoticeBoard(MemoryKeyValues())
    told = conditions(snapshot(chargers=[doubtful]), {}, ())
    assert board.edges(told, NOON) == []
    (notice,) = board.edges(told, NOON + timedelta(seconds=30))
    assert (notice.code, notice.subject, notice.text) == (IDENTITY_CONFLICT, "a", words)
    sure = snapshot(chargers=[replace(doubtful, identity=Identity(vehicle="van-1"))])
    assert (IDENTITY_CONFLICT, "a") not in conditions(sure, {}, ())
