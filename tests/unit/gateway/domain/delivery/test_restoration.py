from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.delivery.restoration import (
    RestorationRules,
    Returning,
    restoration,
    returning,
    rises,
)

END = datetime(2026, 7, 1, 18, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def site(name: str, rise_w: float, *groups: str, baseline_w: float = 100_000.0) -> Returning:
    held_w = baseline_w - rise_w
    return Returning(
        site_id=name,
        held_w=held_w,
        full_w=baseline_w,
        baseline_w=baseline_w,
        groups=frozenset(groups),
    )


@pytest.mark.parametrize(
    ("sites", "rules", "minutes", "raised"),
    [
        pytest.param([], {}, 0, 1.0, id="nobody"),
        pytest.param([site("a", -5_000.0)], {}, 0, 1.0, id="nobody was held below"),
        pytest.param([site("a", 20_000.0)], {"cap_w": 1e6}, 1, 1.0, id="by its own ramp"),
        pytest.param([site("a", 20_000.0)], {"cap_w": 5_000.0}, 3, 1.0, id="by the cap"),
        pytest.param(
            [site("a", 20_000.0), site("b", 20_000.0)],
            {"cap_w": 10_000.0},
            3,
            1.0,
            id="one after the other",
        ),
        pytest.param(
            [site("a", 20_000.0, "f1"), site("b", 20_000.0, "f2")],
            {"cap_w": 1e6, "group_caps_w": {"f1": 4_000.0}},
            4,
            1.0,
            id="a feeder's cap binds its own site",
        ),
        pytest.param(
            [site("a", 60_000.0)], {"cap_w": 1_000.0}, 14, 4.0, id="raised to end in time"
        ),
        pytest.param([site("a", 20_000.0)], {"cap_share": 0.05}, 3, 1.0, id="of the baseline"),
    ],
)
@pytest.mark.row("portfolio:A11")
def test_how_long_the_way_back_takes(
    sites: list[Returning], rules: dict[str, object], minutes: int, raised: float
) -> None:
    made = restoration(sites, END, RestorationRules(**rules))  # type: ignore[arg-type]
    assert made.ends_at == END + minutes * MINUTE
    assert made.raised == pytest.approx(raised)


def test_a_site_is_held_then_rises_in_steps_then_is_free() -> None:
    first, second = site("a", 30_000.0), site("b", 20_000.0)
    made = restoration([first, second], END, RestorationRules(cap_w=10_000.0))
    assert [s.value for s in made.limits["a"]] == [80_000.0, 90_000.0]
    assert made.limits["b"].value_at(END) == 80_000.0, "held while the larger one returns"
    assert made.limits["b"].value_at(made.ends_at) is None
    assert rises(made, [first, second], END) == pytest.approx([10_000.0] * 5)


def test_a_site_may_want_more_than_its_baseline_and_never_more_than_its_connection() -> None:
    rules = RestorationRules()
    wants = returning("a", 60_000.0, 100_000.0, 150_000.0, frozenset(), rules)
    assert wants.full_w == pytest.approx(112_000.0)
    tight = returning("a", 60_000.0, 100_000.0, 105_000.0, frozenset(), rules)
    assert tight.full_w == 105_000.0


SITES = st.lists(
    st.builds(
        Returning,
        site_id=st.uuids().map(str),
        held_w=st.floats(-2e5, 2e5),
        full_w=st.floats(0, 3e5),
        baseline_w=st.floats(0, 3e5),
        groups=st.frozensets(st.sampled_from(["f1", "f2"])),
    ),
    max_size=25,
)


@given(sites=SITES, cap_w=st.floats(100.0, 1e6), group_cap_w=st.floats(100.0, 1e6))
@pytest.mark.row("portfolio:A11")
def test_no_minute_rises_by_more_than_a_cap_and_it_always_ends(
    sites: list[Returning], cap_w: float, group_cap_w: float
) -> None:
    rules = RestorationRules(cap_w=cap_w, group_caps_w={"f1": group_cap_w})
    made = restoration(sites, END, rules)
    assert END <= made.ends_at < END + rules.longest
    assert made.cap_w == pytest.approx(cap_w * made.raised)
    held = [one for one in sites if one.site_id in made.limits]
    tolerance = 1.0 + 1e-6
    assert (rises(made, held, END) <= made.cap_w * tolerance + 1.0).all()
    feeder = [one for one in held if "f1" in one.groups]
    assert (rises(made, feeder, END) <= group_cap_w * made.raised * tolerance + 1.0).all()
    for one in held:
        limits = [step.value for step in made.limits[one.site_id]]
        assert limits == sorted(limits), "a limit only rises"
        assert not np.isnan(limits).any()
