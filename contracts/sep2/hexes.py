"""Hexadecimal identifiers compare by value: servers send lower case and drop leading zeros."""

from __future__ import annotations


def canonical_mrid(text: str) -> str:
    """The mRID as 32 upper-case digits: the form to use as a key."""
    return text.strip().upper().lstrip("0").zfill(32)


def canonical_lfdi(text: str) -> str:
    """The LFDI as 40 upper-case digits: the form to use as a key."""
    return text.strip().upper().lstrip("0").zfill(40)


def same_hex(a: str, b: str) -> bool:
    """Whether two hexadecimal texts have the same value (`0000000A` and `0a` do)."""
    return a.strip().upper().lstrip("0") == b.strip().upper().lstrip("0")
