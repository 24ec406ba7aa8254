"""Demand response and load control (10.3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from contracts.sep2.codes import EventState
from contracts.sep2.resources import (
    DemandResponseProgram,
    DemandResponseProgramList,
    DutyCycle,
    EndDeviceControl,
    EndDeviceControlList,
    LoadShedAvailability,
    LoadShedAvailabilityList,
    Offset,
    TargetReduction,
)
from vtn_sim.sep2.devices import Told
from vtn_sim.sep2.events import Booked
from vtn_sim.sep2.function_sets.common import FunctionSet, event_fields, list_link
from vtn_sim.sep2.groups import LoadProgram, ranked
from vtn_sim.sep2.refusal import not_found
from vtn_sim.sep2.routing import Call, Posted, Route
from vtn_sim.sep2.spec import LoadControlSpec

_WATTS = 2
"""Type of a TargetReduction."""
_HUNDREDTHS = 100
_SHED = "LoadShedAvailability"
_MAX_SHEDS = 10


class LoadControlFunctionSet(FunctionSet):
    """What is wanted of loads."""

    def routes(self) -> Iterator[Route]:
        """Every path."""
        for base in ("", "edev/{device}/"):
            program = base + "drp/{program}"
            yield Route(
                pattern=base + "fsa/{fsa}/drp",
                kind="DemandResponseProgramList",
                get=self.programs,
                identified_by="fsa",
            )
            yield Route(
                pattern=program,
                kind="DemandResponseProgram",
                get=lambda call: self.program(self.base(call), self._program(call)),
            )
            yield Route(
                pattern=program + "/edc",
                kind="EndDeviceControlList",
                get=self.controls,
                identified_by="program",
            )
            yield Route(
                pattern=program + "/edc/{control}", kind="EndDeviceControl", get=self.one_control
            )
            yield Route(
                pattern=program + "/actedc",
                kind="ActiveEndDeviceControlList",
                get=self.active_controls,
                identified_by="program",
            )
        yield Route(
            pattern="edev/{device}/lsl", kind=f"{_SHED}List", get=self.sheds, post=self.add_shed
        )
        yield Route(
            pattern="edev/{device}/lsl/{shed}", kind=_SHED, get=self.shed, put=self.update_shed
        )

    def programs(self, call: Call) -> DemandResponseProgramList:
        """The programs of a group: primacy rising, then mRID falling."""
        base, fsa = self.base(call), self.fsa(call)
        return self.listed(
            DemandResponseProgramList,
            f"{self.hrefs.fsa(base, fsa.number)}/drp",
            ranked(self.utility.groups.load_programs.get(name) for name in fsa.load_programs),
            call,
            partial(self.program, base),
        )

    def _program(self, call: Call) -> LoadProgram:
        found = self.utility.groups.load_programs.numbered(call.params["program"])
        if found is None or not any(found.name in fsa.load_programs for fsa in self.fsas(call)):
            raise not_found("no such DemandResponseProgram")
        return found

    def program(self, base: str, program: LoadProgram) -> DemandResponseProgram:
        """One program."""
        href, now = self.hrefs.load_program(base, program.number), self.utility.now()
        listed = self.utility.load_controls.listed(program.name, now)
        return DemandResponseProgram(
            href=href,
            mrid=program.mrid,
            description=program.description or None,
            active_end_device_control_list_link=list_link(
                f"{href}/actedc", len(self._active(program, now))
            ),
            end_device_control_list_link=list_link(f"{href}/edc", len(listed)),
            primacy=program.primacy,
        )

    def controls(self, call: Call) -> EndDeviceControlList:
        """Scheduled, active and ended controls, as long as they are listed."""
        program = self._program(call)
        listed = self.utility.load_controls.listed(program.name, self.utility.now())
        return self._control_list(call, program, "edc", listed)

    def one_control(self, call: Call) -> EndDeviceControl:
        """One control, as long as it is listed."""
        program = self._program(call)
        for event in self.utility.load_controls.listed(program.name, self.utility.now()):
            if str(event.number) == call.params["control"]:
                return self.control(self.base(call), program, event)
        raise not_found("no such EndDeviceControl")

    def active_controls(self, call: Call) -> EndDeviceControlList:
        """Those that run."""
        program = self._program(call)
        active = self._active(program, self.utility.now())
        return self._control_list(call, program, "actedc", active)

    def _active(self, program: LoadProgram, now: datetime) -> list[Booked[LoadControlSpec]]:
        book = self.utility.load_controls
        return [
            event
            for event in book.listed(program.name, now)
            if self.utility.status(book, event, now).state is EventState.ACTIVE
        ]

    def _control_list(
        self,
        call: Call,
        program: LoadProgram,
        name: str,
        events: Sequence[Booked[LoadControlSpec]],
    ) -> EndDeviceControlList:
        base = self.base(call)
        return self.listed(
            EndDeviceControlList,
            f"{self.hrefs.load_program(base, program.number)}/{name}",
            events,
            call,
            partial(self.control, base, program),
            time_of=lambda event: event.start,
        )

    def control(
        self, base: str, program: LoadProgram, event: Booked[LoadControlSpec]
    ) -> EndDeviceControl:
        """One control with its status now."""
        spec, book = event.spec, self.utility.load_controls
        target, offset = spec.target_w, spec.offset_percent
        duty, override = spec.duty_cycle_percent, spec.override_s
        return EndDeviceControl(
            href=f"{self.hrefs.load_program(base, program.number)}/edc/{event.number}",
            reply_to=self.hrefs.responses(base, "load"),
            device_category=spec.device_category,
            dr_program_mandatory=spec.mandatory,
            duty_cycle=None if duty is None else DutyCycle(normal_value=duty),
            load_shift_forward=spec.shift_forward,
            offset=(
                None
                if offset is None
                else Offset(load_adjustment_percentage_offset=round(offset * _HUNDREDTHS))
            ),
            override_duration=None if override is None else timedelta(seconds=override),
            target_reduction=(
                None if target is None else TargetReduction(type=_WATTS, value=target)
            ),
            **event_fields(self.utility, book, event, self.utility.now()),
        )

    # --- LoadShedAvailability ------------------------------------------------------------------

    def sheds(self, call: Call) -> LoadShedAvailabilityList:
        """How much load each device says it could shed."""
        device = self.device(call)
        href = f"{self.hrefs.device(device.number)}/lsl"
        numbers = sorted(number for number, name in device.told if name == _SHED)
        return self.listed(
            LoadShedAvailabilityList,
            href,
            numbers,
            call,
            lambda number: replace(device.told[number, _SHED].resource, href=f"{href}/{number}"),
        )

    def add_shed(self, call: Call) -> Posted:
        """A new statement."""
        device, posted = self.device(call), call.read(LoadShedAvailability)
        numbers = [number for number, name in device.told if name == _SHED]
        number = len(numbers) % _MAX_SHEDS + 1
        device.told[number, _SHED] = Told(resource=posted, at=self.utility.now())
        return Posted(location=f"{self.hrefs.device(device.number)}/lsl/{number}")

    def shed(self, call: Call) -> LoadShedAvailability:
        """One statement."""
        device, number = self.device(call), self._shed_number(call)
        told = device.told[number, _SHED].resource
        href = f"{self.hrefs.device(device.number)}/lsl/{number}"
        shed: LoadShedAvailability = replace(told, href=href)  # type: ignore[assignment]
        return shed

    def update_shed(self, call: Call) -> None:
        """A changed statement."""
        device, key = self.device(call), (self._shed_number(call), _SHED)
        posted, times = call.read(LoadShedAvailability), device.told[key].times
        device.told[key] = Told(resource=posted, at=self.utility.now(), times=times + 1)

    def _shed_number(self, call: Call) -> int:
        for number, name in self.device(call).told:
            if name == _SHED and str(number) == call.params["shed"]:
                return number
        raise not_found("no such LoadShedAvailability")
