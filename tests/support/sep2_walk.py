"""The ways of a client through a utility's tree, from its entry on."""

from __future__ import annotations

from collections.abc import Callable

from contracts.sep2.resources import (
    DERControlList,
    DERProgramList,
    DeviceCapability,
    EndDevice,
    EndDeviceList,
    FunctionSetAssignmentsList,
)
from support.sep2_world import AGGREGATOR, OTHER_AGGREGATOR, World, lfdi_of

MakeWorld = Callable[..., World]
TWO_CLIENTS = [{"name": "agg", "lfdi": AGGREGATOR}, {"name": "other", "lfdi": OTHER_AGGREGATOR}]


def devices(world: World) -> EndDeviceList:
    entry = world.get(world.utility.hrefs.entry, DeviceCapability)
    assert entry.end_device_list_link is not None
    return world.get(entry.end_device_list_link.href, EndDeviceList, "?l=255")


def device(world: World, number: int) -> EndDevice:
    return next(d for d in devices(world).items if d.lfdi == lfdi_of(number))


def programs(world: World, number: int) -> list[DERProgramList]:
    link = device(world, number).function_set_assignments_list_link
    assert link is not None
    fsas = world.get(link.href, FunctionSetAssignmentsList, "?l=15")
    links = [fsa.der_program_list_link for fsa in fsas.items]
    return [world.get(link.href, DERProgramList, "?l=15") for link in links if link]


def controls_of(world: World, name: str) -> DERControlList:
    for program in (p for listed in programs(world, 1) for p in listed.items):
        if program.primacy == world.utility.groups.programs.get(name).primacy:
            link = program.der_control_list_link
            assert link is not None
            return world.get(link.href, DERControlList, "?l=255")
    raise AssertionError(name)
