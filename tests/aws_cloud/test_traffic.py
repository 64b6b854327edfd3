"""Requests follow listeners, rules, weights and health: what a client of the load balancer sees."""

import http.client
import time
import urllib.error
import urllib.request
from collections import Counter
from typing import Any

import pytest

from bluegreen.load import BackgroundLoad, LoadPlan, Recording, Switch, summarize
from tests.aws_cloud.shop import COLORS, Shop, wait
from tests.ports import free_port

RATE = 500


@pytest.fixture
def serving(shop: Shop) -> Shop:
    """One healthy instance of each color."""
    for color in COLORS:
        shop.add_fleet(color, 1)
    for color in COLORS:
        shop.wait_states(color, "healthy")
    return shop


def load_on(shop: Shop, path: str = "/", seconds: float = 60) -> BackgroundLoad:
    return BackgroundLoad(
        LoadPlan(url=shop.url(path), rate=RATE, seconds=seconds, connections=128, fresh_share=0.3)
    )


def colors(shop: Shop, count: int, **headers: str) -> Counter[str]:
    return Counter(shop.color(**headers) for _ in range(count))


def ask(shop: Shop, path: str, **headers: str) -> http.client.HTTPResponse:
    """Follows no redirect, and takes any status."""
    port = shop.cloud.port_of(shop.listener)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("GET", path, headers=names)
    answer = connection.getresponse()
    answer.body = answer.read()  # type: ignore[attr-defined]
    connection.close()
    return answer


def add_rule(shop: Shop, priority: int, color: str, *conditions: dict[str, Any]) -> str:
    made = shop.elb.create_rule(
        ListenerArn=shop.listener,
        Priority=priority,
        Conditions=list(conditions),
        Actions=shop.active(color),
    )
    return str(made["Rules"][0]["RuleArn"])


def header(name: str, *values: str) -> dict[str, Any]:
    config = {"HttpHeaderName": name, "Values": list(values)}
    return {"Field": "http-header", "HttpHeaderConfig": config}


def path(*values: str) -> dict[str, Any]:
    return {"Field": "path-pattern", "PathPatternConfig": {"Values": list(values)}}


def host(*values: str) -> dict[str, Any]:
    return {"Field": "host-header", "HostHeaderConfig": {"Values": list(values)}}


@pytest.mark.alone
def test_twenty_switches_under_load_lose_nothing_and_nothing_is_stale(serving: Shop) -> None:
    reloads = serving.cloud.reloads
    switches, took = [], []
    with load_on(serving) as load:
        time.sleep(0.5)
        for number in range(20):
            before, after = COLORS[number % 2], COLORS[1 - number % 2]
            started = time.monotonic()
            serving.switch(after)
            switches.append(Switch(before, after, started, time.monotonic()))
            took.append(time.monotonic() - started)
            time.sleep(0.3)
        recording = load.stop()

    report = summarize(recording, switches)
    print(f"ms: {[round(1000 * each) for each in sorted(took)]}; {report.to_json()}")
    assert report.failed == 0
    assert report.stale == 0
    assert set(report.answers) == set(COLORS)
    assert serving.cloud.reloads == reloads


@pytest.mark.alone
def test_rules_and_instances_that_come_and_go_under_load_cost_nothing(serving: Shop) -> None:
    with load_on(serving) as load:
        time.sleep(0.3)
        for number in range(2):
            rule = add_rule(serving, 1 + number, "green", path("/elsewhere"))
            serving.scaling.set_desired_capacity(AutoScalingGroupName="blue", DesiredCapacity=3)
            serving.wait_states("blue", "healthy", "healthy", "healthy")
            serving.elb.delete_rule(RuleArn=rule)
            serving.scaling.set_desired_capacity(AutoScalingGroupName="blue", DesiredCapacity=1)
            wait(lambda: len(serving.instances("blue")) == 1)
        recording: Recording = load.stop()

    assert not recording.failures()


def test_weights_are_shares_of_the_requests(serving: Shop) -> None:
    serving.elb.modify_listener(
        ListenerArn=serving.listener, DefaultActions=serving.forward(blue=3, green=1)
    )

    found = colors(serving, 400)

    # Three standard deviations of 400 throws are 26.
    assert 70 <= found["green"] <= 130


def test_no_weight_at_all_is_status_503(serving: Shop) -> None:
    serving.elb.modify_listener(ListenerArn=serving.listener, DefaultActions=serving.forward())

    assert ask(serving, "/").status == 503


def test_the_first_rule_that_fits_is_taken(serving: Shop) -> None:
    add_rule(serving, 20, "green", path("/green*"))
    add_rule(serving, 10, "blue", path("/green/but-blue"))

    assert ask(serving, "/green/page").headers["X-Bluegreen-Color"] == "green"
    assert ask(serving, "/green/but-blue").headers["X-Bluegreen-Color"] == "blue"
    assert ask(serving, "/GREEN/page").headers["X-Bluegreen-Color"] == "blue"


def test_a_rule_needs_all_its_conditions_and_any_of_their_values(serving: Shop) -> None:
    add_rule(serving, 1, "green", header("X-Color", "green", "gr?y"), host("*.example.com"))

    def color(**headers: str) -> str | None:
        return ask(serving, "/", **headers).headers["X-Bluegreen-Color"]

    assert color(X_Color="GREEN", Host="shop.Example.com:443") == "green"
    assert color(X_Color="grey", Host="shop.example.com") == "green"
    assert color(X_Color="gray2", Host="shop.example.com") == "blue"
    assert color(X_Color="green", Host="example.com") == "blue"
    assert color(Host="shop.example.com") == "blue"


def test_queries_methods_and_sources_are_conditions_too(serving: Shop) -> None:
    query = {
        "Field": "query-string",
        "QueryStringConfig": {"Values": [{"Key": "v", "Value": "2*"}]},
    }
    method = {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET"]}}
    source = {"Field": "source-ip", "SourceIpConfig": {"Values": ["127.0.0.0/8"]}}
    add_rule(serving, 1, "green", query, method, source)

    assert ask(serving, "/?a=1&v=21").headers["X-Bluegreen-Color"] == "green"
    assert ask(serving, "/?v=12").headers["X-Bluegreen-Color"] == "blue"


def test_a_rule_that_is_changed_is_followed_without_a_reload(serving: Shop) -> None:
    rule = add_rule(serving, 1, "green", header("X-Test", "1"))
    reloads = serving.cloud.reloads

    serving.elb.modify_rule(RuleArn=rule, Actions=serving.active("blue"))

    assert serving.color(X_Test="1") == "blue"
    assert serving.cloud.reloads == reloads


def test_a_fixed_response_is_the_load_balancers_own(serving: Shop) -> None:
    config = {"StatusCode": "503", "ContentType": "application/json", "MessageBody": '{"a": "\'b"}'}
    action = {"Type": "fixed-response", "FixedResponseConfig": config}
    serving.elb.modify_listener(ListenerArn=serving.listener, DefaultActions=[action])

    answer = ask(serving, "/")

    assert (answer.status, answer.body) == (503, b'{"a": "\'b"}')  # type: ignore[attr-defined]
    assert answer.headers["Content-Type"] == "application/json"


def test_a_fixed_response_may_have_no_body(serving: Shop) -> None:
    action = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    serving.elb.modify_listener(ListenerArn=serving.listener, DefaultActions=[action])

    answer = ask(serving, "/")

    assert (answer.status, answer.body) == (404, b"")  # type: ignore[attr-defined]


def test_a_redirect_keeps_what_it_does_not_name(serving: Shop) -> None:
    config = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
    action = {"Type": "redirect", "RedirectConfig": config}
    serving.listener = serving.add_listener(80, [action], protocol="HTTP")

    answer = ask(serving, "/a/b?c=d", Host="shop.example.com")

    assert answer.status == 301
    assert answer.headers["Location"] == "https://shop.example.com:443/a/b?c=d"
    assert ask(serving, "/a", Host="x").headers["Location"] == "https://x:443/a"


def test_a_client_stays_with_its_group_while_stickiness_is_on(serving: Shop) -> None:
    half = serving.forward(blue=1, green=1, sticky_seconds=60)
    serving.elb.modify_listener(ListenerArn=serving.listener, DefaultActions=half)
    answer = ask(serving, "/")
    cookie = answer.headers["Set-Cookie"].split(";")[0]
    color = answer.headers["X-Bluegreen-Color"]

    assert cookie.startswith("AWSALBTG=")
    assert colors(serving, 20, Cookie=cookie) == {color: 20}
    assert len(colors(serving, 40)) == 2

    without = serving.forward(blue=1, green=1)
    serving.elb.modify_listener(ListenerArn=serving.listener, DefaultActions=without)
    assert len(colors(serving, 40, Cookie=cookie)) == 2


def test_an_unhealthy_instance_gets_nothing_until_all_are(shop: Shop) -> None:
    shop.add_fleet("blue", 1)
    shop.wait_states("blue", "healthy")
    shop.add_template("broken", options="--mode never-ready")
    group = {"LaunchTemplateName": "broken", "Version": "$Latest"}
    shop.scaling.create_auto_scaling_group(
        AutoScalingGroupName="broken",
        MinSize=1,
        MaxSize=1,
        LaunchTemplate=group,
        TargetGroupARNs=[shop.groups["blue"]],
        VPCZoneIdentifier=",".join(shop.cloud.subnets()),
    )
    shop.wait_states("blue", "healthy", "unhealthy")

    assert colors(shop, 20) == {"blue": 20}

    shop.scaling.set_desired_capacity(AutoScalingGroupName="blue", DesiredCapacity=0)
    wait(lambda: shop.states("blue") == ["unhealthy"])
    # It fails open: better an unhealthy instance than none.
    assert shop.color() == "broken"


def test_a_group_without_instances_is_status_503(serving: Shop) -> None:
    serving.scaling.set_desired_capacity(AutoScalingGroupName="blue", DesiredCapacity=0)
    wait(lambda: not serving.states("blue"))

    assert ask(serving, "/").status == 503


def test_instances_are_told_how_the_client_came(shop: Shop) -> None:
    shop.run_alone(
        "exec python -c 'import http.server, os;"
        'H = type("H", (http.server.BaseHTTPRequestHandler,), {"do_GET": lambda s:'
        " (s.send_response(200), s.end_headers(), s.wfile.write(str(s.headers).encode()))});"
        'http.server.HTTPServer((os.environ["BLUEGREEN_TEST_HOST"], 8080), H).serve_forever()\''
    )
    wait(lambda: shop.is_running(shop.alone))
    targets = [{"Id": shop.alone}]
    shop.elb.register_targets(TargetGroupArn=shop.groups["blue"], Targets=targets)
    wait(lambda: shop.states("blue") == ["healthy"])

    with urllib.request.urlopen(shop.url()) as answer:
        told = answer.read().decode().lower()

    assert "x-forwarded-proto: https" in told
    assert "x-forwarded-port: 443" in told
    assert "x-forwarded-for: 127.0.0.1" in told


def test_traffic_follows_later_if_it_is_to(serving: Shop) -> None:
    serving.cloud.lag_traffic(0.5)

    serving.switch("green")

    assert serving.color() == "blue"
    wait(lambda: serving.color() == "green", seconds=3)


def test_a_listener_that_is_gone_does_not_listen(serving: Shop) -> None:
    url = serving.url()
    serving.elb.delete_listener(ListenerArn=serving.listener)

    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(url, timeout=2)


def test_a_listener_that_is_made_anew_is_where_the_one_before_was(serving: Shop) -> None:
    url = serving.url()
    serving.elb.delete_listener(ListenerArn=serving.listener)
    serving.listener = serving.add_listener(443, serving.active("green"))

    assert serving.url() == url
    assert serving.cloud.port_for(443) == serving.cloud.port_of(serving.listener)
    assert serving.color() == "green"


def test_a_port_of_the_load_balancer_is_known_before_a_listener_has_it(serving: Shop) -> None:
    port = serving.cloud.port_for(8443)

    listener = serving.add_listener(8443, serving.active("blue"))

    assert serving.cloud.port_of(listener) == port != serving.cloud.port_for(443)
    assert serving.color(listener) == "blue"


def test_a_listener_is_at_its_own_port_where_programs_take_any_and_it_is_free(
    serving: Shop,
) -> None:
    own = next(port for port in iter(free_port, None) if port >= 20_000)

    listener = serving.add_listener(own, serving.active("blue"))

    assert serving.cloud.port_of(listener) == own
    assert serving.color(listener) == "blue"
