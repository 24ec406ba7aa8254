"""A year of a thousand sites in the store, and how long people wait for pages about it."""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from contracts.clock import SystemClock
from contracts.errors import PermanentError
from gridyard.bench.core import Bench, Row, at_most
from gridyard.bench.processes import got, process
from gridyard.bench.year_gateway import (
    PROGRAM,
    UTILITY,
    last_event,
    prepare,
    serve_gateway,
    settings,
    site_ids,
)

SITES = 1_000
_PAGE_MS, _PROBE_MS = 300.0, 100.0
_READS = 11
_PATIENCE_S = 600.0
_REPORT = f"/events/{UTILITY}/yesterday/report"


def _pages(sites: int, month: str) -> dict[str, str]:
    site = site_ids(sites)[sites // 2]
    return {
        f"report of an event of {sites:,} sites": _REPORT,
        "its utility's page": f"{_REPORT}?audience=utility",
        "one owner's page": f"{_REPORT}?audience=owner&site_id={site}",
        "statement of the program": f"/statements?subject={PROGRAM}&period={month}",
        "one site": f"/sites/{site}",
        "portfolio": "/",
    }


@contextmanager
def _running(folder: Path, sites: int) -> Iterator[tuple[HTTPConnection, float]]:
    """The gateway that begins with a year of readings, and rows a second they went in with."""
    config = settings(folder, sites)
    start = time.perf_counter()
    stored = asyncio.run(prepare(config, last_event(SystemClock().now())))
    filled = stored / (time.perf_counter() - start)
    with process(serve_gateway, config) as pipe:
        url = got(pipe, str)
        with closing(HTTPConnection(urlsplit(url).netloc, timeout=_PATIENCE_S)) as web:
            yield web, filled


def _until_reported(web: HTTPConnection) -> tuple[float, list[float]]:
    """Seconds until the report is there, and how long each sign of life took meanwhile, ms."""
    probes: list[float] = []
    start = time.perf_counter()
    while _asked(web, "GET", f"/api/v1{_REPORT}s/1") != HTTPStatus.OK:
        probes.append(_ms(web, "/healthz"))
        if time.perf_counter() - start > _PATIENCE_S:
            raise PermanentError("the gateway of the bench makes no report")
        time.sleep(0.02)  # a rate at which to look; nothing here can be awaited
    return time.perf_counter() - start, probes


def _ms(web: HTTPConnection, path: str) -> float:
    start = time.perf_counter()
    status = _asked(web, "GET", path)
    if status != HTTPStatus.OK:
        raise PermanentError(f"{path}: {status}")
    return 1e3 * (time.perf_counter() - start)


def _asked(web: HTTPConnection, method: str, path: str, body: object = None) -> int:
    """The status of an answer that has been read to its end."""
    sent = None if body is None else json.dumps(body)
    web.request(method, path, sent, {} if sent is None else {"Content-Type": "application/json"})
    with web.getresponse() as answer:
        answer.read()
        return answer.status


def rows(sites: int = SITES) -> Sequence[Row]:
    """Medians of several reads of each page after a first one."""
    found: list[Row] = []
    with tempfile.TemporaryDirectory() as folder, _running(Path(folder), sites) as (web, filled):
        spent, probes = _until_reported(web)
        spread = f"of {len(probes)}; the report after {spent:.1f} s, filled at {filled:,.0f} rows/s"
        most = max(probes, default=0.0)
        found.append(
            at_most("longest stop while it settles", "ms", most, _PROBE_MS, "the bar", 1.0, spread)
        )
        month = f"{last_event(SystemClock().now()).start:%Y-%m}"
        asked = {"subject": PROGRAM, "period": month}
        _asked(web, "POST", "/api/v1/statements", asked)
        for name, path in _pages(sites, month).items():
            spans = [_ms(web, path) for _ in range(_READS + 1)][1:]
            span = f"{min(spans):.3g}-{max(spans):.3g} ms"
            found.append(
                at_most(name, "ms", statistics.median(spans), _PAGE_MS, "the bar", 1.0, span)
            )
    return found


BENCH = Bench(
    name="year",
    about="A year of a thousand sites in the store, and pages about an event of all of them",
    run=rows,
    packages=("sqlalchemy", "fastapi", "uvicorn", "jinja2", "pydantic"),
    run_with=rows,
)
