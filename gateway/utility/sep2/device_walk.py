"""One EndDevice: its function set assignments, their programs, and where its DER is described."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from contracts.sep2.resources import (
    DEFAULT_POLL_RATE,
    DefaultDERControl,
    DERControlBase,
    DERControlList,
    DERCurve,
    DERCurveList,
    DERList,
    DERProgram,
    DERProgramList,
    EndDevice,
    FunctionSetAssignments,
    FunctionSetAssignmentsList,
    Link,
    Registration,
)
from gateway.utility.sep2.curves import curve_links
from gateway.utility.sep2.trail import Found, Trail
from gateway.utility.sep2.view import DerLinks, DeviceView, ProgramView

Part = TypeVar("Part")
_Assignments = Found[FunctionSetAssignmentsList] | None
_Controls = Found[DERControlList] | None
_Default = Found[DefaultDERControl] | None
_Curves = Found[DERCurveList] | None
_MOST_SINGLE_CURVES = 60
"""Read one by one in a program: four for each kind of curve (IEEE 2030.5-2018, 10.10.4)."""


def same(known: Part, found: Part) -> Part:
    """The known object when nothing differs, so that a change shows by identity."""
    return known if known == found else found


class DeviceWalk:
    """Makes views of devices; a program that several devices share is one object."""

    def __init__(self, trail: Trail, curve_modes: frozenset[str] = frozenset()) -> None:
        """`curve_modes`: of which the curves are wanted."""
        self._trail = trail
        self._curve_modes = curve_modes
        self._programs: dict[str, ProgramView] = {}
        self._earlier: Mapping[str, ProgramView] = {}
        self.time: str | None = None
        """The Time that function set assignments name first."""

    def begin(self) -> None:
        """A walk begins."""
        self._earlier, self._programs = self._programs, {}

    def keep(self, view: DeviceView) -> None:
        """A device is as it was."""
        for program in view.programs:
            self._programs[program.href] = program

    def registration(self, device: EndDevice, base: str) -> Registration | None:
        """The Registration with the PIN, if the server offers one."""
        found = self._trail.follow(device.registration_link, Registration, base)
        return None if found is None else found.content

    def changed(self, device: EndDevice, base: str) -> None:
        """The EndDevice is not as it was: look at what hangs from it, whatever its rhythm."""
        links = (
            device.function_set_assignments_list_link,
            device.der_list_link,
            device.registration_link,
        )
        paths = (self._trail.path(link, base) for link in links)
        self._trail.tree.hint(*(path for path in paths if path is not None))

    def view(self, lfdi: str, device: EndDevice, base: str) -> DeviceView:
        """Everything that hangs from an EndDevice, as far as it has been read."""
        trail = self._trail
        path = trail.resolve(device.href, base) or base
        subscriptions = trail.path(device.subscription_list_link, base)
        if device.href is not None:
            trail.tree.look(path, EndDevice, base, later=True)
        assignments = trail.follow(
            device.function_set_assignments_list_link,
            FunctionSetAssignmentsList,
            base,
            subscriptions=subscriptions,
        )
        self.time = self.time or next(iter(self._links(assignments, lambda f: f.time_link)), None)
        return DeviceView(
            lfdi=lfdi,
            href=path,
            end_device=device,
            programs=self._programs_of(assignments, subscriptions),
            der=self._der(device.der_list_link, base),
            log_events=trail.path(device.log_event_list_link, base),
            connection_point=trail.path(device.connection_point_link, base),
            tariff_profiles=self._links(assignments, lambda f: f.tariff_profile_list_link),
            demand_response_programs=self._links(
                assignments, lambda f: f.demand_response_program_list_link
            ),
            flow_reservation_requests=trail.path(device.flow_reservation_request_list_link, base),
            flow_reservation_responses=trail.path(device.flow_reservation_response_list_link, base),
        )

    def _links(
        self, assignments: _Assignments, link_of: Callable[[FunctionSetAssignments], Link | None]
    ) -> tuple[str, ...]:
        """One kind of link of all assignments, each address once."""
        if assignments is None:
            return ()
        links = (link_of(assignment) for assignment in assignments.content.items)
        paths = (self._trail.path(link, assignments.path) for link in links)
        return tuple(dict.fromkeys(path for path in paths if path is not None))

    def _programs_of(
        self, assignments: _Assignments, subscriptions: str | None
    ) -> tuple[ProgramView, ...]:
        """Every program of every assignment once, by primacy, then mRID (CSIP P25, CORE-011)."""
        if assignments is None:
            return ()
        found: dict[str, ProgramView] = {}
        for assignment in assignments.content.items:
            listed = self._trail.follow(
                assignment.der_program_list_link,
                DERProgramList,
                assignments.path,
                subscriptions=subscriptions,
            )
            if listed is None:
                continue
            for program in listed.content.items:
                view = self._program(program, listed, subscriptions)
                if view is not None:
                    found[view.href] = view
        return tuple(sorted(found.values(), key=lambda view: view.key))

    def _program(
        self, program: DERProgram, listed: Found[DERProgramList], subscriptions: str | None
    ) -> ProgramView | None:
        """A program with all its parts; as it was, while one of them cannot be read."""
        trail, base, rate = self._trail, listed.path, listed.content.poll_rate
        path = trail.resolve(program.href, base) or f"{base}#{program.canonical_mrid}"
        known = self._programs.get(path) or self._earlier.get(path)
        unread = trail.tree.unread
        controls = trail.follow(
            program.der_control_list_link,
            DERControlList,
            base,
            rate=rate,
            subscriptions=subscriptions,
        )
        default = trail.follow(
            program.default_der_control_link,
            DefaultDERControl,
            base,
            rate=rate,
            subscriptions=subscriptions,
        )
        curves = trail.follow(program.der_curve_list_link, DERCurveList, base)
        if trail.tree.unread > unread:
            return known
        linked = self._linked(controls, default, curves)
        if trail.tree.unread > unread:
            return known
        found = ProgramView(
            href=path,
            program=program,
            controls=() if controls is None else controls.content.items,
            rejected=() if controls is None else controls.content.rejected,
            default=None if default is None else default.content,
            curves=linked,
        )
        if known is not None and curves is not None and self._news(known, found):
            trail.tree.hint(curves.path)
        self._programs[path] = found if known is None else same(known, found)
        return self._programs[path]

    def _news(self, known: ProgramView, found: ProgramView) -> bool:
        """Whether controls that follow curves have changed: the curves may have as well."""
        if (known.controls, known.default) == (found.controls, found.default):
            return False
        bases = (one.der_control_base for one in found.controls)
        default = [] if found.default is None else [found.default.der_control_base]
        return any(curve_links((*bases, *default), self._curve_modes))

    def _linked(
        self, controls: _Controls, default: _Default, listed: _Curves
    ) -> dict[str, DERCurve]:
        """Curves by href: those of the list, and those that links lead to elsewhere.

        A link that is followed nowhere, or to a curve that cannot be read, is left out.
        """
        found, spoiled = self._listed(listed)
        singles = 0
        for href, base in self._hrefs(controls, default):
            path = self._trail.resolve(href, base)
            if path is None or path in spoiled:
                continue
            if path not in found and singles < _MOST_SINGLE_CURVES:
                singles += 1
                curve = self._trail.tree.look(path, DERCurve, base)
                if curve is not None:
                    found[path] = curve
            if path in found:
                found[href] = found[path]
        return found

    def _listed(self, listed: _Curves) -> tuple[dict[str, DERCurve], frozenset[str | None]]:
        """Curves of the list by path, and where those are that cannot be read."""
        if listed is None:
            return {}, frozenset()
        resolve, base = self._trail.resolve, listed.path
        paths = ((resolve(one.href, base), one) for one in listed.content.items)
        spoiled = frozenset(resolve(one.href, base) for one in listed.content.rejected)
        return {path: curve for path, curve in paths if path is not None}, spoiled

    def _hrefs(self, controls: _Controls, default: _Default) -> Iterator[tuple[str, str]]:
        """Links to curves, and the document each is in."""
        documents: list[tuple[str, list[DERControlBase]]] = []
        if controls is not None:
            bases = [one.der_control_base for one in controls.content.items]
            documents.append((controls.path, bases))
        if default is not None:
            documents.append((default.path, [default.content.der_control_base]))
        for base, found in documents:
            yield from ((href, base) for href in curve_links(found, self._curve_modes))

    def _der(self, link: Link | None, base: str) -> DerLinks | None:
        """The first DER of the list: an EndDevice of ours stands for one."""
        listed = self._trail.follow(link, DERList, base)
        if listed is None or not listed.content.items:
            return None
        der, path = listed.content.items[0], self._trail.path
        return DerLinks(
            href=self._trail.resolve(der.href, listed.path),
            capability=path(der.der_capability_link, listed.path),
            settings=path(der.der_settings_link, listed.path),
            status=path(der.der_status_link, listed.path),
            availability=path(der.der_availability_link, listed.path),
            poll_rate=listed.content.poll_rate or DEFAULT_POLL_RATE,
        )
