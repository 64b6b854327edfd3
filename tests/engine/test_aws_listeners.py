"""What the scenarios' plain listener does not have: a rule on a shared one, TLS, alarms.

The proxy that stands in for the load balancer speaks plain HTTP on every listener; certificates and
policies are compared as the API has them.
"""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from bluegreen.aws.weights import forward_weights, route_of
from bluegreen.traffic import TrafficSplit
from tests.engine.aws_driver import PRODUCTION, TEST, AwsDriver, Region, aws_driver

BLUE, GREEN = TrafficSplit(blue=100, green=0), TrafficSplit(blue=0, green=100)
SECURE = 443
OLD_POLICY = "ELBSecurityPolicy-TLS-1-2-2017-01"
ERRORS = "shop-{color}-errors"


def answering(status: int) -> dict[str, Any]:
    return {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": str(status)}}


@pytest.fixture
def driver(region: Region) -> Iterator[AwsDriver]:
    """Blue 1.0 and green 1.1, one member each; nothing is made yet."""
    with aws_driver(region) as driver:
        driver.configure("active_color", "blue")
        driver.configure("blue", {"release": "1.0", "replicas": 1})
        driver.configure("green", {"release": "1.1", "replicas": 1})
        yield driver


class Shared:
    """A listener on port 80 that is somebody else's, with a rule of theirs."""

    def __init__(self, driver: AwsDriver) -> None:
        self.driver = driver
        self.listener = driver.elb.create_listener(
            LoadBalancerArn=driver.balancer,
            Protocol="HTTP",
            Port=PRODUCTION,
            DefaultActions=[answering(404)],
        )["Listeners"][0]["ListenerArn"]
        theirs = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/theirs"]}}
        driver.elb.create_rule(
            ListenerArn=self.listener, Priority=5, Conditions=[theirs], Actions=[answering(418)]
        )

    def rules(self) -> dict[str, Any]:
        """All of them by their priority."""
        found = self.driver.elb.describe_rules(ListenerArn=self.listener)["Rules"]
        return {each["Priority"]: each for each in found}

    def others(self, priority: str) -> dict[str, Any]:
        """Those that are not the service's."""
        return {key: each for key, each in self.rules().items() if key != priority}

    def split(self, priority: str) -> TrafficSplit | None:
        """What the service's rule says."""
        weights = forward_weights(self.rules()[priority]["Actions"])
        route = route_of(weights, self.driver.target_groups())
        return route.split if route else None

    def asked(self, path: str) -> int:
        with httpx.Client(base_url=self.driver.url("production"), trust_env=False) as client:
            return client.get(path).status_code


@pytest.fixture
def shared(driver: AwsDriver) -> Shared:
    shared = Shared(driver)
    # The name by which the proxy is asked here.
    rule = {"listener_arn": shared.listener, "priority": 10, "hosts": ["127.0.0.1"]}
    driver.configure("service.aws.rule", rule)
    return shared


def writes(driver: AwsDriver, since: int) -> list[str]:
    """What has changed the load balancer, in order."""
    calls = driver.cloud.calls[since:]
    return [
        each.action
        for each in calls
        if each.service == "elasticloadbalancing" and not each.action.startswith("Describe")
    ]


@pytest.mark.soak
def test_a_service_is_one_rule_of_a_shared_listener(driver: AwsDriver, shared: Shared):
    others = shared.others("10")

    made = driver.up()
    assert made.ok, made
    assert (shared.split("10"), driver.ask("production")) == (BLUE, {"blue 1.0": 20})
    assert shared.asked("/theirs") == 418

    calls = len(driver.cloud.calls)
    driver.configure("active_color", "green")
    switched = driver.up()
    assert switched.ok, switched
    # The router, and after it the test endpoint's pointer.
    assert writes(driver, calls) == ["ModifyRule", "ModifyRule"]
    assert switched.done == ["router", "flag"]
    assert (shared.split("10"), driver.ask("production")) == (GREEN, {"green 1.1": 20})
    assert driver.ask("test") == {"blue 1.0": 20}

    driver.end_members("blue")
    driver.configure("active_color", "blue")
    refused = driver.up()
    assert not refused.ok
    assert "needed members of blue are ready" in refused.text
    assert (shared.split("10"), driver.ask("production")) == (GREEN, {"green 1.1": 20})
    assert shared.others("10") == others


@pytest.mark.soak
def test_a_rule_goes_back_and_may_have_another_place(driver: AwsDriver, shared: Shared):
    assert driver.up().ok
    driver.configure("active_color", "green")
    assert driver.up().ok

    driver.configure("active_color", "blue")
    back = driver.up(BLUEGREEN_ROLLBACK="blue:the errors")
    assert back.ok, back
    assert back.done == ["router", "flag"]
    assert (shared.split("10"), driver.ask("production")) == (BLUE, {"blue 1.0": 20})

    driver.configure("service.aws.rule.priority", 20)
    moved = driver.up()
    assert moved.ok, moved
    assert moved.done == ["shop", "router"]
    assert (shared.split("20"), driver.ask("production")) == (BLUE, {"blue 1.0": 20})

    others = shared.others("20")
    destroyed = driver.destroy()
    assert destroyed.ok, destroyed
    assert shared.rules() == others


@pytest.fixture
def secure(driver: AwsDriver) -> AwsDriver:
    """Production on 443 with a redirect to it, both with a certificate; gates that ask alarms."""
    production = f"http://127.0.0.1:{driver.cloud.port_for(SECURE)}"
    driver.configure("service.port", SECURE)
    for key, value in {
        "protocol": "HTTPS",
        "certificate_arn": driver.cloud.certificate(),
        "ssl_policy": OLD_POLICY,
        "redirect_http": True,
        "production_url": production,
        "alarm_gate": {"names": [ERRORS], "timeout_seconds": 1},
    }.items():
        driver.configure(f"service.aws.{key}", value)
    for color in ("blue", "green"):
        make_alarm(driver, ERRORS.replace("{color}", color))
    return driver


def make_alarm(driver: AwsDriver, name: str) -> None:
    driver.cloud.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/ApplicationELB",
        MetricName="HTTPCode_Target_5XX_Count",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        Statistic="Sum",
    )


def alarm(driver: AwsDriver, color: str, state: str) -> None:
    driver.cloud.client("cloudwatch").set_alarm_state(
        AlarmName=ERRORS.replace("{color}", color), StateValue=state, StateReason="9 errors"
    )


def listener_on(driver: AwsDriver, port: int) -> dict[str, Any]:
    found = driver.elb.describe_listeners(LoadBalancerArn=driver.balancer)["Listeners"]
    return next(each for each in found if each["Port"] == port)


def split_of(driver: AwsDriver) -> TrafficSplit | None:
    weights = forward_weights(listener_on(driver, SECURE)["DefaultActions"])
    route = route_of(weights, driver.target_groups())
    return route.split if route else None


def answers(driver: AwsDriver) -> set[str]:
    url = f"http://127.0.0.1:{driver.cloud.port_for(SECURE)}/version"
    found = [httpx.get(url, trust_env=False).json() for _ in range(10)]
    return {f"{each['color']} {each['version']}" for each in found}


def test_production_with_tls_is_switched_when_the_alarms_are_quiet(secure: AwsDriver):
    made = secure.up()
    assert made.ok, made
    for port in (SECURE, TEST):
        listener = listener_on(secure, port)
        assert listener["Protocol"] == "HTTPS"
        assert listener["SslPolicy"] == OLD_POLICY
        (certificate,) = listener["Certificates"]
        assert certificate["CertificateArn"] == secure.cloud.certificate()
    assert answers(secure) == {"blue 1.0"}
    redirected = httpx.get(
        f"http://127.0.0.1:{secure.cloud.port_for(PRODUCTION)}/basket?item=1", trust_env=False
    )
    assert redirected.status_code == 301
    assert redirected.headers["location"] == "https://127.0.0.1:443/basket?item=1"

    secure.configure("active_color", "green")
    for state, why in (
        ("ALARM", "shop-green-errors is in ALARM: 9 errors"),
        ("INSUFFICIENT_DATA", "shop-green-errors has no data; wait, or set"),
    ):
        alarm(secure, "green", state)
        refused = secure.up()
        assert not refused.ok
        assert why in refused.text
        assert (split_of(secure), answers(secure)) == (BLUE, {"blue 1.0"})

    alarm(secure, "green", "OK")
    calls = len(secure.cloud.calls)
    switched = secure.up()
    assert switched.ok, switched
    assert writes(secure, calls) == ["ModifyListener", "ModifyRule"]
    assert (split_of(secure), answers(secure)) == (GREEN, {"green 1.1"})

    # The way back does not wait for figures: blue's alarm is of the time before the switch.
    alarm(secure, "blue", "ALARM")
    secure.configure("active_color", "blue")
    back = secure.up(BLUEGREEN_ROLLBACK="blue:the errors")
    assert back.ok, back
    assert (split_of(secure), answers(secure)) == (BLUE, {"blue 1.0"})
    kinds = [event["kind"] for event in secure.events()]
    assert kinds == ["switch", "refusal", "refusal", "switch", "switch"]


@pytest.mark.soak
def test_no_data_may_pass_and_tls_is_changed_without_moving_traffic(secure: AwsDriver):
    assert secure.up().ok
    secure.configure("service.aws.alarm_gate.no_data", "pass")
    secure.configure("active_color", "green")
    alarm(secure, "green", "INSUFFICIENT_DATA")
    switched = secure.up()
    assert switched.ok, switched

    # Held up by nobody: no share rises.
    alarm(secure, "green", "ALARM")
    secure.configure("service.aws.ssl_policy", "ELBSecurityPolicy-TLS13-1-2-2021-06")
    changed = secure.up()
    assert changed.ok, changed
    assert changed.done == ["shop", "router"]
    assert listener_on(secure, SECURE)["SslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-2021-06"
    assert (split_of(secure), answers(secure)) == (GREEN, {"green 1.1"})

    # Told by the preview, before anything is written.
    secure.configure("service.aws.alarm_gate.names", ["nobody"])
    secure.configure("active_color", "blue")
    refused = secure.up()
    assert not refused.ok
    assert "there is no alarm nobody" in refused.text


@pytest.mark.soak
def test_who_may_use_the_test_endpoint_may_have_ipv6(driver: AwsDriver):
    driver.configure("service.aws.test_allowed_cidrs", ["192.0.2.0/24", "2001:db8::/32"])
    made = driver.up()
    assert made.ok, made

    assert opened(driver) == {"192.0.2.0/24", "2001:db8::/32"}
    driver.configure("service.aws.test_allowed_cidrs", ["2001:DB8::/32"])
    narrowed = driver.up()
    assert narrowed.ok, narrowed
    assert narrowed.done == ["shop-test-from-192-0-2-0-24"]
    assert opened(driver) == {"2001:db8::/32"}


def opened(driver: AwsDriver) -> set[str]:
    group = driver.cloud.security_group()
    found = driver.cloud.client("ec2").describe_security_groups(GroupIds=[group])
    permissions = found["SecurityGroups"][0]["IpPermissions"]
    return {
        each.get("CidrIp") or each["CidrIpv6"]
        for permission in permissions
        if permission["FromPort"] == TEST
        for each in (*permission["IpRanges"], *permission["Ipv6Ranges"])
    }
