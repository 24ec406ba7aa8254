"""Gathers what the judges need to know, and asks them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from contracts.sep2.codes import ResponseStatus as Code
from vtn_sim.sep2.devices import Device
from vtn_sim.sep2.events import EventBook
from vtn_sim.sep2.exchanges import Exchanges
from vtn_sim.sep2.fate import DISPLACED, Control, Fate, Ranked, Span, fate
from vtn_sim.sep2.judge import Rules, Sep2Verdict, judge
from vtn_sim.sep2.refusal import UnknownNameError
from vtn_sim.sep2.spec import ControlSpec
from vtn_sim.sep2.upkeep import UpkeepRules, UpkeepVerdict, judge_device, judge_pace
from vtn_sim.sep2.utility import Utility

_MOMENT = timedelta(seconds=1)


class Court:
    """Verdicts on events, devices and clients, as of now."""

    def __init__(self, utility: Utility, exchanges: Exchanges) -> None:
        self._utility = utility
        self._exchanges = exchanges

    # --- events --------------------------------------------------------------------------------

    def event(self, name: str) -> Control:
        """A control of either kind by name.

        Raises:
            UnknownEventError: there is none.
        """
        try:
            return self._utility.controls.get(name)
        except UnknownNameError:
            return self._utility.load_controls.get(name)

    def verdicts(self, name: str) -> list[Sep2Verdict]:
        """On every EndDevice that was addressed, and on others that answered all the same.

        Raises:
            UnknownEventError: there is no such event.
        """
        event = self.event(name)
        answered = {r.lfdi for r in self._utility.received.responses(event.mrid)}
        return [
            self._verdict(event, device)
            for device in self._utility.devices.managed
            if device.lfdi in answered or self.addresses(event, device)
        ]

    def _verdict(self, event: Control, device: Device) -> Sep2Verdict:
        responses = self._utility.received.responses(event.mrid)
        return judge(
            event,
            device.label,
            self.fate(event, device),
            [r for r in responses if r.lfdi == device.lfdi],
            self._rules(),
            self._utility.now(),
        )

    def addresses(self, event: Control, device: Device) -> bool:
        """Whether the event was for the device at any time before its end."""
        category = event.target[1]
        if category is not None and device.category and not category & device.category:
            return False
        programs = self._programs(event, device)
        return device.listed and any(event.spec.program in names for names in programs)

    def fate(self, event: Control, device: Device) -> Fate | None:
        """What should become of an event at a device; None: it was not for it."""
        if not self.addresses(event, device):
            return None
        own = self._ranked(event)
        rivals = [
            self._ranked(other)
            for other in self._book(event).all()
            if other.name != event.name and self.addresses(other, device)
        ]
        found = fate(own, rivals, self._received_within())
        moved = len(device.fsas_between(*_known(event))) > 1
        return _moved(found, event.created_at) if moved else found

    def _programs(self, event: Control, device: Device) -> list[list[str]]:
        """The programs of the device's groups, for each membership while the event lasted."""
        fsas = self._utility.groups.fsas
        return [
            [p for name in names for p in (*fsas.get(name).programs, *fsas.get(name).load_programs)]
            for names in device.fsas_between(*_known(event))
        ]

    def _book(self, event: Control) -> EventBook[ControlSpec]:
        if isinstance(event.spec, ControlSpec):
            return self._utility.controls
        return self._utility.load_controls  # type: ignore[return-value] # a book of the same shape

    def _ranked(self, event: Control) -> Ranked:
        groups, program = self._utility.groups, event.spec.program
        if isinstance(event.spec, ControlSpec):
            return Ranked(event=event, primacy=groups.programs.get(program).primacy)
        return Ranked(event=event, primacy=groups.load_programs.get(program).primacy)

    def _received_within(self) -> timedelta:
        settings = self._utility.settings.judge
        if settings.received_within_s is not None:
            return timedelta(seconds=settings.received_within_s)
        rate = self._utility.poll_rate("DERProgramList")
        return rate + timedelta(seconds=settings.settle_s)

    def _rules(self) -> Rules:
        settings = self._utility.settings.judge
        return Rules(
            received_within=self._received_within(),
            response_within=timedelta(seconds=settings.response_within_s),
        )

    # --- upkeep --------------------------------------------------------------------------------

    def devices(self) -> list[UpkeepVerdict]:
        """Whether the EndDevices keep the utility informed."""
        now, mirrors = self._utility.now(), self._utility.mirrors.all()
        rules = self._upkeep_rules()
        listed = [d for d in self._utility.devices.managed if d.listed]
        return [judge_device(device, mirrors, rules, now) for device in listed]

    def paces(self) -> list[UpkeepVerdict]:
        """Whether clients poll at the pace they were told."""
        clients = [d for d in self._utility.devices.all() if self._exchanges.polls(d.lfdi)]
        return [
            judge_pace(
                client.label,
                self._exchanges.polls(client.lfdi),
                self._hints(client),
                self._upkeep_rules(),
                self._utility.now(),
            )
            for client in clients
        ]

    def _hints(self, client: Device) -> dict[str, Sequence[datetime]]:
        return {h.path: h.told_at for h in self._utility.subscriptions.of(client.lfdi)}

    def _upkeep_rules(self) -> UpkeepRules:
        settings = self._utility.settings.judge
        return UpkeepRules(
            status_rate=self._utility.poll_rate("DERList"),
            post_rate=timedelta(seconds=self._utility.post_rate_s),
            settle=timedelta(seconds=settings.settle_s),
            tolerance=settings.pace_tolerance,
            min_coverage=settings.min_coverage,
        )


def _known(event: Control) -> tuple[datetime, datetime]:
    """From when to when devices are concerned; one that was over when it came, for a moment."""
    return event.created_at, max(event.latest_end, event.created_at + _MOMENT)


def _moved(found: Fate, since: datetime) -> Fate:
    """The device came or went while the event lasted: hardly anything is sure, not even when."""
    return Fate(
        text=f"{found.text}, if its device had not moved",
        starts=None,
        start=found.start,
        ends=found.ends | DISPLACED | {Code.CANCELLED, Code.NO_PARTICIPATION},
        end=Span(earliest=since, latest=found.end.latest),
        certain=False,
    )
