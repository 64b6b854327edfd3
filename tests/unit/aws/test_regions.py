import pytest

from bluegreen.aws.regions import elsewhere
from bluegreen.errors import DataPlaneError
from tests.unit.aws.answers import BALANCER, FakeAws, anchors_of


def test_a_load_balancer_of_another_region_is_told_with_both_and_what_to_set():
    wrong = elsewhere(BALANCER, "us-east-1")

    assert wrong is not None
    assert wrong.problem == "the load balancer is in eu-west-1, and this update works in us-east-1"
    assert wrong.advice.startswith("`pulumi config set aws:region eu-west-1`")


@pytest.mark.parametrize(
    ("arn", "region"),
    [
        (BALANCER, "eu-west-1"),
        (BALANCER, None),
        ("no ARN", "us-east-1"),
        (None, "us-east-1"),
        ("arn:aws:elasticloadbalancing::123456789012:loadbalancer/app/a/1", "us-east-1"),
    ],
)
def test_nothing_is_said_where_nothing_is_wrong_or_nobody_knows(arn, region):
    assert elsewhere(arn, region) is None


def test_one_that_only_the_hooks_know_is_not_asked_in_the_wrong_region():
    aws = FakeAws()
    aws.known_region = "us-east-1"

    with pytest.raises(DataPlaneError, match="the load balancer is in eu-west-1"):
        anchors_of(aws).load_balancer()
    assert aws.asked == []
