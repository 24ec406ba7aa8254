"""EiOpt, VTN side: the opts of every VEN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from contracts.openadr.payloads import EVERYONE, CancelOpt, CreateOpt, OptType, Target
from vtn_sim.openadr.ledger import Receipt
from vtn_sim.openadr.refusal import INVALID_ID, Refusal


@dataclass(slots=True, kw_only=True)
class Opt:
    """One opt and how often it came."""

    content: CreateOpt
    receipts: list[Receipt] = field(default_factory=list)
    cancellations: list[Receipt] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether it has not been cancelled."""
        return not self.cancellations


class OptBook:
    """Every opt, by VEN and optID."""

    def __init__(self) -> None:
        self._opts: dict[tuple[str, str], Opt] = {}

    def create(self, message: CreateOpt, receipt: Receipt) -> Opt:
        """Take an opt; the same once more, as after a lost answer, is taken as well.

        Raises:
            Refusal: 452, the optID names another opt of this VEN.
        """
        key = (message.ven_id, message.opt_id)
        opt = self._opts.get(key)
        if opt is not None and _content(opt.content) != _content(message):
            raise Refusal(INVALID_ID, f"optID {message.opt_id!r} names another opt already")
        if opt is None:
            opt = self._opts[key] = Opt(content=message)
        opt.receipts.append(receipt)
        return opt

    def cancel(self, message: CancelOpt, receipt: Receipt) -> Opt:
        """End an opt.

        Raises:
            Refusal: 452, this VEN has no such opt.
        """
        opt = self._opts.get((message.ven_id, message.opt_id))
        if opt is None:
            raise Refusal(INVALID_ID, f"no optID {message.opt_id!r}")
        opt.cancellations.append(receipt)
        return opt

    def of(self, ven_id: str | None = None) -> Sequence[Opt]:
        """Every opt, or those of one VEN, in order of arrival."""
        return [opt for (owner, _), opt in self._opts.items() if ven_id in (None, owner)]

    def on_event(self, ven_id: str, event_id: str) -> OptType | None:
        """The newest opt that holds for an event, for a VEN as a whole; it outranks answers."""
        for opt in reversed(self.of(ven_id)):
            event = opt.content.event
            if opt.holds and event is not None and event.event_id == event_id:
                whole = opt.content.target in (EVERYONE, Target(ven_ids=(ven_id,)))
                return opt.content.opt_type if whole else None
        return None


def _content(message: CreateOpt) -> CreateOpt:
    """Without what changes from sending to sending."""
    return replace(message, request_id="", created_at=message.created_at.min)
