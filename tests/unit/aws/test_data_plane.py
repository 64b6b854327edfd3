from datetime import UTC, datetime

import pytest

from bluegreen.aws.active_flag import LiveFlag
from bluegreen.aws.data_plane import AwsDataPlane
from bluegreen.aws.endpoints import Endpoints
from bluegreen.aws.groups import Groups
from bluegreen.aws.live_router import LiveListener
from bluegreen.errors import DataPlaneError
from bluegreen.traffic import TrafficSplit
from tests.components.aws_service import config_of
from tests.unit.aws.answers import (
    ARNS,
    BLUE,
    GREEN,
    NAMES,
    FakeAws,
    a_forward,
    a_group,
    a_listener,
    a_target,
    anchors_of,
    groups_of,
)

ALL_GREEN = TrafficSplit.all_to(GREEN)


def a_plane(*, propagation=0.0, settings=None, **answers):
    aws = FakeAws(
        **{
            "describe_listeners": {"Listeners": [a_listener(a_forward(blue=0, green=100))]},
            "describe_auto_scaling_groups": groups_of(blue=a_group("blue")),
        }
        | answers
    )
    anchors = anchors_of(aws)
    return aws, AwsDataPlane(
        aws,
        anchors,
        Groups(aws, NAMES),
        LiveListener(443, aws, anchors),
        LiveFlag(aws, NAMES),
        Endpoints(settings or config_of().service),
        propagation_seconds=propagation,
    )


def health(**states):
    """What the load balancer says, by color."""

    def answer(TargetGroupArn):  # noqa: N803
        color = next(color for color, arn in ARNS.items() if arn == TargetGroupArn)
        targets = [
            a_target(f"i-{color}-{index}", state) for index, state in enumerate(states[color])
        ]
        return {"TargetHealthDescriptions": targets}

    return answer


def test_readiness_is_what_the_load_balancer_says_about_the_groups_members():
    _, plane = a_plane(describe_target_health=health(blue=["healthy", "unhealthy"]))

    found = plane.readiness(BLUE)

    assert (found.ready, found.desired) == (1, 2)


def test_activities_are_only_asked_for_where_members_are_missing():
    aws, plane = a_plane(describe_target_health=health(blue=["healthy", "healthy"]))
    plane.readiness(BLUE)
    assert "describe_scaling_activities" not in aws.operations

    failed = {"Activities": [{"StatusCode": "Failed", "StatusMessage": "no capacity"}]}
    _, plane = a_plane(
        describe_target_health=health(blue=[]),
        describe_auto_scaling_groups=groups_of(blue=a_group(instances=[])),
        describe_scaling_activities=failed,
    )
    assert plane.readiness(BLUE).note == "2 could not be started: no capacity"


def test_a_group_that_is_being_deleted_is_none():
    going = groups_of(blue=a_group(Status="Delete in progress"))
    _, plane = a_plane(describe_auto_scaling_groups=going)

    assert plane.readiness(BLUE).desired == 0
    assert plane.release(BLUE) is None


def test_the_release_is_what_the_group_says():
    _, plane = a_plane()

    assert (plane.release(BLUE), plane.release(GREEN)) == ("1.0", None)


def test_requests_of_a_color_are_not_counted():
    _, plane = a_plane()

    assert plane.sessions(BLUE) is None
    assert plane.left_behind(BLUE) is None


def test_each_color_is_asked_on_the_test_endpoint_by_its_header():
    _, plane = a_plane()

    endpoint = plane.pinned_endpoint(GREEN)

    assert endpoint.url == "https://shop.example:8443"
    assert endpoint.headers == {"X-Bluegreen-Color": "green"}


def test_production_is_only_asked_at_an_address_that_somebody_wrote_down():
    _, plane = a_plane()
    assert plane.production().name == "https://shop.example"

    _, plane = a_plane(settings=config_of(aws={"production_url": None}).service)
    assert plane.production() is None


def test_traffic_follows_once_the_listener_has_said_so_for_long_enough():
    _, plane = a_plane(describe_target_health=health(green=["healthy"]), propagation=60)

    follows, says = plane.control_view(ALL_GREEN)

    assert not follows
    assert says == "the listener says 100 % green, for 0.0 of 60 s"

    _, plane = a_plane(describe_target_health=health(green=["healthy"]))
    assert plane.control_view(ALL_GREEN)[0]


def test_traffic_does_not_follow_to_a_color_without_a_healthy_member():
    # The load balancer would send requests there all the same.
    _, plane = a_plane(describe_target_health=health(green=["unhealthy", "initial"]))

    assert plane.control_view(ALL_GREEN) == (
        False,
        "the load balancer has no healthy member of green",
    )


def test_the_clock_of_the_retention_is_the_flags():
    at = datetime(2026, 1, 2, tzinfo=UTC)
    versions = [
        {"Version": index, "Value": value, "LastModifiedDate": at}
        for index, value in ((1, "blue"), (2, "green"))
    ]
    _, plane = a_plane(get_parameter_history={"Parameters": versions})

    assert plane.last_switch() == at


def test_what_cannot_be_asked_is_said():
    _, plane = a_plane(describe_target_health=DataPlaneError("throttled"))

    with pytest.raises(DataPlaneError, match="throttled"):
        plane.readiness(BLUE)
