"""Who has taken command of a battery or an inverter reaches a person."""

from __future__ import annotations

from dataclasses import replace

from site_agent.flows.report.notices import BATTERY_OFFLINE, LOCAL_CONTROL, PV_OFFLINE, conditions
from support.site import battery, pv, snapshot


def test_local_control_is_named_instead_of_silence() -> None:
    """A device that takes no setpoints counts as offline: the reason is what helps."""
    taken = replace(battery(online=False), obeys=False, local=True)
    also = replace(pv(online=False), local=True)
    told = conditions(snapshot(batteries=[taken], pv_states=[also]), {}, ())
    names = taken.spec.battery_id, also.spec.pv_id
    assert told.keys() == {(LOCAL_CONTROL, name) for name in names}
    assert "give it back to remote control there" in told[LOCAL_CONTROL, names[0]].text


def test_without_it_silence_is_silence() -> None:
    silent, dark = battery(online=False), pv(online=False)
    told = conditions(snapshot(batteries=[silent], pv_states=[dark]), {}, ())
    assert told.keys() == {(BATTERY_OFFLINE, silent.spec.battery_id), (PV_OFFLINE, dark.spec.pv_id)}
