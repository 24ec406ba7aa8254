import json

from gridyard.bench.core import Bench, Row, as_document, as_table, at_least, at_most, median_s


def row(ours: float) -> Row:
    return at_most("work", "s", ours, 2.0, "a floor", 3.0, "1-2 ms")


def test_a_row_holds_up_to_its_bar() -> None:
    assert (row(6.0).ratio, row(6.0).holds) == (3.0, True)
    assert not row(6.1).holds


def test_a_row_of_what_is_done_holds_from_its_bar_on() -> None:
    assert at_least("work", "1/s", 6.0, 2.0, "a floor", 3.0, "").holds
    assert not at_least("work", "1/s", 5.9, 2.0, "a floor", 3.0, "").holds
    assert at_least("work", "1/s", 5.9, None, "a floor", 3.0, "").holds


def test_the_document_names_machine_and_versions() -> None:
    bench = Bench(name="b", about="", run=lambda: [row(1.0)], packages=("lxml",))
    document = json.loads(json.dumps(as_document(bench, bench.run())))
    assert document["bench"] == "b"
    assert document["versions"]["lxml"]
    assert document["rows"][0] == {
        "name": "work",
        "ours": 1.0,
        "other": 2.0,
        "other_is": "a floor",
        "unit": "s",
        "ratio": 0.5,
        "bar": 3.0,
        "holds": True,
        "spread": "1-2 ms",
    }


def test_a_missed_bar_is_seen_in_the_table() -> None:
    assert "ok" in as_table([row(1.0)])
    assert "MISSED" in as_table([row(100.0)])


def test_the_median_is_taken_over_runs_after_a_warm_up() -> None:
    calls: list[int] = []
    seconds, spread = median_s(lambda: calls.append(1), runs=3)
    assert len(calls) == 4
    assert seconds >= 0.0
    assert spread.endswith("ms")
