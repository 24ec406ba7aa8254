"""Checks that go step by step: what was found, and what to do about it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import typer


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One step of a check."""

    step: str
    ok: bool
    detail: str
    hint: str = ""

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


def show(found: Sequence[Finding], *, as_json: bool) -> bool:
    """Print every step; whether all went well."""
    if as_json:
        typer.echo(json.dumps([one.as_dict() for one in found], indent=2))
    else:
        for one in found:
            typer.echo(f"{'ok  ' if one.ok else 'FAIL'}  {one.step}: {one.detail}")
            if one.hint:
                typer.echo(f"      -> {one.hint}")
    return all(one.ok for one in found)
