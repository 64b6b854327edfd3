import pytest

from bluegreen.aws.members import readiness_of, release_of
from tests.unit.aws.answers import a_group, a_target, an_instance


def ready(group, *targets, activities=()):
    return readiness_of(group, targets, activities)


def test_members_that_the_load_balancer_calls_healthy_are_ready():
    found = ready(a_group(desired=2), a_target("i-blue-0"), a_target("i-blue-1"))

    assert (found.ready, found.desired, found.note) == (2, 2, "")


@pytest.mark.parametrize(
    ("target", "note"),
    [
        (a_target("i-blue-1", "initial", "Elb.RegistrationInProgress"), "initial: Elb."),
        (
            a_target("i-blue-1", "unhealthy", "Target.ResponseCodeMismatch", "codes: [500]"),
            "unhealthy: Target.ResponseCodeMismatch (codes: [500])",
        ),
        (a_target("i-blue-1", "unused", "Target.NotInUse"), "unused: Target.NotInUse"),
        (a_target("i-other"), "1 members of an earlier release still serve"),
    ],
)
def test_a_member_that_is_not_ready_says_why(target, note):
    found = ready(a_group(desired=2), a_target("i-blue-0"), target)

    assert found.ready < 2
    assert note in found.note


def test_a_member_that_has_not_registered_yet_is_told():
    found = ready(a_group(desired=2), a_target("i-blue-0"))

    assert (found.ready, found.note) == (1, "started, but not in the target group yet")


def test_the_same_reason_is_told_once():
    targets = [a_target(f"i-blue-{index}", "initial") for index in range(3)]

    assert ready(a_group(desired=3), *targets).note == "initial"


def test_while_members_of_an_earlier_template_serve_none_is_ready():
    instances = [an_instance("i-old", version="1"), an_instance("i-new", version="2")]
    group = a_group(version="2", instances=instances)

    found = ready(group, a_target("i-old"), a_target("i-new"))

    assert (found.ready, found.desired) == (0, 2)
    assert found.note.startswith("1 members of an earlier release still serve")


def test_members_of_an_earlier_template_that_are_leaving_are_in_nobodys_way():
    instances = [an_instance("i-old", version="1"), an_instance("i-new", version="2")]
    group = a_group(version="2", desired=1, instances=instances)

    found = ready(group, a_target("i-old", "draining"), a_target("i-new"))

    assert (found.ready, found.desired) == (1, 1)


def test_what_could_not_be_started_says_what_ec2_says():
    failed = {"StatusCode": "Failed", "StatusMessage": "The image id 'ami-1' does not exist."}

    found = ready(a_group(desired=2, instances=[]), activities=[failed])

    assert found.note == "2 could not be started: The image id 'ami-1' does not exist."


def test_a_failure_before_a_try_that_is_under_way_is_no_news():
    activities = [{"StatusCode": "InProgress"}, {"StatusCode": "Failed", "StatusMessage": "old"}]

    found = ready(a_group(desired=1, instances=[]), activities=activities)

    assert found.note == "1 are being started"


def test_without_a_group_there_is_nobody():
    found = ready(None)

    assert (found.ready, found.desired) == (0, 0)
    assert found.note == "its Auto Scaling group is not there"


@pytest.mark.parametrize(
    ("group", "release"),
    [
        (None, None),
        (a_group(desired=0, instances=[]), None),
        (a_group(release="1.4.2"), "1.4.2"),
        (a_group(Tags=[]), "unknown"),
    ],
)
def test_the_release_is_the_groups_while_it_has_members(group, release):
    assert release_of(group) == release
