"""Whether a driver may charge: the cloud's word and ours, and who has the last one."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta

from site_agent.devices.ocpp.proxy.settings import FinalWord
from site_agent.devices.ocpp.settings import Version
from site_agent.devices.ocpp.wire import fields
from site_agent.devices.ocpp.wire.frames import Json

_MOST = 1000
_GOOD_FOR = timedelta(hours=24)
_ACCEPTED = "Accepted"


class Verdicts:
    """The cloud's newest verdicts, which also count for a day while it is away."""

    def __init__(self, final_word: FinalWord) -> None:
        self._final_word = final_word
        self._known: OrderedDict[str, tuple[Json, datetime]] = OrderedDict()

    @property
    def wanted(self) -> bool:
        """Whether the cloud has a say."""
        return self._final_word is not FinalWord.LOCAL

    @property
    def decides(self) -> bool:
        """Whether the cloud alone has the say."""
        return self._final_word is FinalWord.CLOUD

    def learn(self, token: str, info: Json, at: datetime) -> None:
        """The cloud has judged a token."""
        self._known[token] = (info, at)
        self._known.move_to_end(token)
        while len(self._known) > _MOST:
            self._known.popitem(last=False)

    def known(self, token: str, at: datetime, within: timedelta = _GOOD_FOR) -> Json | None:
        """What the cloud has said of a token within this span."""
        info, said = self._known.get(token, (None, at))
        return info if at - said <= within else None

    def joined(self, ours: Json, theirs: Json | None) -> Json:
        """Our verdict and the cloud's (None: it has none) as one."""
        if theirs is None or not self.wanted:
            return ours
        if self._final_word is FinalWord.BOTH and not accepted(ours):
            return ours
        return theirs


def accepted(info: Json) -> bool:
    """Whether a verdict lets a driver charge."""
    return info.get("status") == _ACCEPTED


def info_key(version: Version) -> str:
    """Where an answer has its verdict."""
    return "idTagInfo" if version is Version.V16 else "idTokenInfo"


def token_of(version: Version, payload: Json) -> str | None:
    """The token that a message presents, if any."""
    if version is Version.V16:
        return fields.word(payload, "idTag") or None
    return fields.word(fields.part(payload, "idToken"), "idToken") or None
