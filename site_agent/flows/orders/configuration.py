"""Settings from the gateway: checked, staged, tried at their time, kept or rolled back.

Nothing of it needs the gateway once they are staged, and nothing is forgotten by an end at any
moment: what is stored comes first, what follows from it second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Generic

import structlog

from contracts.errors import TransientError
from contracts.site_link.configuration import (
    Answered,
    Change,
    Configuration,
    ConfigurationAck,
    ConfigurationState,
    hash_of,
    refused,
)
from contracts.tasks import first_of
from contracts.time import Clock
from site_agent.domain import remote
from site_agent.domain.remote import Held, Record
from site_agent.flows.orders.configuration_needs import (
    OwnFile,
    RecordStore,
    Settings_co,
    Sight,
    Verdict,
)

log = structlog.get_logger(__name__)

_LOOK_S = 1.0


class RemoteConfiguration(Generic[Settings_co]):
    """`ConfigurationHandler`, for all lives of an agent. Call `start` for each."""

    def __init__(
        self, own: OwnFile[Settings_co], store: RecordStore, clock: Clock, trial_s: float
    ) -> None:
        self._own = own
        self._store = store
        self._clock = clock
        self._trial_s = trial_s
        self._record: Record | None = None
        self._sight: Sight | None = None
        self._before: frozenset[str] = frozenset()
        self._trial_ends_s = 0.0
        self._running = ""
        self._told = ""
        self._set_aside = ""
        self._drift = ""
        self._changed = asyncio.Event()
        self._mutex = asyncio.Lock()

    @property
    def on_trial(self) -> bool:
        """Whether what runs has to prove itself yet."""
        return self._held.trial

    async def start(self) -> Settings_co:
        """With which settings to run now."""
        self._sight = None
        if self._record is None:
            await self._find()
        self._trial_ends_s = self._clock.monotonic() + self._trial_s
        verdict = await self._chosen()
        assert verdict.settings is not None  # noqa: S101 (chosen for having some)
        self._told = self._own.told(verdict.settings)
        return verdict.settings

    def connect(self, sight: Sight) -> None:
        """The life that has started can be looked at."""
        self._sight = sight

    async def over(self) -> None:
        """Return when the agent should start anew: a trial should begin, or has failed."""
        while True:
            self._changed.clear()
            self._drift = await asyncio.to_thread(self._own.drift)
            async with self._mutex:
                if await self._decided():
                    return
            await first_of(self._clock.sleep(_LOOK_S), self._changed.wait())

    async def failed(self, why: str) -> None:
        """The life on trial has ended by itself."""
        async with self._mutex:
            await self._roll_back(f"the agent could not run with it: {why}")

    def state(self) -> ConfigurationState:
        """What the gateway is told."""
        held = self._held
        return ConfigurationState(
            running=self._running,
            fingerprint=self._told,
            trial=held.trial,
            staged="" if held.next is None or held.trial else held.next.configuration_id,
            last=held.last,
            outcome=held.outcome,
            reason=held.reason,
            drift=self._set_aside or self._drift,
        )

    async def receive(self, sent: Configuration) -> ConfigurationAck:
        """Check and store it before answering, or say what is against it.

        Raises:
            TransientError: it could not be stored now.
        """
        async with self._mutex:
            if sent.configuration_id in self._seen() and not sent.check_only:
                return _answer(sent, Answered.STAGED)
            verdict = await asyncio.to_thread(self._own.judged, sent.text)
            faults = [*verdict.faults, *await self._against(sent)]
            if faults:
                log.warning("configuration refused", id=sent.configuration_id, why=faults[0])
                return refused(sent.configuration_id, faults)
            if sent.check_only:
                return _answer(sent, Answered.VALID, verdict.changes)
            return await self._stage(sent, verdict.changes)

    # --- inside ----------------------------------------------------------------------------------

    @property
    def _held(self) -> Record:
        return self._record or Record()

    def _seen(self) -> set[str]:
        held = self._held
        ids = {one.configuration_id for one in (held.good, held.next) if one is not None}
        return ids | ({held.last} if held.last else set())

    async def _find(self) -> None:
        """What an earlier process has left."""
        stored = await asyncio.to_thread(self._store.load)
        record = remote.found(stored, self._own.base)
        if record is not stored:
            log.warning("configuration rolled back", id=record.last, why=record.reason)
            await self._saved(record)
        self._record = record

    async def _chosen(self) -> Verdict[Settings_co]:
        """What is on trial, else what is good, else the file alone: the first that can be run."""
        for _ in range(2):
            held, self._set_aside = self._held.running, ""
            if held is None:
                break
            verdict = await asyncio.to_thread(self._own.judged, held.text)
            if verdict.settings is not None and held.base == self._own.base:
                self._running = held.configuration_id
                return verdict
            why = "; ".join(verdict.faults) or "the site's own file has changed since"
            self._set_aside = f"{held.configuration_id} is set aside: {why}"[:500]
            if not self._held.trial:
                break
            await self._roll_back(why)
        self._running = ""
        return self._own.judged("")

    async def _decided(self) -> bool:
        """Whether this life should end."""
        sight, now = self._sight, self._clock.now()
        if self.on_trial and self._clock.monotonic() >= self._trial_ends_s:
            why = self._unwell()
            if why:
                await self._roll_back(why)
                return True
            if await self._saved(remote.kept(self._held)):
                log.info("configuration applied", id=self._running)
        if sight is None or not sight.connected():
            return False
        if not remote.due(self._held, now, quiet=sight.quiet()):
            return False
        self._before = sight.online()
        return await self._saved(remote.begun(self._held))

    def _unwell(self) -> str:
        sight = self._sight
        if sight is None:
            return "the agent did not get going with it"
        if not sight.connected():
            return "the link to the gateway did not come back"
        missing = sorted(self._before - sight.online())
        return f"no longer heard: {', '.join(missing)}" if missing else ""

    async def _roll_back(self, why: str) -> None:
        record = remote.rolled_back(self._held, why)
        log.error("configuration rolled back", id=record.last, why=why)
        await self._saved(record)
        self._record = record  # also where the disk fails: a trial on it goes back at every start

    async def _saved(self, record: Record) -> bool:
        """Take this record once it is stored; else all stays as it is, and is tried again."""
        try:
            await asyncio.to_thread(self._store.save, record)
        except TransientError as error:
            log.error("configuration record not stored", why=str(error))  # noqa: TRY400 (a full disk, no fault of ours)
            return False
        self._record = record
        return True

    async def _against(self, sent: Configuration) -> Sequence[str]:
        if hash_of(sent.text) != sent.sha256:
            return ["the text is not the one that was sent: its SHA-256 differs"]
        self._drift = await asyncio.to_thread(self._own.drift)
        return [self._drift] if self._drift else []

    async def _stage(self, sent: Configuration, changes: tuple[Change, ...]) -> ConfigurationAck:
        if self.on_trial:
            raise TransientError("another configuration is on trial")
        held = Held(
            configuration_id=sent.configuration_id,
            revision=sent.revision,
            text=sent.text,
            base=self._own.base,
            at=sent.at,
        )
        try:
            record = remote.staged(self._held, held)
        except ValueError as error:
            return refused(sent.configuration_id, [str(error)])
        await asyncio.to_thread(self._store.save, record)
        self._record = record
        self._changed.set()
        log.info("configuration staged", id=sent.configuration_id, at=str(sent.at or "quiet"))
        return _answer(sent, Answered.STAGED, changes)


def _answer(
    sent: Configuration, state: Answered, changes: tuple[Change, ...] = ()
) -> ConfigurationAck:
    return ConfigurationAck(configuration_id=sent.configuration_id, state=state, changes=changes)
