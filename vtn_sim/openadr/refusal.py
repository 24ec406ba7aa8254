"""Why the VTN refuses a message, with the response code that says so."""

from __future__ import annotations

from contracts.errors import ProtocolError

OK = 200
OUT_OF_SEQUENCE = 450
NOT_ALLOWED = 451
INVALID_ID = 452
NOT_RECOGNISED = 453
INVALID_DATA = 454
REPORT_NOT_SUPPORTED = 461
NOT_REGISTERED = 463


class Refusal(ProtocolError):  # noqa: N818 - it is one; "error" is what caused it
    """A message that is answered with an OpenADR response code other than 200."""

    def __init__(self, code: int, reason: str, *, blameless: bool = False) -> None:
        """`blameless`: the sender could not know better."""
        super().__init__(reason)
        self.code = code
        self.blameless = blameless
