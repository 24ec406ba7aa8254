"""The cloud's word on a card and ours, as one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from site_agent.devices.ocpp.proxy.settings import FinalWord
from site_agent.devices.ocpp.proxy.verdicts import Verdicts, accepted
from site_agent.devices.ocpp.wire.frames import Json

pytestmark = pytest.mark.row("safety:S7")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
YES: Json = {"status": "Accepted"}
NO: Json = {"status": "Blocked"}


@pytest.mark.parametrize(
    ("word", "ours", "theirs", "may"),
    [
        (FinalWord.CLOUD, NO, YES, True),
        (FinalWord.CLOUD, YES, NO, False),
        (FinalWord.CLOUD, YES, None, True),
        (FinalWord.CLOUD, NO, None, False),
        (FinalWord.BOTH, NO, YES, False),
        (FinalWord.BOTH, YES, NO, False),
        (FinalWord.BOTH, YES, YES, True),
        (FinalWord.BOTH, YES, None, True),
        (FinalWord.LOCAL, YES, NO, True),
        (FinalWord.LOCAL, NO, YES, False),
    ],
)
def test_who_has_the_last_word(word: FinalWord, ours: Json, theirs: Json | None, may: bool) -> None:
    assert accepted(Verdicts(word).joined(ours, theirs)) is may


def test_a_verdict_counts_for_a_day() -> None:
    verdicts = Verdicts(FinalWord.CLOUD)
    verdicts.learn("TAG", NO, NOON)
    assert verdicts.known("TAG", NOON + timedelta(hours=24)) == NO
    assert verdicts.known("TAG", NOON + timedelta(hours=25)) is None
    assert verdicts.known("TAG", NOON + timedelta(minutes=3), within=timedelta(minutes=2)) is None
    assert verdicts.known("OTHER", NOON) is None


def test_the_newest_thousand_are_known() -> None:
    verdicts = Verdicts(FinalWord.CLOUD)
    for number in range(1000):
        verdicts.learn(f"TAG{number}", YES, NOON)
    verdicts.learn("TAG0", NO, NOON)
    verdicts.learn("ONE MORE", YES, NOON)
    assert verdicts.known("TAG0", NOON) == NO
    assert verdicts.known("TAG1", NOON) is None
