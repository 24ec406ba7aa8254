"""The device the rules are applied for: who it is, what kind, and what it can follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateway.domain.der.control import DerControl
from gateway.domain.der.responses import ResponseCode


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """Why a device cannot follow a mode."""

    code: ResponseCode
    """`NOT_APPLICABLE` (252) or `INVALID` (253)."""
    reason: str


Applicable = Callable[[str, object], Rejection | None]
"""Judges a mode and its value; None means the device can follow it."""


def anything(mode: str, value: object) -> Rejection | None:
    """Accept every mode and every value."""
    del mode, value
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One EndDevice."""

    lfdi: str
    categories: int | None = None
    """Bitmap of what it is (DeviceCategoryType); None: every control concerns it."""
    parts: tuple[str, ...] = ("",)
    """What it stands for together (sites), each with a user who may opt out for it."""
    applicable: Applicable = anything

    def concerns(self, control: DerControl[object]) -> bool:
        """Whether the control addresses a device of this kind; if not, it is ignored unanswered."""
        if self.categories is None or control.device_category is None:
            return True
        return bool(self.categories & control.device_category)
