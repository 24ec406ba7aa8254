"""What the running gateway knows of an OpenADR utility, asked through its API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from contracts.config import load
from contracts.errors import ConfigError, PermanentError
from gateway.config import GatewaySettings
from gridyard.at_gateway.asking import asked, told
from gridyard.openadr.session import chosen_of

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 (nothing listens here)
_PAGE, _MOST_PAGES = 1000, 20


class RunningGateway:
    """One utility as its gateway sees it; also a `UtilityMemory` that can only be read."""

    def __init__(self, api: str, utility_id: str) -> None:
        self.api = api
        self.utility_id = utility_id

    @classmethod
    def of(cls, config: Path, utility: str | None, api: str | None) -> RunningGateway:
        """From the gateway's settings; `api` outranks the address in them.

        Raises:
            ConfigError: the file cannot be used, it is not clear which utility is meant, or the
                gateway takes any free port and `api` is not given.
        """
        settings = load(config, GatewaySettings)
        chosen = chosen_of(settings, config, utility)
        if api is None and not settings.web.port:
            raise ConfigError(
                f"{config}: web: port: the gateway takes any; say which with --gateway"
            )
        host = _EVERYWHERE.get(settings.web.host, settings.web.host)
        return cls(api or f"http://{host}:{settings.web.port}", chosen.utility_id)

    async def events(self) -> list[dict[str, Any]]:
        """Every event of the utility, newest start first.

        Raises:
            LinkDownError: no gateway answers.
        """
        found: list[dict[str, Any]] = []
        token = ""
        for _ in range(_MOST_PAGES):
            page = await asked(self.api, f"events?page_size={_PAGE}{token}")
            with _as_a_gateway(self.api):
                items, following = page["items"], page["next_page_token"]
                found += [one for one in items if one["utility_id"] == self.utility_id]
            if following is None:
                break
            token = f"&page_token={quote(following, safe='')}"
        return found

    async def load(self, utility_id: str, kind: str) -> Mapping[str, object]:
        """Every document of this kind, by key.

        Raises:
            LinkDownError: no gateway answers.
            PermanentError: it does not know the utility.
        """
        path = f"utilities/{quote(utility_id, safe='')}/records/{kind}"
        found = await asked(self.api, path)
        with _as_a_gateway(self.api):
            return dict(found)

    async def save(self, utility_id: str, kind: str, key: str, document: object) -> None:
        """Never: the memory is the gateway's.

        Raises:
            PermanentError: always.
        """
        raise PermanentError(f"{utility_id}/{kind}/{key}: only the gateway writes {document!r}")

    async def forget(self, utility_id: str, kind: str, key: str) -> None:
        """Never: the memory is the gateway's.

        Raises:
            PermanentError: always.
        """
        raise PermanentError(f"{utility_id}/{kind}/{key}: only the gateway forgets")

    async def opt_out(self, event_id: str, site_id: str | None, why: str) -> list[str]:
        """Take a site, or each one enrolled in the program, out of an event; who is out by that.

        Raises:
            LinkDownError: no gateway answers; sites before are out all the same.
            PermanentError: there is no such event or site, or the event is over.
        """
        path = f"events/{quote(self.utility_id, safe='')}/{quote(event_id, safe='')}"
        event = await asked(self.api, path)
        with _as_a_gateway(self.api):
            program_id = event["program_id"]
        sites = [site_id] if site_id is not None else await self._enrolled(program_id)
        for site in sites:
            await told(self.api, f"{path}/opt-outs", {"site_id": site, "reason": why})
        return sites

    async def _enrolled(self, program_id: str) -> list[str]:
        sites = await asked(self.api, "sites")
        with _as_a_gateway(self.api):
            found = [one["site_id"] for one in sites if program_id in one["programs"]]
        if not found:
            raise PermanentError(f"no site is enrolled in program {program_id!r}")
        return found


@contextmanager
def _as_a_gateway(api: str) -> Iterator[None]:
    """Read an answer that should have a gateway's form."""
    try:
        yield
    except (KeyError, TypeError, ValueError) as error:
        raise PermanentError(f"{api}: is this a gateway? Its answer has another form") from error
