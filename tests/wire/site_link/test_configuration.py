"""Configurations on the link, byte for byte, and what nonsense is refused."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.bounded_yaml import MAX_CHARS, MAX_DEPTH, read_mapping
from contracts.errors import ProtocolError
from contracts.site_link import codec
from contracts.site_link.configuration import (
    Answered,
    Change,
    Configuration,
    ConfigurationAck,
    ConfigurationState,
    hash_of,
    refused,
)
from contracts.site_link.health import Health
from contracts.site_link.messages import Hello

T = datetime(2026, 11, 28, 2, 0, tzinfo=UTC)
YAML = "telemetry_s: 5\n"
SENT = Configuration(
    configuration_id="depot-1-3",
    site_id="depot-1",
    revision=3,
    issued_at=T,
    text=YAML,
    sha256=hash_of(YAML),
)
TEXT = (
    '{"kind":"configuration","configuration_id":"depot-1-3","site_id":"depot-1","revision":3,'
    '"issued_at":"2026-11-28T02:00:00Z","text":"telemetry_s: 5\\n","sha256":"'
    + hash_of(YAML)
    + '","at":null,"check_only":false}'
)


def test_golden() -> None:
    assert codec.encode(SENT).decode() == TEXT
    assert codec.decode(TEXT.encode()) == SENT
    ack = ConfigurationAck(
        configuration_id="depot-1-3",
        state=Answered.STAGED,
        changes=(Change(path="telemetry_s", before="2.0", after="5.0"),),
    )
    said = (
        '{"kind":"configuration_ack","configuration_id":"depot-1-3","state":"staged","faults":[],'
        '"changes":[{"path":"telemetry_s","before":"2.0","after":"5.0"}]}'
    )
    assert (codec.encode(ack).decode(), codec.decode(said.encode())) == (said, ack)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"sha256": "abc"}, "sha256"),
        ({"revision": 0}, "revision"),
        ({"text": "x" * (MAX_CHARS + 1)}, "text"),
        ({"at": "2026-11-28T02:00:00"}, "at"),
        ({"configuration_id": ""}, "configuration_id"),
    ],
)
def test_nonsense_is_refused_with_its_place(change: dict[str, Any], place: str) -> None:
    with pytest.raises(ProtocolError, match=place):
        codec.decode(json.dumps({**json.loads(TEXT), **change}).encode())


def test_a_refusal_is_cut_to_what_a_message_carries() -> None:
    ack = refused("c", ["x" * 5000] * 1000)
    assert codec.decode(codec.encode(ack)) == ack


HELLO = (
    '{"kind":"hello","site_id":"d","epoch":"e","versions":[1],"last_instruction_seq":0,'
    '"outbox_head":0,"agent_version":"0.1.0","sent_at":"2026-11-21T12:00:00Z"'
)


def test_an_older_agent_says_nothing_of_configurations_and_a_later_one_may_say_more() -> None:
    older, later = (
        codec.decode(f"{HELLO}{more}}}".encode())
        for more in (
            "",
            ',"configuration":{"running":"c-1","outcome":"half applied","mood":"good"}',
        )
    )
    assert isinstance(older, Hello)
    assert older.configuration is None
    assert isinstance(later, Hello)
    assert later.configuration == ConfigurationState(running="c-1", outcome="half applied")
    assert Health(agent_version="x", protocol=1, uptime_s=0, waiting_rows=0).configuration is None


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=120)


@given(text=NAMES, at=st.none() | st.just(T), only=st.booleans(), revision=st.integers(1, 2**53))
def test_every_configuration_survives_the_wire(
    text: str, at: datetime | None, only: bool, revision: int
) -> None:
    sent = Configuration(
        configuration_id="c",
        site_id="s",
        revision=revision,
        issued_at=T,
        text=text,
        sha256=hash_of(text),
        at=at,
        check_only=only,
    )
    assert codec.decode(codec.encode(sent)) == sent


@given(state=st.builds(ConfigurationState, running=NAMES, staged=NAMES, last=NAMES, drift=NAMES))
def test_every_state_survives_the_wire_within_health(state: ConfigurationState) -> None:
    hello = codec.decode(f"{HELLO}}}".encode())
    assert isinstance(hello, Hello)
    sent = Hello(
        **{n: getattr(hello, n) for n in hello.__dataclass_fields__ if n != "configuration"},
        configuration=state,
    )
    assert codec.decode(codec.encode(sent)) == sent


# --- YAML from somebody else ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: &x [1]\nb: *x", "aliases"),
        ("a: &x 1", "aliases"),
        ("[1, 2]", "mapping"),
        ("a: [", "line 1|not YAML"),
        ("1: 2", "quotes"),
        ("a: {2: 3}", "quotes"),
        ("a: 2026-02-31", "cannot be read"),
        ("a: " + "9" * 5000, "cannot be read"),
        ("a: !!python/object:os.system x", "not YAML"),
        ("[" * 5000, f"more than {MAX_DEPTH} levels"),
        ("a: [" + "1, " * 5_001 + "]", "parts"),
        ("a" * (MAX_CHARS + 1), "limit"),
    ],
    ids=lambda text: text[:20],
)
def test_hostile_yaml_is_refused_before_it_is_built(text: str, why: str) -> None:
    with pytest.raises(ProtocolError, match=why):
        read_mapping(text)


@given(st.text(max_size=200))
def test_no_text_does_worse_than_be_refused(text: str) -> None:
    with suppress(ProtocolError):
        assert isinstance(read_mapping(text), dict)
