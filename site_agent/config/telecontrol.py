"""Settings of what the network operator may ask for: by contacts, or by registers it writes.

Magnitudes here; the load convention's signs come with `LimitSettings.bounds`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, model_validator

from contracts.config import Settings
from site_agent.config.devices import ModbusSettings
from site_agent.config.values import Name, Percent, Positive
from site_agent.domain.instruction import Bounds
from site_agent.domain.protect.telecontrol import FREE, Contact, InputSpec, Order

Watts = Annotated[float, Field(ge=0, le=1e9)]
Who = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]+$")]


class LimitSettings(Settings):
    """Limits on the site; those not given leave it free."""

    import_w: Watts | None = None
    """Most the site may draw at the connection point."""
    export_w: Watts | None = None
    """Most it may feed in there."""
    export_pct: Percent | None = None
    """The same in percent of the input's `of_w`."""
    load_w: Watts | None = None
    """Most that chargers and charging batteries may draw together (in Germany § 14a EnWG)."""
    generation_w: Watts | None = None
    """Most that PV and discharging batteries may make together."""
    generation_pct: Percent | None = None
    """The same in percent of the input's `of_w`."""

    @property
    def in_percent(self) -> bool:
        """Whether it means nothing without `of_w`."""
        return self.export_pct is not None or self.generation_pct is not None

    def bounds(self, of_w: float | None) -> Bounds:
        """The same in W and by the load convention."""
        return Bounds(
            import_w=self.import_w,
            export_w=_out(self.export_w, self.export_pct, of_w),
            load_w=self.load_w,
            generation_w=_out(self.generation_w, self.generation_pct, of_w),
        )

    @model_validator(mode="after")
    def _says_it_once(self) -> LimitSettings:
        twice = {
            "export": self.export_w is not None and self.export_pct is not None,
            "generation": self.generation_w is not None and self.generation_pct is not None,
        }
        for side, both in twice.items():
            if both:
                raise ValueError(f"{side}: in W or in percent, not both")
        return self


def _out(watts: float | None, percent: float | None, of_w: float | None) -> float | None:
    if percent is not None and of_w is not None:
        watts = of_w * percent / 100
    return None if watts is None else 0.0 - watts


class ContactSettings(LimitSettings):
    """A contact and the limits that hold while it is active."""

    name: Who
    """As people call it, such as `stage 60 %`."""
    address: Annotated[int, Field(ge=0, le=65535)]
    """Of its coil or discrete input, counted from 0."""
    active: Literal["closed", "open"] = "closed"
    """`open`: active while it is open, so that a broken wire limits."""


class _InputSettings(Settings):
    id: Name
    by: Who = "network operator"
    """Who speaks through it."""
    of_w: Positive | None = None
    """What percentages are of: the installed or agreed power."""
    keep_s: Annotated[float, Field(ge=0, le=86_400)]
    """How long its last order still holds once the input is lost."""
    fail_safe: LimitSettings
    """What holds after that, and from a start until it is first heard; `{}`: nothing."""

    @model_validator(mode="after")
    def _percent_of_something(self) -> _InputSettings:
        if self.of_w is None and any(one.in_percent for one in self._limits()):
            raise ValueError("percentages need of_w")
        return self

    def _limits(self) -> Iterator[LimitSettings]:
        yield self.fail_safe

    def _spec(self, valid_for_s: float) -> InputSpec:
        return InputSpec(
            input_id=self.id,
            by=self.by,
            valid_for_s=valid_for_s,
            keep_s=self.keep_s,
            fail_safe=self.fail_safe.bounds(self.of_w),
        )


class ContactsSettings(_InputSettings, ModbusSettings):
    """Contacts of a receiver, read over Modbus from a remote I/O module."""

    kind: Literal["contacts"]
    table: Literal["discrete", "coils"] = "discrete"
    contacts: Annotated[tuple[ContactSettings, ...], Field(min_length=1, max_length=64)]
    none_active: Literal["free", "lost"] = "free"
    """No contact active: nothing is asked, or (where one always should be) the input is lost."""
    period_s: Annotated[float, Field(ge=0.1, le=10)] = 0.5
    lost_after_s: Annotated[float, Field(ge=0.5, le=300)] = 5.0
    """Not read for so long, the input is lost."""

    @model_validator(mode="after")
    def _reads_in_time(self) -> ContactsSettings:
        if self.lost_after_s < 2 * self.period_s:
            raise ValueError("lost_after_s: at least two periods")
        if len({one.address for one in self.contacts}) < len(self.contacts):
            raise ValueError("contacts: an address is used twice")
        return self

    def _limits(self) -> Iterator[LimitSettings]:
        yield from (self.fail_safe, *self.contacts)

    @property
    def spec(self) -> InputSpec:
        """The input in the domain's words."""
        return self._spec(self.lost_after_s)

    @property
    def idle(self) -> Order | None:
        """What is asked while no contact is active; None: that cannot be."""
        return Order(bounds=FREE, words="no contact") if self.none_active == "free" else None

    def table_of_contacts(self) -> dict[int, Contact]:
        """The contacts by their address."""
        return {
            one.address: Contact(
                name=one.name,
                active_closed=one.active == "closed",
                bounds=one.bounds(self.of_w),
            )
            for one in self.contacts
        }


class RegistersSettings(_InputSettings):
    """Limits that somebody writes into the site's own Modbus server (`scada`)."""

    kind: Literal["registers"]
    lease_s: Annotated[float, Field(ge=1, le=86_400)]
    """Without a write of a limit or of the watchdog for so long, the input is lost."""

    @property
    def spec(self) -> InputSpec:
        """The input in the domain's words."""
        return self._spec(self.lease_s)


TelecontrolSettings = Annotated[ContactsSettings | RegistersSettings, Field(discriminator="kind")]
