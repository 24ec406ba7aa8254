"""A central system on the `ocpp` library with its default settings."""
# mypy: disallow-untyped-calls=False, disallow-untyped-decorators=False
# mypy: disallow-subclassing-any=False
# (the library has no types)

from __future__ import annotations

from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result, datatypes
from ocpp.v16.enums import (
    Action,
    AuthorizationStatus,
    ChargingProfileKindType,
    ChargingProfilePurposeType,
    ChargingRateUnitType,
    RegistrationStatus,
)
from websockets.asyncio.server import ServerConnection

from contracts.clock import SystemClock


class LibraryChargePoint(ChargePoint):
    """The library's own central system, as its documentation builds one."""

    def __init__(self, socket: ServerConnection) -> None:
        super().__init__("bench", socket)

    async def serve(self) -> None:
        """Serve the socket until it closes."""
        await self.start()

    @on(Action.boot_notification)
    def boot(self, **_: object) -> call_result.BootNotification:
        """Accept."""
        return call_result.BootNotification(
            current_time=SystemClock().now().isoformat(),
            interval=300,
            status=RegistrationStatus.accepted,
        )

    @on(Action.start_transaction)
    def start_transaction(self, **_: object) -> call_result.StartTransaction:
        """Accept."""
        accepted = datatypes.IdTagInfo(status=AuthorizationStatus.accepted)
        return call_result.StartTransaction(transaction_id=1, id_tag_info=accepted)

    @on(Action.meter_values)
    def meter_values(self, **_: object) -> call_result.MeterValues:
        """Take note of nothing: the least a central system can do."""
        return call_result.MeterValues()

    async def limit(self, limit_a: float) -> None:
        """Set a TxProfile of one period."""
        schedule = datatypes.ChargingSchedule(
            charging_rate_unit=ChargingRateUnitType.amps,
            charging_schedule_period=[
                datatypes.ChargingSchedulePeriod(start_period=0, limit=limit_a)
            ],
        )
        profile = datatypes.ChargingProfile(
            charging_profile_id=1,
            stack_level=0,
            charging_profile_purpose=ChargingProfilePurposeType.tx_profile,
            charging_profile_kind=ChargingProfileKindType.absolute,
            charging_schedule=schedule,
            transaction_id=1,
        )
        await self.call(
            call.SetChargingProfile(connector_id=1, cs_charging_profiles=profile), suppress=False
        )
