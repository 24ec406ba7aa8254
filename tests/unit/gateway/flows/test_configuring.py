"""Settings on their way: kept, sent once it makes sense, taken up again after a restart."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from contracts.errors import LinkDownError, PermanentError, ProtocolError
from contracts.site_link.configuration import (
    Answered,
    Configuration,
    ConfigurationAck,
    ConfigurationState,
    refused,
)
from contracts.site_link.messages import Hello
from contracts.testing import FakeClock
from gateway.domain.portfolio import Portfolio, Site
from gateway.flows.sites.configuring import Configuring
from gateway.store.configurations import SqlConfigurationBook
from gateway.store.database import Database
from gateway.store.ledger import SqlLedger

pytestmark = pytest.mark.row("portfolio:L5")
NAMES = ("a", "b", "c")
TAKES = ConfigurationState()


class Sites:
    """`gateway.ports.configuration.ConfigurationLink` whose sites answer as they are told."""

    def __init__(self) -> None:
        self.sent: list[Configuration] = []
        self.away: set[str] = set()
        self.against: dict[str, str] = {}

    async def configure(self, configuration: Configuration) -> ConfigurationAck:
        if configuration.site_id in self.away:
            raise LinkDownError("not there")
        self.sent.append(configuration)
        why = self.against.get(configuration.site_id)
        if why is not None:
            return refused(configuration.configuration_id, [why])
        state = Answered.VALID if configuration.check_only else Answered.STAGED
        return ConfigurationAck(configuration_id=configuration.configuration_id, state=state)


class World:
    def __init__(self, database: Database) -> None:
        self.clock = FakeClock(datetime(2026, 11, 28, 2, 0, tzinfo=UTC))
        self.sites = Sites()
        self.book, self.ledger = SqlConfigurationBook(database), SqlLedger(database)
        self.flow = self.restarted()

    def restarted(self) -> Configuring:
        zone = ZoneInfo("UTC")
        known = tuple(
            Site(site_id=one, name=one, time_zone=zone, import_limit_w=1e5) for one in NAMES
        )
        portfolio = Portfolio(sites=known, programs=(), enrolments=())
        self.flow = Configuring(portfolio, self.book, self.sites, self.ledger, self.clock)
        return self.flow

    def greet(self, *sites: str, state: ConfigurationState | None = TAKES) -> None:
        for one in sites:
            hello = Hello(
                site_id=one,
                epoch="e",
                versions=(1,),
                last_instruction_seq=0,
                outbox_head=0,
                agent_version="1",
                sent_at=self.clock.now(),
                configuration=state,
            )
            self.flow.greeted(hello)

    async def stages(self) -> dict[str, str]:
        """The newest of every site."""
        found = {one: await self.book.history(one) for one in NAMES}
        return {one: pushed[-1].stage.value for one, pushed in found.items() if pushed}


@pytest.fixture
def world() -> Iterator[World]:
    database = Database.in_memory()
    yield World(database)
    database.close()


async def push(world: World, *sites: str, first: int | None = None) -> None:
    await world.flow.push(sites, "telemetry_s: 5", by="op", cause="try", first=first)


async def test_a_push_goes_to_whoever_takes_it_and_waits_for_the_others(world: World) -> None:
    world.greet("a")
    world.greet("b", state=None)  # an agent of an earlier release
    await push(world, "a", "b", "c")
    await world.flow.step()
    assert await world.stages() == {"a": "staged", "b": "waiting", "c": "waiting"}
    assert [one.configuration_id for one in world.sites.sent] == ["a-1"]
    await world.flow.step()
    assert len(world.sites.sent) == 1  # what is staged is not sent again
    world.restarted()
    world.greet("c")
    await world.flow.step()
    assert await world.stages() == {"a": "staged", "b": "waiting", "c": "staged"}


async def test_a_site_that_does_not_answer_is_asked_again(world: World) -> None:
    world.greet("a")
    world.sites.away.add("a")
    await push(world, "a")
    await world.flow.step()
    assert await world.stages() == {"a": "waiting"}
    world.sites.away.clear()
    await world.flow.step()
    assert await world.stages() == {"a": "staged"}


async def test_nothing_is_sent_into_a_trial(world: World) -> None:
    world.greet("a", state=ConfigurationState(running="a-0", trial=True))
    await push(world, "a")
    await world.flow.step()
    assert world.sites.sent == []
    world.flow.told("a", ConfigurationState(running="a-0"))
    await world.flow.step()
    assert await world.stages() == {"a": "staged"}


async def test_the_second_wave_follows_the_first_also_over_a_restart(world: World) -> None:
    world.greet(*NAMES)
    await push(world, *NAMES, first=1)
    await world.flow.step()
    assert await world.stages() == {"a": "staged", "b": "held", "c": "held"}
    world.restarted()
    world.greet("b", "c")
    world.greet("a", state=ConfigurationState(running="a-1", trial=True))
    await world.flow.step()
    assert await world.stages() == {"a": "trial", "b": "held", "c": "held"}
    world.flow.told("a", ConfigurationState(running="a-1", last="a-1", outcome="applied"))
    await world.flow.step()
    assert await world.stages() == {"a": "applied", "b": "staged", "c": "staged"}


async def test_the_first_failure_stops_the_rest(world: World) -> None:
    world.greet(*NAMES)
    await push(world, *NAMES, first=1)
    await world.flow.step()
    world.flow.told("a", ConfigurationState(last="a-1", outcome="rolled_back", reason="no link"))
    await world.flow.step()
    assert await world.stages() == {"a": "rolled_back", "b": "stopped", "c": "stopped"}
    assert len(world.sites.sent) == 1
    journal = [(one.action, one.cause) for one in await world.ledger.journal("a")]
    assert ("configuration rolled_back", "a-1: no link") in journal
    assert ("configuration pushed", "a-1: by op: try") in journal


async def test_a_refusal_is_the_end_of_it(world: World) -> None:
    world.greet("a", "b")
    world.sites.against["a"] = "contract_limit_w: may be lowered"
    await push(world, "a", "b", first=1)
    await world.flow.step()
    await world.flow.step()
    assert await world.stages() == {"a": "refused", "b": "stopped"}
    (refusal,) = await world.book.history("a")
    assert refusal.reason == "contract_limit_w: may be lowered"


async def test_an_old_word_moves_nothing_back_and_a_lost_disk_does(world: World) -> None:
    world.greet("a")
    await push(world, "a")
    await world.flow.step()
    world.flow.told("a", ConfigurationState(fingerprint="x"))  # sent before it was staged
    await world.flow.step()
    assert len(world.sites.sent) == 1
    world.greet("a")  # a new disk knows nothing
    await world.flow.step()
    assert len(world.sites.sent) == 2
    assert await world.stages() == {"a": "staged"}


async def test_going_back_pushes_what_was_before(world: World) -> None:
    with pytest.raises(PermanentError, match="nothing was ever pushed"):
        await world.flow.roll_back("a", by="op", cause="")
    world.greet("a")
    await push(world, "a")
    await world.flow.step()
    world.flow.told("a", ConfigurationState(running="a-1"))
    await world.flow.step()
    back = await world.flow.roll_back("a", by="op", cause="late buses")
    assert (back.revision, back.text, back.cause) == (2, "", "roll-back: late buses")


async def test_a_check_is_sent_and_not_kept(world: World) -> None:
    world.greet("a")
    assert (await world.flow.check("a", "telemetry_s: 5")).state is Answered.VALID
    assert world.sites.sent[0].check_only
    assert await world.stages() == {}
    world.greet("b", state=None)
    with pytest.raises(PermanentError, match="takes no settings"):
        await world.flow.check("b", "")


@pytest.mark.parametrize(
    ("sites", "text", "error"),
    [
        ([], "", PermanentError),
        (["a", "nowhere"], "", PermanentError),
        (["a"], "[", ProtocolError),
        (["a"], "a: &x 1", ProtocolError),
    ],
)
async def test_what_cannot_be_pushed(
    world: World, sites: list[str], text: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await world.flow.push(sites, text, by="op", cause="")
    assert await world.stages() == {}
