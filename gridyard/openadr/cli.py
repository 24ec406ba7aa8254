"""`gridyard openadr ...`: enrol with a utility's OpenADR VTN, and look into what it sends."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from gridyard.printing import JsonOption, print_answer
from gridyard.runner import Exit, fail, plain_errors

app = typer.Typer(
    help="Enrol with a utility's OpenADR VTN, and look into what it sends.", no_args_is_help=True
)

ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", help="Settings file of the gateway (YAML).")
]
UtilityOption = Annotated[
    str | None, typer.Option("--utility", "-u", help="Which utility, when there are several.")
]
ApiOption = Annotated[
    str | None,
    typer.Option(
        "--gateway", help="Address of the gateway's web server, if not the one of its settings."
    ),
]


@app.command()
def fingerprint(
    certificate: Annotated[Path, typer.Argument(help="Certificate (PEM).")],
    as_json: JsonOption = False,
) -> None:
    """Fingerprint of a certificate, as a utility wants it for enrolment.

    The last 10 bytes of its SHA-256 (OpenADR 2.0b, security).
    """
    from contracts.identity import certificate_der, openadr_fingerprint

    with plain_errors():
        name = openadr_fingerprint(certificate_der(certificate))
    typer.echo(json.dumps({"fingerprint": name}) if as_json else name)


@app.command()
def check(
    config: ConfigOption,
    utility: UtilityOption = None,
    register: Annotated[
        bool,
        typer.Option("--register", help="Also register, poll once and cancel again."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Connect as the gateway would and say, step by step, what works and what to do.

    Nothing is changed at the VTN, and nothing is taken from its queue. With --register something
    is: stop the gateway first. Exit code 1 when a step fails.
    """
    from contracts.clock import SystemClock
    from gridyard.findings import Finding, show
    from gridyard.openadr.check import check as steps
    from gridyard.openadr.session import chosen

    with plain_errors():
        settings = chosen(config, utility)

        async def found() -> list[Finding]:
            return [one async for one in steps(settings, SystemClock(), register=register)]

        ready = show(asyncio.run(found()), as_json=as_json)
    if not ready:
        fail("the connection is not ready", Exit.FAILED)


@app.command()
def replay(
    file: Annotated[str, typer.Argument(help="A captured message (XML); `-` reads from stdin.")],
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", help="Settings of the gateway: its sites and programs."),
    ] = None,
    utility: UtilityOption = None,
    trusted: Annotated[
        str | None, typer.Option("--fingerprint", help="Whose signature it must be: AB:CD:...")
    ] = None,
    ven_id: Annotated[
        str | None, typer.Option(help="Our venID; by default the settings', or the one named.")
    ] = None,
    at: Annotated[
        str | None, typer.Option(help="Judge as of this time, such as 2026-11-21T17:00:00Z.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Explain a captured message: what it says, how good it is, what our VEN would answer.

    Nothing is stored, sent or asked. Exit code 1 when it cannot be read, or when --fingerprint is
    given and the signature is not a good one of that certificate.
    """
    from dataclasses import replace
    from io import StringIO

    from contracts.clock import SystemClock
    from contracts.errors import PermanentError
    from contracts.openadr.values import parse_instant
    from gridyard.openadr import replay as captured
    from gridyard.runner import configure_logs

    configure_logs(to=StringIO())  # what is tolerated is part of the answer
    with plain_errors():
        pinned = None if trusted is None else captured.fingerprints(trusted)
        try:
            now = SystemClock().now() if at is None else parse_instant(at)
        except ValueError as error:
            raise PermanentError(f"--at: {error}") from error
        data = captured.read_capture(file, sys.stdin.buffer)
        who = captured.whose(config, utility)
        who = who if pinned is None else replace(who, trusted=pinned)
        found = captured.replay(data, who, now, ven_id=ven_id)
    print_answer(captured.as_document(found), captured.as_lines(found), as_json=as_json)
    if found.inspection.payload is None:
        fail("it cannot be read as OpenADR 2.0b", Exit.FAILED)
    if pinned is not None and not found.inspection.signature.trusted:
        fail("the signature is not what it must be", Exit.FAILED)


@app.command()
def events(
    config: ConfigOption,
    utility: UtilityOption = None,
    api: ApiOption = None,
    as_json: JsonOption = False,
) -> None:
    """What the utility has asked of the running gateway, and our answers."""
    from gridyard.openadr.knowledge import event_lines
    from gridyard.openadr.running import RunningGateway

    with plain_errors():
        found = asyncio.run(RunningGateway.of(config, utility, api).events())
    print_answer(found, event_lines(found), as_json=as_json)


@app.command()
def opts(
    config: ConfigOption,
    utility: UtilityOption = None,
    api: ApiOption = None,
    as_json: JsonOption = False,
) -> None:
    """What the running gateway has told the utility about taking part, event by event."""
    from gridyard.openadr.knowledge import opt_lines
    from gridyard.openadr.knowledge import opts as known
    from gridyard.openadr.running import RunningGateway

    with plain_errors():
        found = asyncio.run(known(RunningGateway.of(config, utility, api)))
    print_answer(found.as_document(), opt_lines(found), as_json=as_json)


@app.command()
def reports(
    config: ConfigOption,
    utility: UtilityOption = None,
    api: ApiOption = None,
    as_json: JsonOption = False,
) -> None:
    """Which reports the utility wants of the running gateway, and how far they have come."""
    from gridyard.openadr.knowledge import report_lines
    from gridyard.openadr.knowledge import reports as known
    from gridyard.openadr.running import RunningGateway

    with plain_errors():
        found = asyncio.run(known(RunningGateway.of(config, utility, api)))
    print_answer(found.as_document(), report_lines(found), as_json=as_json)


@app.command("opt-out")
def opt_out(
    event: Annotated[str, typer.Argument(help="The eventID.")],
    config: ConfigOption,
    why: Annotated[str, typer.Option("--why", help="The reason, kept in the journal.")],
    site: Annotated[
        str | None, typer.Option(help="Site id; left out: every site enrolled in the program.")
    ] = None,
    utility: UtilityOption = None,
    api: ApiOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take sites out of an event at the running gateway; doing it twice changes nothing."""
    from gridyard.openadr.running import RunningGateway

    with plain_errors():
        gateway = RunningGateway.of(config, utility, api)
        out = asyncio.run(gateway.opt_out(event, site, why))
    if as_json:
        answer = {"utility_id": gateway.utility_id, "event_id": event, "out": out}
        typer.echo(json.dumps(answer, indent=2))
    else:
        typer.echo(f"{event}: out: {', '.join(out)}")
