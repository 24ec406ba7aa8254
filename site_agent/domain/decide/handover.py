"""Who takes power over waits until those who had it have given way.

A limit that falls is followed after the vehicle's reaction time; until then the sum of what falls
and what rises must stay inside every constraint as well, or a fuse would carry both for seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from site_agent.domain.decide.allocate import Constraint, load_of
from site_agent.domain.protect.facts import Fact

_TINY = 1e-6
WAITS = "rises in a moment: others have yet to give way"


def not_yet(
    limits: Mapping[str, float], facts: Iterable[Fact], constraints: Sequence[Constraint]
) -> dict[str, float]:
    """What chargers whose rise has to wait keep meanwhile, A, by `evse_id`.

    `limits`: where all should be, A; they satisfy the constraints. Whoever falls is counted with
    what it still draws. A rise is done at once or not at all: a limit that has moved is held for a
    while. Those that need the least room go first, so most can rise at once.
    """
    known = [one for one in facts if one.evse_id in limits]
    drawn = {one.evse_id: one.current_a.high - one.stubborn_a for one in known}
    if all(amps <= limits[name] + _TINY for name, amps in drawn.items()):
        return {}  # nobody has to give way
    soon = {name: max(limits[name], amps) for name, amps in drawn.items()}
    tight = [one for one in constraints if load_of(one, soon) > _for_seconds(one) + _TINY]
    if not tight:
        return {}
    granted = {one.evse_id: one.charger.granted_a for one in known}
    held = {name: max(amps, drawn[name]) for name, amps in granted.items()}
    now = {name: min(amps, held[name]) for name, amps in soon.items()}
    spare = [_for_seconds(one) - load_of(one, now) for one in tight]
    waiting: dict[str, float] = {}
    for name in sorted(now, key=lambda name: (soon[name] - now[name], name)):
        added = [one.weights.get(name, 0.0) * (soon[name] - now[name]) for one in tight]
        if all(more <= left + _TINY for more, left in zip(added, spare, strict=True) if more > 0):
            spare = [left - more for left, more in zip(spare, added, strict=True)]
        else:
            waiting[name] = granted[name]
    return waiting


def _for_seconds(constraint: Constraint) -> float:
    return constraint.capacity + constraint.brief
