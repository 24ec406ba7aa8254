"""What the agent's pages and API say, for every state of a site."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.reading import Reading
from site_agent.config.web import WebSettings
from site_agent.domain.mode import Mode, ModeNow
from site_agent.domain.why.index import index_of
from site_agent.web.cells import cells_by_node
from site_agent.web.diagram import diagram
from site_agent.web.view import limit_rows, page_view
from support.site import NOON, battery, charger, charger_spec, meter, pv
from support.site_web import SPECS, Bench, depot


@pytest.mark.row("site:X1")
async def test_the_page_shows_what_is_and_why() -> None:
    bench = Bench()
    await bench.show(depot())
    async with bench.client() as person:
        text = (await person.get("/")).text
    for told in (
        "The site draws 6.8 kW of 200.0 kW",
        "the fuse of row-2 (20 A a phase)",
        "van-cp-1",
        "On track",
        "21:00",  # 8 h from noon UTC, in the site's zone
        "cp-3",
        "Free",
        "12.0 kW",
    ):
        assert told in text, told
    assert "style=" not in text
    assert "<script>" not in text


async def test_the_mode_is_told_with_its_reason() -> None:
    bench = Bench()
    island = ModeNow(mode=Mode.ISLAND, why="the grid is away")
    await bench.show(replace(depot(), mode=island))
    async with bench.client() as person:
        assert "island</strong>" in (await person.get("/")).text
        assert "island: the grid is away" in (await person.get("/why/site")).text


async def test_a_banner_stands_on_every_page() -> None:
    bench = Bench(WebSettings(banner="SIMULATED <hardware>"))
    async with bench.client(Accept="text/html") as person:
        for path in ("/", "/journal", "/nope"):
            assert "SIMULATED &lt;hardware&gt;" in (await person.get(path)).text


async def test_more_than_is_allowed_is_said_to_be_so() -> None:
    bench = Bench()
    await bench.show(depot(event_w=5_000.0))
    async with bench.client() as person:
        assert "above the 5.0 kW allowed" in (await person.get("/")).text


async def test_before_the_first_cycle_the_page_waits() -> None:
    bench = Bench()
    async with bench.client() as person:
        assert "It has not looked at its devices yet" in (await person.get("/")).text
        assert (await person.get("/why/site")).status_code == 503
        answer = await person.get("/api/why")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert (await person.get("/api/subjects")).status_code == 503
        assert (await person.get("/journal")).status_code == 200


async def test_names_of_devices_and_vehicles_are_escaped() -> None:
    bench = Bench()
    evil = replace(charger(charger_spec("cp-1", "row-2")), soc_pct=Reading.missing(NOON))
    cycle = depot()
    needs = tuple(replace(one, vehicle_id="<b>van</b>") for one in cycle.snapshot.needs)
    await bench.show(depot(chargers=(evil, *cycle.snapshot.chargers[1:]), needs=needs))
    async with bench.client() as person:
        for path in ("/", "/journal", "/why/%3Cb%3Evan%3C%2Fb%3E"):
            text = (await person.get(path)).text
            assert "<b>van</b>" not in text
            assert "&lt;b&gt;van" in text


async def test_old_and_missing_figures_are_said_to_be_so() -> None:
    bench = Bench()
    stale = depot(pcc=meter(None))
    await bench.show(stale)
    await bench.clock.advance(30.0)
    async with bench.client() as person:
        text = (await person.get("/")).text
    assert "The last control cycle was 30 s ago: all figures are old." in text
    assert "The meter is silent" in text
    assert "no meter reading" in text


@pytest.mark.row("site:X1")
async def test_programs_ask_why_now_and_of_the_past() -> None:
    bench = Bench()
    await bench.show(depot())
    await bench.clock.advance(100.0)
    later = depot(event_w=9_000.0, at=NOON + timedelta(seconds=100))
    await bench.show(later)
    async with bench.client() as program:
        now = (await program.get("/api/why")).json()
        past = (await program.get("/api/why", params={"at": "2026-01-05T13:00:50+01:00"})).json()
        one = (await program.get("/api/why/CP 1")).json()
        van = (await program.get("/api/why/van-9")).json()
        names = (await program.get("/api/subjects")).json()
        assert "may draw 9.0 kW" in now["sentence"]
        assert "of 200.0 kW" in past["sentence"]
        assert past["at"] == "2026-01-05T12:00:00Z"
        assert (one["subject"], one["kind"]) == ("cp-1", "charger")
        assert [step["what"] for step in one["steps"]][-1] == "lease"
        assert "at no charger of this site" in van["sentence"]
        assert {"subject": "row-2", "kind": "node"} in names


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/api/why/cp-9", 404, "did you mean cp-"),
        ("/api/why/" + "x" * 500, 404, "there is no device or vehicle"),
        ("/api/why/cp-1?at=2020-01-01T00:00:00Z", 404, "the journal knows nothing of 'cp-1'"),
        ("/api/why/cp-1?at=2026-01-05T12:00:00", 422, "not valid"),
        ("/api/why/cp-1?at=soon", 422, "not valid"),
        ("/api/journal?most=0", 422, "not valid"),
        ("/api/journal?most=100000", 422, "not valid"),
    ],
)
async def test_bad_questions_get_a_clear_answer(path: str, status: int, says: str) -> None:
    bench = Bench()
    await bench.show(depot())
    async with bench.client() as program:
        answer = await program.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert says in answer.json()["title"]


async def test_the_journal_is_paged_newest_first() -> None:
    bench = Bench()
    await bench.show(depot())
    async with bench.client() as program:
        first = (await program.get("/api/journal", params={"most": 3})).json()
        of_one = (await program.get("/api/journal", params={"subject": "cp 1"})).json()
        text = (await program.get("/journal")).text
    assert len(first) == 3
    assert first[0]["kind"] == "vehicle"
    assert [one["subject"] for one in of_one] == ["cp-1"]
    assert of_one[0]["binding"] == "the fuse of row-2 (20 A a phase)"
    assert text.count("<tr>") == 1 + len(bench.store.entries)


async def test_why_of_the_past_is_marked_as_such() -> None:
    bench = Bench()
    await bench.show(depot())
    await bench.clock.advance(60.0)
    await bench.show(depot(at=NOON + timedelta(seconds=60)))
    async with bench.client() as person:
        now = (await person.get("/why/cp-1")).text
        past = (await person.get("/why/cp-1?at=2026-01-05T12:00:30Z")).text
    assert "as of 2026-01-05 13:01:00 CET" in now
    assert "as of 2026-01-05 13:00:00 CET (the past)" in past


# --- the single-line picture ---------------------------------------------------------------------


@pytest.mark.parametrize("columns", [1, 2, 5, 8])
async def test_everything_stands_inside_the_drawing_and_nothing_on_another(columns: int) -> None:
    bench = Bench()
    await bench.show(depot())
    seen = bench.journal.seen
    assert seen is not None
    index = index_of(seen)
    drawn = diagram(index, cells_by_node(index), "wide", columns)
    boxes = [(c.x, c.y, c.x + 132, c.y + 88) for block in drawn.blocks for c in block.cells]
    assert len(boxes) == 3 + len(SPECS)
    for left, top, right, bottom in boxes:
        assert 0 <= left < right <= drawn.width
        assert 0 <= top < bottom <= drawn.height
    for i, one in enumerate(boxes):
        for other in boxes[:i]:
            apart = one[0] >= other[2] or other[0] >= one[2]
            assert apart or one[1] >= other[3] or other[1] >= one[3]
    for block in drawn.blocks:
        assert block.trunk[1] <= block.trunk[2] <= drawn.height
        if block.feed is not None:
            assert any(
                b.trunk[0] == block.feed[0] and b.trunk[2] >= block.feed[2] for b in drawn.blocks
            )


async def test_the_drawing_is_told_in_words_too() -> None:
    bench = Bench()
    await bench.show(depot())
    seen = bench.journal.seen
    assert seen is not None
    index = index_of(seen)
    label = diagram(index, cells_by_node(index), "wide", 5).label
    assert label.startswith("Single-line picture. Grid: import 6.8 kW. Grid connection, fuse 400 A")
    assert "row-2, fuse 20 A: L1 20 A, L2 20 A, L3 20 A; 2 devices." in label


STATES = {
    "offline": (charger(SPECS[0], online=False), "Offline"),
    "disobedient": (charger(SPECS[0], drawn_a=30.0, limit_a=6.0, obeys=False), "Disobeys"),
    "without limits": (replace(charger(SPECS[0]), controllable=False), "No limits"),
    "stuck": (replace(charger(SPECS[0], limit_a=6.0), stuck=True), "Stuck"),
    "plugged in": (charger(SPECS[0], drawn_a=0.0, limit_a=32.0), "Plugged in"),
    "free": (charger(SPECS[0], plugged=False), "Free"),
}


@pytest.mark.parametrize("case", STATES)
async def test_each_state_of_a_charger_has_its_word(case: str) -> None:
    state, word = STATES[case]
    bench = Bench()
    rest = depot().snapshot.chargers[1:]
    await bench.show(depot(chargers=(state, *rest)))
    seen = bench.journal.seen
    assert seen is not None
    view = page_view(seen, bench.found, (), NOON, bench.state.zone)
    assert view.chargers[0].mark.word == word
    shown = next(c.cell for block in view.wide.blocks for c in block.cells if c.cell.key == "cp-1")
    assert shown.mark.word == word


async def test_silent_batteries_and_pv_are_not_taken_for_resting() -> None:
    bench = Bench()
    silent = battery(online=False, power_w=None, soc_pct=None)
    dark = pv(None, online=False)
    await bench.show(depot(batteries=(silent,), pv=(dark,)))
    seen = bench.journal.seen
    assert seen is not None
    view = page_view(seen, bench.found, (), NOON, bench.state.zone)
    words = {c.cell.key: c.cell for block in view.wide.blocks for c in block.cells}
    assert words["battery"].mark.word == words["pv"].mark.word == "Offline"
    assert {tile.key: tile.value for tile in view.tiles}["pv"] == "n/a"


async def test_every_limit_names_its_source_and_whether_it_binds() -> None:
    bench = Bench()
    await bench.show(depot(event_w=6_500.0))
    seen = bench.journal.seen
    assert seen is not None
    rows = {row.what: row for row in limit_rows(index_of(seen))}
    assert rows["Import"].source == "the import limit of event e1"
    assert (rows["Import"].value, rows["Import"].now) == ("6.5 kW", "6.8 kW")
    assert rows["Import"].tight
    assert rows["Current in row-2"].value == "20 A a phase"
    assert rows["Current in row-2"].now == "20 A"
