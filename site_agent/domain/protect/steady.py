"""Keep limits that are near enough, so that noise does not become traffic and worn flash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from site_agent.domain.decide.allocate import Constraint, load_of

_TINY = 1e-6


def keep_steady(
    targets: Mapping[str, float],
    in_force: Mapping[str, float],
    constraints: Sequence[Constraint],
    deadband_a: float,
    allowance: float,
) -> dict[str, float]:
    """Limits in A: what is in force where the target is within `deadband_a` of it, else the target.

    Every constraint still holds: where limits kept above their targets would break one, the
    largest excess gives way first. `allowance` (in the units of the first constraint, W) is
    how much less than the targets may be used in all; beyond it the largest gaps close, and where
    that does not help the targets are taken as they are. They must satisfy the constraints.
    """
    chosen = {
        name: in_force[name]
        if name in in_force and _near(target, in_force[name], deadband_a)
        else target
        for name, target in targets.items()
    }
    loads = _Loads(constraints, chosen)
    for name in sorted(chosen, key=lambda n: (targets[n] - chosen[n], n)):
        if chosen[name] > targets[name] and loads.exceeded_by(name):
            loads.move(name, targets[name])
    for name in sorted(chosen, key=lambda n: (chosen[n] - targets[n], n)):
        if loads.unused(targets) <= allowance:
            break
        if loads.fits(name, targets[name]):
            loads.move(name, targets[name])
    return loads.chosen if loads.unused(targets) <= allowance + _TINY else dict(targets)


def _near(target: float, present: float, deadband_a: float) -> bool:
    if target == 0 or present == 0:
        return target == present
    return abs(target - present) < deadband_a


class _Loads:
    """Loads of all constraints while single limits move."""

    def __init__(self, constraints: Sequence[Constraint], chosen: dict[str, float]) -> None:
        self.chosen = chosen
        self._limits = [constraint.capacity for constraint in constraints]
        self._loads = [load_of(constraint, chosen) for constraint in constraints]
        self._first = constraints[0].weights if constraints else {}
        self._on: dict[str, list[tuple[int, float]]] = {}
        """By charger: the constraints it loads, and with which weight."""
        for number, constraint in enumerate(constraints):
            for name, weight in constraint.weights.items():
                self._on.setdefault(name, []).append((number, weight))

    def exceeded_by(self, name: str) -> bool:
        """Whether a constraint that this charger loads is broken."""
        return any(
            self._loads[number] > max(0.0, self._limits[number]) + _TINY
            for number, _ in self._on.get(name, ())
        )

    def fits(self, name: str, limit_a: float) -> bool:
        """Whether moving this charger breaks nothing."""
        change = limit_a - self.chosen[name]
        return all(
            self._loads[number] + weight * change <= self._limits[number] + _TINY
            for number, weight in self._on.get(name, ())
        )

    def move(self, name: str, limit_a: float) -> None:
        """Change one limit."""
        change = limit_a - self.chosen[name]
        self.chosen[name] = limit_a
        for number, weight in self._on.get(name, ()):
            self._loads[number] += weight * change

    def unused(self, targets: Mapping[str, float]) -> float:
        """How much less than the targets is used in all, in units of the first constraint."""
        return sum(
            self._first.get(name, 0.0) * (targets[name] - limit)
            for name, limit in self.chosen.items()
        )
