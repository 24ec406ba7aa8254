"""The list of leases for people at the console, and its notices."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping

from contracts.errors import TransientError
from site_agent.domain.leases import LeaseHeld, leases
from site_agent.domain.site import SiteSnapshot
from site_agent.ports import Command


def lease_commands(seen: Callable[[], SiteSnapshot | None]) -> Mapping[str, Command]:
    """`site.leases`: one item for every device that takes setpoints; `seen`: the last cycle's."""

    async def tell(_: Mapping[str, object], /) -> AsyncGenerator[Mapping[str, object], None]:
        snapshot = seen()
        if snapshot is None:
            raise TransientError("the agent has not looked at its devices yet; ask again")
        for lease in leases(snapshot):
            yield _item(lease)

    return {"site.leases": tell}


def _item(lease: LeaseHeld) -> Mapping[str, object]:
    return {
        "device": lease.device_id,
        "nature": lease.nature.value,
        "lapse": lease.lapse.value,
        "within_s": None if lease.within is None else lease.within.total_seconds(),
        "then": lease.then,
        "cost": lease.cost,
    }
