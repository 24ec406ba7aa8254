"""DERPrograms with their controls, defaults and curves, and what DERs tell (10.10)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial

from contracts.sep2.codes import CurveType, EventState
from contracts.sep2.modes import CURVE_MODES
from contracts.sep2.resources import (
    CurveData,
    DefaultDERControl,
    DERControl,
    DERControlBase,
    DERControlList,
    DERCurve,
    DERCurveList,
    DERProgram,
    DERProgramList,
    Link,
)
from vtn_sim.sep2.events import Booked
from vtn_sim.sep2.function_sets.common import FunctionSet, event_fields, list_link
from vtn_sim.sep2.groups import Curve, Program, ranked
from vtn_sim.sep2.modes import mode_value
from vtn_sim.sep2.refusal import not_found
from vtn_sim.sep2.routing import Call, Route
from vtn_sim.sep2.server_time import whole
from vtn_sim.sep2.spec import ControlSpec, ModesSpec

_HUNDREDTHS = 100
_TYPES = {kind.name.replace("_", "").lower(): kind for kind in CurveType}
CURVE_TYPES = {name: _TYPES[name.removeprefix("opMod").lower()] for name in CURVE_MODES}
"""curveType by the mode that follows such a curve."""


class DerFunctionSet(FunctionSet):
    """What is wanted of DERs. Every path exists for everybody and below each EndDevice."""

    def routes(self) -> Iterator[Route]:
        """Every path."""
        for base in ("", "edev/{device}/"):
            program = base + "derp/{program}"
            yield Route(
                pattern=base + "fsa/{fsa}/derp",
                kind="DERProgramList",
                get=self.programs,
                identified_by="fsa",
            )
            yield Route(
                pattern=program,
                kind="DERProgram",
                get=lambda call: self.program(self.base(call), self._program(call)),
                identified_by="program",
            )
            yield Route(
                pattern=program + "/derc",
                kind="DERControlList",
                get=self.controls,
                identified_by="program",
            )
            yield Route(
                pattern=program + "/derc/{control}", kind="DERControl", get=self.one_control
            )
            yield Route(
                pattern=program + "/actderc",
                kind="ActiveDERControlList",
                get=self.active_controls,
                identified_by="program",
            )
            yield Route(
                pattern=program + "/dderc",
                kind="DefaultDERControl",
                get=self.default,
                identified_by="program",
            )
            yield Route(pattern=program + "/dc", kind="DERCurveList", get=self.curves)
            yield Route(pattern=program + "/dc/{curve}", kind="DERCurve", get=self.one_curve)

    # --- programs ------------------------------------------------------------------------------

    def programs(self, call: Call) -> DERProgramList:
        """The programs of a group: primacy rising, then mRID falling."""
        base, fsa = self.base(call), self.fsa(call)
        return self.listed(
            DERProgramList,
            f"{self.hrefs.fsa(base, fsa.number)}/derp",
            ranked(self.utility.groups.programs.get(name) for name in fsa.programs),
            call,
            partial(self.program, base),
        )

    def _program(self, call: Call) -> Program:
        found = self.utility.groups.programs.numbered(call.params["program"])
        if found is None or not any(found.name in fsa.programs for fsa in self.fsas(call)):
            raise not_found("no such DERProgram")
        return found

    def program(self, base: str, program: Program) -> DERProgram:
        """One program."""
        href, now = self.hrefs.program(base, program.number), self.utility.now()
        default = None if program.default is None else Link(href=f"{href}/dderc")
        curves = list_link(f"{href}/dc", len(program.curves)) if program.curves else None
        return DERProgram(
            href=href,
            subscribable=1,
            mrid=program.mrid,
            description=program.description or None,
            active_der_control_list_link=list_link(
                f"{href}/actderc", len(self._active(program, now))
            ),
            default_der_control_link=default,
            der_control_list_link=list_link(
                f"{href}/derc", len(self.utility.controls.listed(program.name, now))
            ),
            der_curve_list_link=curves,
            primacy=program.primacy,
        )

    # --- controls ------------------------------------------------------------------------------

    def controls(self, call: Call) -> DERControlList:
        """Scheduled, active and ended controls, as long as they are listed."""
        program = self._program(call)
        listed = self.utility.controls.listed(program.name, self.utility.now())
        return self._control_list(call, program, "derc", "DERControlList", listed)

    def active_controls(self, call: Call) -> DERControlList:
        """Those that run."""
        program = self._program(call)
        active = self._active(program, self.utility.now())
        return self._control_list(call, program, "actderc", "ActiveDERControlList", active)

    def _active(self, program: Program, now: datetime) -> list[Booked[ControlSpec]]:
        wanted = {EventState.ACTIVE}
        if self.utility.habits.active_lists_superseded:
            wanted.add(EventState.SUPERSEDED)
        book = self.utility.controls
        return [
            event
            for event in book.listed(program.name, now)
            if self.utility.status(book, event, now).state in wanted
        ]

    def _control_list(
        self,
        call: Call,
        program: Program,
        name: str,
        kind: str,
        events: Sequence[Booked[ControlSpec]],
    ) -> DERControlList:
        base = self.base(call)
        return self.listed(
            DERControlList,
            f"{self.hrefs.program(base, program.number)}/{name}",
            events,
            call,
            partial(self.control, base, program),
            kind=kind,
            time_of=lambda event: event.start,
        )

    def one_control(self, call: Call) -> DERControl:
        """One control, as long as it is listed."""
        program = self._program(call)
        for event in self.utility.controls.listed(program.name, self.utility.now()):
            if str(event.number) == call.params["control"]:
                return self.control(self.base(call), program, event)
        raise not_found("no such DERControl")

    def control(self, base: str, program: Program, event: Booked[ControlSpec]) -> DERControl:
        """One control with its status now."""
        href = self.hrefs.program(base, program.number)
        return DERControl(
            href=f"{href}/derc/{event.number}",
            reply_to=self.hrefs.responses(base, "der"),
            der_control_base=self._control_base(href, program, event.spec),
            device_category=event.spec.device_category,
            **event_fields(self.utility, self.utility.controls, event, self.utility.now()),
        )

    def _control_base(self, href: str, program: Program, spec: ModesSpec) -> DERControlBase:
        def curve_href(name: str) -> str:
            return f"{href}/dc/{program.curve(name).number}"

        return DERControlBase(
            modes={name: mode_value(name, mode, curve_href) for name, mode in spec.modes.items()},
            ramp_tms=_seconds(spec.ramp_s),
        )

    def default(self, call: Call) -> DefaultDERControl:
        """What holds while no control sets a mode."""
        program = self._program(call)
        spec = program.default
        if spec is None:
            raise not_found("no DefaultDERControl")
        href = self.hrefs.program(self.base(call), program.number)
        return DefaultDERControl(
            href=f"{href}/dderc",
            subscribable=1,
            mrid=program.default_mrid,
            version=program.default_version,
            der_control_base=self._control_base(href, program, spec),
            set_es_delay=_seconds(spec.es_delay_s),
            set_es_high_freq=_hundredths(spec.es_high_freq_hz),
            set_es_high_volt=_hundredths(spec.es_high_volt_percent),
            set_es_low_freq=_hundredths(spec.es_low_freq_hz),
            set_es_low_volt=_hundredths(spec.es_low_volt_percent),
            set_grad_w=_hundredths(spec.grad_w_percent_per_s),
            set_soft_grad_w=_hundredths(spec.soft_grad_w_percent_per_s),
        )

    # --- curves --------------------------------------------------------------------------------

    def curves(self, call: Call) -> DERCurveList:
        """The curves of a program: creation falling, then mRID falling."""
        program = self._program(call)
        href = f"{self.hrefs.program(self.base(call), program.number)}/dc"
        curves = sorted(program.curves, key=lambda c: (c.created_at, c.mrid), reverse=True)
        return self.listed(DERCurveList, href, curves, call, partial(_curve, href))

    def one_curve(self, call: Call) -> DERCurve:
        """One curve."""
        program = self._program(call)
        href = f"{self.hrefs.program(self.base(call), program.number)}/dc"
        for curve in program.curves:
            if str(curve.number) == call.params["curve"]:
                return _curve(href, curve)
        raise not_found("no such DERCurve")


def _curve(href: str, curve: Curve) -> DERCurve:
    spec = curve.spec
    return DERCurve(
        href=f"{href}/{curve.number}",
        mrid=curve.mrid,
        description=spec.name[:32],
        creation_time=whole(curve.created_at),
        curve_data=tuple(CurveData(x_value=x, y_value=y) for x, y in spec.points),
        curve_type=CURVE_TYPES[spec.mode],
        open_loop_tms=_seconds(spec.open_loop_s),
        x_multiplier=spec.x_multiplier,
        y_multiplier=spec.y_multiplier,
        y_ref_type=spec.y_ref,
    )


def _seconds(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


def _hundredths(number: float | None) -> int | None:
    return None if number is None else round(number * _HUNDREDTHS)
