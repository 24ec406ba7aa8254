"""Run the demo: start every program in this process, tell the story, keep the report."""

from __future__ import annotations

import asyncio
import webbrowser
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from contracts.clock import SystemClock
from contracts.errors import PermanentError
from contracts.tasks import first_of
from contracts.time import Clock
from depot_sim.depot import Depot
from gateway.main import run as run_gateway
from gridyard.demo import plan as demo
from gridyard.demo.layout import Layout, make_layout
from gridyard.demo.plan import Pace
from gridyard.demo.prepare import load_history
from gridyard.demo.story import Story
from gridyard.demo.watch import EVENT_PATH, Watcher
from site_agent.main import run as run_agent
from vtn_sim.main import run as run_utility

_START_S = 30.0
"""Everything must be up within this, or the demo says what is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """What was asked for on the command line."""

    data: Path
    exit_after_report: bool
    open_browser: bool
    run_for_s: float | None
    port: int
    as_json: bool
    pace: Pace = demo.DEFAULT


async def run_demo(options: DemoOptions, stopping: asyncio.Event) -> None:
    """Run until the report is there (or until stopped); leaves nothing behind but `options.data`.

    Raises:
        PermanentError: it did not come to a report although it should have.
    """
    clock = SystemClock()
    story = Story(clock, as_json=options.as_json)
    folder = options.data / f"run-{story.begun:%Y%m%dT%H%M%SZ}"
    layout = make_layout(folder, options.data / "pki", options.pace, clock, web_port=options.port)
    await load_history(layout.gateway, story.begun)

    async def tell() -> None:
        await _tell(layout, options, story, clock, folder)
        if not options.exit_after_report:
            story.tell("hint", "everything goes on running; Ctrl-C stops it")
            await stopping.wait()

    async def time_limit() -> None:
        await clock.sleep(options.run_for_s or float("inf"))

    async def stopped() -> None:
        await stopping.wait()

    waits = [tell(), stopped()] + ([time_limit()] if options.run_for_s else [])
    await _with_programs(layout, clock, lambda: first_of(*waits))
    story.tell("end", f"stopped; everything written is in {options.data}")


async def _with_programs(layout: Layout, clock: Clock, act: Callable[[], Awaitable[None]]) -> None:
    """Start every program and act; then stop hardware, sites and centre, in this order."""
    sites_stop, centre_stop = asyncio.Event(), asyncio.Event()
    async with asyncio.TaskGroup() as centre:
        centre.create_task(run_utility(layout.utility, clock, None, centre_stop))
        centre.create_task(run_gateway(layout.gateway, clock, centre_stop))
        async with asyncio.TaskGroup() as sites:
            for agent in layout.agents:
                sites.create_task(run_agent(agent, clock, sites_stop))
            async with asyncio.TaskGroup() as hardware:
                depots = [hardware.create_task(Depot(d, clock).run()) for d in layout.depots]
                await act()
                for depot in depots:
                    depot.cancel()
            sites_stop.set()
        centre_stop.set()


async def _tell(
    layout: Layout, options: DemoOptions, story: Story, clock: Clock, folder: Path
) -> None:
    url = f"http://{layout.gateway.web.host}:{layout.gateway.web.port}"
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=10.0) as api:
        await _ready(api, clock)
        story.tell("dashboard", f"dashboard: {url}/", url=url)
        pages = [f"http://{one.web.host}:{one.web.port}/" for one in layout.agents if one.web]
        story.tell("depots", f"each depot's own page: {', '.join(pages)}", urls=pages)
        utility = f"http://{layout.utility.api_host}:{layout.utility.api_port}"
        story.tell("log", f"log of every program: {options.data / 'demo.log'}")
        story.tell("utility", f"the utility's messages: {utility}/api/messages", url=utility)
        if options.open_browser:
            await asyncio.to_thread(webbrowser.open, url)
        watcher = Watcher(api, story, clock)
        async with asyncio.TaskGroup() as tasks:
            opting_out = tasks.create_task(_opt_out(api, story, clock, options.pace.opt_out))
            report = await watcher.until_report()
            opting_out.cancel()
        await _keep_report(api, url, report, folder, story)
        if options.open_browser:
            await asyncio.to_thread(webbrowser.open, _report_page(url))


async def _ready(api: httpx.AsyncClient, clock: Clock) -> None:
    """Wait until the gateway answers."""
    deadline = clock.monotonic() + _START_S
    while clock.monotonic() < deadline:
        try:
            if (await api.get("/healthz")).is_success:
                return
        except httpx.TransportError:
            pass
        await clock.sleep(0.1)
    raise PermanentError(f"the gateway did not answer within {_START_S:.0f} s")


async def _opt_out(api: httpx.AsyncClient, story: Story, clock: Clock, at_s: float) -> None:
    """A site owner takes one depot out of the event, as the page's button would."""
    await clock.sleep(at_s - story.elapsed_s())
    body = {"site_id": demo.OPT_OUT_SITE, "reason": demo.OPT_OUT_CAUSE}
    answer = await api.post(f"{EVENT_PATH}/opt-outs", json=body)
    text = f"the owner of {demo.OPT_OUT_SITE} opts out: {demo.OPT_OUT_CAUSE}"
    story.tell("opt_out", text if answer.is_success else f"opt-out failed: {answer.text}")


async def _keep_report(
    api: httpx.AsyncClient, url: str, report: dict[str, Any], folder: Path, story: Story
) -> None:
    """Save the report as PDF, CSV and JSON beside the run's data, and show its figures."""
    document = (await api.get(report["json_url"])).raise_for_status().json()
    paths = {}
    for kind in ("pdf", "csv", "json"):
        answer = (await api.get(report[f"{kind}_url"])).raise_for_status()
        path = folder / f"report.{kind}"
        await asyncio.to_thread(path.write_bytes, answer.content)
        paths[kind] = str(path)
    figures = document["figures"]
    story.tell(
        "report",
        f"participation report: {_report_page(url)}\n          PDF: {paths['pdf']}",
        url=_report_page(url),
        files=paths,
        figures=figures,
        header=document["header"],
    )


def _report_page(url: str) -> str:
    return f"{url}/events/{demo.UTILITY_ID}/{demo.EVENT_ID}/report"
