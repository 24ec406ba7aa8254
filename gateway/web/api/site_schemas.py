"""What the API answers about sites and their agents."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, Field

from gateway.flows.sites.live import LiveSite
from gateway.web.api.schemas import T0, Schema, example


class AgentOut(Schema):
    """The agent of a depot, as it last said of itself; null where it does not say."""

    model_config = example(
        version="1.0.0",
        protocol=1,
        uptime_s=86_400.0,
        waiting_rows=30,
        clock_offset_s=0.004,
        mode="peak-avoidance",
        last_gap="",
    )

    version: str
    protocol: Annotated[int | None, Field(description="Version of the site link it speaks.")]
    uptime_s: float | None
    waiting_rows: Annotated[
        int | None, Field(description="Rows of its outbox that were not acknowledged.")
    ]
    clock_offset_s: Annotated[
        float | None, Field(description="The gateway's clock less its own, when it connected.")
    ]
    mode: Annotated[str | None, Field(description="What the site does, in a word.")]
    last_gap: Annotated[
        str | None,
        Field(description="The last measurements its outbox had to drop; empty: none ever."),
    ]


class SiteOut(Schema):
    """One depot, as configured and as it is now."""

    model_config = example(
        site_id="north-yard",
        name="North Yard Bus Depot",
        time_zone="America/Los_Angeles",
        contracted_import_w=250_000.0,
        simulated=True,
        connected=True,
        power_w=81_500.0,
        import_limit_w=82_000.0,
        flex_down_w=12_000.0,
        data_age_s=1.8,
        programs=["peak-relief"],
        heard_at=T0,
        agent={
            "version": "1.0.0",
            "protocol": 1,
            "uptime_s": 86_400.0,
            "waiting_rows": 30,
            "clock_offset_s": 0.004,
            "mode": "peak-avoidance",
            "last_gap": "",
        },
    )

    site_id: str
    name: str
    time_zone: str
    contracted_import_w: float
    simulated: bool
    connected: bool
    power_w: Annotated[float | None, Field(description="At the grid connection; null when stale.")]
    import_limit_w: Annotated[float | None, Field(description="Tightest limit in force.")]
    flex_down_w: Annotated[float | None, Field(description="Reduction on offer now, >= 0.")]
    data_age_s: float | None
    programs: list[str]
    heard_at: Annotated[
        AwareDatetime | None, Field(description="When its agent last sent anything.")
    ]
    agent: Annotated[
        AgentOut | None, Field(description="Null: not heard since the gateway started.")
    ]


def agent_out(live: LiveSite) -> AgentOut | None:
    """The agent of a site; None while it has not been heard."""
    if not live.agent_version:
        return None
    told = live.health
    return AgentOut(
        version=live.agent_version,
        protocol=told.protocol if told else None,
        uptime_s=told.uptime_s if told else None,
        waiting_rows=told.waiting_rows if told else None,
        clock_offset_s=told.clock_offset_s if told else None,
        mode=told.mode if told else None,
        last_gap=told.last_gap if told else None,
    )
