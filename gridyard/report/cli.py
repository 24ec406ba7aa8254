"""`gridyard report list | summary | bulk | export`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from contracts.errors import ConfigError
from gridyard.at_gateway.options import GATEWAY, GatewayOption, ZoneOption, known_zone
from gridyard.printing import JsonOption, print_answer
from gridyard.runner import Exit, fail, plain_errors

app = typer.Typer(
    help="Participation reports and meter data as files.",
    no_args_is_help=True,
)


class Whom(StrEnum):
    """Who is to read it."""

    OPERATOR = "operator"
    OWNER = "owner"
    UTILITY = "utility"
    ALL = "all"


class ReportFormat(StrEnum):
    """What becomes of a report."""

    PDF = "pdf"
    CSV = "csv"
    XLSX = "xlsx"
    PARQUET = "parquet"


class ExportFormat(StrEnum):
    """What can be exported."""

    PDF = "pdf"
    CSV = "csv"
    XLSX = "xlsx"
    PARQUET = "parquet"
    GREEN_BUTTON = "green-button"


ProgramOption = Annotated[str, typer.Option(help="The program's id in the gateway's settings.")]
PeriodOption = Annotated[
    str, typer.Option("--month", help="Such as 2026-10; or a season such as 2026-summer.")
]


@app.command("list")
def list_(
    program: ProgramOption,
    month: PeriodOption,
    gateway: GatewayOption = GATEWAY,
    as_json: JsonOption = False,
) -> None:
    """The newest report of every event of a program's month."""
    from gridyard.report import asking

    with plain_errors():
        found = asking.reports(gateway, program, month)
    print_answer(found, asking.lines(found), as_json=as_json)


@app.command()
def summary(
    program: ProgramOption,
    month: PeriodOption,
    site: Annotated[str, typer.Option(help="Only this site, as its owner may see it.")] = "",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="A .csv (events) or .xlsx (all) to write.")
    ] = None,
    gateway: GatewayOption = GATEWAY,
    as_json: JsonOption = False,
) -> None:
    """What a program asked and got over a month or season, and why less. No money."""
    from gridyard.report import asking, summing

    reader = {"audience": "owner", "site_id": site} if site else {}
    with plain_errors():
        if out is not None:
            kind = summing.kind_of(out)
            out.write_bytes(asking.summary_file(gateway, program, month, reader, kind))
        found = asking.summary(gateway, program, month, reader)
    print_answer(found, summing.lines(found), as_json=as_json)


@app.command()
def bulk(
    program: ProgramOption,
    month: PeriodOption,
    out: Annotated[Path, typer.Option("--out", help="Folder for the files.")],
    whom: Annotated[Whom, typer.Option("--for", help="Whose reports.")] = Whom.OWNER,
    kind: Annotated[ReportFormat, typer.Option("--format")] = ReportFormat.PDF,
    workers: Annotated[
        int, typer.Option(min=0, max=64, help="Processes; 0: as many as processors.")
    ] = 0,
    gateway: GatewayOption = GATEWAY,
    as_json: JsonOption = False,
) -> None:
    """A file for every reader of every event of a program's month, with progress on stderr."""
    from gateway.reports.audience import Audience
    from gridyard.report import bulk as many
    from gridyard.report.progress import shown_progress

    readers = tuple(Audience) if whom is Whom.ALL else (Audience(whom.value),)
    wanted = many.Wanted(
        gateway=gateway,
        program=program,
        period=month,
        folder=out,
        readers=readers,
        ending=kind.value,
        workers=workers,
    )
    with plain_errors(), shown_progress() as progress:
        written = many.bulk(wanted, progress)
    said = [f"{len(written.files)} files in {out} in {written.seconds:.1f} s"]
    print_answer(written.as_dict(), [*said, *written.failed], as_json=as_json)
    if written.failed:
        fail(f"{len(written.failed)} files could not be made", Exit.FAILED)


@app.command()
def export(
    subject: Annotated[
        str, typer.Argument(help="An event as UTILITY/EVENT; or a site, for its meter's data.")
    ],
    kind: Annotated[ExportFormat, typer.Option("--format")] = ExportFormat.CSV,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File; else named by what it is, here.")
    ] = None,
    whom: Annotated[Whom, typer.Option("--for", help="Of an event: who reads it.")] = Whom.OPERATOR,
    site: Annotated[str, typer.Option(help="Of an event, with `--for owner`: whose.")] = "",
    version: Annotated[
        int | None, typer.Option(min=1, help="Of an event's report; else the newest.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--from", help="Of a site: first day, such as 2026-10-01.")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", help="Of a site: last day.")] = None,
    gateway: GatewayOption = GATEWAY,
    zone: ZoneOption = "",
    locale: Annotated[
        str, typer.Option(help="How a report writes numbers and dates, such as de-CH.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Keep one event's report, or a site's meter data, as a file."""
    from gridyard.report import asking

    with plain_errors():
        if zone:
            known_zone(zone)
        if "/" in subject:
            if kind is ExportFormat.GREEN_BUTTON or whom is Whom.ALL:
                raise ConfigError("a report is no Green Button feed, and one reader's: see --for")
            reader = {
                "audience": whom.value,
                "site_id": site,
                "zone": zone,
                "locale": locale,
            }
            made = asking.report_file(gateway, subject, version, kind.value, reader)
        else:
            if kind is ExportFormat.PDF or since is None or until is None:
                raise ConfigError(
                    "a site's meter data need --from and --to, and are csv, xlsx, parquet or "
                    "green-button"
                )
            made = asking.meter_file(gateway, subject, kind.value, since, until)
        path = out or Path(made.name)
        path.write_bytes(made.content)
    answer = {"file": str(path), "bytes": len(made.content)}
    print_answer(answer, [f"{path}: {len(made.content)} bytes"], as_json=as_json)
