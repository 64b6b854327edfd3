"""Programs of raw resources, without the library."""

import pytest

from bluegreen.preview import as_markdown, as_text
from tests.preview.documents import a_step, deployment, report, selector

SERVICE = "kubernetes:core/v1:Service"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
LISTENER = "aws:lb/listener:Listener"


def arn(color):
    return f"arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/web-{color}-1a2b/9f"


def forward(**weights):
    groups = [{"arn": arn(color), "weight": weight} for color, weight in weights.items()]
    return {"defaultActions": [{"type": "forward", "forward": {"targetGroups": groups}}]}


def http_route(**weights):
    backends = [{"name": f"web-{color}", "weight": each} for color, each in weights.items()]
    return {"spec": {"rules": [{"backendRefs": backends}]}}


def virtual_service(**weights):
    route = [
        {"destination": {"host": "web", "subset": color}, "weight": each}
        for color, each in weights.items()
    ]
    return {"spec": {"http": [{"match": [{"headers": {"x": {}}}]}, {"route": route}]}}


def ingress(color):
    path = {"path": "/", "backend": {"service": {"name": f"web-{color}"}}}
    return {"spec": {"rules": [{"http": {"paths": [path]}}]}}


def traefik(**weights):
    services = [{"name": f"web-{color}", "weight": each} for color, each in weights.items()]
    return {"spec": {"weighted": {"services": services}}}


def test_a_selector_that_names_the_other_color_is_a_switch_with_the_releases_of_both_fleets():
    found = report(
        a_step(SERVICE, "web", before=selector("blue"), after=selector("green")),
        a_step(DEPLOYMENT, "web-blue", op="same", before=deployment("blue", "1.0")),
        a_step(DEPLOYMENT, "web-green", op="same", before=deployment("green", "1.1")),
    )

    assert found.verdicts == ("switch",)
    assert found.headline == (
        "shop/prod: web: 100 % of production traffic moves blue 1.0 → green 1.1; "
        "1 resource updated in place"
    )


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        (LISTENER, forward(blue=100, green=0), forward(blue=0, green=100)),
        ("aws:lb/listenerRule:ListenerRule",) * 1 + (
            {"actions": forward(blue=1)["defaultActions"]},
            {"actions": forward(green=1)["defaultActions"]},
        ),
        (
            LISTENER,
            {"defaultActions": [{"type": "forward", "targetGroupArn": arn("blue")}]},
            {"defaultActions": [{"type": "forward", "targetGroupArn": arn("green")}]},
        ),
        (
            "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute",
            http_route(blue=1, green=0),
            http_route(blue=0, green=1),
        ),
        (
            "kubernetes:networking.istio.io/v1beta1:VirtualService",
            virtual_service(blue=100, green=0),
            virtual_service(blue=0, green=100),
        ),
        ("kubernetes:networking.k8s.io/v1:Ingress", ingress("blue"), ingress("green")),
        ("kubernetes:traefik.io/v1alpha1:TraefikService", traefik(blue=1), traefik(green=1)),
    ],
)  # fmt: skip
def test_what_any_router_says_before_and_after_is_read(kind, before, after):
    found = report(a_step(kind, "web", before=before, after=after))

    assert found.verdicts == ("switch",)
    assert "100 % of production traffic moves blue → green" in found.headline.replace(
        " of an unknown release", ""
    )


def test_a_part_of_the_weights_is_a_canary():
    found = report(
        a_step(LISTENER, "web", before=forward(blue=100, green=0), after=forward(blue=90, green=10))
    )

    assert found.verdicts == ("canary",)
    assert "10 % of production traffic moves" in found.headline


def test_a_selector_that_names_no_colors_still_is_a_switch():
    before, after = ({"spec": {"selector": {"version": each}}} for each in ("v1", "v2"))

    found = report(a_step(SERVICE, "web", before=before, after=after))

    assert found.verdicts == ("switch",)
    assert "does not say between which colors" in found.headline
    assert "v1" not in as_text([found])


def test_services_of_one_color_and_of_the_idle_one_move_no_production_traffic():
    found = report(
        a_step(SERVICE, "web-green", before=selector("green"), after=selector("green")),
        a_step(SERVICE, "web-preview", before=selector("green"), after=selector("blue")),
    )

    assert found.verdicts == ("no traffic change",)


@pytest.mark.parametrize(
    ("op", "text"), [("replace", "is replaced"), ("delete", "production traffic ends")]
)
def test_a_router_that_is_replaced_or_removed_is_the_gravest_there_is(op, text):
    found = report(a_step(SERVICE, "web", op=op, before=selector("blue"), after=selector("green")))

    assert found.verdict == "replaces the router"
    assert text in found.headline


def test_another_image_of_the_color_with_traffic_changes_the_live_release():
    found = report(
        a_step(SERVICE, "web", op="same", before=selector("blue")),
        a_step(
            DEPLOYMENT,
            "web-blue",
            before=deployment("blue", "1.0"),
            after=deployment("blue", "1.0.1"),
        ),
    )

    assert found.verdicts == ("changes the live release",)
    assert "live blue changes 1.0 → 1.0.1" in found.headline


def test_the_same_of_the_idle_color_is_a_deployment_and_fewer_members_retire_it():
    router = a_step(SERVICE, "web", op="same", before=selector("blue"))
    old = deployment("green", "1.0")

    deployed = report(
        router, a_step(DEPLOYMENT, "web-green", before=old, after=deployment("green", "1.1"))
    )
    retired = report(
        router, a_step(DEPLOYMENT, "web-green", before=old, after=deployment("green", "1.0", 0))
    )

    assert deployed.verdicts == ("deploy to idle",)
    assert retired.verdicts == ("retire",)
    assert "green 1.0 goes from 3 to 0 members" in retired.headline


def test_what_is_replaced_is_warned_of_by_name():
    found = report(
        *(
            a_step("aws:lb/targetGroup:TargetGroup", f"group-{number}", op="replace")
            for number in range(7)
        )
    )

    assert found.warnings == (
        "replaced, not updated in place: TargetGroup group-0, TargetGroup group-1, "
        "TargetGroup group-2, TargetGroup group-3, TargetGroup group-4 and 2 more",
    )


def test_a_stack_without_two_colors_says_so():
    found = report(a_step("aws:s3/bucket:Bucket", "logs", op="create", after={}))

    assert found.headline == (
        "shop/prod: no service of two colors is in this preview; 1 resource created"
    )


def test_what_is_called_blue_alone_is_no_service_of_two_colors():
    found = report(
        a_step(
            DEPLOYMENT,
            "blue-ocean",
            before=deployment("blue", "1.0"),
            after=deployment("blue", "1.1"),
        )
    )

    assert found.services == ()
    assert "no service of two colors" in found.headline


def test_two_services_are_told_apart():
    other = {"spec": {"selector": {"app": "store", "color": "green"}}}
    found = report(
        a_step(SERVICE, "web", before=selector("blue"), after=selector("green")),
        a_step(SERVICE, "store", op="same", before=other),
    )

    assert [service.name for service in found.services] == ["web", "store"]
    assert "store: production traffic stays at 100 % green" in found.headline
    assert "`store`: no traffic change" in as_markdown([found])
