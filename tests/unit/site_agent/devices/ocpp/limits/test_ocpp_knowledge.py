from __future__ import annotations

import json

import pytest

from site_agent.devices.ocpp.limits.knowledge import Experience, Knowledge, Models, read
from site_agent.devices.ocpp.limits.profiles import (
    Capabilities,
    Form,
    Kind,
    Purpose,
    RateUnit,
)
from site_agent.devices.ocpp.versions.words import Nameplate
from site_agent.domain.device import Lapse
from site_agent.store.memory import MemoryKeyValues

PLATE = Nameplate(vendor="V", model="M", firmware="1.0")
FORM = Form(
    purpose=Purpose.TX, kind=Kind.ABSOLUTE, unit=RateUnit.WATT, stack_level=2, connector=1,
    phases_told=True,
)  # fmt: skip
EVERYTHING = {
    "resting": FORM,
    "lease": FORM,
    "smart_charging": True,
    "refuses_zero": True,
    "sticks": True,
    "spikes": True,
    "composite": False,
    "lapse": Lapse.NONE,
    "follows_s": 31.5,
    "capabilities": Capabilities(units=(RateUnit.WATT, RateUnit.AMPERE), max_periods=3),
}


async def test_everything_learnt_outlives_us_and_goes_to_the_next_of_its_kind() -> None:
    memory = MemoryKeyValues()
    first = Experience()
    first.model = await Models(memory).of("CP1", PLATE)
    await first.learn(**EVERYTHING, outranked=True)  # a stranger's profile is on this one only
    later = Models(memory)
    assert (await later.of("CP2", PLATE)).known == Knowledge(**EVERYTHING)  # type: ignore[arg-type]
    assert (await later.of("CP1", None)).known.lease == FORM  # it does not boot again


async def test_a_new_firmware_starts_as_unknown() -> None:
    models = Models(MemoryKeyValues())
    await (await models.of("CP1", PLATE)).learn(refuses_zero=True)
    newer = await models.of("CP1", Nameplate(vendor="V", model="M", firmware="1.1"))
    assert newer.known == Knowledge()


async def test_a_charger_set_up_differently_goes_by_its_own_experience() -> None:
    model = await Models(MemoryKeyValues()).of("CP1", PLATE)
    one, other = Experience(), Experience()
    one.model = other.model = model
    await one.learn(smart_charging=True, lease=FORM)
    await other.learn(smart_charging=False)
    assert (one.known.smart_charging, other.known.smart_charging) == (True, False)
    assert other.known.lease == FORM


async def test_the_worse_of_two_experiences_is_kept_for_the_kind() -> None:
    model = await Models(None).of("CP1", PLATE)
    await model.learn(follows_s=20.0, lapse=Lapse.DEVICE)
    await model.learn(follows_s=10.0, lapse=Lapse.NONE)
    await model.learn(follows_s=15.0, lapse=Lapse.DEVICE)
    assert (model.known.follows_s, model.known.lapse) == (20.0, Lapse.NONE)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", '{"lease": {}}', '{"lapse": "perhaps"}', '{"brain": 1}', '{"lease": 7}',
     json.dumps({"capabilities": {"units": ["V"]}})],
)  # fmt: skip
def test_what_cannot_be_read_is_unknown(text: str) -> None:
    assert read(text) == Knowledge()


async def test_names_made_up_without_end_cost_no_memory() -> None:
    memory = MemoryKeyValues()
    models = Models(memory)
    for n in range(1100):
        plate = Nameplate(vendor="V", model=str(n), firmware="x" * 10_000)
        await (await models.of("CP1", plate)).learn(spikes=True)
    assert await memory.get("ocpp/model/V/1/" + "x" * 50) is not None
    assert await memory.get("ocpp/model/V/1050/" + "x" * 50) is None
