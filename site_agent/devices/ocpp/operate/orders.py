"""Commands that ask a charger for something: settings, its schedule, a message, an action."""

from __future__ import annotations

import itertools
from datetime import timedelta

from contracts.errors import PermanentError
from contracts.power import power_from_current_w
from contracts.time import Clock
from site_agent.devices.ocpp.central import CentralSystem
from site_agent.devices.ocpp.known.asking import all_settings
from site_agent.devices.ocpp.operate import asked
from site_agent.devices.ocpp.operate.asked import Args
from site_agent.devices.ocpp.operate.secrets import shown
from site_agent.devices.ocpp.station import Station
from site_agent.devices.ocpp.versions.words import Composite, IdToken, Reset, Trigger
from site_agent.devices.ocpp.wire import fields
from site_agent.devices.ocpp.wire.outbox import Request

Json = dict[str, object]

_HARMFUL = frozenset({
    "AFRRSignal", "CertificateSigned", "ChangeAvailability", "ClearChargingProfile",
    "ClearDERControl", "DeleteCertificate", "InstallCertificate", "PublishFirmware", "Reset",
    "SetChargingProfile", "SetDERControl", "SetNetworkProfile", "SignedUpdateFirmware",
    "UpdateDynamicSchedule", "UpdateFirmware", "UsePriorityCharging",
})  # fmt: skip
"""What can take a charger out of our hands, or out of service."""
_MOST_SETTINGS = 50


class Orders:
    """Each method is one command: `args` to an answer."""

    def __init__(self, central: CentralSystem, clock: Clock) -> None:
        self._central = central
        self._clock = clock
        self._ids = itertools.count(int(clock.now().timestamp()) % 1_000_000_000)

    # --- settings ---------------------------------------------------------------------------------

    async def get(self, args: Args) -> Json:
        """Settings named in `keys`, `all` of them, or those that matter to the agent."""
        one = asked.station(self._central, args)
        dialect, keys = asked.online(one).dialect, _words(args, "keys")
        if args.get("all") is True:
            found = list(await all_settings(one))
        else:
            request = dialect.get(keys) if keys else dialect.read_settings()
            found = dialect.found(await one.command(request))
        return {
            "settings": [
                {
                    "name": each.name,
                    "value": shown(each.name, each.value),
                    "readonly": each.readonly,
                }
                for each in found
            ],
            "unknown": sorted(set(keys) - {each.name for each in found}),
        }

    async def set(self, args: Args) -> Json:
        """Change the setting `key` to `value`."""
        one = asked.station(self._central, args)
        dialect = asked.online(one).dialect
        key, value = fields.text(args, "key"), fields.text(args, "value", 2500)
        return await _told(one, dialect.change(key, value))

    # --- charging ---------------------------------------------------------------------------------

    async def composite(self, args: Args) -> Json:
        """What the charger says it will allow, for `hours`."""
        one = asked.station(self._central, args)
        number, charger = asked.evse(one, args)
        dialect, spec = asked.online(one).dialect, charger.spec
        seconds = 3600 * asked.count(args, "hours", 48, 1)
        answer = await one.command(dialect.ask_composite(number, seconds))
        told = dialect.composite(answer, phases=len(spec.phases), voltage_v=spec.voltage_v)
        if told is None:
            raise PermanentError(f"{one.config.charge_point_id}: does not tell its schedule")
        return self._schedule(told, len(spec.phases), spec.voltage_v)

    def _schedule(self, told: Composite, phases: int, voltage_v: float) -> Json:
        begun = told.start or self._clock.now()
        return {
            "unit": told.unit.value,
            "start": begun.isoformat(),
            "duration_s": told.duration_s,
            "periods": [
                {
                    "start": (begun + timedelta(seconds=period.start_s)).isoformat(),
                    "limit_a": round(period.limit_a, 2),
                    "limit_w": round(
                        power_from_current_w(period.limit_a, period.phases or phases, voltage_v)
                    ),
                    "phases": period.phases,
                }
                for period in told.periods
            ],
        }

    async def start(self, args: Args) -> Json:
        """Begin a transaction for `id_tag`."""
        one = asked.station(self._central, args)
        number, _ = asked.evse(one, args)
        token = IdToken(value=fields.text(args, "id_tag", 255))
        dialect = asked.online(one).dialect
        return await _told(one, dialect.start(token, number, start_id=next(self._ids)))

    async def stop(self, args: Args) -> Json:
        """End the transaction of an EVSE."""
        one = asked.station(self._central, args)
        number, charger = asked.evse(one, args)
        ref = charger.transaction_ref
        if ref is None:
            raise PermanentError(f"EVSE {number}: no transaction runs")
        return await _told(one, asked.online(one).dialect.stop(ref))

    # --- the hardware -----------------------------------------------------------------------------

    async def trigger(self, args: Args) -> Json:
        """Ask for `message`."""
        one = asked.station(self._central, args)
        name = fields.text(args, "message", 50)
        message = next((each for each in Trigger if name.lower() == each.value.lower()), None)
        if message is None:
            raise PermanentError(f"{name}: none of {', '.join(each.value for each in Trigger)}")
        number = asked.evse_or_none(one, args)
        return await _told(one, asked.online(one).dialect.trigger(message, number))

    async def reset(self, args: Args) -> Json:
        """Restart it; `hard`: at once."""
        one = asked.station(self._central, args)
        how = Reset.HARD if args.get("hard") is True else Reset.SOFT
        number = asked.evse_or_none(one, args)
        return await _told(one, asked.online(one).dialect.reset(how, number))

    async def unlock(self, args: Args) -> Json:
        """Let go of the cable."""
        one = asked.station(self._central, args)
        number, _ = asked.evse(one, args)
        answer = await one.command(asked.online(one).dialect.unlock(number))
        return {"ok": answer.get("status") == "Unlocked", "answer": dict(answer)}

    async def availability(self, args: Args) -> Json:
        """Take an EVSE, or the station, in or out of service."""
        one = asked.station(self._central, args)
        operative = args.get("operative")
        if not isinstance(operative, bool):
            raise PermanentError("operative must be true or false")
        number = asked.evse_or_none(one, args)
        dialect = asked.online(one).dialect
        return await _told(one, dialect.availability(number, operative=operative))

    async def call(self, args: Args) -> Json:
        """Send any CALL; what may harm needs `yes`."""
        one = asked.station(self._central, args)
        asked.online(one)
        action, payload = fields.text(args, "action", 50), args.get("payload")
        if not isinstance(payload, dict):
            raise PermanentError("the payload must be a JSON object")
        if action in _HARMFUL and args.get("yes") is not True:
            raise PermanentError(
                f"{action} can take the charger out of control or out of service; "
                "say --yes if that is meant"
            )
        answer = await one.command(Request(action=action, payload=payload))
        return {"ok": True, "answer": dict(answer)}


async def _told(one: Station, request: Request) -> Json:
    """Whether it did what was asked, and its answer."""
    link = asked.online(one)
    answer = await one.command(request)
    return {"ok": link.dialect.accepted(answer), "answer": dict(answer)}


def _words(args: Args, key: str) -> list[str]:
    value = args.get(key) or []
    if not isinstance(value, list) or len(value) > _MOST_SETTINGS:
        raise PermanentError(f"{key} must be at most {_MOST_SETTINGS} names")
    return [str(word)[:200] for word in value]
