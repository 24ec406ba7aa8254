from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from gateway.utility.sep2.settings import DeviceSettings, Sep2Settings
from support.sep2_tree_server import lfdi, settings

DEVICE: dict[str, Any] = {
    "lfdi": lfdi(1),
    "sites": ["depot-1"],
    "ratings": {"rtg_max_w": 1e5},
}


def test_plain_settings_have_the_defaults_of_csip() -> None:
    plain = settings(2)
    assert (plain.edition, plain.displaced_code, plain.listener) == ("2018", 7, None)
    assert plain.monitoring_period_s == 300
    assert plain.device(lfdi(2).lower()) is plain.devices[1]
    assert plain.device("F" * 40) is None


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"devices": [DEVICE, DEVICE | {"sites": ["depot-2"]}]}, "lfdi must be unique"),
        ({"devices": [DEVICE, DEVICE | {"lfdi": lfdi(2)}]}, "depot-1 as site"),
        ({"devices": [DEVICE | {"lfdi": "A" * 39}]}, "lfdi"),
        ({"devices": [DEVICE | {"lfdi": "G" * 40}]}, "lfdi"),
        ({"devices": [DEVICE | {"pin": 1_000_000}]}, "pin"),
        ({"devices": [DEVICE | {"sites": []}]}, "sites"),
        ({"devices": [DEVICE | {"sites": ["a", "a"]}]}, "sites must be unique"),
        ({"devices": [DEVICE | {"weights": [1, 2]}]}, "one for each of sites"),
        ({"devices": [DEVICE | {"scope": "car"}]}, "scope"),
        ({"devices": [DEVICE | {"ratings": {}}]}, "rtg_max_w"),
        ({"devices": [DEVICE | {"inverter_modes": ["opModFreqWatt"]}]}, "inverter_modes"),
        ({"devices": [DEVICE | {"inverter_modes": ["opModMaxLimW"]}]}, "inverter_modes"),
        ({"devices": [DEVICE | {"inverter_modes": ["opModVoltVar"] * 2}]}, "doubled: opModVoltVar"),
        (
            {"devices": [DEVICE | {"inverter_modes": ["opModVoltVar"], "scope": "load"}]},
            "no inverters",
        ),
        ({"devices": []}, "devices"),
        ({"url": "http://utility.example/dcap"}, "https"),
        ({"csipaus": "https://csipaus.org/ns/v9"}, "csipaus"),
        ({"edition": "2013"}, "edition"),
        ({"response_codes": [1, 2, 99]}, "99"),
        ({"response_codes": [1, 2, 3, 6]}, "displaced_code 7"),
        ({"max_concurrent_requests": 9}, "max_concurrent_requests"),
        ({"listener": {"url": "http://us.example/", "cert": "c", "key": "k"}}, "https"),
        ({"poll_s": 0}, "poll_s"),
        ({"colour": "green"}, "colour"),
    ],
)
def test_nonsense_is_refused_by_name(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        settings(1, **wrong)


def test_lfdis_compare_in_upper_case() -> None:
    with pytest.raises(ValidationError, match="unique"):
        settings(
            1,
            devices=[
                DEVICE | {"lfdi": "a" * 40},
                DEVICE | {"lfdi": "A" * 40, "sites": ["depot-2"]},
            ],
        )


def test_an_australian_profile() -> None:
    profile = settings(1, response_codes=[1, 2, 3, 6, 7])
    assert isinstance(profile, Sep2Settings)
    assert 14 not in profile.response_codes


def test_shares_are_equal_without_weights_and_proportional_with_them() -> None:
    equal = DeviceSettings.model_validate(DEVICE | {"sites": ["a", "b"]})
    assert equal.shares == {"a": 0.5, "b": 0.5}
    weighed = DeviceSettings.model_validate(DEVICE | {"sites": ["a", "b"], "weights": [3, 1]})
    assert weighed.shares == {"a": 0.75, "b": 0.25}
