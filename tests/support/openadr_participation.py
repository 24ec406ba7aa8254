"""Who takes part in events, as a test says, and the outbox as a VTN would see it."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.errors import TransientError
from contracts.openadr import codec
from contracts.openadr.payloads import CancelOpt, CreateOpt, OptType
from gateway.domain.event import Opt, OptDecision
from gateway.ports import EventParticipation
from gateway.utility.openadr.memory import Unsent
from support.openadr import DictMemory


class Sites:
    """`gateway.ports.Participation`: two sites that a test takes out and in."""

    def __init__(self, *sites: str) -> None:
        self.addressed = frozenset(sites or ("depot-1", "depot-2"))
        self.out: dict[str, dict[str, str]] = {}
        self.opts: dict[str, Opt] = {}
        """What was decided about an event; none: optIn."""
        self.modifications: dict[str, int] = {}

    @property
    def names(self) -> frozenset[str]:
        return self.addressed | {"north"}

    async def of_event(self, event_key: str) -> EventParticipation | None:
        return EventParticipation(
            program_id="http://utility.example/peak",
            decision=OptDecision(
                event_key=event_key,
                modification=self.modifications.get(event_key, 0),
                opt=self.opts.get(event_key, Opt.IN),
                cause="as it stands now",
            ),
            addressed=self.addressed,
            out=dict(self.out.get(event_key, {})),
        )

    async def opt_out_site(self, event_key: str, site_id: str, cause: str) -> None:
        self.out.setdefault(event_key, {})[site_id] = cause


class Killed(BaseException):
    """The process died: nobody catches it."""


class FailingMemory(DictMemory):
    """Fails at one write, before or after it is done; then works again."""

    def __init__(self, documents: Mapping[tuple[str, str, str], object] | None = None) -> None:
        super().__init__()
        self.documents.update(documents or {})
        self.writes = 0
        self.fail_at: int | None = None
        self.error: BaseException = TransientError("disk full")
        self.done_before_failing = False

    async def save(self, utility_id: str, kind: str, key: str, document: object) -> None:
        if self._fails() and not self.done_before_failing:
            raise self.error
        await super().save(utility_id, kind, key, document)
        self._raise_late()

    async def forget(self, utility_id: str, kind: str, key: str) -> None:
        if self._fails() and not self.done_before_failing:
            raise self.error
        await super().forget(utility_id, kind, key)
        self._raise_late()

    def _fails(self) -> bool:
        self.writes += 1
        return self.writes == self.fail_at

    def _raise_late(self) -> None:
        if self.writes == self.fail_at and self.done_before_failing:
            raise self.error


class OptsHeard:
    """What a VTN makes of the opts it is sent."""

    def __init__(self) -> None:
        self.opts: dict[str, CreateOpt] = {}
        self.cancelled: set[str] = set()

    def take(self, documents: DictMemory) -> list[CreateOpt | CancelOpt]:
        """Receive everything in the outbox, in order; it is empty then."""
        keys = sorted(k for k in documents.documents if k[1] == Unsent.__name__)
        new: list[CreateOpt | CancelOpt] = []
        for key in keys:
            document = documents.documents.pop(key)
            assert isinstance(document, dict)
            message = codec.decode(str(document["xml"]).encode())
            if isinstance(message, CreateOpt):
                known = self.opts.setdefault(message.opt_id, message)
                assert known == message, "one optID for two opts"
                new.append(message)
            elif isinstance(message, CancelOpt):
                assert message.opt_id in self.opts, "cancelled before it was created"
                self.cancelled.add(message.opt_id)
                new.append(message)
        return new

    @property
    def in_force(self) -> list[tuple[str, tuple[str, ...]]]:
        """`(optType, resources)` of opts that hold."""
        return sorted(
            (opt.opt_type.value, opt.target.resource_ids)
            for opt_id, opt in self.opts.items()
            if opt_id not in self.cancelled
        )

    @property
    def out(self) -> list[tuple[str, ...]]:
        """Resources of opt-outs that hold; () is the whole VEN."""
        return [who for kind, who in self.in_force if kind == OptType.OUT.value]
