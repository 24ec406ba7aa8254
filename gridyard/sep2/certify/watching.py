"""Our real client at the utility's server while its operator acts; no site is touched."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from contracts.errors import GridyardError, PermanentError, ProtocolError
from contracts.identity import sep2_server_context
from contracts.sep2 import codec
from contracts.sep2.resources import Notification, Subscription
from contracts.tasks import first_of
from contracts.time import Clock
from gateway.utility.sep2.arrived import ServerLists
from gateway.utility.sep2.client import Sep2Client
from gateway.utility.sep2.memory import Sep2Memory
from gateway.utility.sep2.outbox import Sep2Outbox
from gateway.utility.sep2.settings import Sep2Settings
from gateway.utility.sep2.steering import Steering
from gateway.utility.sep2.view import ServerView
from gridyard.sep2.certify.bench import CREATED, Bench, bench_for, either
from gridyard.sep2.certify.judging import PATIENCE, Judgement, judge
from gridyard.sep2.certify.picture import taken
from gridyard.sep2.certify.watch_list import Watched
from gridyard.sep2.certify.witness import Say, Witness

_STILL_HERE_S = 30.0
_LOOK_S = 5.0
_LEAD_S = 30.0
"""On top of our polling: for whoever types it in, and for our Response."""


async def watch(
    bench: Bench,
    procedure: Watched,
    lasts: timedelta,
    say: Say,
    *,
    patience: timedelta = PATIENCE,
) -> Judgement:
    """Follow the server with our client until the procedure is decided or the time is over.

    `say` is told every step; `patience` is how late a Response may be. Subscriptions made on the
    way are deleted at the end.

    Raises:
        PermanentError: the settings do not fit the procedure.
        TransientError: the server cannot be reached at the beginning.
        ProtocolError: what it shows at the beginning cannot be read.
    """
    _check(procedure, bench.settings)
    before, every_s = await taken(bench)
    async with bench_for(bench.settings, bench.clock) as line:
        witness = Witness(bench.settings, before, line.trace, bench.clock, say)
        vigil = _Vigil(line, procedure, witness, every_s, lasts, patience, say)
        try:
            await either(vigil.follow(), vigil.oversee())
        finally:
            await _clean_up(bench, line, say)
        return vigil.judged()


def _check(procedure: Watched, settings: Sep2Settings) -> None:
    if procedure.listener and settings.listener is None:
        raise PermanentError(f"{procedure.id} needs a `listener` in the settings")
    if len(settings.devices) < procedure.devices:
        count = len(settings.devices)
        raise PermanentError(f"{procedure.id} needs {procedure.devices} devices; there are {count}")


class _Vigil:
    """One procedure with the client that runs it."""

    def __init__(
        self,
        line: Bench,
        procedure: Watched,
        witness: Witness,
        every_s: float,
        lasts: timedelta,
        patience: timedelta,
        say: Say,
    ) -> None:
        """`line` is the connection of the client, `every_s` how often it looks at programs."""
        settings, clock, transport = line.settings, line.clock, line.transport
        kept = Sep2Memory(_Memory(), settings.utility_id)
        lists = ServerLists(transport)
        self._outbox = Sep2Outbox(kept, transport, lists, clock, settings.max_backoff_s)
        self._steering = Steering(settings, witness, self._outbox, kept, clock)
        self._client = Sep2Client(
            settings,
            transport,
            _Following(witness, self._steering),
            clock,
            own_lfdi=line.own_lfdi,
            listener_tls=_listener_tls(settings),
            beside=(self._outbox.run,),
            on_notification=self._heard,
        )
        self._line, self._procedure, self._witness = line, procedure, witness
        self._every_s, self._patience, self._say = every_s, patience, say
        self._clock: Clock = clock
        self._until_s = clock.monotonic() + lasts.total_seconds()

    async def follow(self) -> None:
        """The client; it never ends by itself."""
        await self._outbox.restore()
        await self._steering.restore()
        await self._client.run()

    def _heard(self, notification: Notification) -> None:
        with suppress(ProtocolError):
            path = self._line.transport.server.resolve(notification.subscribed_resource)
            self._witness.heard(notification, path)

    def judged(self) -> Judgement:
        """As things are now."""
        if self._witness.caught_up.is_set():
            self._witness.catch_up()
        now = self._client.server_now() or self._clock.now()
        return judge(self._procedure, self._witness, now, self._patience)

    async def oversee(self) -> None:
        """Return when it is decided, or when the time is over."""
        await self._begin()
        told_s = self._clock.monotonic()
        while (left_s := self._until_s - self._clock.monotonic()) > 0:
            news, sent = self._witness.news, self._line.trace.news
            news.clear()
            sent.clear()
            found = self.judged()
            if found.settled:
                return
            if self._clock.monotonic() - told_s >= _STILL_HERE_S:
                told_s = self._clock.monotonic()
                waiting = "; ".join([*found.missing, *found.open])
                self._say(f"still waiting, {_span(left_s)} left: {waiting}")
            await first_of(self._clock.sleep(min(left_s, _LOOK_S)), news.wait(), sent.wait())

    async def _begin(self) -> None:
        """Until the client sees all that was there before."""
        left_s = max(self._until_s - self._clock.monotonic(), 0.0)
        await first_of(self._clock.sleep(left_s), self._witness.caught_up.wait())
        if not self._witness.caught_up.is_set():
            raise PermanentError(f"our client did not come so far: {self._client.health.detail}")
        self._say(f"ready: {self._client.health.detail}. The utility's operator now:")
        for number, text in enumerate(instructions(self._procedure, self._every_s), start=1):
            self._say(f"  {number}. {text}")


def instructions(procedure: Watched, every_s: float) -> Iterator[str]:
    """What the operator has to do; `every_s` is how often our client looks, in s."""
    soon = _span(every_s + _LEAD_S)
    for text in procedure.operator:
        yield text.replace("SOON", soon)


def _span(seconds: float) -> str:
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    return " ".join(part for part in (f"{minutes} min" * bool(minutes), f"{rest} s") if part)


class _Following:
    """`Follower`: the witness looks first, then our steering acts."""

    def __init__(self, witness: Witness, steering: Steering) -> None:
        self._witness, self._steering = witness, steering

    async def follow(self, view: ServerView, server_now: datetime) -> datetime | None:
        """See `Steering.follow`."""
        self._witness.look(view, server_now)
        return await self._steering.follow(view, server_now)


def _listener_tls(settings: Sep2Settings) -> ssl.SSLContext | None:
    of = settings.listener
    if of is None:
        return None
    return sep2_server_context(of.cert, of.key, settings.ca, settings.ciphers)


class _Memory:
    """`UtilityMemory` for as long as it lasts."""

    def __init__(self) -> None:
        self._documents: dict[tuple[str, str], dict[str, object]] = {}

    async def load(self, utility_id: str, kind: str) -> Mapping[str, object]:
        """Every document of a kind."""
        return self._documents.get((utility_id, kind), {})

    async def save(self, utility_id: str, kind: str, key: str, document: object) -> None:
        """Write or replace one."""
        self._documents.setdefault((utility_id, kind), {})[key] = document

    async def forget(self, utility_id: str, kind: str, key: str) -> None:
        """Delete one."""
        self._documents.get((utility_id, kind), {}).pop(key, None)


async def _clean_up(bench: Bench, line: Bench, say: Say) -> None:
    """Delete the Subscriptions that the client has made."""
    made, resolve = dict[str, None](), bench.transport.server.resolve
    for one in line.trace.exchanges:
        if one.method == "POST" and one.status == CREATED and one.location:
            with suppress(ProtocolError):
                codec.decode(one.body, Subscription)
                made[resolve(one.location, one.path)] = None
    for href in made:
        try:
            await bench.transport.delete(href, Subscription)
        except GridyardError as error:
            say(f"Subscription {href} stays: {error}")
