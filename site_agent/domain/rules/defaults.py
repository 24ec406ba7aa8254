"""The rules of a site that has written none, and the order in which everything counts.

The hierarchy, the strongest first. What stands higher is never given up for what stands lower:

1. **critical loads**: in an island, what `island.critical` names (`domain.grid`);
2. **safety and minimums**: fuses, contract, the network operator; 0 or at least 6 A a phase;
3. **readiness**: least laxity first, and when not all can be ready, rank, then departure;
4. **events** of utilities: limits that bind like any other, and what a plan gives beside them;
5. **cost**: a plan or these rules;
6. **PV and battery**: what is left of the sun goes into the battery.

1 to 4 do not come from here: rules are wishes, and `decide.control` grants them inside the rest.
"""

from __future__ import annotations

from site_agent.domain.price import Level
from site_agent.domain.rules.rule import Rule, StorageDo, StorageWish, Then, VehicleWish, When

_SPARE_H = 3.0
"""Vehicles with more spare time wait for a cheaper hour."""
_SURPLUS_W = 500.0

DEFAULT_RULES: tuple[Rule, ...] = (
    Rule(
        name="charge the battery from surplus PV",
        when=When(surplus_above_w=_SURPLUS_W),
        then=Then(battery=StorageWish(do=StorageDo.STORE)),
    ),
    Rule(
        name="discharge in the peak period",
        when=When(price=Level.HIGH),
        then=Then(battery=StorageWish(do=StorageDo.DISCHARGE)),
    ),
    Rule(
        name="vehicles wait out the peak period",
        when=When(price=Level.HIGH, spare_above_h=_SPARE_H),
        then=Then(vehicles=VehicleWish(most_w=0.0)),
    ),
    Rule(
        name="charge off-peak",
        when=When(price=Level.LOW),
        then=Then(battery=StorageWish(do=StorageDo.CHARGE), vehicles=VehicleWish(most_w=None)),
    ),
    Rule(
        name="in between, the battery takes nothing from the grid",
        when=When(price=Level.MIDDLE),
        then=Then(battery=StorageWish(do=StorageDo.STORE)),
    ),
)
