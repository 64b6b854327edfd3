"""From what a person wrote to the gates that measure."""

from collections.abc import Sequence
from typing import Any

from bluegreen.gates.build_promql import prometheus_server, promql_gate
from bluegreen.gates.counting import Meter, Selection, Window
from bluegreen.gates.errors import ErrorsGate, StatusMetric
from bluegreen.gates.gate import Gate
from bluegreen.gates.latency import HistogramMetric, LatencyGate
from bluegreen.gates.load import LoadGate
from bluegreen.gates.paced import OwnRequests
from bluegreen.gates.prometheus_api import PrometheusServer
from bluegreen.gates.prometheus_meter import PrometheusMeter
from bluegreen.gates.scraping import MemberFrom, ScrapeMeter
from bluegreen.settings.gate import GateSettings
from bluegreen.settings.gates import GatesSettings
from bluegreen.settings.measuring_gates import (
    ErrorsGateSettings,
    LatencyGateSettings,
    LoadGateSettings,
    MetricGateSettings,
    OwnRequestsSettings,
    Source,
)

__all__ = ["build_measuring_gates"]


def build_measuring_gates(settings: GatesSettings) -> Sequence[Gate]:
    """Those that are written, in the order in which their verdicts are shown."""
    server = prometheus_server(settings.prometheus) if settings.prometheus else None
    gates: list[Gate] = []
    if settings.latency is not None:
        gates.append(_latency_gate(settings.latency, server))
    if settings.errors is not None:
        gates.append(_errors_gate(settings.errors, server))
    if server is not None:
        gates += [promql_gate(name, written, server) for name, written in settings.promql.items()]
    if settings.load is not None:
        gates.append(_load_gate(settings.load))
    return gates


def _conduct(name: str, settings: GateSettings) -> dict[str, Any]:
    return {
        "name": name,
        "timeout_seconds": settings.timeout_seconds,
        "is_slow": settings.slow,
        "is_dry_run": settings.dry_run,
    }


def _latency_gate(settings: LatencyGateSettings, server: PrometheusServer | None) -> LatencyGate:
    return LatencyGate(
        **_conduct("latency", settings),
        meter=_meter(settings, server),
        metric=HistogramMetric(settings.metric),
        quantile=settings.quantile,
        limit_seconds=settings.limit_seconds,
        min_samples=settings.min_samples,
        compare=settings.compare,
        no_data=settings.no_data,
    )


def _errors_gate(settings: ErrorsGateSettings, server: PrometheusServer | None) -> ErrorsGate:
    return ErrorsGate(
        **_conduct("errors", settings),
        meter=_meter(settings, server),
        metric=StatusMetric(settings.metric, settings.status_label),
        max_share=settings.max_share,
        compare=settings.compare,
        no_data=settings.no_data,
    )


def _load_gate(settings: LoadGateSettings) -> LoadGate:
    return LoadGate(
        **_conduct("load", settings),
        requests=_requests(settings.requests),
        window_seconds=settings.window_seconds,
        quantile=settings.quantile,
        limit_seconds=settings.limit_seconds,
        max_error_share=settings.max_error_share,
    )


def _meter(settings: MetricGateSettings, server: PrometheusServer | None) -> Meter:
    window = Window(
        settings.window_seconds, _requests(settings.requests) if settings.requests else None
    )
    selection = Selection(settings.labels, settings.except_labels)
    if settings.source is Source.PROMETHEUS and server is not None:
        return PrometheusMeter(window=window, server=server, selection=selection)
    return ScrapeMeter(
        window=window,
        path=settings.path,
        selection=selection,
        member_from=MemberFrom(settings.member_from.header, settings.member_from.label),
    )


def _requests(settings: OwnRequestsSettings) -> OwnRequests:
    return OwnRequests(settings.path, settings.rate, settings.timeout_seconds)
