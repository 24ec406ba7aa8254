"""What the API takes and answers about sites' settings."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from contracts.bounded_yaml import MAX_CHARS
from contracts.site_link.configuration import Answered, ConfigurationAck, ConfigurationState
from gateway.domain.configuration import Pushed, Stage
from gateway.web.api.schemas import T0, Schema, example

_Words = Annotated[str, Field(max_length=200)]
_Text = Annotated[
    str,
    Field(
        max_length=MAX_CHARS,
        description="YAML over the site's own file; empty: its own file alone.",
    ),
]
_SiteId = Annotated[str, Field(min_length=1, max_length=40)]
_EXAMPLE = "planning:\n  ready_before_min: 20\n"


class CheckIn(BaseModel):
    """Settings to be looked at by a site, and not taken."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"text": _EXAMPLE}]})

    text: _Text


class WhoIn(BaseModel):
    """Who does it, and why, for the record."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"by": "j.doe", "reason": "vehicles leave earlier"}]},
    )

    by: Annotated[str, Field(min_length=1, max_length=80)]
    reason: _Words = ""


class PushIn(WhoIn):
    """Settings for one or more sites."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "text": _EXAMPLE,
                    "sites": ["north-yard", "harbor", "east"],
                    "first": 1,
                    "by": "j.doe",
                    "reason": "vehicles leave earlier",
                }
            ]
        },
    )

    text: _Text
    sites: Annotated[
        tuple[_SiteId, ...],
        Field(max_length=100_000, description="In order; none: every site of the portfolio."),
    ] = ()
    at: Annotated[
        AwareDatetime | None, Field(description="When sites try it; null: at a quiet moment.")
    ] = None
    first: Annotated[
        int | None,
        Field(ge=1, description="So many sites first; the rest once it is applied at all of them."),
    ] = None

    @model_validator(mode="after")
    def _sites_are_different(self) -> Self:
        if len(set(self.sites)) < len(self.sites):
            raise ValueError("sites: one is named twice")
        return self


class ChangeOut(Schema):
    """A setting that would be another than in the site's own file; values as JSON."""

    path: str
    before: str
    after: str


class CheckOut(Schema):
    """What a site said to settings."""

    model_config = example(
        state="valid",
        faults=[],
        changes=[{"path": "planning.ready_before_min", "before": "10.0", "after": "20.0"}],
    )

    state: Answered
    faults: list[str]
    changes: list[ChangeOut]


class PushedOut(Schema):
    """Settings that were pushed to one site, and how far they are."""

    model_config = example(
        configuration_id="north-yard-3",
        site_id="north-yard",
        revision=3,
        rollout="0b6d2f3cf0f14a6f9a2f6a8a1d2f7c11",
        wave=0,
        stage="applied",
        reason="",
        changed_at=T0,
        pushed_at=T0,
        by="j.doe",
        cause="vehicles leave earlier",
        at=None,
        text=_EXAMPLE,
    )

    configuration_id: str
    site_id: str
    revision: int
    rollout: Annotated[str, Field(description="What was pushed together.")]
    wave: Annotated[int, Field(description="0: first; 1: once it is applied at all of those.")]
    stage: Stage
    reason: str
    changed_at: AwareDatetime | None
    pushed_at: AwareDatetime
    by: str
    cause: str
    at: AwareDatetime | None
    text: str


class RunningOut(Schema):
    """With which settings a site's agent last said it runs."""

    model_config = example(
        running="north-yard-3",
        fingerprint="5d41402abc4b2a76b9719d911017c5925d41402abc4b2a76b9719d911017c592",
        trial=False,
        staged="",
        drift="",
    )

    running: Annotated[str, Field(description="Configuration; empty: its own file alone.")]
    fingerprint: Annotated[
        str, Field(description="SHA-256 of what may be changed from here, as in force.")
    ]
    trial: bool
    staged: str
    drift: Annotated[
        str, Field(description="Why its own file wins over what was applied; empty: it does not.")
    ]


class ConfigurationOut(Schema):
    """A site's settings from here: what it runs with, and all that was pushed, newest first."""

    site_id: str
    agent: Annotated[
        RunningOut | None,
        Field(description="Null: not heard since the gateway started, or it takes no settings."),
    ]
    pushed: list[PushedOut]


def check_out(ack: ConfigurationAck) -> CheckOut:
    """A site's answer."""
    changes = [ChangeOut(path=o.path, before=o.before, after=o.after) for o in ack.changes]
    return CheckOut(state=ack.state, faults=list(ack.faults), changes=changes)


def pushed_out(one: Pushed) -> PushedOut:
    """One configuration of one site."""
    return PushedOut.model_validate(one, from_attributes=True)


def running_out(state: ConfigurationState | None) -> RunningOut | None:
    """What a site said."""
    return None if state is None else RunningOut.model_validate(state, from_attributes=True)
