from __future__ import annotations

from gridyard.bench import fanout

SITES = 12


def test_every_site_gets_its_own_and_every_answer_is_stored() -> None:
    """`run` itself counts both, and raises when one is missing."""
    reached, acknowledged, stored = fanout.run(SITES)
    assert 0 < reached.ours <= acknowledged.ours
    assert reached.other is not None
    assert acknowledged.other is not None
    assert (reached.bar, acknowledged.bar, stored.bar) == (1.0, 3.0, 1.0)
