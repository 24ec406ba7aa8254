"""Curves behind the links of controls, and what reading them costs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contracts.sep2.resources import (
    CurveData,
    CurveLink,
    DERControl,
    DERControlBase,
    DERCurve,
    DERCurveList,
    DERProgramList,
    ListLink,
)
from support.sep2_finder import Finder, finder
from support.sep2_tree_server import NOW, Fleet, control, lfdi, settings


@pytest.mark.row("csip-test:CORE-012")
async def test_curves_are_found_by_href() -> None:
    found = finder(1)
    programs = found.fleet.resources["/edev/1/fsa/1/derp"]
    assert isinstance(programs, DERProgramList)
    first = replace(programs.items[0], der_curve_list_link=ListLink(href="/dc", all=1))
    found.fleet.change("/edev/1/fsa/1/derp", items=(first, *programs.items[1:]))
    curve = DERCurve(
        href="/dc/1",
        mrid="AB",
        creation_time=NOW,
        curve_type=11,
        curve_data=tuple(CurveData(x_value=n, y_value=n) for n in range(10)),
        x_multiplier=0,
        y_multiplier=0,
        y_ref_type=1,
    )
    found.fleet.resources["/dc"] = DERCurveList(items=(curve,))
    view = await found.settle()
    curves = {p.href: p.curves for p in view.devices[lfdi(1)].programs}
    assert list(curves["/prog/system"]) == ["/dc/1"]
    assert len(curves["/prog/system"]["/dc/1"].curve_data) == 10
    found.fleet.resources["/dc"] = DERCurveList(items=())
    view = await found.after(910)
    assert view.devices[lfdi(1)].programs[-1].curves == {}


async def test_curves_that_cannot_be_read_do_not_hold_up_the_rest() -> None:
    found = finder(1)
    programs = found.fleet.resources["/edev/1/fsa/1/derp"]
    assert isinstance(programs, DERProgramList)
    first = replace(programs.items[0], der_curve_list_link=ListLink(href="/dc", all=1))
    found.fleet.change("/edev/1/fsa/1/derp", items=(first, *programs.items[1:]))
    found.fleet.status["/dc"] = 500
    await found.settle()
    for _ in range(3):
        await found.after(60)
    assert len(found.programs(1)) == 3


def volt_var(path: str, percent: int = 44) -> DERCurve:
    return DERCurve(
        href=path,
        mrid="AB",
        creation_time=NOW,
        curve_type=11,
        curve_data=(
            CurveData(x_value=92, y_value=percent),
            CurveData(x_value=108, y_value=-percent),
        ),
        x_multiplier=0,
        y_multiplier=0,
        y_ref_type=2,
    )


SYSTEM = "/prog/system/derc"


def curving(count: int = 2, *, listed_at: str | None = "/dc", link: str = "/dc/1") -> Finder:
    """A fleet whose inverters follow curves, with a control in the program of all that does."""
    found = Finder(Fleet(count, shared=True), settings(count))
    devices = [
        one.model_copy(update={"inverter_modes": ("opModVoltVar",)})
        for one in settings(count).devices
    ]
    found = Finder(found.fleet, settings(count, devices=devices))
    for path in [one for one in found.fleet.resources if one.startswith("/derp/")]:
        programs = found.fleet.resources[path]
        assert isinstance(programs, DERProgramList)
        place = None if listed_at is None else ListLink(href=listed_at, all=1)
        first = replace(programs.items[0], der_curve_list_link=place)
        found.fleet.change(path, items=(first, *programs.items[1:]))
    found.fleet.change(SYSTEM, items=(follows(1, link),))
    if listed_at is not None:
        found.fleet.resources[listed_at] = DERCurveList(items=(volt_var(f"{listed_at}/1"),))
    return found


def follows(number: int, link: str) -> DERControl:
    base = DERControlBase(modes={"opModVoltVar": CurveLink(href=link)})
    return control(f"{SYSTEM}/{number}", number, der_control_base=base)


def shown(found: Finder, number: int = 1, link: str = "/dc/1") -> DERCurve | None:
    """The curve behind a link of the program of all."""
    views = {p.href: p for p in found.view.devices[lfdi(number)].programs}
    return views["/prog/system"].curves.get(link)


@pytest.mark.row("sep2:22")
async def test_a_list_of_curves_is_read_once_for_all_and_an_unchanged_poll_reads_nothing_new() -> (
    None
):
    found = curving(40)
    view = await found.settle()
    assert shown(found, 40) == volt_var("/dc/1")
    assert (found.fleet.asked["/dc"], found.fleet.asked["/dc/1"]) == (1, 0)
    before = found.fleet.requests
    assert await found.after(305) is view
    assert found.fleet.asked["/dc"] == 1
    without = Finder(Fleet(40, shared=True), settings(40))
    await without.settle()
    before_without = without.fleet.requests
    await without.after(305)
    assert found.fleet.requests - before == without.fleet.requests - before_without


@pytest.mark.row("sep2:22")
@pytest.mark.parametrize(
    "link", ["/curves/7", "../../curves/7", "https://utility.example/curves/7"]
)
async def test_a_curve_outside_the_list_is_read_by_its_link(link: str) -> None:
    found = curving(link=link)
    found.fleet.resources["/curves/7"] = volt_var("/curves/7", 30)
    await found.settle()
    assert shown(found, link=link) == volt_var("/curves/7", 30)
    assert found.fleet.asked["/curves/7"] == 1
    found.fleet.resources["/curves/7"] = volt_var("/curves/7", 20)
    await found.after(910)
    assert shown(found, 2, link) == volt_var("/curves/7", 20)


async def test_without_a_list_curves_are_read_by_their_links() -> None:
    found = curving(listed_at=None)
    found.fleet.resources["/dc/1"] = volt_var("/dc/1")
    await found.settle()
    assert shown(found) == volt_var("/dc/1")


async def test_no_curve_is_read_for_devices_that_follow_none() -> None:
    found = Finder(Fleet(2, shared=True), settings(2))
    found.fleet.change(SYSTEM, items=(follows(1, "/dc/1"),))
    found.fleet.resources["/dc/1"] = volt_var("/dc/1")
    await found.settle()
    assert found.fleet.asked["/dc/1"] == 0


async def test_a_changed_curve_is_seen_at_the_pace_of_the_list() -> None:
    found = curving()
    await found.settle()
    found.fleet.resources["/dc"] = DERCurveList(items=(volt_var("/dc/1", 20),))
    await found.after(305)
    assert shown(found) == volt_var("/dc/1")
    await found.after(610)
    assert shown(found) == volt_var("/dc/1", 20)


async def test_a_new_control_that_follows_a_curve_has_the_curves_looked_at_again() -> None:
    found = curving()
    await found.settle()
    found.fleet.resources["/dc"] = DERCurveList(items=(volt_var("/dc/1", 20),))
    found.fleet.change(SYSTEM, items=(follows(1, "/dc/1"), follows(2, "/dc/1")))
    await found.after(305)
    await found.after(2)
    assert shown(found) == volt_var("/dc/1", 20)
    assert found.fleet.asked["/dc"] == 2
    await found.after(2)
    assert found.fleet.asked["/dc"] == 2


@pytest.mark.row("sep2:22")
@pytest.mark.parametrize("fault", ["nothing", "elsewhere", "spoiled", "broken"])
async def test_a_curve_that_cannot_be_read_is_left_out_and_holds_nothing_up(fault: str) -> None:
    link = "https://evil.example/dc/9" if fault == "elsewhere" else "/dc/9"
    found = curving(link=link)
    if fault == "spoiled":
        spoiled = replace(volt_var("/dc/9"), curve_type=99)
        found.fleet.resources["/dc"] = DERCurveList(items=(volt_var("/dc/1"), spoiled))
        found.fleet.garbles["/dc"] = b"<curveType>99<", b"<curveType>x<"
    if fault == "broken":
        found.fleet.status["/dc/9"] = 500
    await found.settle()
    for _ in range(3):
        await found.after(60)
    assert len(found.programs(1)) == 3
    assert shown(found, link=link) is None
    assert shown(found) == volt_var("/dc/1")
    assert found.fleet.asked["/dc/9"] == {"nothing": 1, "broken": 4}.get(fault, 0)


async def test_at_most_sixty_curves_of_a_program_are_read_one_by_one() -> None:
    found = curving()
    found.fleet.change(SYSTEM, items=tuple(follows(n, f"/x/{n}") for n in range(1, 201)))
    await found.settle()
    assert sum(found.fleet.asked[f"/x/{n}"] for n in range(1, 201)) == 60
