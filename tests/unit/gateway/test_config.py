from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from contracts.config import loads
from contracts.errors import ConfigError
from gateway.config import GatewaySettings
from gateway.domain.program import Adjustment, BaselineMethod, DayType

GOOD = """\
data: /var/lib/gridyard
sites:
  - site_id: depot-1
    name: North depot
    time_zone: Europe/Berlin
    import_limit_w: 250000
    groups: [feeder-7]
programs:
  - program_id: http://utility.example/peak
    name: Peak relief
    utility_id: u1
    measurement_interval: PT15M
    observe_after: 1800
    baseline:
      name: high 5 of 10
      x_days: 5
      day_type: any
      adjustment: additive
      adjust_from: PT3H
      adjust_until: PT30M
    enrolments:
      - {site_id: depot-1, nominated_w: 40000}
link:
  ca: ca.pem
  broker_cert: broker.pem
  broker_key: broker.key
  cert: gateway.pem
  key: gateway.key
  nats: nats
holidays: [2026-12-25]
"""


def load(text: str = GOOD) -> GatewaySettings:
    return loads(text, GatewaySettings, name="gateway.yaml")


def test_settings_become_the_portfolio() -> None:
    portfolio = load().portfolio()
    (site,) = portfolio.sites
    assert (site.time_zone, site.groups) == (ZoneInfo("Europe/Berlin"), frozenset({"feeder-7"}))
    program = portfolio.program("http://utility.example/peak")
    assert program is not None
    assert program.measurement_interval == timedelta(minutes=15)
    assert program.observe_after == timedelta(minutes=30)
    assert program.baseline == BaselineMethod(
        name="high 5 of 10",
        x_days=5,
        day_type=DayType.ANY,
        adjustment=Adjustment.ADDITIVE,
        adjust_from=timedelta(hours=3),
        adjust_until=timedelta(minutes=30),
    )
    assert portfolio.nominations(program.program_id) == {"depot-1": 40_000.0}
    assert [day.isoformat() for day in portfolio.holidays] == ["2026-12-25"]


def test_what_is_left_out_keeps_the_defaults_of_the_domain() -> None:
    start, end = GOOD.index("    baseline:"), GOOD.index("    enrolments:")
    (program,) = load(GOOD[:start] + GOOD[end:]).portfolio().programs
    assert program.baseline == BaselineMethod()


@pytest.mark.parametrize(
    ("old", "new", "where", "why"),
    [
        ("Europe/Berlin", "Europe/Bonn", ":5: sites.0.time_zone", "unknown time zone"),
        ("site_id: depot-1\n", "site_id: Depot.1\n", ":3: sites.0.site_id", "use 1-40 of"),
        ("import_limit_w: 250000", "import_limit_w: -1", ":6: sites.0.import_limit_w", "greater"),
        ("    name: North", "    nam: North", ":4: sites.0.nam", "Extra inputs"),
        ("x_days: 5", "x_days: 50", "programs.0.baseline", "x_days must not exceed"),
        ("PT30M", "PT4H", "programs.0.baseline", "adjust_from must lie before"),
        ("{site_id: depot-1, n", "{site_id: depot-9, n", "gateway.yaml:1", "unknown sites"),
        ("  ca: ca.pem\n", "", ":23: link.ca", "Field required"),
    ],
)
def test_a_mistake_is_named_by_line_and_key(old: str, new: str, where: str, why: str) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError) as caught:
        load(GOOD.replace(old, new))
    assert where in str(caught.value)
    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("again", "what"),
    [
        (
            "  - {site_id: depot-1, name: Twin, time_zone: UTC, import_limit_w: 1}\nprograms:",
            "site_id",
        ),
        (
            "programs:\n  - {program_id: 'http://utility.example/peak', name: x, utility_id: u2}",
            "program_id and valid_from",
        ),
    ],
)
def test_nothing_has_the_same_name_twice(again: str, what: str) -> None:
    with pytest.raises(ConfigError, match=f"{what} must be unique"):
        load(GOOD.replace("programs:", again, 1))


def test_a_site_is_enrolled_in_a_program_once() -> None:
    twice = "      - {site_id: depot-1, nominated_w: 40000}\n"
    with pytest.raises(ConfigError, match="must be unique on any day; doubled: depot-1"):
        load(GOOD.replace(twice, twice * 2))
