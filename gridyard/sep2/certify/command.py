"""`gridyard sep2 certify` behind its options."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from functools import partial

import structlog
import typer

from contracts.clock import SystemClock
from contracts.time import Clock
from gateway.utility.sep2.settings import Sep2Settings
from gridyard.sep2.certify import report
from gridyard.sep2.certify.bench import bench_for
from gridyard.sep2.certify.judging import Judgement
from gridyard.sep2.certify.unattended import Verdict, certify
from gridyard.sep2.certify.watching import watch


def run_all(settings: Sep2Settings, *, write: bool, as_json: bool) -> bool:
    """Every procedure that needs nobody, printed as they come; whether none fails."""
    _log_from(logging.ERROR)
    for text in report.announced() if write else ():
        typer.echo(text, err=as_json)

    async def run() -> list[Verdict]:
        found = []
        async with bench_for(settings, SystemClock()) as bench:
            async for one in certify(bench, write=write):
                found.append(one)
                if not as_json:
                    _print(report.line(one))
        return found

    found = asyncio.run(run())
    if as_json:
        _print(json.dumps(report.as_json(found), indent=2))
    else:
        _print(*report.rest())
    return all(one.passed is not False for one in found)


def run_watch(settings: Sep2Settings, name: str, lasts: str, *, as_json: bool) -> bool:
    """One watch procedure; whether it passes. With `as_json` progress goes to stderr."""
    _log_from(logging.WARNING)
    procedure, length, clock = report.chosen(name), report.span(lasts), SystemClock()
    say = partial(_progress, clock, as_json)

    async def run() -> Judgement:
        async with bench_for(settings, clock) as bench:
            return await watch(bench, procedure, length, say)

    found = asyncio.run(run())
    if as_json:
        _print(json.dumps(report.judged_as_json(procedure, found), indent=2))
    else:
        _print("", *report.judged(procedure, found))
    return found.outcome == "PASS"


def _print(*lines: str) -> None:
    for one in lines:
        typer.echo(one)


def _progress(clock: Clock, as_json: bool, text: str) -> None:
    typer.echo(f"{clock.now():%H:%M:%S}  {text}", err=as_json)


def _log_from(level: int) -> None:
    """What our client logs goes to stderr: stdout is for verdicts."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
