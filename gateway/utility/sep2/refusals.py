"""What a device cannot follow, with the code to answer (IEEE 2030.5-2018, table 27)."""

from __future__ import annotations

from contracts.errors import PermanentError
from gateway.domain.der.responses import ResponseCode


class UnusableModeError(PermanentError):
    """A mode or value the device cannot follow, with the code to answer."""

    def __init__(self, code: ResponseCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def not_applicable(reason: str) -> UnusableModeError:
    """252: the device has no such mode."""
    return UnusableModeError(ResponseCode.NOT_APPLICABLE, reason)


def invalid(reason: str) -> UnusableModeError:
    """253: it has the mode, but this is no value for it."""
    return UnusableModeError(ResponseCode.INVALID, reason)
