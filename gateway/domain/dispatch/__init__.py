"""Split what a utility asks over the sites: see docs/explanation/how-a-request-is-split.md."""

from gateway.domain.dispatch.fill import water_fill
from gateway.domain.dispatch.plan import AllocatedStep, DispatchPlan, SiteAllocation, effective
from gateway.domain.dispatch.split import plan

__all__ = [
    "AllocatedStep",
    "DispatchPlan",
    "SiteAllocation",
    "effective",
    "plan",
    "water_fill",
]
