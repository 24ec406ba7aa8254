from __future__ import annotations

from datetime import timedelta

import pytest

from site_agent.devices.ocpp.limits.in_force import Held
from site_agent.devices.ocpp.limits.turns import SPIKE, Turns
from support.site import NOON

pytestmark = pytest.mark.row("personality:spikes-on-update")


def lease(limit_a: float = 10.0, asked_a: float | None = 10.0) -> Held:
    """Of 90 s, given at noon: renewed from 30 s on, and by 60 s at last."""
    return Held(
        limit_a=limit_a,
        since=NOON,
        asked_a=asked_a,
        begun=NOON,
        lasting=timedelta(seconds=90),
        transaction_id=1,
    )


def after(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def test_one_of_a_site_within_a_spike() -> None:
    turns = Turns()
    assert not turns.wait("a", 10, 6, None, NOON)
    assert turns.wait("b", 10, 6, None, NOON + after(1))
    assert turns.wait("b", 10, 6, None, NOON + SPIKE - after(1))
    assert not turns.wait("b", 10, 6, None, NOON + SPIKE)
    assert turns.wait("a", 10, 6, None, NOON + SPIKE + after(1))
    assert not turns.wait("b", 12, 6, None, NOON + SPIKE + after(1))  # its own turn goes on


def test_a_fall_never_waits_and_others_wait_for_its_spike() -> None:
    turns = Turns()
    assert not turns.wait("a", 12, 10, lease(), NOON + after(70))
    assert not turns.wait("b", 8, 10, lease(), NOON + after(71))
    assert turns.wait("c", 12, 6, None, NOON + after(72))
    # an unanswered raise may be in force: less than it is a fall
    assert not turns.wait("c", 12, 20, lease(20, None), NOON + after(72))


def test_a_renewal_waits_only_while_the_lease_has_time() -> None:
    turns = Turns()
    assert not turns.wait("a", 10, 6, None, NOON + after(35))
    assert turns.wait("b", 10, 10, lease(), NOON + after(40))
    assert not turns.wait("a", 10, 6, None, NOON + after(55))
    assert not turns.wait("b", 10, 10, lease(), NOON + after(60))


def test_a_raise_waits_a_minute_after_its_own_last_update() -> None:
    turns = Turns()
    assert turns.wait("a", 12, 10, lease(), NOON + after(59))
    assert not turns.wait("a", 12, 10, lease(), NOON + after(60))
