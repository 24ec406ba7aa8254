"""FunctionSetAssignments: the groups of an EndDevice and where they lead (8.6, CSIP P23)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from contracts.sep2.resources import FunctionSetAssignments, FunctionSetAssignmentsList, Link
from vtn_sim.sep2.devices import Device
from vtn_sim.sep2.function_sets.common import FunctionSet, list_link
from vtn_sim.sep2.groups import Fsa
from vtn_sim.sep2.hrefs import RESPONSE_SETS
from vtn_sim.sep2.routing import Call, Route


class AssignmentsFunctionSet(FunctionSet):
    """Up to 15 groups of every EndDevice."""

    def routes(self) -> Iterator[Route]:
        """Every path."""
        yield Route(
            pattern="edev/{device}/fsa",
            kind="FunctionSetAssignmentsList",
            get=self.assignments,
            identified_by="device",
        )
        yield Route(
            pattern="edev/{device}/fsa/{fsa}",
            kind="FunctionSetAssignments",
            get=lambda call: self.assignment(self.device(call), self.fsa(call)),
        )

    def assignments(self, call: Call) -> FunctionSetAssignmentsList:
        """The groups of a device: mRID falling."""
        device = self.device(call)
        groups = [self.utility.groups.fsas.get(name) for name in device.fsas]
        return self.listed(
            FunctionSetAssignmentsList,
            f"{self.hrefs.device(device.number)}/fsa",
            sorted(groups, key=lambda fsa: fsa.mrid.upper(), reverse=True),
            call,
            partial(self.assignment, device),
        )

    def assignment(self, device: Device, fsa: Fsa) -> FunctionSetAssignments:
        """One group: links to what all its devices share, unless each has its own addresses."""
        own = self.hrefs.device(device.number)
        base = own if self.utility.habits.per_device_hrefs else self.hrefs.prefix
        href = self.hrefs.fsa(base, fsa.number)
        programs = list_link(f"{href}/derp", len(fsa.programs)) if fsa.programs else None
        loads = list_link(f"{href}/drp", len(fsa.load_programs)) if fsa.load_programs else None
        return FunctionSetAssignments(
            href=f"{own}/fsa/{fsa.number}",
            demand_response_program_list_link=loads,
            der_program_list_link=programs,
            response_set_list_link=list_link(f"{base}/rsps", len(RESPONSE_SETS)),
            tariff_profile_list_link=(
                list_link(f"{href}/tp", len(fsa.tariffs)) if fsa.tariffs else None
            ),
            time_link=Link(href=self.hrefs.time),
            mrid=fsa.mrid,
            description=fsa.description or None,
        )
