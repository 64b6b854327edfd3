import pytest

from bluegreen.gates.gate import Readiness
from bluegreen.kubernetes.members import readiness_of, ready_names, release_of
from tests.unit.kubernetes.objects import a_deployment, a_pod, a_slice, an_endpoint


def waiting_for(reason, message=""):
    details = {"reason": reason, "message": message}
    return {
        "phase": "Pending",
        "containerStatuses": [{"name": "app", "state": {"waiting": details}}],
    }


def note_of(pod, *others, deployment=None):
    return readiness_of(deployment or a_deployment(), [pod, *others], [a_slice()]).note


def test_members_that_serve_and_hold_what_the_deployment_says_are_counted():
    found = readiness_of(a_deployment(), [a_pod("a"), a_pod("b")], [a_slice("a", "b")])

    assert found == Readiness(ready=2, desired=2)


def test_a_color_without_a_deployment_has_no_members_and_is_to_have_none():
    found = readiness_of(None, [], [])

    assert found == Readiness(ready=0, desired=0, note="its Deployment is not there")


def test_a_member_counts_once_it_is_sent_requests_and_not_before():
    pods = [a_pod("a"), a_pod("b")]

    found = readiness_of(a_deployment(), pods, [a_slice("a", waiting=["b"])])

    assert (found.ready, found.desired) == (1, 2)
    assert found.note == "running, but its readiness check does not pass"


def test_while_an_earlier_release_still_serves_nobody_is_counted():
    pods = [a_pod("a"), a_pod("b"), a_pod("old", "before")]

    found = readiness_of(a_deployment(), pods, [a_slice("a", "b", "old")])

    assert found.ready == 0
    assert found.note == "1 members of an earlier release still serve"


def test_an_earlier_release_that_does_not_serve_any_more_is_in_nobodys_way():
    pods = [a_pod("a"), a_pod("b"), a_pod("old", "before")]

    found = readiness_of(a_deployment(), pods, [a_slice("a", "b", waiting=["old"])])

    assert found == Readiness(ready=2, desired=2)


@pytest.mark.parametrize("still", [a_slice("a", ending=["old"]), a_slice("a", waiting=["old"])])
def test_a_member_that_ends_is_not_counted_and_in_nobodys_way(still):
    pods = [a_pod("a"), a_pod("old", ending=True)]

    found = readiness_of(a_deployment(replicas=1), pods, [still])

    assert found == Readiness(ready=1, desired=1)


def test_a_member_that_ends_and_is_still_sent_requests_like_any_other_holds_the_rest_up():
    pods = [a_pod("a"), a_pod("old", ending=True)]

    assert readiness_of(a_deployment(), pods, [a_slice("a", "old")]).ready == 0


def test_members_of_several_slices_are_one_set():
    assert ready_names([a_slice("a", "b"), a_slice("b", "c"), {"endpoints": None}]) == {
        "a",
        "b",
        "c",
    }


def test_an_endpoint_that_does_not_say_whether_it_is_ready_is():
    endpoints = [{"targetRef": {"name": "a"}}, an_endpoint("b"), {"addresses": ["10.0.0.1"]}]

    assert ready_names([{"endpoints": endpoints}]) == {"a", "b"}


@pytest.mark.parametrize(
    ("status", "note"),
    [
        (
            waiting_for("ImagePullBackOff", 'Back-off pulling image "shop:9"'),
            'ImagePullBackOff: Back-off pulling image "shop:9"',
        ),
        (waiting_for("CrashLoopBackOff"), "CrashLoopBackOff"),
        (waiting_for("ContainerCreating"), "starting"),
        (
            {"containerStatuses": [{"state": {"terminated": {"reason": "OOMKilled"}}}]},
            "OOMKilled",
        ),
        ({"containerStatuses": [{"state": {"terminated": {"exitCode": 1}}}]}, "terminated"),
        (
            {
                "phase": "Pending",
                "conditions": [
                    {
                        "type": "PodScheduled",
                        "status": "False",
                        "reason": "Unschedulable",
                        "message": "0/3 nodes are available: 3 Insufficient cpu.",
                    }
                ],
            },
            "Unschedulable: 0/3 nodes are available: 3 Insufficient cpu.",
        ),
        (
            {"conditions": [{"type": "PodScheduled", "status": "True"}]},
            "running, but its readiness check does not pass",
        ),
        (
            {"containerStatuses": [{"state": {"running": {}}}]},
            "running, but its readiness check does not pass",
        ),
        ({"phase": "Pending"}, "starting"),
    ],
)
def test_it_is_said_why_a_member_is_not_ready(status, note):
    assert note_of(a_pod("a", **status)) == note


def test_it_is_said_why_members_could_not_even_be_made():
    failure = {
        "type": "ReplicaFailure",
        "status": "True",
        "reason": "FailedCreate",
        "message": 'pods "shop-blue-1" is forbidden: exceeded quota: small',
    }
    progress = {"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated"}

    found = readiness_of(a_deployment(conditions=[progress, failure]), [], [])

    assert found == Readiness(
        ready=0,
        desired=2,
        note='FailedCreate: pods "shop-blue-1" is forbidden: exceeded quota: small',
    )


def test_a_failure_that_is_over_is_not_told():
    over = {"type": "ReplicaFailure", "status": "False", "reason": "FailedCreate"}

    assert readiness_of(a_deployment(conditions=[over]), [], []).note == ""


def test_members_with_the_same_reason_are_told_once_and_at_most_two_reasons():
    crash, pull = waiting_for("CrashLoopBackOff"), waiting_for("ErrImagePull", "no such image")
    unready = a_pod("d")

    note = note_of(a_pod("a", **crash), a_pod("b", **crash), a_pod("c", **pull), unready)

    assert note == "CrashLoopBackOff; ErrImagePull: no such image"


def test_a_long_reason_is_cut_and_stays_on_one_line():
    note = note_of(a_pod("a", **waiting_for("ErrImagePull", "x\n" * 500)))

    assert len(note) == 160
    assert "\n" not in note


def test_the_release_of_a_color_is_the_one_of_its_template():
    assert release_of(a_deployment(release="1.4.2+build")) == "1.4.2+build"


def test_a_color_without_members_has_no_release():
    assert release_of(None) is None
    assert release_of(a_deployment(replicas=0)) is None


def test_a_deployment_of_somebody_else_has_an_unknown_release_and_one_member_by_default():
    foreign = {"metadata": {"name": "shop-blue"}, "spec": {"template": {"spec": {}}}}

    assert release_of(foreign) == "unknown"
    assert readiness_of(foreign, [], []).desired == 1
