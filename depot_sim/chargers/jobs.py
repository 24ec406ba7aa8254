"""Updates and uploads, played as the statuses a central system sees. Nothing is fetched or sent.

The location only decides how the play ends: an address that no charger could use makes it fail.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from depot_sim.chargers.agenda import Agenda

STEP = timedelta(seconds=2)
"""Time from one status to the next."""
Steps = Sequence[tuple[datetime, str]]
_SCHEMES = {"http", "https", "ftp", "ftps", "sftp"}


class Job:
    """One kind of work, one at a time; a new one takes the place of the last."""

    def __init__(self, agenda: Agenda) -> None:
        self._agenda = agenda
        self._round = 0
        self.status = "Idle"
        self.request_id: int | None = None
        self.busy = False

    @property
    def reported(self) -> str:
        """The status on being asked: only a job under way has one."""
        return self.status if self.busy else "Idle"

    def begin(self, steps: Steps, request_id: int | None, tell: Callable[[], None]) -> bool:
        """Play the steps, calling `tell` at each; whether an unfinished job was cancelled."""
        cancelled, self._round = self.busy, self._round + 1
        self.request_id, self.busy = request_id, True
        for number, (due, status) in enumerate(steps, start=1):
            self._agenda.at(due, self._step(status, tell, last=number == len(steps)))
        return cancelled

    def _step(self, status: str, tell: Callable[[], None], *, last: bool) -> Callable[[], None]:
        round_ = self._round

        def play() -> None:
            if self._round == round_:
                self.status, self.busy = status, not last
                tell()

        return play


def reachable(location: str) -> bool:
    """Whether a charger could fetch from or send to this address."""
    try:
        parts = urlsplit(location)
    except ValueError:
        return False
    return parts.scheme in _SCHEMES and bool(parts.hostname)


def update_steps(
    location: str, now: datetime, fetch_at: datetime, install_at: datetime | None, *, signed: bool
) -> Steps:
    """The statuses of a firmware update and their times."""
    begun = max(now, fetch_at)
    waiting = [(now, "DownloadScheduled")] if signed and fetch_at > now else []
    downloading = [*waiting, (begun, "Downloading")]
    if not reachable(location):
        return [*downloading, (begun + STEP, "DownloadFailed")]
    got = [*downloading, (begun + STEP, "Downloaded")]
    verified = [(begun + STEP, "SignatureVerified")] if signed else []
    installing_at = max(begun + 2 * STEP, install_at or begun)
    return [*got, *verified, (installing_at, "Installing"), (installing_at + STEP, "Installed")]


def upload_steps(location: str, now: datetime, failure: str) -> Steps:
    """The statuses of an upload; `failure` is what the version calls it."""
    ended = "Uploaded" if reachable(location) else failure
    return [(now, "Uploading"), (now + STEP, ended)]
