"""Does what the utility is told to do (`actions`)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from contracts.errors import PermanentError
from contracts.openadr.payloads import ItemBase, RegisterReport, Report, ReportDescription
from vtn_sim.openadr.actions import (
    Action,
    AddOadrFault,
    Announce,
    AskReports,
    CancelOadrEvent,
    CancelRegistration,
    CancelReports,
    ClearOadrFaults,
    ForgetRegistrations,
    Modify,
    OfferReports,
    Redistribute,
    Reregister,
    Result,
    SetOadrHabits,
    SetPollFrequency,
    SetSignatures,
    Withdraw,
)
from vtn_sim.openadr.faults import EVERY
from vtn_sim.openadr.registry import Ven
from vtn_sim.openadr.reports import USAGE_METADATA
from vtn_sim.openadr.vtn import Vtn
from vtn_sim.scenario import whole_second


class Director:
    """Changes the utility."""

    def __init__(self, vtn: Vtn) -> None:
        self._vtn = vtn
        self._by_type: dict[type, Callable[[Any], Result | None]] = {
            Announce: self._announce,
            Modify: self._modify,
            CancelOadrEvent: self._cancel,
            Withdraw: self._withdraw,
            Redistribute: self._redistribute,
            Reregister: self._reregister,
            CancelRegistration: self._cancel_registration,
            ForgetRegistrations: self._forget_registrations,
            SetPollFrequency: self._set_poll_frequency,
            AskReports: self._ask_reports,
            CancelReports: self._cancel_reports,
            OfferReports: self._offer_reports,
            AddOadrFault: self._add_fault,
            ClearOadrFaults: self._clear_faults,
            SetOadrHabits: self._set_habits,
            SetSignatures: self._set_signatures,
        }

    def perform(self, action: Action) -> Result:
        """Do it; what came of it, for whoever asked.

        Raises:
            PermanentError, Refusal: it names what there is not, or is not possible now.
        """
        return self._by_type[type(action)](action) or {}

    def _vens(self, ven_id: str) -> Iterator[Ven]:
        registry = self._vtn.registry
        if ven_id != EVERY:
            yield registry.ven(ven_id)
            return
        yield from (ven for ven in registry.vens if ven.registration_id is not None)

    # --- events --------------------------------------------------------------------------------

    def _announce(self, action: Announce) -> Result:
        now = self._vtn.clock.now()
        wanted = now + timedelta(seconds=action.start_in_s or 0.0)
        event = self._vtn.events.add(action, action.start or whole_second(wanted), now)
        return {"event_id": event.event_id, "start": event.start.isoformat()}

    def _modify(self, action: Modify) -> Result:
        events = self._vtn.events
        old = events.event(action.event_id)
        spec, start = action.applied(old.spec), action.start or old.start
        changed = events.modify(action.event_id, spec, start, self._vtn.clock.now())
        return {"event_id": changed.event_id, "modification": changed.modification}

    def _cancel(self, action: CancelOadrEvent) -> Result:
        now, within = self._vtn.clock.now(), action.end_within_s
        event = self._vtn.events.cancel(action.event_id, now, end_within_s=within)
        return {"event_id": event.event_id, "modification": event.modification}

    def _withdraw(self, action: Withdraw) -> None:
        self._vtn.events.withdraw(action.event_id, self._vtn.clock.now())

    def _redistribute(self, action: Redistribute) -> None:
        for ven in self._vens(action.ven):
            self._vtn.events.owe(ven.ven_id)

    # --- registration --------------------------------------------------------------------------

    def _reregister(self, action: Reregister) -> None:
        for ven in self._vens(action.ven):
            self._vtn.ask_reregistration(ven.ven_id)

    def _cancel_registration(self, action: CancelRegistration) -> None:
        for ven in self._vens(action.ven):
            self._vtn.ask_cancellation(ven.ven_id, action.registration_id)

    def _forget_registrations(self, action: ForgetRegistrations) -> None:
        for ven in self._vtn.registry.vens:
            self._vtn.reports.forget(ven.ven_id)
        self._vtn.registry.forget()

    def _set_poll_frequency(self, action: SetPollFrequency) -> None:
        self._vtn.poll_frequency_s = action.seconds

    # --- reports -------------------------------------------------------------------------------

    def _ask_reports(self, action: AskReports) -> Result:
        made = []
        for ven in self._vens(action.ven):
            message = self._vtn.reports.ask(ven.ven_id, action.requests, self._vtn.clock.now())
            ven.queue.append(message)
            made += [request.report_request_id for request in message.requests]
        return {"requests": made}

    def _cancel_reports(self, action: CancelReports) -> None:
        reports, now = self._vtn.reports, self._vtn.clock.now()
        for ven in self._vens(action.ven):
            running = (one.request.report_request_id for one in reports.asked(ven.ven_id))
            ids = list(action.requests or running)
            if not ids:
                raise PermanentError(f"no report of {ven.ven_id!r} is running")
            message = reports.cancel(
                ven.ven_id, ids, now, to_follow=action.to_follow, inside=action.inside_update
            )
            if message is not None:
                ven.queue.append(message)

    def _offer_reports(self, action: OfferReports) -> None:
        for ven in self._vens(action.ven):
            message = RegisterReport(
                request_id=uuid.uuid4().hex, reports=self._offer(action.points), ven_id=ven.ven_id
            )
            ven.queue.append(message)

    def _offer(self, points: tuple[str, ...]) -> tuple[Report, ...]:
        if not points:
            return ()
        descriptions = tuple(
            ReportDescription(
                r_id=r_id,
                report_type="usage",
                reading_type="Direct Read",
                item=ItemBase.power_real("k"),
            )
            for r_id in points
        )
        return (
            Report(
                report_request_id="0",
                report_specifier_id="vtn-usage",
                created_at=self._vtn.clock.now(),
                name=USAGE_METADATA,
                descriptions=descriptions,
            ),
        )

    # --- the utility itself --------------------------------------------------------------------

    def _add_fault(self, action: AddOadrFault) -> Result:
        return {"fault": self._vtn.faults.add(action.fault, self._vtn.clock.now()).number}

    def _clear_faults(self, action: ClearOadrFaults) -> None:
        self._vtn.faults.clear()

    def _set_habits(self, action: SetOadrHabits) -> None:
        self._vtn.habits = action.habits

    def _set_signatures(self, action: SetSignatures) -> None:
        if action.mode != "off" and self._vtn.signatures.signer is None:
            raise PermanentError("there is no key to sign with")
        self._vtn.signatures.mode = action.mode
