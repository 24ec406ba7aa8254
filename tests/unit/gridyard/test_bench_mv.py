"""`gridyard bench mv` on few sites: the floor's means are ours, and the rows say what they are."""

import numpy as np
import pytest

from gridyard.bench import mv
from gridyard.bench.registry import BENCHES


def test_the_means_beside_ours_are_the_same_means() -> None:
    """Else `rows` raises: here the two are really compared."""
    rows = mv.rows(12)
    assert [row.other_is for row in rows] == ["the bar", "NumPy mean of the same days"]
    assert all(row.ours > 0 and row.ratio is not None for row in rows)
    assert rows[0].other == 36.0
    assert BENCHES["mv"].run_with is not None


def test_other_means_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mv, "bare", lambda days, actual: np.zeros((3, 16)))
    with pytest.raises(mv.DisagreementError):
        mv.rows(3)
