"""The gates that ask a Prometheus server their own queries, and that server."""

from bluegreen.gates.prometheus_api import PrometheusServer
from bluegreen.gates.promql import PromqlGate
from bluegreen.settings.measuring_gates import PrometheusSettings, PromqlGateSettings

__all__ = ["prometheus_server", "promql_gate"]


def promql_gate(name: str, settings: PromqlGateSettings, server: PrometheusServer) -> PromqlGate:
    """One entry under `promql`."""
    return PromqlGate(
        name=name,
        timeout_seconds=settings.timeout_seconds,
        is_slow=settings.slow,
        is_dry_run=settings.dry_run,
        server=server,
        query=settings.query,
        limit=settings.limit,
        comparison=settings.comparison,
        window_seconds=settings.window_seconds,
        no_data=settings.no_data,
    )


def prometheus_server(settings: PrometheusSettings) -> PrometheusServer:
    """Where queries are asked."""
    return PrometheusServer(
        url=settings.url,
        bearer_token_env=settings.bearer_token_env,
        request_timeout_seconds=settings.request_timeout_seconds,
    )
