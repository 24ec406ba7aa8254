"""What is answered to a server: the codes of IEEE 2030.5-2018, Table 27, and who wants which."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum

from gateway.domain.der.control import DerControl, ResponseRequired


class ResponseCode(IntEnum):
    """Response.status for DER controls; other numbers are reserved."""

    RECEIVED = 1
    STARTED = 2
    COMPLETED = 3
    OPT_OUT = 4
    OPT_IN = 5
    CANCELLED = 6
    SUPERSEDED = 7
    PARTIAL_OPT_OUT = 8
    """Ran until the user opted out."""
    PARTIAL_OPT_IN = 9
    """Ran from when the user opted in again."""
    NO_PARTICIPATION = 10
    """The user had opted out of all of it."""
    ABORTED_FOR_SERVER = 13
    """Given up for an event of another server; for whoever joins several, never from here."""
    ABORTED_FOR_PROGRAM = 14
    """Given up for an event of another program."""
    NOT_APPLICABLE = 252
    """Names a mode the device does not have."""
    INVALID = 253
    """Gives a value out of range."""
    EXPIRED = 254
    """Was received after its end."""


_WANTED_WITH = {
    ResponseCode.RECEIVED: ResponseRequired.RECEIVED,
    ResponseCode.OPT_OUT: ResponseRequired.SPECIFIC | ResponseRequired.USER,
    ResponseCode.OPT_IN: ResponseRequired.SPECIFIC | ResponseRequired.USER,
    ResponseCode.NOT_APPLICABLE: ResponseRequired.RECEIVED | ResponseRequired.SPECIFIC,
    ResponseCode.INVALID: ResponseRequired.RECEIVED | ResponseRequired.SPECIFIC,
    ResponseCode.EXPIRED: ResponseRequired.RECEIVED | ResponseRequired.SPECIFIC,
}
"""Any one of these bits is enough; every other code goes with `SPECIFIC`."""

_ELSE = {
    ResponseCode.ABORTED_FOR_PROGRAM: ResponseCode.SUPERSEDED,
    ResponseCode.ABORTED_FOR_SERVER: ResponseCode.SUPERSEDED,
}
"""What a utility understands instead of a code it does not take."""


class Edition(StrEnum):
    """Of IEEE 2030.5."""

    V2018 = "2018"
    """A control that is no longer listed goes on (10.2.3.3 s)."""
    V2023 = "2023"
    """A control that is no longer listed is cancelled (10.2.3 p)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseProfile:
    """How one utility wants the rules read where the standard or the test houses leave a choice."""

    edition: Edition = Edition.V2018
    codes: frozenset[ResponseCode] = frozenset(ResponseCode)
    """Codes it accepts; others are withheld (13 and 14 become 7 if that is accepted)."""
    displaced_before_start: ResponseCode = ResponseCode.SUPERSEDED
    """7 or 14: for a control that those of other programs displace before it begins."""
    resume: bool = False
    """Whether a control takes up again after a better one that lay over it (the standard: no)."""
    revive: bool = False
    """Whether a dropped control comes back when the better one is cancelled before it begins."""
    remember: timedelta = timedelta(hours=1)
    """How long a control that has ended is kept after its window once it is no longer listed."""

    def spoken(self, code: ResponseCode) -> ResponseCode | None:
        """The code as this utility takes it, or None when it takes none."""
        return next((c for c in (code, _ELSE.get(code)) if c in self.codes), None)


CSIP = ResponseProfile()
"""CSIP v2.1; set `displaced_before_start` to 14 for the aggregator tests."""
CSIP_AUS = ResponseProfile(
    codes=frozenset(
        {
            ResponseCode.RECEIVED,
            ResponseCode.STARTED,
            ResponseCode.COMPLETED,
            ResponseCode.CANCELLED,
            ResponseCode.SUPERSEDED,
        }
    )
)
"""Australian utilities take 1, 2, 3, 6 and 7 only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseDue:
    """One Response to post: for this device, about this control, once."""

    mrid: str
    lfdi: str
    code: ResponseCode
    at: datetime
    """When it happened; late steps keep their own instant."""
    reply_to: str
    cause: str


def wanted(control: DerControl[object], code: ResponseCode) -> bool:
    """Whether the server asked to hear this about the control."""
    bits = _WANTED_WITH.get(code, ResponseRequired.SPECIFIC)
    return control.reply_to is not None and bool(control.response_required & bits)
