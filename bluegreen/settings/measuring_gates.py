"""What stands under `service.gates` for the gates that measure: how long, how much, which limit."""

from enum import StrEnum
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints, field_validator, model_validator

from bluegreen.settings.base import MisfitError, SettingsModel
from bluegreen.settings.gate import (
    GateSettings,
    HeaderName,
    RequestPath,
    Seconds,
    VariableName,
)

__all__ = [
    "Comparison",
    "ComparisonSettings",
    "ErrorsGateSettings",
    "LatencyGateSettings",
    "LoadGateSettings",
    "MemberFromSettings",
    "MetricGateSettings",
    "NoData",
    "OwnRequestsSettings",
    "PrometheusSettings",
    "PromqlGateSettings",
    "Source",
]

_MAX_RATE = 500.0
"""Requests per second; the gate asks what is about to be production, it does not attack it."""

_SPARE_SECONDS = 5.0
"""What a gate is given beside its window: for the questions before and after it."""

_MetricName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_:][a-zA-Z0-9_:]*$")]
_LabelName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")]


class NoData(StrEnum):
    """What a gate says that could not measure enough."""

    FAIL = "fail"
    PASS = "pass"  # noqa: S105
    INCONCLUSIVE = "inconclusive"
    """Passes with a warning that says what was missing."""


class Source(StrEnum):
    """Where figures come from."""

    SCRAPE = "scrape"
    """The color itself, on its pinned address, before and after the window."""

    PROMETHEUS = "prometheus"
    """The server that `gates.prometheus` names, asked after the window."""


class Comparison(StrEnum):
    """How a value has to stand to its limit for a gate to pass."""

    LESS = "<"
    AT_MOST = "<="
    EQUAL = "=="
    UNEQUAL = "!="
    AT_LEAST = ">="
    MORE = ">"


class PrometheusSettings(SettingsModel):
    """The Prometheus server, or what speaks its HTTP API, that gates ask."""

    url: str = Field(pattern=r"^https?://[^\s/?#]+(/[^\s?#]*)?$")
    """Base address as it is reached from where `pulumi up` runs, for example
    `https://prometheus.internal:9090`; without user and password."""

    bearer_token_env: VariableName | None = None
    """Name of the environment variable that holds a bearer token; masked in everything that is
    shown or kept. Default: none is sent."""

    request_timeout_seconds: Seconds = 10
    """How long one answer may take; default 10."""

    @field_validator("url")
    @classmethod
    def _no_credentials(cls, url: str) -> str:
        if "@" in urlsplit(url).netloc:
            # Without the value: half of it is a password.
            msg = "the address has a user in it; put a token into bearer_token_env"
            raise MisfitError(msg)
        return url.rstrip("/")


class OwnRequestsSettings(SettingsModel):
    """Requests that a gate sends itself, so that a color without traffic has something to show."""

    path: RequestPath = "/"
    """Path on the color-pinned address, query included; default `/`. Only GET is sent."""

    rate: float = Field(default=20.0, gt=0, le=_MAX_RATE)
    """Requests per second, evenly spaced, whether or not earlier ones were answered; default 20, at
    most 500."""

    timeout_seconds: Seconds = 5
    """A request without a complete answer by then has failed; default 5."""


class MemberFromSettings(SettingsModel):
    """How members behind one address are told apart.

    Default: by their `process_start_time_seconds`, which the usual client libraries export.
    """

    header: HeaderName | None = None
    """A header of the answer that names the member, for example `X-Pod`."""

    label: _LabelName | None = None
    """A label of the metric itself that names the member, for example `pod`."""

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.header is not None and self.label is not None:
            msg = "header and label both say how members are told apart; one is enough"
            raise MisfitError(msg, "label", value=None)
        return self


class ComparisonSettings(SettingsModel):
    """When a difference to the live color stops a switch: it is significant, and large enough."""

    alpha: float = Field(default=0.01, gt=0, lt=0.5)
    """Level of significance; default 0.01: of 100 equal pairs at most about one is stopped."""

    max_ratio: float = Field(default=1.2, ge=1, le=100)
    """What the rising color's figure may be as a multiple of the live color's; default 1.2. With
    many requests a difference that nobody would feel is significant too."""

    min_samples: int = Field(default=300, ge=20, le=100_000_000)
    """Requests of each color without which nothing is compared; default 300."""


class _MeasuringGateSettings(GateSettings):
    """A gate that measures for a while."""

    window_seconds: Seconds = 60
    """Over how long it measures; default 60."""

    timeout_seconds: Seconds = 90
    """Its limit, window included; default 90."""

    no_data: NoData = NoData.FAIL
    """What it says without enough to judge: `fail` (default), `pass`, or `inconclusive`, which
    passes with a warning."""

    slow: bool = True
    """True when a rollback skips this gate; default true: a rollback is a matter of seconds."""

    @property
    def needed_seconds(self) -> float:
        """What it takes: its window, and what is asked around it."""
        return self.window_seconds + _SPARE_SECONDS

    @model_validator(mode="after")
    def _window_fits_into_the_time(self) -> Self:
        needed = self.needed_seconds
        if needed > self.timeout_seconds:
            msg = (
                f"window_seconds {self.window_seconds:g} and {needed - self.window_seconds:g} s for"
                f" what is asked around it do not fit into timeout_seconds {self.timeout_seconds:g}"
            )
            raise MisfitError(msg, "timeout_seconds", value=f"{needed:g}")
        return self


class MetricGateSettings(_MeasuringGateSettings):
    """A gate that reads a metric of the application."""

    source: Source = Source.SCRAPE
    """`scrape` (default) or `prometheus`."""

    path: RequestPath = "/metrics"
    """Where the application says it, on the color-pinned address; default `/metrics`. A Prometheus
    server is not asked for it."""

    labels: dict[_LabelName, str] = Field(default_factory=dict)
    """Only series with these labels count. `{color}`, `{release}` and `{service}` are filled in; a
    Prometheus server needs them to tell colors apart: `{color: "{color}"}`."""

    except_labels: dict[_LabelName, tuple[str, ...]] = Field(default_factory=dict)
    """Series with one of these values do not count, for example
    `{path: [/health/ready, /metrics]}`: an idle color answers little else, and quickly."""

    member_from: MemberFromSettings = Field(default_factory=MemberFromSettings)
    """How members behind the color-pinned address are told apart when they are scraped."""

    requests: OwnRequestsSettings | None = None
    """Requests that the gate sends itself during the window; default none. Where it compares, both
    colors are sent the same."""

    @property
    def needed_seconds(self) -> float:
        """What it takes: its window, the last answers, and what is asked around it."""
        last = self.requests.timeout_seconds if self.requests else 0
        return self.window_seconds + last + _SPARE_SECONDS


class LatencyGateSettings(MetricGateSettings):
    """The gate `latency`: a quantile of a histogram of the rising color."""

    metric: _MetricName = "http_request_duration_seconds"
    """Name of the histogram, without `_bucket`; default `http_request_duration_seconds`."""

    quantile: float = Field(default=0.99, gt=0, lt=1)
    """Default 0.99, the p99."""

    limit_seconds: float = Field(default=0.5, gt=0, le=3600)
    """The most that the quantile may be; default 0.5."""

    min_samples: int = Field(default=300, ge=1, le=100_000_000)
    """Requests in the window without which it is not judged; default 300, of which three are slower
    than the p99."""

    compare: ComparisonSettings | None = None
    """Compares with the live color as well; default off, because an idle color is faster than one
    that works, unless both are sent the same `requests`."""


class ErrorsGateSettings(MetricGateSettings):
    """The gate `errors`: the share of 5xx answers, of the rising color against the live one."""

    metric: _MetricName = "http_requests_total"
    """Name of the counter; default `http_requests_total`."""

    status_label: _LabelName = "status"
    """Its label that holds the status; default `status`. `5xx` counts like 500 to 599."""

    max_share: float = Field(default=0.05, ge=0, le=1)
    """The largest share of 5xx answers that passes, whatever the live color does; default 0.05."""

    compare: ComparisonSettings = Field(default_factory=ComparisonSettings)
    """When the live color's share of errors is judged to be smaller."""


class PromqlGateSettings(GateSettings):
    """One gate under `promql`: a query whose one value keeps to a limit."""

    query: str = Field(min_length=1, max_length=4000)
    """PromQL with one value as its result. `{color}`, `{release}` and `{service}` are filled in,
    escaped for a text in quotes; every other brace stays as it is."""

    comparison: Comparison = Comparison.AT_MOST
    """How the value has to stand to the limit: `<`, `<=` (default), `==`, `!=`, `>=`, `>`."""

    limit: float = Field(allow_inf_nan=False)
    """In the unit of the query."""

    window_seconds: float = Field(default=0.0, ge=0, le=3600)
    """How long to wait before the query is asked; default 0. A query over `[1m]` wants 60, or it
    sees what this color was before the update."""

    timeout_seconds: Seconds = 30
    """Its limit, the wait included; default 30."""

    no_data: NoData = NoData.FAIL
    """What it says when the query gives no value, or NaN: `fail` (default), `pass` or
    `inconclusive`."""

    @model_validator(mode="after")
    def _window_fits_into_the_time(self) -> Self:
        if self.window_seconds + 1 > self.timeout_seconds:
            msg = (
                f"window_seconds {self.window_seconds:g} and a second for the question do not fit"
                f" into timeout_seconds {self.timeout_seconds:g}"
            )
            raise MisfitError(msg, "timeout_seconds", value=f"{self.window_seconds + 1:g}")
        return self


class LoadGateSettings(GateSettings):
    """The gate `load`: the rising color bears a steady load."""

    requests: OwnRequestsSettings = Field(default_factory=OwnRequestsSettings)
    """What is sent; default: 20 GET requests a second to `/`."""

    window_seconds: float = Field(default=30.0, gt=0, le=600)
    """How long requests are sent; default 30, at most 600."""

    timeout_seconds: Seconds = 60
    """Its limit, window and last answers included; default 60."""

    quantile: float = Field(default=0.99, gt=0, lt=1)
    """Default 0.99, the p99."""

    limit_seconds: float = Field(default=0.5, gt=0, le=60)
    """The most that the quantile of the latency may be; default 0.5. Latency counts from the moment
    a request was due."""

    max_error_share: float = Field(default=0.0, ge=0, le=1)
    """The largest share of requests without a 2xx answer that passes; default 0."""

    slow: bool = True
    """True when a rollback skips this gate; default true."""

    @property
    def needed_seconds(self) -> float:
        """What it takes: its window, the last answers, and a little to begin and to end."""
        return self.window_seconds + self.requests.timeout_seconds + _SPARE_SECONDS

    @model_validator(mode="after")
    def _window_fits_into_the_time(self) -> Self:
        needed = self.needed_seconds
        if needed > self.timeout_seconds:
            msg = (
                f"window_seconds {self.window_seconds:g}, requests.timeout_seconds"
                f" {self.requests.timeout_seconds:g} and {_SPARE_SECONDS:g} s to begin and to end"
                f" do not fit into timeout_seconds {self.timeout_seconds:g}"
            )
            raise MisfitError(msg, "timeout_seconds", value=f"{needed:g}")
        return self
