"""Which states of a battery are taken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from contracts.errors import ProtocolError
from site_agent.devices.mqtt.battery import is_news
from site_agent.devices.mqtt.payloads import StateMessage

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


def state(seq: int, ts_s: float, power_w: float = 1000.0) -> StateMessage:
    ts = NOW + timedelta(seconds=ts_s)
    return StateMessage(ts=ts, seq=seq, power_w=power_w, soc_pct=50.0)


@pytest.mark.parametrize(
    ("seq", "ts_s", "news"),
    [
        pytest.param(11, -1.0, True, id="the next"),
        pytest.param(10, -2.0, False, id="the retained one again"),
        pytest.param(9, -3.0, False, id="one that was overtaken"),
        pytest.param(1, -1.0, True, id="the battery has restarted"),
        pytest.param(11, -3600.0, True, id="its clock was set back"),
    ],
)
def test_after_the_tenth(seq: int, ts_s: float, news: bool) -> None:
    assert is_news(state(seq, ts_s), state(10, -2.0), NOW, most_w=5000.0) is news


def test_the_first_one_is_news_however_old() -> None:
    assert is_news(state(1, -1e6), None, NOW, most_w=5000.0)


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(state(11, 5.1), id="from the future"),
        pytest.param(state(11, 0.0, 5001.0), id="more than any battery does"),
        pytest.param(state(11, 0.0, -5001.0), id="discharging more than any battery does"),
    ],
)
def test_better_none_than_a_wrong_one(bad: StateMessage) -> None:
    assert is_news(state(11, 5.0, 5000.0), None, NOW, most_w=5000.0)
    with pytest.raises(ProtocolError):
        is_news(bad, None, NOW, most_w=5000.0)
