"""Every mode: its sign, its base and its scope; a table a utility's engineer can check."""

from __future__ import annotations

from pathlib import Path

import pytest

from contracts.sep2.modes import CSIPAUS_MODES, CURVE_MODES, STANDARD_MODES
from contracts.sep2.resources import (
    CurveLink,
    FixedVar,
    ModeValue,
    PowerFactorWithExcitation,
    Scaled,
)
from gateway.domain.der.responses import ResponseCode
from gateway.domain.operating_envelope import FREE, SiteBounds
from gateway.utility.sep2.mapping_modes import (
    MODES,
    applicable,
    bounds_of,
    supported,
    words,
)
from gateway.utility.sep2.refusals import UnusableModeError
from gateway.utility.sep2.settings import DeviceSettings, RatingSettings, Scope

SCOPES: tuple[Scope, ...] = ("site", "storage", "generation", "load")
MAX_W, CHARGE_W, DISCHARGE_W = 200_000.0, 80_000.0, 100_000.0


def device(scope: Scope = "site", *, battery: bool = True, charges: bool = True) -> DeviceSettings:
    return DeviceSettings(
        lfdi="A" * 40,
        sites=("depot-1",),
        scope=scope,
        ratings=RatingSettings(
            rtg_max_w=MAX_W,
            rtg_max_charge_rate_w=CHARGE_W if charges else None,
            rtg_max_discharge_rate_w=DISCHARGE_W if battery else None,
        ),
    )


def w(watts: float) -> Scaled:
    return Scaled.of(watts)


MEANINGS: list[tuple[str, ModeValue, SiteBounds]] = [
    ("opModImpLimW", w(20_000), SiteBounds(import_limit_w=20_000.0)),
    ("opModImpLimW", Scaled(multiplier=1, value=5000), SiteBounds(import_limit_w=50_000.0)),
    ("opModImpLimW", Scaled(multiplier=0, value=150_000), SiteBounds(import_limit_w=150_000.0)),
    ("opModImpLimW", w(0), SiteBounds(import_limit_w=0.0)),
    ("opModImpLimW", Scaled(multiplier=99, value=9), SiteBounds(import_limit_w=1e9)),
    ("opModExpLimW", w(1_500), SiteBounds(export_limit_w=-1_500.0)),
    ("opModExpLimW", w(0), SiteBounds(export_limit_w=0.0)),
    ("opModLoadLimW", w(9_000), SiteBounds(load_limit_w=9_000.0)),
    ("opModGenLimW", w(100), SiteBounds(generation_limit_w=-100.0)),
    ("opModMaxLimW", 9_500, SiteBounds(generation_limit_w=-190_000.0)),
    ("opModMaxLimW", 0, SiteBounds(generation_limit_w=0.0)),
    ("opModFixedW", 10_000, SiteBounds(storage_power_w=-100_000.0)),
    ("opModFixedW", 2_500, SiteBounds(storage_power_w=-25_000.0)),
    ("opModFixedW", -2_500, SiteBounds(storage_power_w=20_000.0)),
    ("opModFixedW", 0, SiteBounds(storage_power_w=0.0)),
    ("opModTargetW", w(30_000), SiteBounds(storage_power_w=-30_000.0)),
    ("opModTargetW", w(-30_000), SiteBounds(storage_power_w=30_000.0)),
    ("opModStorageTargetW", w(5_000), SiteBounds(storage_power_w=-5_000.0)),
    ("opModStorageTargetW", w(-5_000), SiteBounds(storage_power_w=5_000.0)),
    ("opModConnect", False, SiteBounds(energize=False)),
    ("opModConnect", True, SiteBounds(energize=True)),
    ("opModEnergize", False, SiteBounds(energize=False)),
    ("opModEnergize", True, SiteBounds(energize=True)),
    ("setGradW", 50, FREE),
    ("setSoftGradW", 50, FREE),
]


@pytest.mark.row("sep2:17")
@pytest.mark.row("sep2:18")
@pytest.mark.row("sep2:19")
@pytest.mark.row("sep2:20")
@pytest.mark.row("sep2:21")
@pytest.mark.row("sep2:AU2")
@pytest.mark.row("csip:P29")
@pytest.mark.parametrize(("mode", "value", "bounds"), MEANINGS)
def test_what_a_mode_binds_at_a_site(mode: str, value: ModeValue, bounds: SiteBounds) -> None:
    assert bounds_of(mode, value, device()) == bounds


def test_the_table_of_meanings_has_every_mode() -> None:
    assert {mode for mode, _, _ in MEANINGS} >= MODES.keys()


def test_fixed_w_of_a_battery_without_a_discharge_rating_is_of_set_max_w() -> None:
    battery = device("storage", battery=False)
    assert bounds_of("opModFixedW", 5_000, battery) == SiteBounds(storage_power_w=-100_000.0)


@pytest.mark.parametrize("mode", ["opModConnect", "opModEnergize"])
@pytest.mark.parametrize(
    ("scope", "bounds"),
    [
        ("site", SiteBounds(energize=False)),
        ("storage", SiteBounds(storage_power_w=0.0)),
        ("generation", SiteBounds(generation_limit_w=0.0)),
        ("load", SiteBounds(load_limit_w=0.0)),
    ],
)
def test_a_part_of_a_site_is_switched_off_alone(
    mode: str, scope: Scope, bounds: SiteBounds
) -> None:
    assert bounds_of(mode, False, device(scope)) == bounds
    if scope != "site":
        assert bounds_of(mode, True, device(scope)) == FREE


APPLIES = {
    "opModConnect": "site storage generation load",
    "opModEnergize": "site storage generation load",
    "opModImpLimW": "site storage load",
    "opModLoadLimW": "site storage load",
    "opModExpLimW": "site storage generation",
    "opModGenLimW": "site storage generation",
    "opModMaxLimW": "site storage generation",
    "opModFixedW": "site storage generation",
    "opModTargetW": "site storage generation",
    "opModStorageTargetW": "site storage generation",
}
SOME_VALUE: dict[str, ModeValue] = {
    mode: value for mode, value, _ in reversed(MEANINGS) if mode in MODES
}


@pytest.mark.row("sep2:33")
@pytest.mark.row("sep2:AU6")
@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("mode", sorted(MODES))
def test_which_devices_have_which_mode(mode: str, scope: Scope) -> None:
    verdict = applicable(device(scope))(mode, SOME_VALUE[mode])
    assert (verdict is None) == (scope in APPLIES[mode].split())
    assert (mode in supported(device(scope))) == (verdict is None)
    if verdict is not None:
        assert verdict.code is ResponseCode.NOT_APPLICABLE


@pytest.mark.parametrize("mode", ["opModFixedW", "opModTargetW", "opModStorageTargetW"])
def test_without_a_battery_there_is_no_storage_target(mode: str) -> None:
    chargers_alone = device(battery=False)
    verdict = applicable(chargers_alone)(mode, SOME_VALUE[mode])
    assert verdict is not None
    assert verdict.code is ResponseCode.NOT_APPLICABLE
    assert mode not in supported(chargers_alone)


@pytest.mark.parametrize(
    ("mode", "value"), [("opModFixedW", -1), ("opModTargetW", w(-1)), ("opModFixedW", -10_000)]
)
def test_a_battery_that_cannot_charge_is_not_told_to(mode: str, value: ModeValue) -> None:
    verdict = applicable(device("storage", charges=False))(mode, value)
    assert verdict is not None
    assert verdict.code is ResponseCode.NOT_APPLICABLE


@pytest.mark.row("sep2:33")
@pytest.mark.parametrize(
    ("mode", "value"),
    [
        ("opModImpLimW", w(-1)),
        ("opModExpLimW", w(-1)),
        ("opModLoadLimW", w(-0.001)),
        ("opModGenLimW", w(-1)),
        ("opModImpLimW", 20_000),
        ("opModExpLimW", True),
        ("opModMaxLimW", 10_001),
        ("opModMaxLimW", 65_535),
        ("opModMaxLimW", -1),
        ("opModMaxLimW", True),
        ("opModMaxLimW", w(50)),
        ("opModFixedW", 10_001),
        ("opModFixedW", -10_001),
        ("opModFixedW", False),
        ("opModTargetW", w(100_100)),
        ("opModTargetW", w(-80_100)),
        ("opModTargetW", 5),
        ("opModStorageTargetW", w(1e6)),
        ("opModConnect", 1),
        ("opModEnergize", w(0)),
    ],
)
def test_values_out_of_range_are_invalid(mode: str, value: ModeValue) -> None:
    with pytest.raises(UnusableModeError) as caught:
        bounds_of(mode, value, device())
    assert caught.value.code is ResponseCode.INVALID
    assert mode in str(caught.value)


@pytest.mark.row("sep2:22")
@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("mode", sorted({*STANDARD_MODES, *CSIPAUS_MODES} - MODES.keys()))
def test_inverter_modes_are_not_applicable(mode: str, scope: Scope) -> None:
    value: ModeValue = CurveLink(href="/curve/1")
    if mode not in CURVE_MODES:
        value = FixedVar(ref_type=2, value=5)
    verdict = applicable(device(scope))(mode, value)
    assert verdict is not None
    assert verdict.code is ResponseCode.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("mode", "value", "text"),
    [
        ("opModImpLimW", w(20_000), "opModImpLimW 20000 W"),
        ("opModMaxLimW", 9_550, "opModMaxLimW 95.5 %"),
        ("opModEnergize", False, "opModEnergize no"),
        (
            "opModFixedPFInjectW",
            PowerFactorWithExcitation(displacement=95, excitation=True, multiplier=-2),
            "opModFixedPFInjectW",
        ),
    ],
)
def test_words(mode: str, value: ModeValue, text: str) -> None:
    assert words(mode, value) == text


def test_the_module_that_says_the_signs_names_every_mode() -> None:
    source = Path(bounds_of.__code__.co_filename).read_text(encoding="utf-8")
    heading = source.split('"""')[1]
    assert all(mode in heading for mode in MODES)
