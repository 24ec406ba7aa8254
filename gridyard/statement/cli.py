"""`gridyard statement`: what a program owes, or a site gets, for a month or season."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from contracts.errors import ConfigError
from gridyard.at_gateway.options import GATEWAY, GatewayOption
from gridyard.printing import JsonOption, print_answer
from gridyard.runner import plain_errors

_KINDS = ("pdf", "csv", "xlsx", "parquet")


def statement(
    subject: Annotated[str, typer.Argument(metavar="SITE|PROGRAM", help="Its id.")],
    month: Annotated[
        str, typer.Option("--month", help="Such as 2026-10; or a season such as 2026-summer.")
    ],
    settle: Annotated[
        bool, typer.Option("--settle", help="Make it anew from what is known now.")
    ] = False,
    version: Annotated[
        int | None, typer.Option(min=1, help="Of a program's; else the newest.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Keep it as a .pdf, .csv, .xlsx, .parquet.")
    ] = None,
    gateway: GatewayOption = GATEWAY,
    as_json: JsonOption = False,
) -> None:
    """What a program owes for a month or season, or what of it is a site's; every line says why.

    Versions are PRELIMINARY until everything they count is final, and never change; `--settle`
    makes a new one where anything is another, and says what changed and from what.
    """
    from gridyard.report import asking
    from gridyard.statement import words

    with plain_errors():
        kind = "" if out is None else out.suffix.removeprefix(".")
        if out is not None and kind not in _KINDS:
            raise ConfigError(f"--out {out}: the name's ending must be one of {', '.join(_KINDS)}")
        if settle and version is not None:
            raise ConfigError("--settle makes the newest version: leave --version out")
        found = asking.statement(gateway, subject, month, version, settle=settle)
        if out is not None:
            out.write_bytes(asking.statement_file(gateway, subject, month, version, kind))
    print_answer(found, words.lines(found), as_json=as_json)
