"""`gridyard bench accounts` on one charger: the three figures, of a whole month."""

from __future__ import annotations

import pytest

from gridyard.bench import accounts
from gridyard.bench.registry import BENCHES


def test_the_same_month_is_asked_for_three_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "_EVERY_S", 240)
    monkeypatch.setattr(accounts, "_RUNS", 1)
    bench = BENCHES["accounts"]
    assert bench.run_with is not None
    first, cold, warm = bench.run_with(1)
    assert "a month of 1 chargers" in first.name
    assert (cold.other, warm.other) == (15.0, 2.0)
    assert min(first.ours, cold.ours, warm.ours) > 0
