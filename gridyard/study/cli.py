"""`gridyard study`: what our decisions do on recorded days."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gridyard.printing import JsonOption, print_answer
from gridyard.runner import Exit, fail, plain_errors

app = typer.Typer(help="What our own decisions do on recorded days, beside other rules.")
_MOST_CAPS, _LEAST_CAP_A, _MOST_CAP_A = 10, 6.0, 100_000.0


@app.callback()
def _group() -> None:
    """A command of this group has a name of its own, even while there is one only."""


@app.command()
def sessions(
    data: Annotated[
        Path | None,
        typer.Option(help="CSV file: day,arrival,departure,energy_wh; default: the sample."),
    ] = None,
    caps: Annotated[
        str, typer.Option(help="Limits on all sessions together, A, with commas between.")
    ] = "300,250,450",
    days: Annotated[
        int | None, typer.Option(min=1, max=366, help="Only so many of the days.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Share one limit among a day's sessions by several rules; mean over the days.

    `energy`: share of the energy asked for. `met`: share of sessions that left with all of it.
    The sample is 16 weekdays at a workplace (ACN-Data, JPL 2019, CC BY 4.0): 3 minutes or so.
    """
    from gridyard.study.days import read_days
    from gridyard.study.optimum import UnprovenError
    from gridyard.study.sessions import SAMPLE, WAYS, Line, study
    from gridyard.study.words import document, line_words, table

    with plain_errors():
        known = read_days(data or SAMPLE)[:days]
    caps_a = _caps(caps)
    lines: list[Line] = []
    try:
        for line in study(known, caps_a):
            lines.append(line)
            typer.echo(f"{len(lines)} of {len(caps_a) * len(WAYS)}: {line_words(line)}", err=True)
    except UnprovenError as error:
        fail(f"{error}; give fewer or smaller days", Exit.FAILED)
    print_answer(document(lines, len(known)), table(lines, len(known)), as_json=as_json)


def _caps(text: str) -> list[float]:
    try:
        caps = [float(part) for part in text.split(",")]
    except ValueError:
        fail(f"--caps: {text!r} is no list of numbers; give A such as 300,250", Exit.FAILED)
    if len(caps) > _MOST_CAPS or not all(_LEAST_CAP_A <= cap <= _MOST_CAP_A for cap in caps):
        fail(f"--caps: give up to {_MOST_CAPS} limits from 6 A to 100000 A", Exit.FAILED)
    return list(dict.fromkeys(caps))
