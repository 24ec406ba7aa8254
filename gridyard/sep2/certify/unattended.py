"""The procedures that need nobody at the utility, one after the other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass

from contracts.errors import GridyardError
from gridyard.sep2.certify import connecting, programs, reading, registering, subscribing, writing
from gridyard.sep2.certify.bench import Bench, NotApplicableError

Procedure = Callable[[Bench], Awaitable[str]]
"""Returns what was seen; raises a `GridyardError` that says why it failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one procedure showed; `passed` None: not applicable here."""

    procedure: str
    title: str
    passed: bool | None
    detail: str

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Unattended:
    """One procedure that runs by itself."""

    id: str
    title: str
    run: Procedure
    writes: str = ""
    """What it writes on the server, and what stays of it; empty: nothing."""


READING: Sequence[Unattended] = (
    Unattended("COMM-002", "configured address, one linked resource", connecting.address),
    Unattended("COMM-003", "TLS 1.2 with ECDHE-ECDSA-AES128-CCM-8", connecting.suite),
    Unattended("COMM-004", "certificates on both sides", connecting.chain),
    Unattended("CORE-003", "devices and PINs", reading.pins),
    Unattended("CORE-003", "poll rates", reading.poll_rates),
    Unattended("CORE-003", "lists in pages", reading.pages),
    Unattended("CORE-003", "order of lists", programs.order),
    Unattended("CORE-005", "time", reading.time),
    Unattended("CORE-010", "programs and their defaults", programs.defaults),
    Unattended("CORE-011", "function set assignments", programs.groups),
    Unattended("CORE-012", "curves", programs.curves),
    Unattended("CORE-013", "controls of every program", programs.controls),
    Unattended("BASIC-001", "SFDI and LFDI of every managed device", reading.identities),
    Unattended("BASIC-002", "pages of 255 items", programs.whole_page),
    Unattended("UTIL-002", "every device is commissioned", reading.commissioned),
    Unattended("ERR-002", "our listener refuses a wrong body", subscribing.wrong_body),
)
WRITING: Sequence[Unattended] = (
    Unattended(
        "CORE-009",
        "DERCapability and DERSettings",
        writing.ratings,
        "PUT of both for one DER; put back as they were",
    ),
    Unattended(
        "CORE-014",
        "modes supported",
        writing.modes,
        "PUT of DERCapability for one DER; put back as it was",
    ),
    Unattended(
        "CORE-018",
        "a Subscription from beginning to end",
        subscribing.subscriptions,
        "a Subscription; deleted",
    ),
    Unattended(
        "CORE-018",
        "a Notification on a change",
        subscribing.notified,
        "a Subscription, deleted; PUT of one EndDevice as it is",
    ),
    Unattended(
        "UTIL-003",
        "Subscriptions to programs and controls",
        subscribing.shared_lists,
        "two Subscriptions; deleted",
    ),
    Unattended("BASIC-027", "LogEvents", writing.log_events, "five LogEvents of one device; stay"),
    Unattended(
        "BASIC-028",
        "DERStatus and DERAvailability",
        writing.status,
        "PUT of both for one DER; put back as they were",
    ),
    Unattended(
        "BASIC-029",
        "mirror usage point of a device",
        writing.device_mirror,
        "a MirrorUsagePoint with readings of 0 W; deleted",
    ),
    Unattended(
        "BASIC-029",
        "mirror usage point of the aggregator",
        writing.own_mirror,
        "a MirrorUsagePoint with readings of 0 W; deleted",
    ),
    Unattended(
        "IN-BAND",
        "registration by POST, and removal",
        registering.in_band,
        "only with in_band: an EndDevice not listed yet; deleted where the server lets us",
    ),
)


async def certify(bench: Bench, *, write: bool) -> AsyncIterator[Verdict]:
    """Run every procedure, one after the other; none stops the next."""
    for one in (*READING, *(WRITING if write else ())):
        passed: bool | None = True
        try:
            detail = await one.run(bench)
        except NotApplicableError as error:
            passed, detail = None, str(error)
        except GridyardError as error:
            passed, detail = False, str(error)
        yield Verdict(procedure=one.id, title=one.title, passed=passed, detail=detail)
