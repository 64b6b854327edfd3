import pytest
from pydantic import ValidationError

from bluegreen.gates.build import build_gates
from bluegreen.settings.gates import GatesSettings
from bluegreen.settings.measuring_gates import NoData, Source

SERVER = {"url": "https://prometheus.internal:9090/shop"}
QUERY = {"query": "up", "limit": 1}


def written(**gates):
    return GatesSettings.model_validate(gates)


def problem_of(**gates):
    with pytest.raises(ValidationError) as caught:
        written(**gates)
    (problem,) = caught.value.errors()
    return ".".join(map(str, problem["loc"])), problem["msg"]


def test_nothing_is_measured_unless_it_is_written():
    settings = written()

    assert (settings.latency, settings.errors, settings.load, settings.prometheus) == (None,) * 4
    assert settings.promql == {}


def test_the_defaults_are_those_that_are_documented():
    gates = written(latency={}, errors={}, load={})
    latency, errors, load = gates.latency, gates.errors, gates.load

    assert (latency.metric, latency.quantile, latency.limit_seconds) == (
        "http_request_duration_seconds",
        0.99,
        0.5,
    )
    assert (latency.window_seconds, latency.timeout_seconds, latency.min_samples) == (60, 90, 300)
    assert (latency.source, latency.no_data, latency.slow) == (Source.SCRAPE, NoData.FAIL, True)
    assert (latency.compare, latency.requests, latency.dry_run) == (None, None, False)
    assert (errors.metric, errors.status_label, errors.max_share) == (
        "http_requests_total",
        "status",
        0.05,
    )
    assert (errors.compare.alpha, errors.compare.max_ratio, errors.compare.min_samples) == (
        0.01,
        1.2,
        300,
    )
    assert (load.requests.rate, load.requests.path, load.window_seconds) == (20, "/", 30)
    assert (load.limit_seconds, load.max_error_share, load.slow) == (0.5, 0, True)


@pytest.mark.parametrize("name", ["latency", "errors", "load"])
def test_what_a_gate_and_its_settings_say_without_settings_is_the_same(name):
    (built,) = [gate for gate in build_gates(written(**{name: {}})) if gate.name == name]
    required = {"meter": built.meter} if name != "load" else {}

    bare = type(built)(**required)

    assert built == (bare if name != "load" else type(built)(timeout_seconds=60))


def test_every_setting_reaches_its_gate():
    settings = written(
        timeout_seconds=300,
        prometheus={**SERVER, "bearer_token_env": "PROM_TOKEN", "request_timeout_seconds": 3},
        latency={
            "source": "prometheus",
            "labels": {"color": "{color}"},
            "except_labels": {"path": ["/metrics"]},
            "metric": "rpc_seconds",
            "quantile": 0.95,
            "limit_seconds": 0.25,
            "min_samples": 50,
            "window_seconds": 30,
            "requests": {"path": "/cart", "rate": 5, "timeout_seconds": 2},
            "compare": {"alpha": 0.05, "max_ratio": 2, "min_samples": 70},
            "no_data": "inconclusive",
            "slow": False,
            "dry_run": True,
        },
        errors={"path": "/admin/metrics", "member_from": {"header": "X-Pod"}, "max_share": 0.01},
        promql={"queue": {**QUERY, "comparison": ">", "window_seconds": 10, "no_data": "pass"}},
        load={"requests": {"rate": 500}, "window_seconds": 10, "max_error_share": 0.5},
    )

    gates = {gate.name: gate for gate in build_gates(settings)}

    latency, errors, queue, load = (gates[name] for name in ("latency", "errors", "queue", "load"))
    assert latency.meter.server.url == SERVER["url"]
    assert latency.meter.server.bearer_token_env == "PROM_TOKEN"
    assert latency.meter.server.request_timeout_seconds == 3
    assert latency.meter.selection.except_labels == {"path": ("/metrics",)}
    assert (latency.meter.window.seconds, latency.meter.window.requests.path) == (30, "/cart")
    assert (latency.metric.metric, latency.quantile, latency.limit_seconds) == (
        "rpc_seconds",
        0.95,
        0.25,
    )
    assert (latency.min_samples, latency.compare.alpha) == (50, 0.05)
    assert (latency.no_data, latency.is_slow, latency.is_dry_run) == (
        NoData.INCONCLUSIVE,
        False,
        True,
    )
    assert (errors.meter.path, errors.meter.member_from.header) == ("/admin/metrics", "X-Pod")
    assert errors.max_share == 0.01
    assert (queue.comparison, queue.window_seconds, queue.no_data) == (">", 10, "pass")
    assert (load.requests.rate, load.max_error_share) == (500, 0.5)


@pytest.mark.parametrize(
    ("gates", "key"),
    [
        ({"load": {"requests": {"rate": 501}}}, "load.requests.rate"),
        ({"load": {"window_seconds": 601}}, "load.window_seconds"),
        ({"latency": {"quantile": 1}}, "latency.quantile"),
        ({"latency": {"metric": "a b"}}, "latency.metric"),
        ({"latency": {"labels": {"a-b": "c"}}}, "latency.labels.a-b.[key]"),
        ({"latency": {"no_data": "ignore"}}, "latency.no_data"),
        ({"errors": {"compare": {"alpha": 0.5}}}, "errors.compare.alpha"),
        ({"errors": {"requests": {"path": "cart"}}}, "errors.requests.path"),
        ({"promql": {"a": {**QUERY, "limit": float("nan")}}}, "promql.a.limit"),
        ({"promql": {"a": {**QUERY, "comparison": "="}}}, "promql.a.comparison"),
        ({"prometheus": {"url": "prometheus:9090"}}, "prometheus.url"),
        ({"prometheus": {"url": "http://prometheus?x=1"}}, "prometheus.url"),
        (
            {"prometheus": {**SERVER, "bearer_token_env": "eyJhbGciOi"}},
            "prometheus.bearer_token_env",
        ),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused_by_its_key(gates, key):
    assert problem_of(**{"prometheus": SERVER, **gates})[0] == key


@pytest.mark.parametrize(
    ("gates", "text"),
    [
        ({"latency": {"window_seconds": 86}}, "do not fit into timeout_seconds 90"),
        ({"load": {"window_seconds": 51}}, "do not fit into timeout_seconds 60"),
        ({"latency": {"window_seconds": 200, "timeout_seconds": 300}}, "latency takes 205 s"),
        ({"latency": {"source": "prometheus"}}, "latency.source ask a Prometheus server"),
        ({"promql": {"a": QUERY}}, "promql.a ask a Prometheus server"),
        ({"errors": {"member_from": {"header": "a", "label": "b"}}}, "one is enough"),
        ({"load": {}, "http": {"load": {"path": "/"}}}, "more than one gate is called load"),
    ],
)
def test_values_that_do_not_fit_together_are_refused_with_the_reason(gates, text):
    assert text in problem_of(**gates)[1]


def test_a_password_in_the_address_is_refused_and_not_shown():
    with pytest.raises(ValidationError) as caught:
        written(prometheus={"url": "https://shop:hunter2@prometheus.internal"})

    assert "hunter2" not in str(caught.value.errors()[0]["msg"])


def test_names_that_were_free_before_are_free_where_there_is_no_such_gate():
    assert "load" in written(http={"load": {"path": "/"}}).http
