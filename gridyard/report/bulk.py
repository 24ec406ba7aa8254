"""Many reports at once: documents from a gateway, rendered here in processes of their own.

The gateway only hands out what it has stored, so its loop waits for no page.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from contracts.errors import GridyardError
from gateway.domain.measure.report import ParticipationReport
from gateway.reports import document
from gateway.reports.audience import Audience, variant
from gateway.reports.files import KINDS, file_name
from gridyard.at_gateway.asking import asked, fetched

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which reports, for whom, as what, and where to."""

    gateway: str
    program: str
    period: str
    folder: Path
    readers: tuple[Audience, ...]
    ending: str = "pdf"
    workers: int = 0
    """Processes; 0: as many as there are processors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One file."""

    document: Path
    audience: Audience
    site_id: str
    zone: str
    ending: str
    folder: Path


@dataclass(slots=True)
class Written:
    """What became of it."""

    files: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def as_dict(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "written": len(self.files),
            "failed": self.failed,
            "seconds": round(self.seconds, 2),
            "files": sorted(self.files),
        }


def bulk(wanted: Wanted, progress: Progress) -> Written:
    """Write every file; one that cannot be made is told and holds up no other.

    Raises:
        PermanentError: the gateway refuses, with its reason.
        TransientError: no gateway answers there.
    """
    began = perf_counter()
    wanted.folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="gridyard-reports-") as kept:
        jobs = asyncio.run(_jobs(wanted, Path(kept)))
        written = rendered(jobs, wanted.workers, progress)
    written.seconds = perf_counter() - began
    return written


def rendered(jobs: Sequence[Job], workers: int, progress: Progress) -> Written:
    """The files of these jobs, made in processes of their own."""
    written = Written()
    if not jobs:
        return written
    count = min(workers or os.cpu_count() or 1, len(jobs))
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, mp_context=context) as pool:
        running = {pool.submit(write, job): job for job in jobs}
        for number, done in enumerate(as_completed(running), 1):
            try:
                written.files.append(done.result())
            except (GridyardError, OSError) as error:
                job = running[done]
                written.failed.append(f"{job.audience} {job.site_id}".strip() + f": {error}")
            progress(number, len(jobs))
    return written


def write(job: Job) -> str:
    """Make one file; its path. Runs in a worker.

    Raises:
        PermanentError: it cannot be made.
        OSError: it cannot be written.
    """
    shown = variant(_loaded(job.document), job.audience, job.site_id)
    path = job.folder / file_name(shown, job.ending)
    path.write_bytes(KINDS[job.ending].make(shown, ZoneInfo(job.zone) if job.zone else None))
    return str(path)


@lru_cache(maxsize=2)
def _loaded(path: Path) -> ParticipationReport:
    """Of a large event one document makes hundreds of files."""
    return document.load(json.loads(path.read_bytes()))


async def _jobs(wanted: Wanted, kept: Path) -> list[Job]:
    query = urlencode({"program_id": wanted.program, "period": wanted.period})
    found: list[Job] = []
    for number, one in enumerate(await asked(wanted.gateway, f"reports?{query}")):
        event = "/".join(quote(one[name], safe="") for name in ("utility_id", "event_id"))
        path = kept / f"{number}.json"
        path.write_bytes(await fetched(wanted.gateway, f"events/{event}/reports/{one['version']}"))
        for audience, site_id, zone in _readers(wanted.readers, one["sites"]):
            found.append(
                Job(
                    document=path,
                    audience=audience,
                    site_id=site_id,
                    zone=zone,
                    ending=wanted.ending,
                    folder=wanted.folder,
                )
            )
    return found


def _readers(
    readers: Sequence[Audience], sites: Sequence[dict[str, str]]
) -> Iterator[tuple[Audience, str, str]]:
    for audience in readers:
        if audience is Audience.OWNER:
            yield from ((audience, site["site_id"], site["time_zone"]) for site in sites)
        else:
            yield audience, "", ""
