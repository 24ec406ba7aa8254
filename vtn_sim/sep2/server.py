"""One IEEE 2030.5 server: the utility, its tree, its clients' side, and what it does by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from contracts.http_server import serve
from contracts.identity import sep2_client_context, sep2_server_context
from contracts.time import Clock
from vtn_sim.sep2.director import Director
from vtn_sim.sep2.exchanges import Exchanges
from vtn_sim.sep2.notify import Notifier
from vtn_sim.sep2.scenario import play
from vtn_sim.sep2.service import Sep2Service
from vtn_sim.sep2.settings import Sep2ServerSettings
from vtn_sim.sep2.transitions import Transitions
from vtn_sim.sep2.tree import Tree
from vtn_sim.sep2.utility import Utility


class Sep2Server:
    """Everything of one server; made first, run later."""

    def __init__(self, settings: Sep2ServerSettings, clock: Clock) -> None:
        """As the settings have it.

        Raises:
            ConfigError: a certificate cannot be used, or the settings name what there is not.
        """
        files = (settings.cert_file, settings.key_file)
        self._tls = sep2_server_context(*files, settings.ca_file, settings.ciphers)
        own = sep2_client_context(settings.ca_file, *files, settings.ciphers)
        self._clock = clock
        self.settings = settings
        self.utility = Utility(settings, clock)
        self.exchanges = Exchanges(settings.keep_exchanges)
        self.tree = Tree(self.utility)
        self._notifier = Notifier(self.tree, self.exchanges, own)
        self._transitions = Transitions(self.utility)
        self.director = Director(self.utility, self._notifier)

    async def run(self, stopping: asyncio.Event, ready: Callable[[int], None]) -> None:
        """Serve clients, send notifications and play the scenario, until `stopping` is set.

        Raises:
            ExceptionGroup: holds a PermanentError when the port cannot be listened on.
        """
        async with asyncio.TaskGroup() as tasks:
            helpers = [
                tasks.create_task(self._notifier.run()),
                tasks.create_task(self._transitions.run()),
                tasks.create_task(
                    play(self.settings.scenario, self.utility, self.director, self._clock)
                ),
            ]
            await serve(
                Sep2Service(self.tree, self.exchanges),
                host=self.settings.host,
                port=self.settings.port,
                stopping=stopping,
                tls=self._tls,
                ready=ready,
            )
            for helper in helpers:
                helper.cancel()
