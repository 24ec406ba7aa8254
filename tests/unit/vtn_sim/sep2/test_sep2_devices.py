"""Devices in the tree: who may see them, register them and show that they live."""

from __future__ import annotations

import pytest

from contracts.identity import sfdi
from contracts.sep2.resources import ConnectionPoint, EndDevice, EndDeviceList, Registration
from contracts.testing import FakeClock
from support.sep2_walk import TWO_CLIENTS, MakeWorld, device, devices
from support.sep2_world import AGGREGATOR, OTHER_AGGREGATOR, SETTINGS, World, lfdi_of


def test_an_aggregator_sees_itself_and_its_devices_by_change_and_sfdi(world: World) -> None:
    listed = devices(world)
    assert listed.all == listed.results == 3
    assert [d.sfdi for d in listed.items] == sorted(d.sfdi or 0 for d in listed.items)
    own = next(d for d in listed.items if d.lfdi == AGGREGATOR)
    assert own.subscription_list_link
    assert own.function_set_assignments_list_link is None
    assert device(world, 1).der_list_link
    assert device(world, 1).subscription_list_link is None


async def test_a_changed_device_comes_first(world: World, clock: FakeClock) -> None:
    await clock.advance(5)
    world.act("set-pin", device="one", pin=999_999)
    assert devices(world).items[0].lfdi == lfdi_of(1)


def test_pins_are_in_the_registration(world: World) -> None:
    link = device(world, 2).registration_link
    assert link
    assert world.get(link.href, Registration).pin == 222_222


def test_another_clients_devices_do_not_exist(make_world: MakeWorld) -> None:
    world = make_world(
        aggregators=TWO_CLIENTS,
        devices=[
            {"lfdi": lfdi_of(1), "label": "one", "fsas": ["wide"]},
            {"lfdi": lfdi_of(2), "label": "two", "aggregator": "other", "fsas": ["narrow"]},
        ],
    )
    other = world.client_of(OTHER_AGGREGATOR)
    assert {d.lfdi for d in devices(world).items} == {AGGREGATOR, lfdi_of(1)}

    mine = device(world, 1).href or ""
    assert world.status("GET", mine, client=other) == 404
    assert world.status("PUT", mine + "/der/1/ders", client=other) == 404
    assert world.status("POST", mine + "/lel", client=other) == 404
    theirs = world.utility.hrefs.program(world.utility.hrefs.prefix, 2)
    assert world.status("GET", theirs) == 404
    assert world.status("GET", theirs, client=other) == 200


def test_a_device_with_a_certificate_of_its_own_sees_itself_alone(make_world: MakeWorld) -> None:
    devices = [{"lfdi": lfdi_of(7), "direct": True, "fsas": ["narrow"]}]
    world = make_world(devices=devices)
    own = world.client_of(lfdi_of(7))
    listed = world.get(world.utility.hrefs.devices, EndDeviceList, "?l=9", client=own)
    assert [d.lfdi for d in listed.items] == [lfdi_of(7)]
    assert listed.items[0].subscription_list_link
    assert world.utility.devices.client(lfdi_of(8)) is None


def test_in_band_registration(make_world: MakeWorld) -> None:
    unlisted = {"lfdi": lfdi_of(3), "label": "three", "registered": False}
    world = make_world(devices=[*SETTINGS["devices"], unlisted])
    listed = world.utility.hrefs.devices
    new = EndDevice(lfdi=lfdi_of(3), sfdi=sfdi(lfdi_of(3)), changed_time=world.utility.now())
    assert lfdi_of(3) not in {d.lfdi for d in devices(world).items}

    location = world.post(listed, new)
    assert world.get(location, EndDevice).lfdi == lfdi_of(3)
    assert lfdi_of(3) in {d.lfdi for d in devices(world).items}
    assert ("EndDeviceList", "") in world.topics
    assert world.status("POST", listed, new) == 409


@pytest.mark.parametrize(("in_band", "wanted"), [("off", 403), ("known", 403), ("any", 201)])
def test_who_may_register_an_unknown_device(
    make_world: MakeWorld, in_band: str, wanted: int
) -> None:
    world = make_world(in_band=in_band, in_band_fsas=["wide"])
    new = EndDevice(lfdi=lfdi_of(9), sfdi=sfdi(lfdi_of(9)), changed_time=world.utility.now())
    assert world.status("POST", world.utility.hrefs.devices, new) == wanted
    if wanted == 201:
        assert device(world, 9).function_set_assignments_list_link


def test_an_sfdi_that_does_not_fit_is_refused(make_world: MakeWorld) -> None:
    world = make_world(in_band="any")
    new = EndDevice(lfdi=lfdi_of(9), sfdi=sfdi(lfdi_of(8)), changed_time=world.utility.now())
    assert world.status("POST", world.utility.hrefs.devices, new) == 400


def test_another_clients_device_cannot_be_registered(make_world: MakeWorld) -> None:
    theirs = {"lfdi": lfdi_of(3), "aggregator": "other", "registered": False}
    world = make_world(aggregators=TWO_CLIENTS, devices=[theirs])
    new = EndDevice(lfdi=lfdi_of(3), sfdi=sfdi(lfdi_of(3)), changed_time=world.utility.now())
    assert world.status("POST", world.utility.hrefs.devices, new) == 403


async def test_a_device_shows_that_it_lives_by_put(world: World, clock: FakeClock) -> None:
    await clock.advance(60)
    one = device(world, 1)
    changed = EndDevice(
        lfdi=one.lfdi, sfdi=one.sfdi, changed_time=one.changed_time, device_category=512
    )
    assert world.status("PUT", one.href or "", changed) == 204
    assert device(world, 1).device_category == 512
    assert device(world, 1).changed_time == world.utility.now()


def test_a_deleted_device_is_gone_and_told(world: World) -> None:
    href = device(world, 1).href or ""
    world.act("delete-device", device="one")
    assert world.status("GET", href) == 404
    assert len(devices(world).items) == 2
    assert ("EndDeviceList", "") in world.topics


def test_the_connection_point_is_australian(world: World, make_world: MakeWorld) -> None:
    link = device(world, 1).connection_point_link
    assert link
    assert world.status("GET", link.href) == 404
    assert world.status("PUT", link.href, ConnectionPoint(connection_point_id="NMI1")) == 204
    assert world.get(link.href, ConnectionPoint).connection_point_id == "NMI1"
    plain = make_world(csipaus=None, programs=[], fsas=[], devices=[{"lfdi": lfdi_of(1)}])
    assert device(plain, 1).connection_point_link is None
