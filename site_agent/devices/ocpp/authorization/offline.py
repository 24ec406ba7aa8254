"""What a charger does while it cannot ask: its settings and its local authorisation list.

Best effort throughout: not every charger has these, and none is worth a session. Nothing that is
right already is written, and nothing is written over and over to a charger that does not keep it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from contracts.errors import PermanentError, ProtocolError
from site_agent.devices.ocpp.authorization import local_list
from site_agent.devices.ocpp.settings import Version
from site_agent.devices.ocpp.versions.common import is_whole
from site_agent.devices.ocpp.versions.dialect import Dialect
from site_agent.devices.ocpp.versions.words import LocalEntry, Setting
from site_agent.devices.ocpp.wire.frames import Json
from site_agent.devices.ocpp.wire.outbox import Request
from site_agent.domain.fleet.access import Access, Offline

_TRIES = 3
"""How often one value is written to a charger in the life of this process."""
_USUAL_PART = 50
"""Entries of a message to a charger that does not say how many it takes."""
_ENTRY_BYTES = 250
_log = structlog.get_logger(__name__)

Ask = Callable[[Request], Awaitable[Json | None]]
"""Sends a CALL; None: refused or not answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Names:
    """How a version calls these settings."""

    list_enabled: str
    pre_authorize: str
    authorize_offline: str
    unknown_offline: str
    stop_invalid: str
    most_entries: str | None
    per_message: str
    bytes_per_message: str | None

    def all(self) -> list[str]:
        return [name for one in self.__slots__ if (name := getattr(self, one)) is not None]


_V16 = _Names(
    list_enabled="LocalAuthListEnabled",
    pre_authorize="LocalPreAuthorize",
    authorize_offline="LocalAuthorizeOffline",
    unknown_offline="AllowOfflineTxForUnknownId",
    stop_invalid="StopTransactionOnInvalidId",
    most_entries="LocalAuthListMaxLength",
    per_message="SendLocalListMaxLength",
    bytes_per_message=None,
)
_V2 = _Names(
    list_enabled="LocalAuthListCtrlr.Enabled",
    pre_authorize="AuthCtrlr.LocalPreAuthorize",
    authorize_offline="AuthCtrlr.LocalAuthorizeOffline",
    unknown_offline="AuthCtrlr.OfflineTxForUnknownIdEnabled",
    stop_invalid="TxCtrlr.StopTxOnInvalidId",
    most_entries=None,  # a characteristic of Entries, which only a full report tells
    per_message="LocalAuthListCtrlr.ItemsPerMessage",
    bytes_per_message="LocalAuthListCtrlr.BytesPerMessage",
)


class OfflineRules:
    """Keeps the offline behaviour of one station as the site wants it."""

    def __init__(self, access: Access, evses: Sequence[str], charge_point: str) -> None:
        self._access = access
        self._evses = evses
        self._tries: Counter[tuple[str, str]] = Counter()
        self._log = _log.bind(charge_point=charge_point)

    async def keep(self, dialect: Dialect, ask: Ask, now: datetime) -> None:
        """Bring settings and list into order, as far as the charger has them.

        Raises:
            LinkDownError: the connection is gone.
        """
        if self._access.offline is None:
            return
        names = _V16 if dialect.version is Version.V16 else _V2
        try:
            held = await self._held(dialect, ask, names)
            await self._settle(dialect, ask, names, held)
            if self._access.offline is not Offline.NOBODY:
                await self._list(dialect, ask, names, held, now)
        except (PermanentError, ProtocolError) as error:
            self._log.info("offline rules not kept", reason=str(error)[:200])

    async def _held(self, dialect: Dialect, ask: Ask, names: _Names) -> Mapping[str, Setting]:
        answer = await ask(dialect.get(names.all()))
        found = [] if answer is None else dialect.found(answer)
        return {one.name: one for one in found if one.value is not None}

    async def _settle(
        self, dialect: Dialect, ask: Ask, names: _Names, held: Mapping[str, Setting]
    ) -> None:
        for name, value in _wanted(names, self._access.offline).items():
            setting = held.get(name)
            if setting is None or setting.readonly or (setting.value or "").lower() == value:
                continue
            if self._may_write(name, value):
                answer = await ask(dialect.change(name, value))
                if answer is None or not dialect.accepted(answer):
                    self._log.info("charger keeps its setting", name=name, wanted=value)

    async def _list(
        self,
        dialect: Dialect,
        ask: Ask,
        names: _Names,
        held: Mapping[str, Setting],
        now: datetime,
    ) -> None:
        answer = await ask(dialect.ask_list_version())
        there = None if answer is None else dialect.list_version(answer)
        if there is None:
            return
        listed = self._fitting(local_list.entries(
            self._access, self._evses, now, dialect.version
        ), _number(held, names.most_entries))  # fmt: skip
        version = local_list.version_of(listed)
        up_to_date = there == version or (there == 0 and not listed)
        if not up_to_date and self._may_write("local list", str(version)):
            await self._send(dialect, ask, listed, version, _part(names, held))

    def _fitting(self, listed: list[LocalEntry], most: int | None) -> list[LocalEntry]:
        if most is not None and len(listed) > most:
            self._log.warning("local list cut to what fits", cards=len(listed), most=most)
        return listed[:most]

    async def _send(
        self, dialect: Dialect, ask: Ask, listed: Sequence[LocalEntry], version: int, most: int
    ) -> None:
        for number, part, full in local_list.parts(listed, version, most):
            answer = await ask(dialect.send_list(number, part, full=full))
            if answer is None or not dialect.accepted(answer):
                status = None if answer is None else str(answer.get("status"))[:40]
                self._log.warning("local list refused", status=status, cards=len(listed))
                return
        self._log.info("local list sent", cards=len(listed), version=version)

    def _may_write(self, name: str, value: str) -> bool:
        self._tries[name, value] += 1
        return self._tries[name, value] <= _TRIES


def _wanted(names: _Names, offline: Offline | None) -> dict[str, str]:
    """Invalid cards stop their transaction, unless anyone may charge while nobody can be asked."""
    alone = offline is not Offline.NOBODY
    values = {
        names.list_enabled: alone,
        names.pre_authorize: alone,
        names.authorize_offline: alone,
        names.unknown_offline: offline is Offline.ANYONE,
        names.stop_invalid: offline is not Offline.ANYONE,
    }
    return {name: str(value).lower() for name, value in values.items()}


def _part(names: _Names, held: Mapping[str, Setting]) -> int:
    """How many entries one message may have."""
    size = _number(held, names.bytes_per_message)
    told = (_number(held, names.per_message), None if size is None else size // _ENTRY_BYTES)
    return max(1, min((one for one in told if one is not None), default=_USUAL_PART))


def _number(held: Mapping[str, Setting], name: str | None) -> int | None:
    setting = None if name is None else held.get(name)
    text = (setting and setting.value) or ""
    return int(text) if is_whole(text) else None
