from __future__ import annotations

import httpx
import pytest

from contracts.errors import LinkDownError
from contracts.identity import sfdi
from contracts.sep2.resources import EndDevice, Registration, Resource
from contracts.testing import FakeClock
from gateway.utility.sep2.discovery import Discovery
from gateway.utility.sep2.registration import AGAIN_S, pin_fault
from support.sep2_tree_server import NOW, OWN_LFDI, Fleet, lfdi, settings


class Office:
    """A server that knows the first `known` of three devices."""

    def __init__(self, known: int = 1, *, in_band: bool = True) -> None:
        self.clock = FakeClock()
        self.fleet = Fleet(known)
        self.fleet.clock = self.clock
        of = settings(3, in_band=in_band)
        self.discovery = Discovery(of, self.fleet.transport(of), self.clock, OWN_LFDI)

    async def settle(self) -> set[str]:
        for _ in range(2):
            while await self.discovery.step():
                pass
            await self.clock.advance(1.1)  # no resource is read twice within a second
        return set(self.discovery.view.devices)

    @property
    def offered(self) -> list[str]:
        return [str(one.lfdi) for _, one in self.fleet.posted if isinstance(one, EndDevice)]


@pytest.mark.row("sep2:6")
async def test_in_band_what_is_not_listed_is_posted_once() -> None:
    office = Office()
    assert await office.settle() == {lfdi(1), lfdi(2), lfdi(3)}
    assert office.offered == [lfdi(2), lfdi(3)]
    path, resource = office.fleet.posted[0]
    assert path == "/edev"
    assert isinstance(resource, EndDevice)
    assert resource.sfdi == sfdi(lfdi(2))
    for _ in range(30):
        await office.clock.advance(3600)
        await office.settle()
    assert len(office.offered) == 2


@pytest.mark.row("sep2:6")
async def test_out_of_band_nothing_is_posted_and_the_utility_is_waited_for() -> None:
    office = Office(in_band=False)
    assert await office.settle() == {lfdi(1)}
    assert office.fleet.posted == []
    assert "2 not listed by the server" in office.discovery.detail
    office.fleet.add("/edev", EndDevice(lfdi=lfdi(2), sfdi=sfdi(lfdi(2)), changed_time=NOW))
    await office.clock.advance(905)
    assert await office.settle() == {lfdi(1), lfdi(2)}


@pytest.mark.row("sep2:6")
async def test_a_conflict_means_look_it_up_in_the_list() -> None:
    office = Office()

    def conflict(path: str, resource: Resource) -> httpx.Response:
        office.fleet.add(path, resource)  # another of ours was quicker
        return httpx.Response(409)

    office.fleet.on_post = conflict
    assert await office.settle() == {lfdi(1), lfdi(2), lfdi(3)}
    assert len(office.offered) == 2


@pytest.mark.row("sep2:6")
@pytest.mark.parametrize("status", [400, 403, 404, 409])
async def test_a_refusal_is_not_argued_with(status: int) -> None:
    office = Office()
    office.fleet.on_post = lambda _path, _resource: httpx.Response(status)
    assert await office.settle() == {lfdi(1)}
    for _ in range(55):
        await office.clock.advance(60)
        await office.settle()
    assert len(office.offered) == 2
    await office.clock.advance(AGAIN_S)
    await office.settle()
    assert len(office.offered) == 4, "asked again after an hour"


async def test_without_an_answer_the_list_decides() -> None:
    office = Office()

    def lost(path: str, resource: Resource) -> httpx.Response:
        office.fleet.add(path, resource)
        raise httpx.ReadError("the answer is lost")

    office.fleet.on_post = lost
    with pytest.raises(LinkDownError):
        await office.settle()
    with pytest.raises(LinkDownError):
        await office.settle()
    assert await office.settle() == {lfdi(1), lfdi(2), lfdi(3)}
    assert office.offered == [lfdi(2), lfdi(3)], "each once"


@pytest.mark.row("sep2:7", "csip-test:BASIC-001")
def test_pins_are_compared() -> None:
    assert pin_fault(111115, None) is None
    assert pin_fault(111115, Registration(pin=111115)) is None
    fault = pin_fault(111115, Registration(pin=111110))
    assert fault is not None
    assert "1111" not in fault, "a PIN is nobody else's business"
