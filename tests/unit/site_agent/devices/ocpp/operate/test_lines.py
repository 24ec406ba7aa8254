"""A frame in one line."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from site_agent.devices.ocpp.operate.lines import Lines
from site_agent.devices.ocpp.wire.trace import LONGEST, Direction, Frame

AT = datetime(2026, 1, 5, 12, 0, 0, 123456, tzinfo=UTC)


def frame(text: str, direction: Direction = Direction.IN) -> Frame:
    return Frame(AT, direction, text)


def test_a_question_and_its_answer() -> None:
    lines = Lines(ZoneInfo("Europe/Berlin"))
    asked = frame('[2,"abcdefgh","Authorize",{"idTag":"TAG-12345"}]')
    assert lines.line(asked) == '13:00:00.123 <- Authorize #cdefgh {"idTag":"TAG-…"}'
    answered = frame('[3,"abcdefgh",{"idTagInfo":{"status":"Accepted"}}]', Direction.OUT)
    assert lines.line(answered) == (
        '13:00:00.123 -> Authorize.conf #cdefgh {"idTagInfo":{"status":"Accepted"}}'
    )


def test_an_answer_to_nothing_and_a_refusal() -> None:
    lines = Lines(ZoneInfo("UTC"))
    assert "?.conf #m1 {}" in lines.line(frame('[3,"m1",{}]'))
    lines.line(frame('[2,"m2","Reset",{}]', Direction.OUT))
    refused = lines.line(frame('[4,"m2","NotSupported","no",{}]'))
    assert refused.endswith("Reset.conf #m2 CALLERROR NotSupported: no")


def test_connections_and_nonsense() -> None:
    lines = Lines(ZoneInfo("UTC"))
    assert lines.line(frame("open ocpp1.6", Direction.LINK)) == "12:00:00.123 -- open ocpp1.6"
    assert "(not JSON) {" in lines.line(frame("{"))
    assert "(cut)" in lines.line(frame("[" * LONGEST))


@given(st.text(), st.sampled_from(Direction))
def test_whatever_comes_is_one_printable_line(text: str, direction: Direction) -> None:
    line = Lines(ZoneInfo("UTC")).line(frame(text, direction))
    assert line.isprintable()
    assert len(line) < 400 or direction is Direction.LINK
