"""The forms a personality takes in a settings file."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from contracts.config import loads
from contracts.errors import ConfigError
from depot_sim.chargers.personality import PERSONALITIES, Personality, compose
from depot_sim.chargers.profiles import RateUnit
from depot_sim.config import DepotSettings

CHARGER = "{id: CP-1, version: '1.6', url: 'ws://localhost:9000'"
CONFORMANCE = Path(__file__).parents[4] / "docs" / "conformance" / "ocpp.yaml"


def depot(personality: str) -> Personality:
    text = f"site_id: a\nchargers: [{CHARGER}, personality: {personality}}}]"
    return compose(loads(text, DepotSettings, name="depot.yaml").chargers[0].personality)


def test_every_personality_of_the_conformance_table_is_there() -> None:
    tables = yaml.safe_load(CONFORMANCE.read_text(encoding="utf-8"))["tables"]
    rows = next(table["rows"] for table in tables if table["name"] == "personality")
    for name, *_ in rows:
        assert compose([name]) != Personality(), name


def test_names_and_parameters_together() -> None:
    text = "[rejects-zero, {slow: 45}, {spikes-on-update: {for_s: 5}}, watts-only: {spelt: W}]"
    assert depot(text) == Personality(
        accepts_zero=False,
        apply_delay_s=45.0,
        spike_s=5.0,
        rate_units=frozenset({RateUnit.WATT}),
        watt_word="W",
    )


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("[slow-30s]", Personality(apply_delay_s=30.0)),
        ("[slow]", Personality(apply_delay_s=30.0)),
        ("[{slow: {s: 12.5}}]", Personality(apply_delay_s=12.5)),
        ("[{odd-subprotocol: misspelt}]", Personality(offers="misspelt")),
        ("[{deaf: 12}]", Personality(deaf_after_calls=12)),
        ("[{no-pong: true}]", Personality(pongs=False)),
        ("[{rejects-max-stack: 5}]", Personality(max_stack_level=5, refuses_max_stack=True)),
        ("[{dirty-samples: {every: 8}}]", Personality(dirty_every=8)),
        (
            "[{stuck-suspended: {until: remote-start}}]",
            Personality(stuck_until=frozenset({"remote-start"})),
        ),
        ("[{slow: 5}, {slow: 7}]", Personality(apply_delay_s=7.0)),
        ("[good]", Personality()),
        ("[]", Personality()),
    ],
)
def test_a_form(entry: str, expected: Personality) -> None:
    assert depot(entry) == expected


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("[grumpy]", r"unknown personality 'grumpy'; known: good, .*twin-socket, slow-<n>s"),
        ("[{grumpy: 5}]", r"unknown personality 'grumpy'"),
        ("[{slow: soon}]", r"'slow', s: 'soon' is not a number"),
        ("[{slow: -1}]", r"-1 is not a number within 0..3600"),
        ("[{slow: .nan}]", r"not a number"),
        ("[{deaf: 1.5}]", r"not a whole number within"),
        ("[{slow: {for_s: 5}}]", r"'slow' has no parameter 'for_s'; it has: s"),
        ("[{no-pong: 5}]", r"'no-pong' has no parameter 'value'; it has: none"),
        ("[{no-pong: false}]", r"leave it out"),
        ("[{odd-subprotocol: mqtt}]", r"'mqtt' is none of none, misspelt, unknown"),
        (f"[{', '.join(['good'] * 51)}]", r"more than 50 entries"),
        ("[[slow]]", r"personality"),
        ("[7]", r"personality"),
    ],
)
def test_a_mistake_is_named(entry: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        depot(entry)


@given(st.lists(st.sampled_from(sorted(PERSONALITIES)), max_size=12))
def test_any_names_compose(names: list[str]) -> None:
    together = compose(names)
    fields = [field for name in set(names) for field in PERSONALITIES[name]]
    for name in set(names):
        for field, value in PERSONALITIES[name].items():
            if fields.count(field) == 1:  # else two are about the same thing: the later one wins
                assert getattr(together, field) == value
