from __future__ import annotations

import gc

from contracts import collector


def test_what_is_there_at_the_start_is_not_looked_at_again() -> None:
    before, held = gc.get_threshold(), gc.get_freeze_count()
    try:
        collector.settle()
        assert gc.get_freeze_count() > held + 10_000
        assert gc.get_threshold()[0] > before[0]
        assert gc.isenabled()
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
