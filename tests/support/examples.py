"""How many examples a property test tries: few in every run, many when asked for.

`pytest --hypothesis-profile=long --timeout=0 <tests>` tries ten times as many.
"""

from __future__ import annotations

from hypothesis import settings

_DEFAULT = 100


def fixed() -> bool:
    """Whether every run tries the same examples: not in a longer profile, which is to find new."""
    return settings().max_examples <= _DEFAULT


def examples(count: int) -> int:
    """So many, and more in a longer profile."""
    return count * max(1, settings().max_examples // _DEFAULT)
