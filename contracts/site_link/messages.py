"""Messages between gateway and site, version 1.

Each is a frozen dataclass; `codec` turns them into JSON and back, checks the ranges given here,
ignores unknown fields (rolling upgrades) and refuses unknown kinds. Every time is aware UTC.

`Hello` and `Batch` go up and are answered by `Welcome` and `BatchAck`, `Renew` by `Credentials`;
`Instruction` goes down, `InstructionAck` answers once it is stored. `Refusal` answers what was not.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from contracts.inverter import MAX_FUNCTIONS, InverterFunction
from contracts.reading import Quality
from contracts.site_link.configuration import Configuration, ConfigurationAck, ConfigurationState
from contracts.site_link.health import Health
from contracts.site_link.parts import MAX_OFFERED_PARTS, OfferedPart
from contracts.site_link.prices import Prices, PricesAck
from contracts.site_link.sessions import EndedSession

PROTOCOL_VERSION = 1
MAX_BATCH_ROWS = 200
"""Keeps a batch well under the broker's 1 MiB payload limit."""
MAX_OFFERED_SLOTS = 192

Name = Annotated[str, Field(min_length=1, max_length=120)]
Text = Annotated[str, Field(max_length=500)]
Count = Annotated[int, Field(ge=0, le=2**53)]
Watts = Annotated[float, Field(ge=-1e9, le=1e9, allow_inf_nan=False)]
Power = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
Number = Annotated[float, Field(ge=-1e15, le=1e15, allow_inf_nan=False)]
Function = Annotated[InverterFunction, Field(discriminator="function")]
Pem = Annotated[str, Field(max_length=8192, pattern="^-----BEGIN ")]
UserKey = Annotated[str, Field(pattern="^U[A-Z2-7]{55}$")]
"""Public half of a NATS user key."""
Jwt = Annotated[str, Field(max_length=4096, pattern=r"^[\w-]+\.[\w-]+\.[\w-]+$")]


class InstructionState(StrEnum):
    """What became of an instruction at a site."""

    STORED = "stored"
    STARTED = "started"
    APPLIED = "applied"
    """Every device concerned has accepted its setpoint."""
    COMPLETED = "completed"
    REJECTED = "rejected"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


class Severity(StrEnum):
    """How urgent a notice is."""

    INFO = "info"
    WARNING = "warning"
    ALARM = "alarm"


# --- rows of the outbox, carried up in batches -------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One value of one point (see `points`). `value` None means the site has no usable value."""

    kind: Literal["measurement"] = "measurement"
    at: AwareDatetime
    point: Name
    value: Number | None
    quality: Quality


@dataclass(frozen=True, slots=True, kw_only=True)
class InstructionStatus:
    """A change of state of one instruction, with the reason a person can read."""

    kind: Literal["instruction_status"] = "instruction_status"
    at: AwareDatetime
    instruction_id: Name
    event_id: Name
    state: InstructionState
    reason: Text = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something a person should know: raised, later cleared under the same (code, subject)."""

    kind: Literal["notice"] = "notice"
    at: AwareDatetime
    code: Name
    """Stable identifier such as `charger-offline`, `limit-not-obeyed`, `meter-stale`."""
    subject: Name
    """What it is about: a device or vehicle id."""
    severity: Severity
    raised: bool
    text: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleReadiness:
    """Whether a vehicle will have its energy at departure, sent when that changes."""

    kind: Literal["vehicle_readiness"] = "vehicle_readiness"
    at: AwareDatetime
    vehicle_id: Name
    evse_id: Name
    soc_pct: Annotated[float, Field(ge=0, le=100)] | None
    required_wh: Annotated[float, Field(ge=0, le=1e7)]
    """Energy still needed before departure."""
    departure: AwareDatetime
    on_track: bool
    reason: Text = ""
    outlook: Text = ""
    """`ready`, `on track`, `at risk` or `will miss`; empty from an agent that does not tell, as
    everything below."""
    since: AwareDatetime | None = None
    """Since when that has been so."""
    ready_at: AwareDatetime | None = None
    """When it is expected to have its energy."""
    missing_wh: Annotated[float, Field(ge=0, le=1e7)] = 0.0
    """What it will lack when it leaves."""
    late_by_s: Annotated[float, Field(ge=0, le=1e7)] = 0.0
    """How much longer it would have to stay at full power."""
    helps: Text = ""
    """What somebody at the depot can still do about it."""
    here: bool = True
    """False: it is expected, not plugged in yet; `evse_id` may then be `-`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedSlot:
    """What can be asked of a site from `start` on; powers are magnitudes.

    Each slot stands alone: once one is taken up, the others are as the next offer says.
    """

    start: AwareDatetime
    expected_w: Watts
    """Power at the PCC expected without any request, import positive."""
    down_w: Power
    """By how much it can be lowered in every slot of `lasts_s` with every vehicle ready that would
    have been; as likely more as less."""
    down_sure_w: Power
    """The same in nine cases of ten."""
    lasts_s: Annotated[float, Field(ge=0, le=1e6)]
    up_w: Power
    """By how much it can be raised for an hour, by a storage target."""
    rebound_w: Power
    """Most that is drawn beyond what would have been, afterwards."""
    rebound_wh: Power
    rebound_at: AwareDatetime | None = None
    """When that begins."""
    again_at: AwareDatetime | None = None
    """When the same could be asked again; None: not within the hours of this offer."""
    parts: Annotated[tuple[OfferedPart, ...], Field(max_length=MAX_OFFERED_PARTS)] = ()
    """By class of devices, each at most once; none from an agent that does not tell them apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlexibilityOffer:
    """What a site can do in the hours ahead; a newer one replaces it.

    Sent only to a gateway whose `Welcome` says that it takes such rows.
    """

    kind: Literal["flexibility_offer"] = "flexibility_offer"
    at: AwareDatetime
    step_s: Annotated[float, Field(gt=0, le=1e6)]
    """Length of a slot; the first may have begun before `at`."""
    notice_s: Annotated[float, Field(ge=0, le=1e6)]
    """How long before it should be effective a request must be with the site."""
    ramp_w_per_min: Power
    """How fast the import falls then."""
    data_age_s: Annotated[float, Field(ge=0, le=1e9)]
    """Age of the oldest reading it rests on."""
    slots: Annotated[tuple[OfferedSlot, ...], Field(max_length=MAX_OFFERED_SLOTS)]
    prices_id: Annotated[str, Field(max_length=120)] = ""
    """The `Prices` that the plan behind it was made for; empty: the site's own tariff, or none."""


Row = Annotated[
    Measurement | InstructionStatus | Notice | VehicleReadiness | FlexibilityOffer | EndedSession,
    Field(discriminator="kind"),
]
LATER_ROWS = ("flexibility_offer", "ended_session")
"""Kinds of rows that came after the first release: a gateway names those it takes in `Welcome`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberedRow:
    """A row with its place in the site's outbox; `(site_id, epoch, seq)` names it for ever."""

    seq: Annotated[int, Field(ge=1)]
    row: Row


# --- up ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """First message of a connection; the answer is `Welcome`, then unseen instructions follow."""

    kind: Literal["hello"] = "hello"
    site_id: Name
    epoch: Name
    """Made together with the site's database file; a new file is a new epoch."""
    versions: tuple[int, ...]
    last_instruction_seq: Count
    outbox_head: Count
    """Highest sequence number in the outbox (0 when it never held a row)."""
    agent_version: Name
    sent_at: AwareDatetime
    prices_id: Annotated[str, Field(max_length=120)] | None = None
    """The `Prices` it holds, empty: none. None: an agent that takes no prices."""
    configuration: ConfigurationState | None = None
    """None: an agent that takes no configuration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Up to MAX_BATCH_ROWS outbox rows in order of `seq`."""

    kind: Literal["batch"] = "batch"
    site_id: Name
    epoch: Name
    rows: Annotated[tuple[NumberedRow, ...], Field(min_length=1, max_length=MAX_BATCH_ROWS)]
    sent_at: AwareDatetime
    health: Health | None = None
    """How the agent is. None: one that does not tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Renew:
    """The site's credentials should last longer. A gateway of the first release does not listen."""

    kind: Literal["renew"] = "renew"
    site_id: Name
    csr: Pem
    """PKCS #10, P-256; only its key counts: what the certificate says is up to the gateway."""
    user_key: UserKey
    sent_at: AwareDatetime


# --- answers to the site -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """Answer to `Hello`."""

    kind: Literal["welcome"] = "welcome"
    version: int
    gateway_time: AwareDatetime
    rows: Annotated[tuple[Name, ...], Field(max_length=100)] = ()
    """Kinds of rows beyond those of the first release that this gateway takes (`LATER_ROWS`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchAck:
    """Every row up to and including `seq` is committed; the site may delete them."""

    kind: Literal["batch_ack"] = "batch_ack"
    epoch: Name
    seq: Count
    gateway_time: AwareDatetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Answer to a message that could not be accepted; the site keeps its rows and raises alarm."""

    kind: Literal["refusal"] = "refusal"
    reason: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Who the site is from now on: answer to `Renew`, and to a token (see `enrolment`)."""

    kind: Literal["credentials"] = "credentials"
    site_id: Name
    ca: Pem
    """Root of the broker's certificate."""
    certificate: Pem
    jwt: Jwt
    """NATS user JWT for the user key that was sent."""
    until: AwareDatetime
    """Certificate and JWT end together."""


# --- down --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteBounds:
    """What a site is asked to hold, in W by the load convention; None leaves that free.

    All that is not None holds at once, and together with the bounds of other events: the tightest
    limit wins. Fields after the first two came after the first release. An agent that does not know
    them ignores them and yet acknowledges, so whoever relies on them looks at
    `Hello.agent_version`; and it has not stored them, so that after its upgrade only the next
    instruction brings them.
    """

    import_limit_w: Watts | None = None
    """Power at the PCC must not exceed it."""
    export_limit_w: Watts | None = None
    """Power at the PCC must not fall below it, <= 0."""
    load_limit_w: Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)] | None = None
    """Most of all controllable load together: chargers, and batteries that charge; >= 0."""
    generation_limit_w: Annotated[float, Field(ge=-1e9, le=0, allow_inf_nan=False)] | None = None
    """PV and batteries that discharge must not fall below it together; <= 0."""
    storage_power_w: Watts | None = None
    """What all batteries together should do, charging positive: a target inside every limit, after
    what vehicles need to be on time. Of several events' targets that of the highest `site_seq`
    counts."""
    energize: Annotated[bool, Field(strict=True)] | None = None
    """False: everything controllable stops (chargers at 0 A, batteries and PV at 0 W) while the
    building goes on. True asks for nothing."""
    inverter_functions: Annotated[tuple[Function, ...], Field(max_length=MAX_FUNCTIONS)] = ()
    """What inverters should do by themselves. They add to those of other events; of two for the
    same `contracts.inverter.slot` that of the highest `site_seq` counts. Without any, an inverter
    goes back to its own settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstructionStep(SiteBounds):
    """Bounds over `[start, end)`."""

    start: AwareDatetime
    end: AwareDatetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallback(SiteBounds):
    """What the site holds from the last step's end until `expires_at` if it hears nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """A schedule for one site, valid `[start, expires_at)`.

    A higher `site_seq` for the same `event_id` supersedes the older one; no steps withdraws it.
    Instructions of different events bind together, by intersection.
    """

    kind: Literal["instruction"] = "instruction"
    instruction_id: Name
    site_id: Name
    site_seq: Annotated[int, Field(ge=1)]
    event_id: Name
    program_id: Name
    issued_at: AwareDatetime
    start: AwareDatetime
    expires_at: AwareDatetime
    steps: Annotated[tuple[InstructionStep, ...], Field(max_length=500)]
    fallback: Fallback
    test: bool = False
    standing: bool = False
    """Not an event but what holds all the time (an operating envelope): inside it batteries charge
    from the grid as ever, while in an event they do not. An older agent takes it for an event."""
    cause: Text = ""
    """Why this site was asked for this, in words for its owner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstructionAck:
    """The site has stored the instruction durably (`STORED`), or will not have it (`REJECTED`)."""

    kind: Literal["instruction_ack"] = "instruction_ack"
    instruction_id: Name
    state: Literal[InstructionState.STORED, InstructionState.REJECTED]
    reason: Text = ""
    at: AwareDatetime


Message = Annotated[
    Hello
    | Batch
    | Renew
    | Welcome
    | BatchAck
    | Credentials
    | Refusal
    | Instruction
    | InstructionAck
    | Prices
    | PricesAck
    | Configuration
    | ConfigurationAck,
    Field(discriminator="kind"),
]
