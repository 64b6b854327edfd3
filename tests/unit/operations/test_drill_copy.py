"""What the copy of a service is called and where it listens: never as the service itself."""

import json
from pathlib import Path

import pytest

from bluegreen.operations import UsageError
from bluegreen.operations.drill_apart import left_resources, preview_errors, shared_resources
from bluegreen.operations.drill_copy import (
    CopyPlace,
    asked_service,
    copied_config,
    copied_service,
    copy_url,
    ports_of_copy,
)
from bluegreen.settings.service import ServiceSettings

NAME, PORT, FOLDER = "drill-0a1b2c", 20_500, Path("/tmp/bgd-x")
LOAD_BALANCER = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/edge/0a1b"
LISTENER = f"{LOAD_BALANCER.replace(':loadbalancer/', ':listener/')}/2c3d"


def place(url=None):
    return CopyPlace(NAME, FOLDER, PORT, url)


def on_aws(**more):
    aws = {
        "load_balancer_arn": LOAD_BALANCER,
        "production_url": "https://shop.example",
        "image_id": "ami-0",
        "user_data": "exec app",
    }
    return {"name": "shop", "platform": "aws", "aws": aws | more}


def on_kubernetes(**more):
    return {"name": "shop", "platform": "kubernetes", "kubernetes": {"namespace": "n"} | more}


SERVICES = {
    "onprem": {"name": "shop", "onprem": {"command": "app", "slots": 3, "run_directory": "run"}},
    "kubernetes": on_kubernetes(production_url="http://shop.n.svc"),
    "aws": on_aws(),
}


def copied(service, asked=None, known=None):
    return copied_service(service, place(copy_url(service, NAME, PORT, known, asked)))


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
def test_nobody_is_told_and_nothing_waits(service):
    bound = {"windows": {"freeze": []}, "events": {"webhook": {"url_env": "CHAT"}}}
    gates = {"gates": {"approve": True, "release": {"path": "/version"}}, "retention_hours": 24}

    found = copied(service | bound | gates)

    assert "windows" not in found
    assert found["events"] == {"file": "/tmp/bgd-x/events.jsonl"}
    assert found["retention_hours"] == 0
    assert found["gates"] == {"release": {"path": "/version"}}
    # What is written is legal as well.
    assert ServiceSettings.model_validate(found).retention_hours == 0


def test_the_whole_config_loses_what_belongs_to_the_moment():
    config = {
        "shop:active_color": "blue",
        "shop:service": SERVICES["onprem"],
        "shop:blue": {"release": "1.0"},
        "shop:green": {"release": "1.1"},
        "shop:canary": {"color": "green", "percent": 10},
        "shop:retired": {"color": "green", "release": "1.1"},
        "shop:approval": {"by": "ann"},
        "shop:password": {"secure": "v1:abc"},
        "aws:region": "eu-west-1",
    }

    found = copied_config(config, "shop", place())

    assert set(found) == {
        "shop:active_color", "shop:service", "shop:password", "aws:region"
    }  # fmt: skip
    assert config["shop:service"] == SERVICES["onprem"]


def test_on_premises_every_port_and_the_run_directory_are_others():
    found = copied(SERVICES["onprem"])

    assert ports_of_copy(SERVICES["onprem"]) == 2 + 2 * 3
    assert found["port"] == PORT
    assert found["onprem"] == {
        "command": "app",
        "slots": 3,
        "bind_address": "127.0.0.1",
        "test_port": PORT + 1,
        "member_ports": {"blue": PORT + 2, "green": PORT + 5},
        "run_directory": "/tmp/bgd-x/run",
    }


@pytest.mark.parametrize(
    ("written", "known", "asked", "url"),
    [
        ("http://shop.n.svc", None, None, f"http://{NAME}.n.svc"),
        ("http://shop:8080", None, None, f"http://{NAME}:8080"),
        (None, "http://shop.n.svc:81", None, f"http://{NAME}.n.svc:81"),
        ("http://1.2.3.4", None, "http://{service}.n.svc/", f"http://{NAME}.n.svc"),
        ("http://shop.n.svc", None, "http://127.0.0.1:9", "http://127.0.0.1:9"),
    ],
)
def test_on_kubernetes_it_is_another_service_of_the_namespace(written, known, asked, url):
    service = on_kubernetes(**({"production_url": written} if written else {}))

    its = place(copy_url(service, NAME, PORT, known, asked))
    found = copied_service(service, its)

    assert found["name"] == NAME
    # Nobody asks a Service that kube-proxy does not know yet.
    assert found["kubernetes"] == {"namespace": "n"}
    assert asked_service(found, its)["kubernetes"] == {"namespace": "n", "production_url": url}


@pytest.mark.parametrize(
    ("color_url", "found"),
    [
        ("http://shop-{color}.n.svc", f"http://{NAME}-{{color}}.n.svc"),
        ("http://edge.example/{color}", None),
    ],
)
def test_the_colors_of_a_copy_are_never_asked_at_those_of_the_service(color_url, found):
    service = on_kubernetes(production_url="http://shop", color_url=color_url)

    assert copied(service)["kubernetes"].get("color_url") == found


def test_behind_a_gateway_it_has_a_host_name_of_its_own():
    gateway = {"name": "edge", "hostnames": ["shop.example"]}
    service = on_kubernetes(router="http_route", gateway=gateway)

    found = copied(service, "http://drill.example:8080")

    assert found["kubernetes"]["gateway"] == {"name": "edge", "hostnames": ["drill.example"]}


def test_on_aws_it_has_listeners_of_its_own_and_nothing_that_is_named():
    found = copied(
        on_aws(
            rule={"listener_arn": LISTENER, "priority": 5, "hosts": ["shop.example"]},
            test_url="https://test.example:8443",
            flag_name="/live",
            events_log_group="/audit",
            alarms={"minutes": 2, "topic_arns": ["arn:aws:sns:eu-west-1:123456789012:ops"]},
        )
    )

    assert (found["name"], found["port"]) == (NAME, PORT)
    assert found["aws"] == {
        "load_balancer_arn": LOAD_BALANCER,
        "image_id": "ami-0",
        "user_data": "exec app",
        "production_url": f"https://shop.example:{PORT}",
        "test_url": f"https://test.example:{PORT + 1}",
        "test_port": PORT + 1,
        "alarms": {"minutes": 2},
    }


@pytest.mark.parametrize(
    ("service", "known", "problem"),
    [
        (on_kubernetes(), None, "nothing is deployed"),
        (on_kubernetes(), "http://shop.n.svc", None),
        (on_kubernetes(production_url="http://1.2.3.4"), None, "does not begin with shop"),
        (on_kubernetes(router="http_route", gateway={"name": "edge"}), None, "a host name"),
        (on_aws(production_url=None), None, "nothing is deployed"),
        (on_aws(production_url=None), "https://edge-1.elb.amazonaws.com", "no certificate fits"),
        (on_aws(production_url=None), "http://edge-1.elb.amazonaws.com", None),
    ],
)
def test_an_address_that_nobody_can_tell_is_asked_for(service, known, problem):
    if problem is None:
        assert copy_url(service, NAME, PORT, known, None)
        return
    with pytest.raises(UsageError, match=problem) as refused:
        copy_url(service, NAME, PORT, known, None)

    assert "nothing was done" in str(refused.value)
    assert "--url" in str(refused.value)


def resource(kind, inputs, *, custom=True, **more):
    return {"type": kind, "custom": custom, "inputs": inputs, **more}


def named(kind, name, **more):
    return resource(kind, {"metadata": {"name": name, "namespace": "n"}}, **more)


SERVICE = "kubernetes:core/v1:Service"


def test_a_name_that_the_stack_has_already_is_seen_before_anything_is_made():
    existing = [
        named(SERVICE, "shop"),
        named(SERVICE, "store"),
        resource("aws:s3/bucket:Bucket", {"name": "pictures"}),
        resource("aws:lb/targetGroup:TargetGroup", {}),
        resource("pulumi:providers:aws", {"name": "default"}),
    ]
    planned = [
        named(SERVICE, NAME),
        named(SERVICE, "store"),
        named("kubernetes:core/v1:ConfigMap", "shop"),
        resource("aws:s3/bucket:Bucket", {"name": "pictures"}),
        resource("aws:lb/targetGroup:TargetGroup", {}),
        resource("pulumi:providers:aws", {"name": "default"}),
    ]

    shared = shared_resources(
        json.dumps({"steps": [{"op": "create", "newState": each} for each in planned]}),
        json.dumps({"deployment": {"resources": existing}}),
    )

    assert shared == [("aws:s3/bucket:Bucket", "pictures"), (SERVICE, "n/store")]


def test_what_is_left_is_told_by_the_names_of_the_platform():
    resources = [
        resource("pulumi:pulumi:Stack", {}, custom=False),
        resource("pulumi:providers:aws", {}, id="0a"),
        resource("bluegreen:index:AsgService", {}, custom=False),
        named(SERVICE, NAME, id=f"n/{NAME}"),
    ]

    assert left_resources(json.dumps({"deployment": {"resources": resources}})) == [
        (SERVICE, f"n/{NAME}")
    ]
    assert left_resources(json.dumps({"deployment": {}})) == []


def test_a_preview_says_why_it_failed():
    said = [{"severity": "info", "message": "a"}, {"severity": "error", "message": "port taken\n"}]

    assert preview_errors(json.dumps({"diagnostics": said})) == ["port taken"]
