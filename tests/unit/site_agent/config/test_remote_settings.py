"""What a gateway may change at a site, and above all what it may not."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from site_agent.config import SiteSettings
from site_agent.config.remote import (
    ALLOWED,
    Direction,
    LocalFile,
    direction,
    fingerprint,
    read_local,
)

ROW = pytest.mark.row("portfolio:L5")
SECRET = "a-secret-of-the-site"
TREE: dict[str, Any] = {
    "site_id": "depot-1",
    "data": "/var/lib/depot",
    "contract_limit_w": 100_000,
    "max_building_w": 20_000,
    "circuit": {"limit_a": 200, "nodes": [{"id": "row.a", "limit_a": 100}]},
    "meter": {"host": "meter", "port": 502},
    "chargers": [{"id": "c1", "node": "row.a", "password": SECRET}],
    "batteries": [
        {
            "id": "b1",
            "kind": "sunspec",
            "host": "battery",
            "capacity_wh": 50_000,
            "max_charge_w": 10_000,
            "max_discharge_w": 10_000,
        }
    ],
    "pv": [{"id": "roof", "host": "pv", "rated_w": 10_000}],
    "fleet": [{"vehicle_id": "bus-1", "departure": "07:00", "required_wh": 1, "id_tags": ["AB"]}],
    "link": {"servers": ["tls://gateway:4222"], "credentials": "/etc/depot"},
}


def local(**changes: object) -> LocalFile:
    tree = {**TREE, **changes}
    return LocalFile(tree, SiteSettings.model_validate(tree))


TAKEN: list[tuple[str, str, object, object]] = [
    ("telemetry_s: 5", "telemetry_s", 2.0, 5.0),
    ("planning: {strategy: soonest}", "planning.strategy", "plan", "soonest"),
    ("planning: {ready_before_min: 20}", "planning.ready_before_min", 10.0, 20.0),
    ("forecast: {altitude_m: 12}", "forecast.altitude_m", 0.0, 12.0),
    ("island: {all_above_pct: 70}", "island.all_above_pct", 60.0, 70.0),
    ("batteries: {b1: {reserve_soc_pct: 30}}", "batteries.b1.reserve_soc_pct", 10.0, 30.0),
    ("batteries: {b1: {lease_s: 20}}", "batteries.b1.lease_s", 30, 20),
    ("pv: {roof: {lease_s: 20}}", "pv.roof.lease_s", 30, 20),
    ("fleet: {bus-1: {rank: 3}}", "fleet.bus-1.rank", 0, 3),
    ('fleet: {bus-1: {departure: "05:30"}}', "fleet.bus-1.departure", "07:00", "05:30"),
    ("ocpp: {meter_interval_s: 60}", "ocpp.meter_interval_s", 5, 60),
    ("ocpp: {lease_s: 120}", "ocpp.lease_s", 300.0, 120.0),
    ("meter: {max_age_s: 2}", "meter.max_age_s", 3.0, 2.0),
    ("contract_limit_w: 90_000", "contract_limit_w", 100_000.0, 90_000.0),
    ("circuit: {limit_a: 150}", "circuit.limit_a", 200.0, 150.0),
    ("circuit: {nodes: {row.a: {limit_a: 63}}}", "circuit.nodes.row.a.limit_a", 100.0, 63.0),
]


@ROW
@pytest.mark.parametrize(("text", "path", "before", "after"), TAKEN)
def test_what_is_on_the_list_is_taken(text: str, path: str, before: object, after: object) -> None:
    judged = local().judged(text)
    assert judged.faults == ()
    assert judged.settings is not None
    assert [
        (one.path, json.loads(one.before), json.loads(one.after)) for one in judged.changes
    ] == [(path, before, after)]


REFUSED = [
    # an electrical limit is loosened
    ("contract_limit_w: 100_001", "contract_limit_w: may be lowered"),
    ("circuit: {limit_a: 201}", "circuit.limit_a: may be lowered"),
    ("circuit: {nodes: {row.a: {limit_a: 101}}}", "row.a.limit_a: may be lowered"),
    ("circuit: {nodes: {row.a: {parent: pcc}}}", "may only be changed at the site"),
    ("circuit: {brief_overload: 0.4}", "may only be changed at the site"),
    ("circuit: {nodes: [{id: row.a, limit_a: 1000}]}", "may only be changed at the site"),
    ("contract_limit_w: .inf", "contract_limit_w: may be lowered"),
    ("contract_limit_w: .nan", "greater than 0"),
    ('contract_limit_w: "1e9"', "contract_limit_w: may be lowered"),
    # what is reckoned with when something fails
    ("max_building_w: 0", "max_building_w: may only be changed at the site"),
    ("unseen_generation_w: 0", "may only be changed at the site"),
    ("voltage_v: 90", "may only be changed at the site"),
    ("chargers: {c1: {max_current_a: 6}}", "chargers.c1.max_current_a: may only"),
    ("chargers: {c1: {fail_safe_current_a: 0}}", "may only be changed at the site"),
    ("batteries: {b1: {lapse: device}}", "may only be changed at the site"),
    ("batteries: {b1: {max_charge_w: 1}}", "may only be changed at the site"),
    # what would last longer than the site wants
    ("ocpp: {lease_s: 3600}", "ocpp.lease_s: may be lowered"),
    ("meter: {max_age_s: 60}", "meter.max_age_s: may be lowered"),
    ("batteries: {b1: {lease_s: 3600}}", "may be lowered"),
    # addresses, identity, people, files
    ("meter: {host: elsewhere}", "meter.host: may only"),
    (f"chargers: {{c1: {{password: {SECRET}}}}}", "chargers.c1.password: may only"),
    ("chargers: {c1: {password: guessed-wrong}}", "chargers.c1.password: may only"),
    ("ocpp: {security_profile: 0}", "may only"),
    ("fleet: {bus-1: {id_tags: [FF]}}", "fleet.bus-1.id_tags: may only"),
    ("access: {}", "access: may only"),
    ("strangers: {admit: all}", "may only"),
    ("link: {servers: [tls://elsewhere:4222]}", "link.servers: may only"),
    ("link: null", "link: may only"),
    ("remote: {trial_s: 5}", "may only"),
    ("site_id: depot-2", "may only"),
    ("data: /tmp", "may only"),
    ("web: {host: 0.0.0.0}", "may only"),
    ("telecontrol: []", "may only"),
    ("tariff: /etc/shadow", "tariff: from here only in full"),
    # what makes no sense
    ("telemetry_s: 0", "telemetry_s: "),
    ("planning: {strategy: magic}", "planning.strategy: "),
    ("planning: {colour: blue}", "planning.colour: "),
    ("planning: null", "planning: "),
    ("batteries: {b9: {reserve_soc_pct: 5}}", "b9.reserve|b9: there is none"),
    ("contract_limit_w: 21_000", "fail-safe shares"),
    ("nonsense: 1", "nonsense: may only"),
    ("[", "not YAML"),
]


@ROW
@pytest.mark.parametrize(("text", "why"), REFUSED)
def test_anything_else_is_refused_with_its_path(text: str, why: str) -> None:
    judged = local().judged(text)
    assert judged.settings is None
    assert judged.changes == ()
    assert re.search(why, "; ".join(judged.faults))
    assert SECRET not in "".join(judged.faults)


def test_a_tariff_comes_whole_or_by_the_name_of_one_that_is_there() -> None:
    assert local().judged("tariff: example-europe").settings is not None
    flat = {
        "name": "flat",
        "currency": "EUR",
        "time_zone": "UTC",
        "energy": [{"name": "all", "prices": [{"at": "00:00", "per_kwh": 0.2}]}],
    }
    judged = local(tariff=flat).judged(yaml.safe_dump({"tariff": {**flat, "name": "other"}}))
    assert judged.faults == ()
    assert [one.path for one in judged.changes] == ["tariff.name"]


@ROW
def test_a_limit_goes_back_up_to_what_the_file_says_and_no_further() -> None:
    """Each configuration is over the file, never over the one before."""
    assert local().judged("contract_limit_w: 60_000").settings is not None
    again = local().judged("contract_limit_w: 100_000")
    assert again.settings == local().settings
    assert again.changes == ()


NUMBERS = st.one_of(st.floats(), st.integers(), st.booleans(), st.none(), st.text(max_size=5))
PATHS = st.sampled_from(
    [
        *(path.split(".", 1)[0] for path in ALLOWED),
        "chargers",
        "max_building_w",
        "voltage_v",
        "access",
    ]
)
NODES = st.dictionaries(
    st.sampled_from(["limit_a", "brief_overload", "parent"]), NUMBERS, max_size=3
)
HOSTILE = st.fixed_dictionaries(
    {},
    optional={
        "contract_limit_w": NUMBERS,
        "max_building_w": NUMBERS,
        "telemetry_s": NUMBERS,
        "circuit": st.one_of(
            NUMBERS,
            NODES,
            st.fixed_dictionaries({"nodes": st.dictionaries(st.just("row.a"), NODES)}),
        ),
        "chargers": st.dictionaries(
            st.just("c1"), st.dictionaries(st.sampled_from(["max_current_a", "node"]), NUMBERS)
        ),
    },
)


@ROW
@given(over=HOSTILE)
def test_whatever_comes_from_above_no_electrical_limit_is_loosened(over: dict[str, Any]) -> None:
    own = local()
    settings = own.judged(yaml.safe_dump(over)).settings
    if settings is None:
        return
    before, after = own.settings.model(), settings.model()
    assert after.contract_limit_w <= before.contract_limit_w
    assert after.max_building_w == before.max_building_w
    assert after.chargers == before.chargers
    for old, new in zip(before.nodes, after.nodes, strict=True):
        assert (new.node_id, new.parent) == (old.node_id, old.parent)
        assert new.limit_a <= old.limit_a
        assert new.brief_overload == old.brief_overload


@given(over=st.recursive(NUMBERS, lambda inner: st.dictionaries(PATHS, inner, max_size=4)))
def test_no_settings_do_worse_than_be_refused(over: object) -> None:
    judged = local().judged(yaml.safe_dump(over))
    assert (judged.settings is None) == bool(judged.faults)


def test_an_id_with_a_dot_leads_nowhere_else() -> None:
    assert direction(("batteries", "b1", "reserve_soc_pct")) is Direction.FREE
    assert direction(("batteries", "b1.reserve_soc_pct")) is None
    assert direction(("pv", "x.lease_s", "rated_w")) is None


def test_fingerprints_tell_settings_apart_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(yaml.safe_dump(TREE))
    first = read_local(path)
    path.write_text("# a comment\n" + yaml.safe_dump({**TREE, "telemetry_s": 2.0}))
    assert read_local(path).base == first.base == fingerprint(local().settings)
    other = local(chargers=[{"id": "c1", "node": "row.a", "password": "another-secret"}])
    assert other.base != first.base
    assert other.told(other.settings) == first.told(first.settings)  # a password cannot be tried


def test_a_file_that_changes_is_noticed_once_it_says_something_else(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(yaml.safe_dump(TREE))
    own = read_local(path)
    assert own.drift() == ""
    path.write_text("# a comment\n" + yaml.safe_dump(TREE))
    assert own.drift() == ""
    path.write_text(yaml.safe_dump({**TREE, "contract_limit_w": 80_000}))
    os.utime(path, ns=(1, 1))
    assert "holds from the next start" in own.drift()
    path.write_text("contract_limit_w: [")
    assert "not good" in own.drift()
    path.write_text(yaml.safe_dump(TREE))
    os.utime(path, ns=(2, 2))
    assert own.drift() == ""
