from __future__ import annotations

import gc

from contracts import collector


def test_what_is_there_at_the_start_is_not_looked_at_again() -> None:
    gc.unfreeze()  # of the tests themselves
    before = gc.get_threshold()
    try:
        collector.settle()
        assert gc.get_freeze_count() > 10_000
        assert gc.get_threshold()[0] > before[0]
        assert gc.isenabled()
    finally:
        gc.set_threshold(*before)


def test_a_start_is_spared_before_anything_is_there() -> None:
    before, held = gc.get_threshold(), gc.get_freeze_count()
    try:
        collector.spare()
        assert gc.get_threshold()[0] > before[0]
        assert gc.get_freeze_count() <= held  # what was frozen may have gone meanwhile
        assert gc.isenabled()
    finally:
        gc.set_threshold(*before)
