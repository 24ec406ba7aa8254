"""Gateway, broker and sites are killed again and again while rows and instructions flow."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from contracts import die_with_parent
from support import link_kill
from support.link_kill import acted_log, broker_pid, gateway_db, prepare, site_db
from support.ports import steady_ports
from support.processes import eventually

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("realtime-chaos"),
]
SITES = ["depot-1", "depot-2"]
ROWS = int(os.environ.get("GRIDYARD_KILL_ROWS", "3000"))
"""Of all sites together; 20 000 is the figure in docs/reference/benchmarks.md."""
STRIKES = max(4, ROWS // 2000)
PATIENCE_S = 120.0


@dataclass
class Role:
    """A program that can be killed and started again."""

    words: list[str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        wrapper = [sys.executable, "-IS", die_with_parent.__file__, str(os.getpid())]
        path = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*wrapper, sys.executable, link_kill.__file__, *self.words],
                stdout=log,
                stderr=log,
                env=path,
            )

    def end(self) -> None:
        if self.process is not None:
            self.kill()

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)


class Loop:
    """All of them, and what their databases say."""

    def __init__(self, folder: Path) -> None:
        prepare(folder, SITES)
        (port,) = steady_ports(1)
        self.folder = folder
        where = [str(folder), str(port)]
        log = folder / "programs.log"
        self.gateway = Role(["gateway", *where, *SITES], log)
        self.quiet = Role(["quiet", *where, *SITES], log)
        each = str(ROWS // len(SITES))
        self.sites = {one: Role(["site", *where, one, each], log) for one in SITES}
        self.kills = dict.fromkeys(("gateway", "broker", "site"), 0)

    def strike(self, what: str, chance: random.Random) -> None:
        """Kill one of these, and start it again."""
        self.kills[what] += 1
        if what == "broker":  # the gateway starts another
            with suppress(ProcessLookupError):
                os.kill(int(broker_pid(self.folder).read_text()), signal.SIGKILL)
            return
        role = self.gateway if what == "gateway" else self.sites[chance.choice(SITES)]
        role.kill()
        role.start()

    def asked(self, query: str, *values: object, site_id: str | None = None) -> list[Any]:
        path = gateway_db(self.folder) if site_id is None else site_db(self.folder, site_id)
        if not path.exists():
            return []
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)) as database:
            return database.execute(query, values).fetchall()

    def stored(self) -> int:
        """Rows that the gateway has from all sites."""
        with suppress(sqlite3.OperationalError, IndexError):  # not there yet
            return int(self.asked("SELECT coalesce(sum(complete), 0) FROM ingest_mark")[0][0])
        return 0

    def wait_stored(self, rows: int) -> None:
        eventually(lambda: self.stored() >= rows, PATIENCE_S, f"{rows} rows are stored")

    def wait_acting_on_news(self) -> None:
        """Every site acts on an instruction that it did not have before."""
        for site_id in SITES:
            before = self.newest_acted(site_id)
            news = partial(self.newest_acted, site_id)
            eventually(lambda: news() > before, PATIENCE_S, f"{site_id} acts on news")  # noqa: B023

    def wait_drained(self) -> None:
        for site_id in SITES:
            eventually(partial(self.drained, site_id), PATIENCE_S, f"{site_id} has told all")

    def newest_acted(self, site_id: str) -> int:
        if not acted_log(self.folder, site_id).exists():
            return 0
        return max((seq for one in self.acted(site_id)[-500:] for seq in one.acted), default=0)

    def head(self, site_id: str) -> int:
        """The last number a site's outbox has given."""
        query = "SELECT seq FROM sqlite_sequence WHERE name = 'outbox'"
        return int(self.asked(query, site_id=site_id)[0][0])

    def drained(self, site_id: str) -> bool:
        """Every instruction of this site has ended, which is told with all else it has to tell."""
        words = self.acted(site_id)[-1]  # first: an end that comes later is a row that still waits
        (left,) = self.asked("SELECT count(*) FROM outbox", site_id=site_id)
        return left == (0,) and words.ended and words.at > self.last_expiry(site_id)

    def last_expiry(self, site_id: str) -> datetime:
        return max(self.expiries(site_id).values())

    def expiries(self, site_id: str) -> dict[int, datetime]:
        expiry = "json_extract(document, '$.expires_at')"
        query = f"SELECT site_seq, {expiry} FROM instruction WHERE site_id = ?"
        return {seq: datetime.fromisoformat(at) for seq, at in self.asked(query, site_id)}

    def acted(self, site_id: str) -> list[Acted]:
        lines = acted_log(self.folder, site_id).read_text().splitlines()
        return [Acted.of(line) for line in lines if line.endswith("]")]


@dataclass(frozen=True)
class Acted:
    """What a site acted on at one moment, by the numbers of its instructions."""

    at: datetime
    acted: Sequence[int]
    newest: int
    ended: bool
    """The last state of each instruction is written down."""

    @classmethod
    def of(cls, line: str) -> Acted:
        at, acted, newest, unfinished = json.loads(line)
        return cls(datetime.fromisoformat(at), acted, newest, unfinished == 0)


@contextmanager
def running(folder: Path) -> Iterator[Loop]:
    loop = Loop(folder)
    roles = [loop.gateway, loop.quiet, *loop.sites.values()]
    with ExitStack() as ends:
        for role in roles:
            ends.callback(role.end)
        loop.gateway.start()
        for role in loop.sites.values():
            role.start()
        yield loop


def test_kill_loops_lose_nothing_double_nothing_and_nobody_acts_on_what_is_over(
    tmp_path: Path,
) -> None:
    chance = random.Random(8)
    with running(tmp_path) as loop:
        for number in range(1, STRIKES + 1):
            loop.wait_stored(ROWS * number // (STRIKES + 1))
            loop.wait_acting_on_news()
            loop.strike(("gateway", "site", "broker")[number % 3], chance)
        loop.wait_stored(ROWS)
        loop.wait_acting_on_news()
        loop.gateway.kill()
        loop.quiet.start()
        loop.wait_drained()
        for role in loop.sites.values():
            role.kill()
        assert min(loop.kills.values()) > 0
        for site_id in SITES:
            assert_each_row_once(loop, site_id)
            assert_acted_rightly(loop, site_id)


def assert_each_row_once(loop: Loop, site_id: str) -> None:
    """The outbox held measurements and states; an answer (`stored`) goes another way."""
    head = loop.head(site_id)
    assert head >= ROWS // len(SITES)
    assert loop.asked("SELECT complete FROM ingest_mark WHERE site_id = ?", site_id) == [(head,)]
    (measured,) = loop.asked("SELECT count(*) FROM measurement WHERE site_id = ?", site_id)[0]
    told = "SELECT count(*) FROM instruction_status WHERE site_id = ? AND state != 'stored'"
    (states,) = loop.asked(told, site_id)[0]
    assert measured + states == head
    (doubled,) = loop.asked(
        "SELECT count(*) FROM (SELECT 1 FROM instruction_status WHERE site_id = ?"
        " AND state != 'stored' GROUP BY instruction_id, state HAVING count(*) > 1)", site_id
    )[0]  # fmt: skip
    assert doubled == 0


def assert_acted_rightly(loop: Loop, site_id: str) -> None:
    expiries, seen = loop.expiries(site_id), loop.acted(site_id)
    acted = [(one, seq) for one in seen for seq in one.acted]
    assert len({seq for _, seq in acted}) > STRIKES
    assert all(one.at < expiries[seq] for one, seq in acted), "after its expiry"
    assert all(seq == one.newest for one, seq in acted), "superseded"
    newest = [one.newest for one in seen]
    assert newest == sorted(newest), "forgotten over a kill"
