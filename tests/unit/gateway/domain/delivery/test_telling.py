import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.delivery.telling import to_tell


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        pytest.param({"a": 600.0, "b": 100.0}, {"a"}, id="beyond its own deadband"),
        pytest.param({"a": 100.0, "b": 100.0}, set(), id="all little, and together little"),
        pytest.param({"a": 400.0, "b": 300.0, "c": 200.0}, {"a"}, id="together too much: largest"),
        pytest.param({"a": 400.0, "b": -400.0}, set(), id="what cancels needs no word"),
        pytest.param({"a": -400.0, "b": -300.0, "c": 100.0}, {"a"}, id="downwards as well"),
        pytest.param({}, set(), id="nobody"),
    ],
)
def test_who_is_told(changes: dict[str, float], told: set[str]) -> None:
    assert to_tell(changes, dict.fromkeys(changes, 500.0), 500.0) == told


@given(
    changes=st.dictionaries(st.text(max_size=3), st.floats(-1e5, 1e5), max_size=30),
    tolerance_w=st.floats(1.0, 1e4),
)
def test_what_is_not_told_is_little_in_sum_and_at_every_site(
    changes: dict[str, float], tolerance_w: float
) -> None:
    told = to_tell(changes, dict.fromkeys(changes, 500.0), tolerance_w)
    left = [w for site_id, w in changes.items() if site_id not in told]
    assert all(abs(w) <= 500.0 for w in left)
    assert abs(sum(left)) <= tolerance_w + 1e-6 * len(left)
