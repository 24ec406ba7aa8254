"""What each DER tells about itself (10.10.3): the client PUTs it, anyone may read it back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from contracts.sep2.resources import (
    DER,
    DERAvailability,
    DERCapability,
    DERList,
    DERSettings,
    DERStatus,
    Link,
    Resource,
)
from vtn_sim.sep2.devices import Device, Told
from vtn_sim.sep2.function_sets.common import FunctionSet
from vtn_sim.sep2.refusal import bad_request, not_found
from vtn_sim.sep2.routing import Call, Route

INFO: dict[str, type[Resource]] = {
    "dercap": DERCapability,
    "derg": DERSettings,
    "ders": DERStatus,
    "dera": DERAvailability,
}


class DerInfoFunctionSet(FunctionSet):
    """Four resources of every DER."""

    def routes(self) -> Iterator[Route]:
        """Every path."""
        yield Route(pattern="edev/{device}/der", kind="DERList", get=self.ders)
        yield Route(pattern="edev/{device}/der/{der}", kind="DER", get=self.one_der)
        for name, cls in INFO.items():
            yield Route(
                pattern=f"edev/{{device}}/der/{{der}}/{name}",
                kind=cls.__name__,
                get=partial(self.info, name, cls),
                put=partial(self.tell, cls),
            )

    def ders(self, call: Call) -> DERList:
        """The DERs of an EndDevice."""
        device = self.device(call)
        numbers = range(1, device.ders + 1)
        href = f"{self.hrefs.device(device.number)}/der"
        return self.listed(DERList, href, numbers, call, partial(self._der, device))

    def one_der(self, call: Call) -> DER:
        """One DER."""
        return self._der(self.device(call), self._number(call))

    def _der(self, device: Device, number: int) -> DER:
        href = self.hrefs.der(device.number, number)
        return DER(
            href=href,
            der_availability_link=Link(href=f"{href}/dera"),
            der_capability_link=Link(href=f"{href}/dercap"),
            der_settings_link=Link(href=f"{href}/derg"),
            der_status_link=Link(href=f"{href}/ders"),
        )

    def _number(self, call: Call) -> int:
        text = call.params["der"]
        if text not in map(str, range(1, self.device(call).ders + 1)):
            raise not_found("no such DER")
        return int(text)

    def info(self, name: str, cls: type[Resource], call: Call) -> Resource:
        """What was told last."""
        device, number = self.device(call), self._number(call)
        told = device.told.get((number, cls.__name__))
        if told is None:
            raise not_found(f"no {cls.__name__} yet")
        return replace(told.resource, href=f"{self.hrefs.der(device.number, number)}/{name}")

    def tell(self, cls: type[Resource], call: Call) -> None:
        """Take it."""
        device, key = self.device(call), (self._number(call), cls.__name__)
        posted = call.read(cls)
        silent = isinstance(posted, DERCapability) and posted.doe_modes_supported is None
        if silent and self.utility.habits.require_doe_modes:
            raise bad_request("doeModesSupported is missing")
        times = device.told[key].times + 1 if key in device.told else 1
        device.told[key] = Told(resource=posted, at=self.utility.now(), times=times)
