"""Does what the utility is told to do (`actions`)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from contracts.errors import PermanentError
from contracts.sep2.codes import NotificationStatus
from vtn_sim.scenario import whole_second
from vtn_sim.sep2.actions import (
    Action,
    AddControl,
    AddDevice,
    AddFault,
    AddFsa,
    AddLoadControl,
    AddProgram,
    CancelEvent,
    ClearFaults,
    DeleteDevice,
    EndSubscriptions,
    ForgetMirrors,
    GrantFlow,
    MoveDevice,
    Notify,
    SetCurve,
    SetDefault,
    SetHabits,
    SetPin,
    SetPollRate,
    SetPostRate,
    SetPrices,
    SetPrimacy,
    SetPrograms,
    ShiftClock,
)
from vtn_sim.sep2.events import Cancellation, EventBook, UnknownEventError
from vtn_sim.sep2.groups import check_curves
from vtn_sim.sep2.notify import Notifier
from vtn_sim.sep2.paging import POLLED
from vtn_sim.sep2.spec import EventSpec
from vtn_sim.sep2.utility import Utility

Result = dict[str, Any]
EVERY = "*"


class Director:
    """Changes the utility and tells subscribers."""

    def __init__(self, utility: Utility, notifier: Notifier) -> None:
        self._utility = utility
        self._notifier = notifier
        self._by_type: dict[type, Callable[[Any], Result | None]] = {
            AddControl: self._add_control,
            AddLoadControl: self._add_load_control,
            CancelEvent: self._cancel,
            SetDefault: self._set_default,
            SetCurve: self._set_curve,
            SetPrimacy: self._set_primacy,
            AddProgram: self._add_program,
            AddFsa: self._add_fsa,
            SetPrograms: self._set_programs,
            SetPrices: self._set_prices,
            AddDevice: self._add_device,
            DeleteDevice: self._delete_device,
            MoveDevice: self._move_device,
            SetPin: self._set_pin,
            SetPollRate: self._set_poll_rate,
            SetPostRate: self._set_post_rate,
            ShiftClock: self._shift_clock,
            SetHabits: self._set_habits,
            AddFault: self._add_fault,
            ClearFaults: self._clear_faults,
            Notify: self._notify,
            EndSubscriptions: self._end_subscriptions,
            ForgetMirrors: self._forget_mirrors,
            GrantFlow: self._grant_flow,
        }

    def perform(self, action: Action) -> Result:
        """Do it; what came of it, for whoever asked.

        Raises:
            PermanentError: it names what there is not, or is not possible now.
        """
        return self._by_type[type(action)](action) or {}

    # --- events --------------------------------------------------------------------------------

    def _add_control(self, action: AddControl) -> Result:
        utility = self._utility
        program = utility.groups.programs.get(action.program)
        check_curves(program, action)
        utility.check_modes(action)
        result = self._book(utility.controls, action, action.start, action.start_in_s)
        self._control_changed(action.program)
        return result

    def _add_load_control(self, action: AddLoadControl) -> Result:
        self._utility.groups.load_programs.get(action.program)
        book = self._utility.load_controls
        result = self._book(book, action, action.start, action.start_in_s)
        self._load_control_changed(action.program)
        return result

    def _book(
        self,
        book: EventBook[Any],
        spec: EventSpec,
        start: datetime | None,
        start_in_s: float | None,
    ) -> Result:
        now = self._utility.now()
        wanted = start or whole_second(now + timedelta(seconds=start_in_s or 0.0))
        event = book.add(spec, spec.mrid or self._utility.mrids.fresh(), wanted, now)
        return {"event": event.name, "mrid": event.mrid, "start": event.start.isoformat()}

    def _cancel(self, action: CancelEvent) -> None:
        utility = self._utility
        cancellation = Cancellation(
            at=utility.now(), randomized=action.randomized, reason=action.reason
        )
        try:
            program = utility.controls.cancel(action.event, cancellation).spec.program
        except UnknownEventError:
            load = utility.load_controls.cancel(action.event, cancellation)
            self._load_control_changed(load.spec.program)
        else:
            self._control_changed(program)

    def _control_changed(self, program: str) -> None:
        number = str(self._utility.groups.programs.get(program).number)
        self._utility.changed(("DERControlList", number), ("ActiveDERControlList", number))

    def _load_control_changed(self, program: str) -> None:
        number = str(self._utility.groups.load_programs.get(program).number)
        self._utility.changed(
            ("EndDeviceControlList", number), ("ActiveEndDeviceControlList", number)
        )

    # --- programs and groups -------------------------------------------------------------------

    def _set_default(self, action: SetDefault) -> None:
        program = self._utility.groups.programs.get(action.program)
        if action.default is not None:
            check_curves(program, action.default)
            self._utility.check_modes(action.default)
        links = (program.default is None) != (action.default is None)
        program.default = action.default
        program.default_version += 1
        self._utility.changed(("DefaultDERControl", str(program.number)))
        if links:
            self._program_changed(action.program)

    def _set_curve(self, action: SetCurve) -> None:
        """Nobody is notified: a DERCurveList is polled."""
        program = self._utility.groups.programs.get(action.program)
        program.curve(action.curve.name).spec = action.curve

    def _set_primacy(self, action: SetPrimacy) -> None:
        programs = self._utility.groups.programs
        programs.check(action.primacies)
        for name, primacy in action.primacies.items():
            programs.get(name).primacy = primacy
        for name in action.primacies:
            self._program_changed(name)

    def _program_changed(self, name: str) -> None:
        number = str(self._utility.groups.programs.get(name).number)
        fsas = self._utility.groups.fsas_with(name)
        self._utility.changed(("DERProgram", number))
        self._utility.changed(*(("DERProgramList", str(fsa.number)) for fsa in fsas))

    def _add_program(self, action: AddProgram) -> None:
        groups = self._utility.groups
        groups.fsas.check(action.fsas)
        if action.program.default is not None:
            self._utility.check_modes(action.program.default)
        program = groups.add_program(action.program, self._utility.now())
        for name in action.fsas:
            groups.fsas.get(name).programs += (program.name,)
        self._program_changed(program.name)

    def _add_fsa(self, action: AddFsa) -> None:
        self._utility.groups.add_fsa(action.fsa)

    def _set_programs(self, action: SetPrograms) -> None:
        fsa = self._utility.groups.fsas.get(action.fsa)
        self._utility.groups.programs.check(action.programs)
        fsa.programs = action.programs
        self._utility.changed(("DERProgramList", str(fsa.number)))

    def _set_prices(self, action: SetPrices) -> None:
        tariff = self._utility.groups.tariffs.get(action.tariff)
        tariff.spec = tariff.spec.model_copy(update={"prices": action.prices})
        tariff.created_at = self._utility.now()
        tariff.revision += 1
        self._utility.changed(("TimeTariffIntervalList", str(tariff.number)))

    # --- devices -------------------------------------------------------------------------------

    def _add_device(self, action: AddDevice) -> None:
        self._utility.add_device(action.device)

    def _delete_device(self, action: DeleteDevice) -> None:
        utility = self._utility
        device = utility.devices.get(action.device)
        if device.is_aggregator:
            raise PermanentError("an aggregator's own EndDevice cannot be deleted")
        number = str(device.number)
        gone = [("EndDevice", number), ("FunctionSetAssignmentsList", number)]
        for held in utility.subscriptions.all():
            if held.topic in gone:
                self._notifier.tell(held, NotificationStatus.DELETED)
        utility.devices.remove(device)
        utility.changed(("EndDeviceList", ""))

    def _move_device(self, action: MoveDevice) -> None:
        utility = self._utility
        utility.groups.fsas.check(action.fsas)
        device = utility.devices.get(action.device)
        utility.devices.move(device, action.fsas, utility.now())
        utility.device_changed(device, "FunctionSetAssignmentsList")

    def _set_pin(self, action: SetPin) -> None:
        device = self._utility.devices.get(action.device)
        device.pin = action.pin
        self._utility.devices.touch(device, self._utility.now())
        self._utility.device_changed(device)

    # --- the server itself ---------------------------------------------------------------------

    def _set_poll_rate(self, action: SetPollRate) -> None:
        if action.kind == EVERY:
            self._utility.poll_rate_s = action.seconds
        elif action.kind in POLLED:
            self._utility.poll_rates[action.kind] = action.seconds
        else:
            raise PermanentError(f"{action.kind!r} has no pollRate in the schema")

    def _set_post_rate(self, action: SetPostRate) -> None:
        self._utility.post_rate_s = action.seconds

    def _shift_clock(self, action: ShiftClock) -> None:
        self._utility.clock.shift_s = action.seconds

    def _set_habits(self, action: SetHabits) -> None:
        self._utility.habits = action.habits

    def _add_fault(self, action: AddFault) -> Result:
        return {"fault": self._utility.faults.add(action.fault).number}

    def _clear_faults(self, action: ClearFaults) -> None:
        self._utility.faults.clear()

    def _notify(self, action: Notify) -> Result:
        wanted = [
            held
            for held in self._utility.subscriptions.all()
            if action.kind in (EVERY, held.topic[0])
        ]
        for held in wanted:
            self._notifier.tell(held)
        return {"subscriptions": len(wanted)}

    def _end_subscriptions(self, action: EndSubscriptions) -> Result:
        all_of_them = self._utility.subscriptions.all()
        for held in all_of_them:
            if action.silently:
                self._utility.subscriptions.remove(held)
            else:
                self._notifier.tell(held, NotificationStatus.CANCELLED)
        return {"subscriptions": len(all_of_them)}

    def _forget_mirrors(self, action: ForgetMirrors) -> None:
        self._utility.mirrors.clear()

    def _grant_flow(self, action: GrantFlow) -> None:
        request = self._utility.flows.by_mrid(action.request)
        if request is None:
            raise UnknownEventError(f"no FlowReservationRequest {action.request!r}")
        seconds = action.duration_s
        self._utility.answer(
            request,
            start=action.start,
            duration=None if seconds is None else timedelta(seconds=seconds),
            power_w=action.power_w,
        )
