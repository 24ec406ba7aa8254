"""Settings of one IEEE 2030.5 (CSIP) aggregator client against one utility's server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, HttpUrl, UrlConstraints, model_validator

from contracts.config import Settings
from contracts.sep2.dialect import CSIPAUS_NAMESPACES

Seconds = Annotated[float, Field(gt=0, le=86_400)]
Watts = Annotated[float, Field(gt=0, le=1e9)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]
Lfdi = Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{40}$"), AfterValidator(str.upper)]
"""Long-form device identifier: 40 hexadecimal digits, upper case here."""
HttpsUrl = Annotated[HttpUrl, UrlConstraints(allowed_schemes=["https"], host_required=True)]
Scope = Literal["site", "storage", "generation", "load"]
OptOut = Literal["none", "devices", "all"]
InverterMode = Literal[
    "opModFixedPFAbsorbW",
    "opModFixedPFInjectW",
    "opModFixedVar",
    "opModFreqDroop",
    "opModHFRTMayTrip",
    "opModHFRTMustTrip",
    "opModHVRTMayTrip",
    "opModHVRTMomentaryCessation",
    "opModHVRTMustTrip",
    "opModLFRTMayTrip",
    "opModLFRTMustTrip",
    "opModLVRTMayTrip",
    "opModLVRTMomentaryCessation",
    "opModLVRTMustTrip",
    "opModTargetVar",
    "opModVoltVar",
    "opModVoltWatt",
    "opModWattVar",
]
"""What an inverter may do by itself, as far as SunSpec models 704 to 712 carry it."""

CIPHERS = "ECDHE-ECDSA-AES128-CCM8:ECDHE-ECDSA-AES256-GCM-SHA384:@SECLEVEL=0"
RESPONSE_CODES = frozenset({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 252, 253, 254})
"""IEEE 2030.5-2018, Table 27, as far as a device without a display uses it."""


class RatingSettings(Settings):
    """What the plates say, summed over the sites an EndDevice stands for (CSIP, Table 12)."""

    rtg_max_w: Watts
    """Maximum active power delivered, W; for chargers without anything else, what they draw."""
    rtg_max_charge_rate_w: Watts | None = None
    """Maximum active power drawn from the network, W."""
    rtg_max_discharge_rate_w: Watts | None = None
    """Maximum active power a battery delivers, W."""
    rtg_max_va: Watts | None = None
    """Maximum apparent power, VA."""
    rtg_max_var: Watts | None = None
    """Maximum reactive power delivered, var."""
    rtg_max_var_neg: Watts | None = None
    """Maximum reactive power received, var, as a positive number."""
    rtg_max_wh: Watts | None = None
    """Usable energy of the storage, Wh."""


class DeviceSettings(Settings):
    """One EndDevice the utility knows, and which of our sites it stands for."""

    lfdi: Lfdi
    """Assigned by the utility; a managed site needs no certificate of its own."""
    pin: Annotated[int, Field(ge=0, le=999_999)] | None = None
    """Registration PIN with its check digit, as the utility gave it; None: not compared."""
    sites: Annotated[tuple[Name, ...], Field(min_length=1)]
    """One site, or several that the utility sees as one."""
    weights: tuple[Annotated[float, Field(gt=0)], ...] = ()
    """Share of each of `sites` in what binds all of them together; empty: equal shares."""
    scope: Scope = "site"
    """What of the site the EndDevice is: its connection point, or only its battery, its PV and
    battery output, or its chargers."""
    ratings: RatingSettings
    """Sent as DERCapability, and the base of every limit given in percent."""
    nmi: Annotated[str, Field(min_length=1, max_length=32)] | None = None
    """National metering identifier of the connection point (CSIP-AUS); None: not sent."""

    inverter_modes: tuple[InverterMode, ...] = ()
    """What all inverters behind it do by themselves when told to; every other such mode is
    answered 252, not applicable."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        _unique("sites", self.sites)
        _unique("inverter_modes", self.inverter_modes)
        if self.inverter_modes and self.scope == "load":
            raise ValueError("inverter_modes: chargers alone (scope load) have no inverters")
        if self.weights and len(self.weights) != len(self.sites):
            raise ValueError("weights: give one for each of sites, or none")
        return self

    @property
    def shares(self) -> Mapping[str, float]:
        """Part of the whole per site, adding up to 1."""
        weights = self.weights or (1.0,) * len(self.sites)
        return {
            site: weight / sum(weights) for site, weight in zip(self.sites, weights, strict=True)
        }


class ListenerSettings(Settings):
    """Our own HTTPS server, to which the utility posts Notifications."""

    host: str = "0.0.0.0"  # noqa: S104 (the utility calls from outside; certificates decide)
    """Address to listen on."""
    port: Annotated[int, Field(ge=0, le=65_535)] = 8443
    """0 takes any free port."""
    url: HttpsUrl
    """The notificationURI as the utility can reach it; its path is ours to choose."""
    cert: Path
    """Certificate of this server, of the utility's PKI."""
    key: Path
    """Its private key."""


class Sep2Settings(Settings):
    """How to reach and answer one IEEE 2030.5 server as a CSIP aggregator."""

    utility_id: Name
    """Our name for this utility."""
    url: HttpsUrl
    """Address of DeviceCapability, for example `https://utility.example.com/dcap`."""
    ca: Path
    """Root of the utility's certificates."""
    cert: Path
    """The aggregator's certificate; our LFDI follows from it."""
    key: Path
    """Its private key."""
    ciphers: Annotated[str, Field(min_length=1)] = CIPHERS
    """TLS 1.2 suites in OpenSSL's notation (CSIP P9, P10)."""
    edition: Literal["2018", "2023"] = "2018"
    """Of IEEE 2030.5: in 2023 an event gone from its list is cancelled."""
    csipaus: str | None = None
    """Namespace of the Australian extensions, for example `https://csipaus.org/ns`; None: none."""
    devices: Annotated[tuple[DeviceSettings, ...], Field(min_length=1)]
    """Every EndDevice we stand in for."""
    in_band: bool = False
    """Register EndDevices the server does not list by POST; otherwise wait for the utility."""
    pen: Annotated[int, Field(ge=0, le=0xFFFF_FFFF)] = 0
    """Private enterprise number for our mRIDs and LogEvents; 0: none."""
    response_codes: frozenset[int] = RESPONSE_CODES
    """Response codes the utility takes; Australian ones take 1, 2, 3, 6 and 7 alone."""
    opt_out: OptOut = "devices"
    """Which controls a site may opt out of: `none`; `devices`, those that only ask chargers,
    batteries or PV for power; or `all`, limits at the connection point and disconnection too."""
    displaced_code: Literal[7, 14] = 7
    """Answer for a control that another program's displaced before its start."""
    monitoring_period_s: Annotated[int, Field(ge=60, le=3600)] = 300
    """Length of the averages in mirror metering, unless the server's postRate says otherwise."""
    listener: ListenerSettings | None = None
    """Where Notifications arrive; None: polling only."""
    poll_s: Seconds | None = None
    """Overrides every pollRate of the server; leave unset in production."""
    timeout_s: Seconds = 10.0
    """Time limit of one request."""
    max_backoff_s: Seconds = 300.0
    """Longest wait between attempts while the server cannot be reached."""
    max_concurrent_requests: Annotated[int, Field(ge=1, le=8)] = 4
    """Requests under way at one time."""
    max_list_items: Annotated[int, Field(ge=1, le=1_000_000)] = 20_000
    """A list is read up to here."""
    max_body_bytes: Annotated[int, Field(ge=1024, le=1 << 26)] = 1 << 21
    """A larger answer is refused."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        _unique("devices: lfdi", (device.lfdi for device in self.devices))
        _unique(
            "devices: site and scope",
            (f"{site} as {device.scope}" for device in self.devices for site in device.sites),
        )
        if self.csipaus is not None and self.csipaus not in CSIPAUS_NAMESPACES:
            raise ValueError(f"csipaus: none of {', '.join(CSIPAUS_NAMESPACES)}")
        unknown = self.response_codes - RESPONSE_CODES
        if unknown:
            raise ValueError(f"response_codes: unknown {sorted(unknown)}")
        if self.displaced_code not in self.response_codes:
            raise ValueError(f"displaced_code {self.displaced_code} is not in response_codes")
        return self

    @property
    def timeout(self) -> timedelta:
        """Time limit of one request."""
        return timedelta(seconds=self.timeout_s)

    def device(self, lfdi: str) -> DeviceSettings | None:
        """The device of this LFDI, whatever its letters' case."""
        return next((one for one in self.devices if one.lfdi == lfdi.upper()), None)


def _unique(what: str, values: Iterable[str]) -> None:
    doubled = [value for value, count in Counter(values).items() if count > 1]
    if doubled:
        raise ValueError(f"{what} must be unique; doubled: {', '.join(doubled)}")
