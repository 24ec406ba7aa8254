"""One endpoint: what waits for it is sent until it is heard, in order for each vehicle."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx
import structlog

from contracts.errors import GridyardError, TransientError
from contracts.tasks import first_of, heed_cancellation
from contracts.time import Clock
from site_agent.config.fleet_systems import WebhookSettings
from site_agent.fleet.outbound import pinned
from site_agent.fleet.webhooks import signing
from site_agent.flows.fleet.webhook_queue import QueuedEvent, WebhookQueue

KEPT_FOR = timedelta(days=3)
"""How long an event is tried."""
MOST_WAITING = 50_000
_FIRST_S, _MOST_S = 5.0, 3600.0
_TIMEOUT_S = 15.0
_AT_ONCE = 4
_IDLE_S = 60.0
_FAIL_S = 5.0
_LONGEST_DELAY_S = 24 * 3600.0
_AGENT = "gridyard-site-agent"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How one attempt went."""

    status: int | None
    """HTTP; None: there was no answer."""
    why: str = ""
    retry_after_s: float | None = None

    @property
    def heard(self) -> bool:
        """Whether the receiver has it: any 2xx."""
        return self.status is not None and httpx.codes.is_success(self.status)


class Endpoint:
    """One address and its secrets."""

    def __init__(self, settings: WebhookSettings) -> None:
        """Read the secrets.

        Raises:
            ConfigError: a secret cannot be read.
        """
        self.name = settings.name
        self._settings = settings
        files = [settings.secret_file]
        files += [] if settings.previous_secret_file is None else [settings.previous_secret_file]
        self._secrets = [signing.read_secret(path) for path in files]

    async def deliver(
        self, client: httpx.AsyncClient, event_id: str, body: bytes, at: datetime
    ) -> Delivery:
        """Send one event once. Redirects are not followed, answers are not read."""
        headers = {
            "Content-Type": "application/json",
            "User-Agent": _AGENT,
            **signing.headers(event_id, at, body, self._secrets),
        }
        try:
            plain = httpx.Request("POST", self._settings.url, headers=headers, content=body)
            request = await pinned(plain, allow_private=self._settings.allow_private)
            request.extensions["timeout"] = httpx.Timeout(_TIMEOUT_S).as_dict()
            async with asyncio.timeout(2 * _TIMEOUT_S):
                answer = await client.send(request, stream=True, follow_redirects=False)
                await answer.aclose()
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            return Delivery(status=None, why=f"{type(error).__name__}: {error}"[:200])
        except GridyardError as error:
            return Delivery(status=None, why=str(error))
        return Delivery(
            status=answer.status_code,
            why=f"HTTP {answer.status_code}",
            retry_after_s=_seconds(answer.headers.get("retry-after", "")),
        )


class Sender:
    """Empties the queue of one endpoint until cancelled."""

    def __init__(
        self,
        endpoint: Endpoint,
        queue: WebhookQueue,
        clock: Clock,
        news: Callable[[], asyncio.Event],
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._endpoint = endpoint
        self._queue = queue
        self._clock = clock
        self._news = news
        self._chance = chance

    async def run(self) -> None:
        """Send whatever is due, then wait for more."""
        async with httpx.AsyncClient(trust_env=False) as client:
            while True:
                news = self._news()  # before looking, so that nothing slips in between
                try:
                    await self.round(client)
                    wait_s = await self._wait_s()
                except TransientError as error:
                    _log.error("webhooks: the queue fails", why=str(error))
                    wait_s = _FAIL_S
                heed_cancellation()
                await first_of(self._clock.sleep(wait_s), news.wait())

    async def round(self, client: httpx.AsyncClient) -> None:
        """Send everything that is due now."""
        now = self._clock.now()
        gone = await self._queue.drop(self._endpoint.name, now - KEPT_FOR, MOST_WAITING)
        if gone:
            _log.error("webhooks given up: never heard", endpoint=self._endpoint.name, count=gone)
        while heads := await self._queue.heads(self._endpoint.name, now, _AT_ONCE):
            await self._send(client, heads)
            now = self._clock.now()

    async def _send(self, client: httpx.AsyncClient, heads: Sequence[QueuedEvent]) -> None:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._attempt(client, one)) for one in heads]
        for task in tasks:
            if (error := task.result()) is not None:
                raise error

    async def _attempt(self, client: httpx.AsyncClient, one: QueuedEvent) -> TransientError | None:
        """One attempt at one event; what the queue fails with is returned, others go on."""
        at = self._clock.now()
        told = await self._endpoint.deliver(client, one.event_id, one.body.encode(), at)
        try:
            if told.heard:
                await self._queue.delivered(one.seq)
            else:
                await self._postpone(one, told)
        except TransientError as error:
            return error
        return None

    async def _postpone(self, one: QueuedEvent, told: Delivery) -> None:
        wait_s = told.retry_after_s or self._backoff_s(one.tries)
        _log.warning(
            "webhook not heard",
            endpoint=self._endpoint.name,
            event_id=one.event_id,
            why=told.why,
            tries=one.tries + 1,
            again_in_s=round(wait_s),
        )
        await self._queue.failed(one.seq, self._clock.now() + timedelta(seconds=wait_s))

    def _backoff_s(self, tries: int) -> float:
        full_s = min(_FIRST_S * 2.0 ** min(tries, 20), _MOST_S)
        return full_s * (1 - self._chance() / 2)

    async def _wait_s(self) -> float:
        due = await self._queue.next_due(self._endpoint.name)
        if due is None:
            return _IDLE_S
        return min(_IDLE_S, max(0.05, (due - self._clock.now()).total_seconds()))


def _seconds(text: str) -> float | None:
    """A Retry-After in seconds (RFC 9110, 10.2.3); dates are left to the back-off."""
    if not text.isascii() or not text.isdecimal():
        return None
    return min(_LONGEST_DELAY_S, max(1.0, float(text[:10])))
