"""Settings from the gateway: staged, tried, kept or rolled back, whatever happens in between."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contracts.errors import TransientError
from contracts.site_link.configuration import Answered, Configuration, hash_of
from site_agent.config import SiteSettings
from site_agent.config.remote import LocalFile
from site_agent.domain import remote
from site_agent.domain.remote import Held, Record
from site_agent.flows.orders.configuration import RemoteConfiguration
from site_agent.flows.orders.configuration_needs import Sight
from site_agent.store.remote import FILE, RecordFile
from support.leaping_clock import LeapingClock, leaping, leaping_clock

pytestmark = pytest.mark.row("portfolio:L5")
TREE = {
    "site_id": "depot-1",
    "data": "/nowhere",
    "contract_limit_w": 100_000,
    "max_building_w": 20_000,
    "circuit": {"limit_a": 200},
    "meter": {"host": "meter"},
}
HELD = Held(configuration_id="c", revision=1, text="", base="b")
TRIAL_S = 60.0
T = datetime(2026, 11, 28, 2, 0, tzinfo=UTC)


class Depot:
    """One site's file and data folder; `agent` is a process that finds them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tree = TREE
        self.drift = ""
        self.connected, self.quiet = True, True
        self.online = frozenset({"meter", "c1"})

    def agent(self) -> RemoteConfiguration[SiteSettings]:
        clock = leaping_clock()
        assert clock is not None
        own = LocalFile(self.tree, SiteSettings.model_validate(self.tree), lambda: self.drift)
        return RemoteConfiguration(own, RecordFile(self.folder), clock, TRIAL_S)

    def sight(self) -> Sight:
        return Sight(
            quiet=lambda: self.quiet,
            connected=lambda: self.connected,
            online=lambda: self.online,
        )

    async def life(self, agent: RemoteConfiguration[SiteSettings]) -> float:
        """Start anew; the telemetry period that runs then."""
        settings = await agent.start()
        agent.connect(self.sight())
        return settings.telemetry_s


@pytest.fixture
def depot(tmp_path: Path) -> Depot:
    return Depot(tmp_path)


def sent(number: int = 1, seconds: float = 5.0, **more: object) -> Configuration:
    text = f"telemetry_s: {seconds}"
    made = Configuration(
        configuration_id=f"c-{number}",
        site_id="depot-1",
        revision=number,
        issued_at=T,
        text=text,
        sha256=hash_of(text),
    )
    return replace(made, **more)  # type: ignore[arg-type]  # fields of it


@asynccontextmanager
async def looking(agent: RemoteConfiguration[SiteSettings]) -> AsyncIterator[asyncio.Task[None]]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(agent.over())
        yield task
        task.cancel()


@leaping
async def test_staged_tried_and_kept(depot: Depot) -> None:
    agent = depot.agent()
    assert await depot.life(agent) == 2.0
    ack = await agent.receive(sent())
    assert ack.state is Answered.STAGED
    assert [(one.path, one.before, one.after) for one in ack.changes] == [
        ("telemetry_s", "2.0", "5.0")
    ]
    assert (agent.state().staged, agent.state().running) == ("c-1", "")
    await agent.over()  # a quiet moment: the agent should start anew
    before = agent.state().fingerprint
    assert await depot.life(agent) == 5.0
    state = agent.state()
    assert (state.running, state.trial, state.staged) == ("c-1", True, "")
    assert state.fingerprint != before
    async with looking(agent):
        while agent.on_trial:
            await leaping_now().sleep(1)
    assert (agent.state().last, agent.state().outcome) == ("c-1", "applied")
    assert await depot.life(depot.agent()) == 5.0  # also after a restart of the machine


def leaping_now() -> LeapingClock:
    clock = leaping_clock()
    assert clock is not None
    return clock


@leaping
@pytest.mark.parametrize(
    ("lost", "why"),
    [
        ({"connected": False}, "the link to the gateway did not come back"),
        ({"online": frozenset({"meter"})}, "no longer heard: c1"),
        ({"online": frozenset({"c1"})}, "no longer heard: meter"),
    ],
)
async def test_what_does_not_prove_itself_goes_back(
    depot: Depot, lost: dict[str, object], why: str
) -> None:
    agent = depot.agent()
    await depot.life(agent)
    await agent.receive(sent())
    await agent.over()
    assert await depot.life(agent) == 5.0
    vars(depot).update(lost)
    began = leaping_now().monotonic()
    await agent.over()
    assert leaping_now().monotonic() - began >= TRIAL_S - 1
    assert await depot.life(agent) == 2.0
    state = agent.state()
    assert (state.running, state.last, state.outcome) == ("", "c-1", "rolled_back")
    assert state.reason == why


@leaping
async def test_a_life_that_never_gets_going_goes_back(depot: Depot) -> None:
    agent = depot.agent()
    await depot.life(agent)
    await agent.receive(sent())
    await agent.over()
    assert (await agent.start()).telemetry_s == 5.0  # and hangs: it is never connected
    await agent.over()
    assert await depot.life(agent) == 2.0
    assert "did not get going" in agent.state().reason


@leaping
async def test_an_end_on_trial_goes_back_to_the_last_good_one(depot: Depot) -> None:
    agent = depot.agent()
    await depot.life(agent)
    await agent.receive(sent(1, 5.0))
    await agent.over()
    await depot.life(agent)
    async with looking(agent):
        while agent.on_trial:
            await leaping_now().sleep(1)
    await agent.receive(sent(2, 9.0))
    await agent.over()
    assert await depot.life(agent) == 9.0
    after_kill = depot.agent()  # nobody has told it anything
    assert await depot.life(after_kill) == 5.0
    state = after_kill.state()
    assert (state.running, state.last, state.outcome) == ("c-1", "c-2", "rolled_back")
    assert state.reason == "the agent ended before its trial did"


@leaping
async def test_an_exception_on_trial_is_the_reason(depot: Depot) -> None:
    agent = depot.agent()
    await depot.life(agent)
    await agent.receive(sent())
    await agent.over()
    await depot.life(agent)
    await agent.failed("OSError('no')")
    assert await depot.life(agent) == 2.0
    assert agent.state().reason == "the agent could not run with it: OSError('no')"


@leaping
@pytest.mark.parametrize("missing", ["quiet", "connected"])
async def test_it_waits_for_a_quiet_moment_with_the_link_up(depot: Depot, missing: str) -> None:
    agent = depot.agent()
    await depot.life(agent)
    setattr(depot, missing, False)
    await agent.receive(sent())
    async with looking(agent) as over:
        await leaping_now().sleep(3600)
        assert not over.done()
        setattr(depot, missing, True)
        await over
    assert agent.on_trial


@leaping
async def test_a_time_is_kept_whether_it_is_quiet_or_not(depot: Depot) -> None:
    agent = depot.agent()
    await depot.life(agent)
    depot.quiet = False
    at = leaping_now().now() + timedelta(hours=2)
    await agent.receive(sent(at=at))
    await agent.over()
    assert timedelta(0) <= leaping_now().now() - at < timedelta(seconds=5)


@leaping
async def test_only_checked_changes_nothing(depot: Depot) -> None:
    agent = depot.agent()
    await depot.life(agent)
    ack = await agent.receive(sent(check_only=True))
    assert (ack.state, len(ack.changes)) == (Answered.VALID, 1)
    assert agent.state().staged == ""
    assert not (depot.folder / FILE).exists()


@leaping
async def test_what_is_refused_leaves_what_is_staged(depot: Depot) -> None:
    agent = depot.agent()
    await depot.life(agent)
    await agent.receive(sent(2))
    assert (await agent.receive(sent(2))).state is Answered.STAGED  # its answer was lost
    loose = "contract_limit_w: 200000"
    for bad, why in [
        (sent(1), "not newer than 2"),
        (sent(3, sha256=hash_of("other")), "SHA-256"),
        (sent(3, text=loose, sha256=hash_of(loose)), "contract_limit_w: may be lowered"),
    ]:
        ack = await agent.receive(bad)
        assert ack.state is Answered.REFUSED
        assert why in ack.faults[0]
    assert agent.state().staged == "c-2"
    assert (await agent.receive(sent(4))).state is Answered.STAGED  # replaces it
    assert agent.state().staged == "c-4"


@leaping
async def test_nothing_is_staged_while_another_is_on_trial(depot: Depot) -> None:
    agent = depot.agent()
    await depot.life(agent)
    await agent.receive(sent())
    await agent.over()
    await depot.life(agent)
    with pytest.raises(TransientError):
        await agent.receive(sent(2))


@leaping
async def test_the_sites_own_file_wins(depot: Depot) -> None:
    agent = depot.agent()
    await depot.life(agent)
    await agent.receive(sent())
    await agent.over()
    await depot.life(agent)
    async with looking(agent):
        while agent.on_trial:
            await leaping_now().sleep(1)
    depot.drift = "the file has changed"
    refused = await agent.receive(sent(2))
    assert refused.faults == ("the file has changed",)
    assert agent.state().drift == "the file has changed"
    depot.drift, depot.tree = "", {**TREE, "telemetry_s": 7.0}
    edited = depot.agent()
    assert await depot.life(edited) == 7.0
    assert edited.state().running == ""
    assert "c-1 is set aside: the site's own file has changed since" in edited.state().drift
    assert (await edited.receive(sent(2))).state is Answered.STAGED  # over the new file


@leaping
async def test_staged_over_another_file_is_never_tried(depot: Depot) -> None:
    agent = depot.agent()
    await depot.life(agent)
    await agent.receive(sent())
    depot.tree = {**TREE, "telemetry_s": 7.0}
    edited = depot.agent()
    assert await depot.life(edited) == 7.0
    assert (edited.state().staged, edited.state().outcome) == ("", "rolled_back")


@leaping
async def test_a_disk_that_fails_means_no_trial_and_no_word_of_success(depot: Depot) -> None:
    agent = depot.agent()
    await depot.life(agent)
    (depot.folder / f"{FILE}.new").mkdir()  # in the way
    with pytest.raises(TransientError):
        await agent.receive(sent())
    assert agent.state().staged == ""
    (depot.folder / f"{FILE}.new").rmdir()
    await agent.receive(sent())
    (depot.folder / f"{FILE}.new").mkdir()
    async with looking(agent) as over:
        await leaping_now().sleep(600)
        assert not over.done()
        (depot.folder / f"{FILE}.new").rmdir()
        await over
    assert agent.on_trial


class _Killed(BaseException):
    """As `kill -9`: nothing of ours runs any more."""


@pytest.mark.parametrize("step", ["open", "fsync 1", "replace", "fsync 2"])
def test_an_end_at_any_step_of_storing_leaves_the_old_record_or_the_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    old, new = Record(good=HELD), Record(good=replace(HELD, text="telemetry_s: 5"))
    RecordFile(tmp_path).save(old)
    name, _, number = step.partition(" ")
    calls = 0

    def killed(*_args: object, **_kwargs: object) -> None:
        nonlocal calls
        calls += 1
        if calls == int(number or 1):
            raise _Killed

    where = Path if name == "replace" else os
    with monkeypatch.context() as patch:
        patch.setattr(where, name, killed)
        with pytest.raises(_Killed):
            RecordFile(tmp_path).save(new)
    assert RecordFile(tmp_path).load() == (new if step == "fsync 2" else old)
    RecordFile(tmp_path).save(new)  # what lies in the way does not stay there
    assert RecordFile(tmp_path).load() == new


@pytest.mark.parametrize("bytes_", [b"", b"{", b'{"good": 3}', b"\xff" * 100])
def test_a_record_that_cannot_be_read_is_as_none(tmp_path: Path, bytes_: bytes) -> None:
    (tmp_path / FILE).write_bytes(bytes_)
    assert "cannot be read" in RecordFile(tmp_path).load().reason
    assert RecordFile(tmp_path).load().running is None


def test_records_survive_the_disk(tmp_path: Path) -> None:
    record = Record(good=HELD, next=replace(HELD, at=T), trial=True, last="x", reason="y")
    RecordFile(tmp_path).save(record)
    assert RecordFile(tmp_path).load() == record
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_there_is_no_trial_of_nothing() -> None:
    with pytest.raises(ValueError, match="nothing is staged"):
        remote.begun(Record())
