"""What users are told when AWS refuses in the middle of a switch, and what is left half done.

Each failure with its message, with who has the traffic then, and with the next `pulumi up`, which
finishes. What somebody changed by hand between two updates is in `test_aws_drift`.
"""

import re
from collections.abc import Iterator

import pytest

from bluegreen.traffic import TrafficSplit
from tests.engine.aws_driver import AwsDriver, Region, aws_driver
from tests.engine.pulumi_stack import Result

BLUE, GREEN = TrafficSplit(blue=100, green=0), TrafficSplit(blue=0, green=100)
OFTEN = 100
GO_ON = "`pulumi up --refresh` goes on from there"
WAIT = f"AWS has too many requests of this account: wait a minute; then {GO_ON}"
AT_BLUE = "production traffic goes to 100 % blue 1.0"
AT_GREEN = "production traffic goes to 100 % green 1.1"
NOT_MOVED = "production traffic has not been moved"
# What only those know who wrote it.
INTERNALS = re.compile(r"Traceback|boto|ClientError|CredentialsError|EndpointConnection|\.py\b")


@pytest.fixture(scope="module")
def shared(region: Region) -> Iterator[AwsDriver]:
    with aws_driver(region) as driver:
        driver.configure("active_color", "blue")
        driver.configure("blue", {"release": "1.0", "replicas": 1})
        driver.configure("green", {"release": "1.1", "replicas": 1})
        driver.configure("service.gates.timeout_seconds", 10)
        driver.configure("service.gates.capacity.timeout_seconds", 8)
        driver.arrange()
        yield driver


@pytest.fixture
def both(shared: AwsDriver) -> Iterator[AwsDriver]:
    """Blue 1.0 is live, green 1.1 is deployed and idle, one member each."""
    config = shared.stack.config_file.read_text()
    yield shared
    shared.cloud.heal()
    if stands(shared) != (BLUE, "blue", "blue"):
        shared.configure("active_color", "blue")
        shared.arrange(refresh=True)
    if shared.stack.config_file.read_text() != config:
        # Only now: a color with traffic keeps its release.
        shared.stack.config_file.write_text(config)
        shared.arrange(refresh=True)


def stands(driver: AwsDriver) -> tuple[TrafficSplit | None, str, str]:
    """Who is active by the listener, by the flag, and by the stack's outputs."""
    flag = driver.cloud.client("ssm").get_parameter(Name="/shop/active-color")
    return driver.live(), flag["Parameter"]["Value"], driver.outputs()["active_color"]


def told(result: Result) -> list[str]:
    """The last diagnostics, line by line; each is checked to be for users."""
    *_, last = result.text.split("Diagnostics:\n")
    lines = [
        re.sub(r"^(error|warning): (Preview failed: )?", "", line.strip())
        for line in last.split("\nOutputs:\n")[0].splitlines()
    ]
    found = [line for line in lines if line and "from $PATH at" not in line]
    assert [line for line in found if INTERNALS.search(line)] == [], result
    return found


def assert_failed(result: Result, line: str) -> None:
    """The line is said, whole or in its beginning, and once."""
    assert not result.ok, result
    lines = told(result)
    assert sum(each.startswith(line) for each in lines) == 1, "\n".join([line, *lines])


def assert_the_next_update_finishes(driver: AwsDriver, *, release: str = "1.1") -> Result:
    driver.cloud.heal()
    # Without the refresh the state has what was to be written, and nobody writes it again.
    result = driver.up(refresh=True)
    assert result.ok, result
    preview = driver.stack.preview()
    assert preview.ok, preview
    assert preview.plan == []
    assert stands(driver) == (GREEN, "green", "green")
    assert driver.ask("production") == {f"green {release}": 20}
    return result


# AWS refuses what the provider writes.


@pytest.mark.parametrize(
    "code",
    ["Throttling", pytest.param("RequestLimitExceeded", marks=pytest.mark.soak)],
)
def test_a_write_that_is_throttled_moves_nothing(both: AwsDriver, code: str):
    both.configure("active_color", "green")
    both.cloud.throttle("ModifyListener", OFTEN, code)

    refused = both.up()

    assert_failed(refused, f"shop: updating shop-route failed; {AT_BLUE}; {WAIT}")
    assert stands(both) == (BLUE, "blue", "blue")
    assert_the_next_update_finishes(both)


@pytest.mark.parametrize("status", [pytest.param(500, marks=pytest.mark.soak), 503])
def test_a_write_whose_answer_is_lost_is_told_as_what_it_is(both: AwsDriver, status: int):
    both.configure("active_color", "green")
    both.cloud.fail("ModifyListener", OFTEN, status=status, is_done_first=True)

    failed = both.up()

    assert_failed(failed, f"shop: updating shop-route failed; {AT_GREEN}; {GO_ON}")
    assert stands(both) == (GREEN, "blue", "green")
    assert_the_next_update_finishes(both)


@pytest.mark.soak
@pytest.mark.parametrize(
    ("action", "resource", "flag"),
    [("PutParameter", "shop-flag", "blue"), ("ModifyRule", "shop-test", "green")],
)
@pytest.mark.parametrize("is_done_first", [False, True])
def test_a_follower_that_cannot_be_written_is_written_by_the_next(
    both: AwsDriver, action: str, resource: str, flag: str, *, is_done_first: bool
):
    both.configure("active_color", "green")
    both.cloud.fail(action, OFTEN, is_done_first=is_done_first)

    failed = both.up()

    assert_failed(failed, f"shop: updating {resource} failed; {AT_GREEN}; {GO_ON}")
    done = "green" if is_done_first else flag
    assert stands(both) == (GREEN, done, "green")
    assert_the_next_update_finishes(both)


@pytest.mark.soak
@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("UpdateAutoScalingGroup", "shop-green-members"),
        ("CreateLaunchTemplateVersion", "shop-green-template"),
    ],
)
@pytest.mark.parametrize("is_done_first", [False, True])
def test_a_deployment_that_fails_is_not_switched_to_until_the_next_one(
    both: AwsDriver, action: str, resource: str, *, is_done_first: bool
):
    both.configure("green.release", "1.2")
    both.configure("active_color", "green")
    both.cloud.fail(action, OFTEN, status=503, is_done_first=is_done_first)

    failed = both.up()

    assert_failed(failed, f"shop: updating {resource} failed; {AT_BLUE}; {GO_ON}")
    assert stands(both) == (BLUE, "blue", "blue")
    assert both.ask("production") == {"blue 1.0": 20}
    assert_the_next_update_finishes(both, release="1.2")


@pytest.mark.soak
@pytest.mark.parametrize(
    "action", ["ModifyListener", "PutParameter", "DescribeListeners", "DescribeTargetHealth"]
)
def test_what_is_refused_once_or_twice_is_tried_again_without_a_word(both: AwsDriver, action: str):
    both.configure("active_color", "green")
    both.cloud.throttle(action, 2)

    result = both.up()

    assert result.ok, result
    assert "Throttling" not in result.text
    assert_the_next_update_finishes(both)


# AWS refuses what the hooks ask.


@pytest.mark.soak
def test_without_the_health_of_the_members_nothing_is_moved(both: AwsDriver):
    both.configure("active_color", "green")
    both.cloud.throttle("DescribeTargetHealth", OFTEN)

    refused = both.up()

    assert not refused.ok, refused
    (line,) = [each for each in told(refused) if each.startswith("capacity: ")]
    # Its time may end within a question: then it is what it has met before.
    assert (
        "green could not be asked: elasticloadbalancing:DescribeTargetHealth answers "
        "Throttling: Rate exceeded, 4 times in a row; AWS has too many requests of this account"
    ) in line
    assert "refused; production traffic has not moved" in refused.text
    assert stands(both) == (BLUE, "blue", "blue")
    assert_the_next_update_finishes(both)


@pytest.mark.soak
def test_without_the_listener_nothing_is_moved(both: AwsDriver):
    both.configure("active_color", "green")
    both.cloud.fail("DescribeListeners", OFTEN)

    refused = both.up()

    assert_failed(
        refused,
        'before hook "shop-router-gate" failed: shop: cannot tell who is live: '
        "elasticloadbalancing:DescribeListeners answers InternalFailure: An internal failure has "
        f"occurred; {NOT_MOVED}",
    )
    both.cloud.heal()
    assert stands(both) == (BLUE, "blue", "blue")
    assert_the_next_update_finishes(both)


# Somebody deletes the listener in mid-way.


@pytest.mark.soak
def test_a_listener_that_is_gone_is_made_again_for_the_color_that_has_passed_its_gates(
    both: AwsDriver,
):
    listener = both.listener()
    assert listener is not None
    both.elb.delete_listener(ListenerArn=listener["ListenerArn"])
    both.configure("active_color", "green")

    refused = both.up()

    arn = listener["ListenerArn"]
    assert_failed(
        refused,
        'before hook "shop-router-guard" failed: shop: the listener in the state is not there any '
        f"more ({arn}): it was removed by hand, and `pulumi up --refresh` makes it again; "
        "production traffic has not been moved by this update",
    )
    assert both.live() is None
    again = both.up(refresh=True)
    assert again.ok, again
    assert_the_next_update_finishes(both)


# Who asks, and where.


def test_without_credentials_of_the_hooks_nothing_is_moved(both: AwsDriver):
    both.configure("active_color", "green")

    refused = both.up(AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")

    assert_failed(
        refused,
        'before hook "shop-router-gate" failed: shop: cannot tell who is live: '
        "elasticloadbalancing:DescribeListeners has no answer: there are no AWS credentials; set "
        f"a profile, or AWS_ACCESS_KEY_ID and its secret; {NOT_MOVED}",
    )
    assert stands(both) == (BLUE, "blue", "blue")


@pytest.mark.soak
def test_without_any_credentials_the_provider_says_so_in_the_preview(both: AwsDriver):
    both.configure("active_color", "green")

    refused = both.up(AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="", PULUMI_DEBUG_PROVIDERS="")

    assert not refused.ok
    assert any("No valid credential sources found" in line for line in told(refused)), refused
    assert refused.done == []
    assert stands(both) == (BLUE, "blue", "blue")


@pytest.mark.soak
def test_a_token_that_has_expired_is_told_with_what_to_do(both: AwsDriver):
    both.configure("active_color", "green")
    both.cloud.throttle("DescribeListeners", OFTEN, "ExpiredToken")
    asked = both.up()
    both.cloud.heal()
    both.cloud.throttle("ModifyListener", OFTEN, "ExpiredToken")
    written = both.up()

    again = "log in again, or get a new token"
    assert_failed(
        asked,
        'before hook "shop-router-gate" failed: shop: cannot tell who is live: '
        "elasticloadbalancing:DescribeListeners is refused: the credentials have expired "
        f"(ExpiredToken); {again}; {NOT_MOVED}",
    )
    assert_failed(written, f"shop: updating shop-route failed; {AT_BLUE}; {again}; then {GO_ON}")
    assert stands(both) == (BLUE, "blue", "blue")
    assert_the_next_update_finishes(both)


ELSEWHERE = (
    "shop:service.aws.load_balancer_arn: the load balancer is in us-east-1, and this update works "
    "in eu-west-1; nothing was changed; `pulumi config set aws:region us-east-1`, or set "
    "AWS_REGION to it, "
)


def test_another_region_of_the_hooks_than_the_load_balancers_is_refused(both: AwsDriver):
    both.configure("active_color", "green")

    refused = both.up(AWS_REGION="eu-west-1")

    assert_failed(refused, ELSEWHERE)
    assert refused.done == []
    assert stands(both) == (BLUE, "blue", "blue")


@pytest.mark.soak
def test_another_region_of_the_provider_is_refused_before_it_makes_everything_anew(
    both: AwsDriver,
):
    both.configure("active_color", "green")
    both.stack.configure_in("aws", "region", "eu-west-1")

    preview, refused = both.preview(), both.up()

    assert_failed(preview, ELSEWHERE)
    assert_failed(refused, ELSEWHERE)
    assert stands(both) == (BLUE, "blue", "blue")


# What the config names is not there.


@pytest.mark.soak
def test_a_certificate_that_is_not_there_is_told_by_its_key(aws: AwsDriver):
    aws.configure("service.aws.protocol", "HTTPS")
    aws.configure("service.aws.certificate_arn", aws.cloud.certificate())
    made = aws.up()
    assert made.ok, made
    nobody = re.sub(r"/.*", "/00000000-0000-0000-0000-000000000000", aws.cloud.certificate())
    aws.configure("service.aws.certificate_arn", nobody)

    failed = aws.up()

    assert_failed(
        failed,
        'before hook "shop-ground-guard" failed: shop:service.aws.certificate_arn: there is no '
        f"certificate {nobody}; nothing was changed; ",
    )
    assert aws.live() == BLUE
    aws.configure("service.aws.certificate_arn", aws.cloud.certificate())
    again = aws.up()
    assert again.ok, again
    assert aws.stack.preview().plan == []


@pytest.mark.soak
def test_a_load_balancer_that_is_not_there_is_told_by_its_key(aws: AwsDriver):
    aws.configure("service.aws.load_balancer_arn", f"{aws.balancer[:-4]}0000")

    failed = aws.up()

    assert_failed(
        failed,
        'before hook "shop-ground-guard" failed: shop:service.aws.load_balancer_arn: there is no '
        f"load balancer {aws.balancer[:-4]}0000 in this account; nothing was changed; ",
    )
    aws.configure("service.aws.load_balancer_arn", aws.balancer)
    again = aws.up()
    assert again.ok, again
    assert aws.live() == BLUE
