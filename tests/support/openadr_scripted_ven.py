"""A VEN on the codec alone that does all the profile wants, or one thing wrong on purpose."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from contracts.errors import ProtocolError
from contracts.openadr import codec
from contracts.openadr.payloads import (
    CanceledPartyRegistration,
    CancelPartyRegistration,
    CancelReport,
    CreatedEvent,
    CreatedPartyRegistration,
    CreatePartyRegistration,
    CreateReport,
    DistributeEvent,
    EiResponse,
    EventResponse,
    EventStatus,
    OadrEvent,
    OptType,
    Payload,
    Poll,
    QueryRegistration,
    RegisteredReport,
    RegisterReport,
    RequestEvent,
    RequestReregistration,
    Response,
    ResponseRequired,
    UpdatedReport,
)
from contracts.openadr.signature import Signer, Verifier
from contracts.time import Clock
from support.openadr_scripted_reports import Job, ScriptedReports

Post = Callable[[str, bytes], Awaitable[bytes | None]]
"""Service and bytes; the bytes that came back with 200, or None."""
ZERO = timedelta(0)
SIGNALS = {"SIMPLE", "LOAD_DISPATCH", "ELECTRICITY_PRICE"}
MARKET = "http://utility.example/programs/"
MAX_DRAIN = 20


@dataclass
class ScriptedVen(ScriptedReports):
    """One VEN. `misdeeds` says what it does wrong."""

    post: Post
    clock: Clock
    ven_id: str = "ven-1"
    poll_s: float = 1.0
    signer: Signer | None = None
    verifier: Verifier | None = None
    misdeeds: set[str] = field(default_factory=set)
    push_address: str | None = None
    registration_id: str | None = None
    known: dict[str, tuple[int, OptType]] = field(default_factory=dict)
    opted: dict[str, OptType] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    outbox: list[tuple[str, Payload]] = field(default_factory=list)
    implied: list[str] = field(default_factory=list)
    hooks: list[Callable[[ScriptedVen], None]] = field(default_factory=list)
    numbers: int = 0
    frequency_s: float | None = None
    updates: int = 0

    # --- the wire ------------------------------------------------------------------------------

    def encode(self, message: Payload) -> bytes:
        if self.signer is not None:
            return codec.encode_signed(message, self.signer, self.clock.now())
        return codec.encode(message)

    def decode(self, data: bytes) -> Payload:
        if self.verifier is not None:
            return codec.receive_signed(data, self.verifier, self.clock.now()).payload
        return codec.decode(data)

    async def send(self, service: str, message: Payload) -> Payload | None:
        data = await self.post(service, self.encode(message))
        try:
            return None if data is None else self.decode(data)
        except ProtocolError:
            return None

    # --- its life ------------------------------------------------------------------------------

    async def run(self) -> None:
        while True:
            await self.turn()
            obeyed = self.frequency_s if "polls-too-often" not in self.misdeeds else None
            await self.clock.sleep(max(self.poll_s, obeyed or 0.0))

    async def turn(self) -> None:
        """Everything that is due now."""
        if self.registration_id is None and not await self.register():
            return
        for hook in self.hooks:
            hook(self)
        self.collect()
        if not await self.flush() or self.push_address is not None:
            return
        for _ in range(MAX_DRAIN):
            answer = await self.send("OadrPoll", Poll(ven_id=self.ven_id))
            if answer is None or not self.take(answer) or not await self.flush():
                return

    async def register(self, registration_id: str | None = None) -> bool:
        await self.send("EiRegisterParty", QueryRegistration(request_id=self.fresh()))
        create = CreatePartyRegistration(
            request_id=self.fresh(),
            registration_id=registration_id,
            ven_id=self.ven_id,
            xml_signature=self.signer is not None,
            http_pull_model=self.push_address is None,
            transport_address=self.push_address,
        )
        answer = await self.send("EiRegisterParty", create)
        if not isinstance(answer, CreatedPartyRegistration) or not answer.response.ok:
            return False
        self.registration_id = answer.registration_id
        if answer.poll_frequency is not None:
            self.frequency_s = answer.poll_frequency.total_seconds()
        await self.register_reports()
        batch = RequestEvent(request_id=self.fresh(), ven_id=self.ven_id)
        events = await self.send("EiEvent", batch)
        if events is not None:
            self.take(events)
        return True

    async def register_reports(self) -> None:
        message = RegisterReport(
            request_id=self.fresh(), reports=self.metadata(), ven_id=self.ven_id
        )
        answer = await self.send("EiReport", message)
        if isinstance(answer, RegisteredReport) and answer.requests:
            self.take(CreateReport(request_id="", requests=answer.requests, ven_id=self.ven_id))

    async def flush(self) -> bool:
        """Whether everything that waited got in."""
        while self.outbox:
            service, message = self.outbox[0]
            answer = await self.send(service, message)
            if answer is None:
                return False
            self.outbox.pop(0)
            if isinstance(answer, UpdatedReport) and answer.cancel is not None:
                self.cancel_reports(answer.cancel)
            if getattr(answer, "response", EiResponse()).code == 463:
                self.registration_id = None
                return False
            if isinstance(message, CancelPartyRegistration):
                self.registration_id = None
                return False
            if isinstance(message, Response) and service == "EiRegisterParty":
                await self.register(self.registration_id)
        return True

    # --- what the VTN says ---------------------------------------------------------------------

    def take(self, message: Payload) -> bool:  # noqa: C901 - one branch a message
        """Whether there may be more."""
        if isinstance(message, Response):
            if message.response.code == 463:
                self.registration_id = None
            return False
        owner = getattr(message, "ven_id", None)
        if owner not in (None, self.ven_id):
            self.say("OadrPoll", Response(response=EiResponse(code=452), ven_id=self.ven_id))
            return True
        match message:
            case DistributeEvent():
                self.events(message)
            case CreateReport():
                self.create_reports(message)
            case CancelReport():
                self.cancel_reports(message)
            case RegisterReport():
                done = EiResponse(request_id=message.request_id)
                self.say("EiReport", RegisteredReport(response=done, ven_id=self.ven_id))
            case RequestReregistration():
                self.say("EiRegisterParty", Response(response=EiResponse(), ven_id=self.ven_id))
            case CancelPartyRegistration():
                self.cancelled(message)
            case _:
                pass
        return True

    def cancelled(self, message: CancelPartyRegistration) -> None:
        ours = message.registration_id == self.registration_id
        code = 200 if ours else 452
        self.say(
            "EiRegisterParty",
            CanceledPartyRegistration(
                response=EiResponse(code=code, request_id=message.request_id),
                registration_id=message.registration_id,
                ven_id=self.ven_id,
            ),
        )
        if ours:
            self.jobs.clear()

    # --- events --------------------------------------------------------------------------------

    def events(self, batch: DistributeEvent) -> None:
        right = batch.vtn_id == "VTN-SIM"
        answers = [
            self.answer(batch.request_id, event, right=right)
            for event in batch.events
            if event.response_required is ResponseRequired.ALWAYS
            or "answers-never" in self.misdeeds
        ]
        gone = self.known.keys() - {event.event_id for event in batch.events}
        self.implied += sorted(gone)
        for event_id in gone:
            del self.known[event_id]
        if not answers or "answers-nothing" in self.misdeeds:
            return
        created = CreatedEvent(
            ven_id=self.ven_id,
            response=EiResponse(code=200 if right else 452, request_id=batch.request_id),
            event_responses=tuple(answers),
        )
        self.say("EiEvent", created)
        if "answers-twice" in self.misdeeds:
            self.say("EiEvent", created)

    def answer(self, request_id: str, event: OadrEvent, *, right: bool) -> EventResponse:
        code, opt = self.judged(event) if right else (452, OptType.OUT)
        number = event.descriptor.modification_number
        if code == 200:
            self.known[event.event_id] = (number, opt)
        name = event.event_id
        if "coerces-ids" in self.misdeeds:
            name = name.lstrip("0")
        strange = "wrong-request-id" in self.misdeeds
        return EventResponse(
            code=code,
            request_id="mine" if strange else request_id,
            event_id=name,
            modification_number=number,
            opt_type=opt,
        )

    def judged(self, event: OadrEvent) -> tuple[int, OptType]:
        number, _ = self.known.get(event.event_id, (-1, OptType.IN))
        d = event.descriptor
        if d.modification_number < number and "takes-older" not in self.misdeeds:
            return 450, OptType.OUT
        if d.status is EventStatus.CANCELLED:
            return 200, OptType.IN
        if not d.market_context.startswith(MARKET):
            return 452, OptType.OUT
        target = event.target
        if target.ven_ids and self.ven_id not in target.ven_ids:
            return 462, OptType.OUT
        if not any(signal.name in SIGNALS for signal in event.signals):
            return 460, OptType.OUT
        return 200, self.opted.get(event.event_id, OptType.IN)
