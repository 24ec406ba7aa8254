"""The `gridyard` command. Heavy imports live inside the commands, so `--help` stays quick."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from contracts import collector
from contracts.errors import ConfigError
from gridyard.accounts.cli import accounts
from gridyard.anomalies.cli import anomalies
from gridyard.at_gateway.options import GATEWAY, GatewayOption
from gridyard.baseline.cli import app as baseline
from gridyard.book.cli import app as book
from gridyard.determinant.cli import app as determinant
from gridyard.device.cli import app as device
from gridyard.event.cli import app as event
from gridyard.fleet.cli import app as fleet
from gridyard.forecast.cli import app as forecast
from gridyard.meter.cli import app as meter
from gridyard.nominations.cli import app as nominations
from gridyard.ocpp.cli import app as ocpp
from gridyard.openadr.cli import app as openadr
from gridyard.prices.cli import app as prices
from gridyard.printing import JsonOption
from gridyard.program.cli import app as program_app
from gridyard.replay.cli import app as replay
from gridyard.report.cli import app as report
from gridyard.rules.cli import app as rules
from gridyard.runner import Exit, configure_logs, fail, plain_errors, run_program
from gridyard.sep2.cli import app as sep2
from gridyard.simulate.cli import simulate
from gridyard.site.cli import agent
from gridyard.site.cli import app as site
from gridyard.statement.cli import statement
from gridyard.study.cli import app as study
from gridyard.telemetry.cli import app as telemetry
from gridyard.upstream.cli import app as upstream

if TYPE_CHECKING:
    from vtn_sim.config import VtnSettings
    from vtn_sim.sep2.settings import Sep2ServerSettings

app = typer.Typer(
    name="gridyard",
    help="Grid-facing DER aggregation and demand-response gateway.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    add_completion=False,
)

app.add_typer(baseline, name="baseline")
app.add_typer(book, name="book")
app.add_typer(determinant, name="determinant")
app.add_typer(device, name="device")
app.add_typer(event, name="event")
app.add_typer(fleet, name="fleet")
app.add_typer(forecast, name="forecast")
app.add_typer(meter, name="meter")
app.add_typer(nominations, name="nominations")
app.add_typer(ocpp, name="ocpp")
app.add_typer(openadr, name="openadr")
app.add_typer(prices, name="prices")
app.add_typer(program_app, name="program")
app.add_typer(replay, name="replay")
app.add_typer(report, name="report")
app.add_typer(rules, name="rules")
app.add_typer(sep2, name="sep2")
app.add_typer(site, name="site")
app.add_typer(agent, name="site-agent")
app.add_typer(study, name="study")
app.add_typer(telemetry, name="telemetry")
app.add_typer(upstream, name="upstream")
app.command()(accounts)
app.command()(anomalies)
app.command()(simulate)
app.command()(statement)

ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="Settings file (YAML).")]
SiteOption = Annotated[
    Path | None, typer.Option("--site", "-s", help="Settings file of the agent (YAML).")
]
DataOption = Annotated[
    Path | None, typer.Option("--data", help="Data folder of the agent, instead of --site.")
]


@app.callback()
def options(
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log more.")] = False,
    log_json: Annotated[bool, typer.Option("--log-json", help="Log as JSON lines.")] = False,
) -> None:
    """Set up logging for whichever command follows."""
    configure_logs(verbose=verbose, as_json=log_json)


@app.command()
def gateway(config: ConfigOption) -> None:
    """Run the aggregator: utilities on one side, sites on the other, people on the web."""
    from contracts.clock import SystemClock
    from contracts.config import load
    from gateway.config import GatewaySettings
    from gateway.main import run

    async def program(stopping: asyncio.Event) -> None:
        await run(load(config, GatewaySettings), SystemClock(), stopping)

    run_program(program)


@app.command()
def leases(
    site: SiteOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """What every device of a running agent does when the agent dies, and within which time."""
    from gridyard import leases as told
    from gridyard.printing import print_answer

    with plain_errors():
        found = told.asked(site, data)
    print_answer(found, told.lines(found), as_json=as_json)


@app.command()
def why(
    subject: Annotated[
        str,
        typer.Argument(
            help="At a depot: a charger, battery, inverter, vehicle or circuit node. At the "
            "gateway: event, site or instruction, followed by its id."
        ),
    ] = "site",
    subject_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Of the gateway: UTILITY/EVENT, or an id.")
    ] = None,
    site: SiteOption = None,
    data: DataOption = None,
    gateway_url: GatewayOption = GATEWAY,
    at: Annotated[
        str | None, typer.Option(help="A past time, such as 14:05 or 2026-01-05T14:05.")
    ] = None,
    zone: Annotated[
        str, typer.Option(help="At the gateway: zone of the times, an IANA name.")
    ] = "UTC",
    as_json: JsonOption = False,
) -> None:
    """Why something is as it is (or was), in one sentence with what binds it.

    At a depot, of its agent: `why cp-6 --site site.yaml`. At the gateway: `why event
    UTILITY/EVENT`, `why site ID`, `why instruction ID`.
    """
    from contracts.clock import SystemClock
    from gridyard import why as told
    from gridyard import why_gateway
    from gridyard.at_gateway.options import known_zone
    from gridyard.printing import print_answer

    now = SystemClock().now()
    with plain_errors():
        if subject_id is None:
            if (site is None and data is None) and subject in why_gateway.KINDS:
                raise ConfigError(
                    f"say which {subject} of the gateway (`why {subject} ID`), or which depot's "
                    "agent: --site FILE or --data FOLDER"
                )
            agent = told.Asked(site, data)
            answer = agent.why(subject, at, now)
            shown = told.lines(answer, agent.zone)
        else:
            if site is not None or data is not None:
                raise ConfigError("--site and --data are for a depot's agent, which takes one name")
            tz = known_zone(zone)
            found = why_gateway.why(gateway_url, subject, subject_id, at, tz, now)
            answer, shown = found, why_gateway.lines(found, tz)
    print_answer(answer, shown, as_json=as_json)


@app.command()
def journal(
    subject: Annotated[
        str | None, typer.Argument(help="Of one device, vehicle or the site; all when left out.")
    ] = None,
    site: SiteOption = None,
    data: DataOption = None,
    most: Annotated[int, typer.Option(min=1, max=1000, help="How many entries at most.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """What a depot's agent has decided: limits, setpoints, modes and plans as they changed."""
    from gridyard import why as told
    from gridyard.printing import print_answer

    with plain_errors():
        agent = told.Asked(site, data)
        entries = agent.journal(subject, most)
    print_answer(entries, told.journal_lines(entries, agent.zone), as_json=as_json)


@app.command("utility-sim")
def utility_sim(
    config: ConfigOption,
    procedure: Annotated[
        str | None,
        typer.Option(help="Play this CSIP test procedure (see `gridyard sep2 procedures`)."),
    ] = None,
    stretch: Annotated[
        int, typer.Option(min=1, max=600, help="Make the procedure so many times as slow.")
    ] = 1,
) -> None:
    """Run a simulated utility (OpenADR 2.0b, IEEE 2030.5) with a REST API to drive it."""
    from contracts.clock import SystemClock
    from contracts.config import load
    from vtn_sim.config import VtnSettings
    from vtn_sim.main import run
    from vtn_sim.sep2.procedures import procedure as by_id

    async def program(stopping: asyncio.Event) -> None:
        settings = load(config, VtnSettings)
        if procedure is not None:
            played = by_id(procedure).settings(_sep2_of(settings, config), stretch)
            settings = settings.model_copy(update={"sep2": played})
        await run(settings, SystemClock(), None, stopping)

    run_program(program)


def _sep2_of(settings: VtnSettings, config: Path) -> Sep2ServerSettings:
    """Keys, port and aggregators of the IEEE 2030.5 server."""
    if settings.sep2 is None:
        raise ConfigError(f"{config}: a procedure needs the keys and aggregators of a part `sep2`")
    return settings.sep2


@app.command("depot-sim")
def depot_sim(config: ConfigOption) -> None:
    """Run the simulated field hardware of one depot on real protocol sockets."""
    from contracts.clock import SystemClock
    from contracts.config import load
    from depot_sim.config import DepotSettings
    from depot_sim.main import run

    async def program(stopping: asyncio.Event) -> None:
        await run(load(config, DepotSettings), SystemClock(), None, stopping)

    run_program(program)


@app.command()
def certs(
    folder: Annotated[Path, typer.Argument(help="Where to put keys and certificates.")],
    site: Annotated[list[str] | None, typer.Option(help="A site id; may be repeated.")] = None,
    charger: Annotated[
        list[str] | None,
        typer.Option(help="A charge point id (OCPP security profile 3); may be repeated."),
    ] = None,
    host: Annotated[
        list[str] | None,
        typer.Option(help="A name or address servers are reached under; may be repeated."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a test PKI (separate roots for utility side and site side) and site credentials.

    Safe to run again: valid files are kept, those near their end are renewed.
    """
    from certs.pki import LOOPBACK
    from contracts.clock import SystemClock
    from gridyard.credentials import make_credentials

    with plain_errors():
        hosts = [*LOOPBACK, *(host or [])]
        make_credentials(folder, site or ["depot-1"], SystemClock(), hosts, charger or [])
    files = sorted(str(path) for path in folder.rglob("*") if path.is_file())
    if as_json:
        typer.echo(json.dumps({"folder": str(folder), "files": files}, indent=2))
    else:
        typer.echo(f"test keys and certificates are in {folder} ({len(files)} files)")
        typer.echo("they are for tests and pilots; never commit them")


@app.command()
def doctor(as_json: JsonOption = False) -> None:
    """Check that this machine can run Gridyard; each failure says what to do."""
    from gridyard.doctor import examine

    checks = examine()
    if as_json:
        typer.echo(json.dumps([check.as_dict() for check in checks], indent=2))
    else:
        for check in checks:
            typer.echo(f"{'ok  ' if check.ok else 'FAIL'}  {check.name}: {check.detail}")
            if not check.ok:
                typer.echo(f"      -> {check.hint}")
    failed = [check.name for check in checks if not check.ok and check.required]
    if failed:
        fail(f"not ready: {', '.join(failed)}", Exit.FAILED)


@app.command()
def demo(
    data: Annotated[Path, typer.Option(help="Folder for everything the demo writes.")] = Path(
        "data/demo"
    ),
    exit_after_report: Annotated[
        bool, typer.Option("--exit-after-report", help="Stop once the report is written.")
    ] = False,
    no_open: Annotated[bool, typer.Option("--no-open", help="Do not open a browser.")] = False,
    run_for: Annotated[
        float | None, typer.Option("--for", help="Stop after this many seconds.", min=1)
    ] = None,
    port: Annotated[int, typer.Option(help="Port of the dashboard (0: any free one).")] = 0,
    quick: Annotated[
        bool, typer.Option("--quick", help="The same story with an event of 40 s.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Run everything once: a utility, the gateway, three depots and one demand-response event.

    Real sockets, real time, simulated hardware. The dashboard's address is printed first; about
    three minutes later there is a participation report.
    """
    from gridyard.demo.plan import DEFAULT, QUICK
    from gridyard.demo.run import DemoOptions, run_demo

    wanted = DemoOptions(
        data=data.resolve(),
        exit_after_report=exit_after_report,
        open_browser=not no_open and not as_json,
        run_for_s=run_for,
        port=port,
        as_json=as_json,
        pace=QUICK if quick else DEFAULT,
    )

    async def program(stopping: asyncio.Event) -> None:
        await run_demo(wanted, stopping)

    wanted.data.mkdir(parents=True, exist_ok=True)
    with (wanted.data / "demo.log").open("a", encoding="utf-8") as log:
        configure_logs(to=log)  # the terminal is for the story
        run_program(program)


@app.command()
def bench(
    name: Annotated[str | None, typer.Argument(help="Which one; all when left out.")] = None,
    sites: Annotated[
        int | None,
        typer.Option(min=1, max=20_000, help="How many, of fanout, mv, telemetry, year."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure ours beside a peer or a floor in the same run; exit 1 when a bar does not hold."""
    from gridyard.bench import registry
    from gridyard.bench.core import as_document, as_table

    if name is not None and name not in registry.BENCHES:
        fail(f"no bench {name!r}; there are: {', '.join(registry.BENCHES)}", Exit.FAILED)
    missed = False
    for chosen in [name] if name else list(registry.BENCHES):
        bench = registry.BENCHES[chosen]
        rows = bench.run_with(sites) if sites and bench.run_with else bench.run()
        missed = missed or not all(row.holds for row in rows)
        if as_json:
            typer.echo(json.dumps(as_document(bench, rows)))
        else:
            typer.echo(f"{bench.name}: {bench.about}\n{as_table(rows)}\n")
    if missed:
        fail("a bar does not hold", Exit.FAILED)


def main() -> None:
    """Entry point of the console script."""
    collector.spare()
    app()
