"""What the API answers on what utilities impose on a site, and who opts out of it."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, Field

from gateway.web.api.schemas import T0, T1, Schema, example


class BoundsOut(Schema):
    """Bounds on one site, W, in the load convention; null leaves that side free."""

    import_limit_w: Annotated[float | None, Field(description="Most import at the PCC.")] = None
    export_limit_w: Annotated[
        float | None, Field(description="The PCC power stays above it; negative allows export.")
    ] = None
    load_limit_w: Annotated[
        float | None, Field(description="Most of chargers and battery charging together.")
    ] = None
    generation_limit_w: Annotated[
        float | None, Field(description="PV and discharge together stay above it; <= 0.")
    ] = None
    storage_power_w: Annotated[
        float | None, Field(description="What batteries should do together; charging positive.")
    ] = None
    energize: Annotated[
        bool | None, Field(description="False: everything that can be steered stops.")
    ] = None
    inverter_functions: Annotated[
        tuple[str, ...], Field(description="What inverters do by themselves, in words.")
    ] = ()


class EnvelopeStepOut(Schema):
    """Bounds over `[start, end)`; `end` null means until further notice."""

    start: AwareDatetime
    end: AwareDatetime | None
    bounds: BoundsOut
    cause: str


class EnvelopeOut(Schema):
    """What one utility imposes on one site beside every event, and why."""

    model_config = example(
        utility_id="pacific-der",
        site_id="north-yard",
        received_at=T0,
        now={
            "start": T0,
            "end": T1,
            "bounds": {"import_limit_w": 60_000.0},
            "cause": "opModImpLimW of control 7A01 in program Feeder 12",
        },
        steps=[],
    )

    utility_id: str
    site_id: str
    received_at: AwareDatetime
    now: Annotated[EnvelopeStepOut | None, Field(description="In force at this moment.")]
    steps: Annotated[
        list[EnvelopeStepOut], Field(description="What is in force and what comes, in order.")
    ]


class ControlOut(Schema):
    """A control of a utility that binds a site or will."""

    model_config = example(
        utility_id="pacific-der",
        control_id="0000007A0000000000000000ABCDEF01",
        start=T0,
        end=T1,
        running=True,
        asks="opModLoadLimW 60000 W",
        opted_out=False,
        may_opt_out=True,
        binding="",
    )

    utility_id: str
    control_id: Annotated[str, Field(description="The control's mRID.")]
    start: AwareDatetime
    end: AwareDatetime | None
    running: bool
    asks: str
    opted_out: Annotated[bool, Field(description="The site takes no part at present.")]
    may_opt_out: bool
    binding: Annotated[str, Field(description="Why nobody may opt out of it.")]


class ControlChoiceOut(Schema):
    """Whether the site takes part in the control."""

    model_config = example(
        utility_id="pacific-der",
        control_id="0000007A0000000000000000ABCDEF01",
        site_id="north-yard",
        opted_out=True,
    )

    utility_id: str
    control_id: str
    site_id: str
    opted_out: bool
