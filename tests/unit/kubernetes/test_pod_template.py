import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bluegreen.kubernetes.deployment_fleet import fleet_state_of
from bluegreen.kubernetes.names import FINGERPRINT, RELEASE
from bluegreen.kubernetes.pod_template import Overlay, image_of, overlay_of, pod_template
from tests.unit.kubernetes.objects import BLUE, GREEN, NAMES, kubernetes_config, kubernetes_plan

SECRET = "hunter2"


def template_of(config=None, *, color=BLUE, names=NAMES):
    config = config or kubernetes_config()
    plan = kubernetes_plan(config).fleets[color]
    overlay = overlay_of(names, plan, config.service)
    return pod_template(names, plan, config.service, overlay)


def container_of(template):
    (container,) = template["spec"]["containers"]
    return container


def template_with(**kubernetes):
    return template_of(kubernetes_config(kubernetes=kubernetes))


def the_overlay(*, names=NAMES, color=BLUE, own=None, **kubernetes):
    changes = {str(color): {"release": "1.0", **(own or {})}}
    config = kubernetes_config(kubernetes=kubernetes, **changes)
    return overlay_of(names, kubernetes_plan(config).fleets[color], config.service)


def fingerprint_of(template):
    return template["metadata"]["annotations"][FINGERPRINT]


def test_members_have_the_labels_of_their_color_and_their_release_as_an_annotation():
    metadata = template_of(color=GREEN)["metadata"]

    assert metadata["labels"] == {"app": "shop", "color": "green"}
    assert metadata["annotations"][RELEASE] == "1.1"


def test_a_release_that_no_label_could_hold_is_an_annotation():
    template = template_of(kubernetes_config(blue={"release": "1.4.2+build.7", "image": "shop:1"}))

    assert template["metadata"]["annotations"][RELEASE] == "1.4.2+build.7"


def test_the_image_has_release_and_color_filled_in():
    config = kubernetes_config(kubernetes={"image": "shop-{color}:{release}"})
    plan = kubernetes_plan(config).fleets[GREEN]

    assert image_of(plan, config.service) == "shop-green:1.1"
    assert container_of(template_of(config, color=GREEN))["image"] == "shop-green:1.1"


def test_an_image_of_the_color_goes_first():
    config = kubernetes_config(blue={"release": "1.0", "image": "own:{release}"})

    assert container_of(template_of(config))["image"] == "own:1.0"
    assert container_of(template_of(config, color=GREEN))["image"] == "ghcr.io/acme/shop:1.1"


def test_members_are_told_who_they_are():
    env = container_of(template_with(container_port=9000))["env"]

    assert {each["name"]: each["value"] for each in env} == {
        "BLUEGREEN_COLOR": "blue",
        "BLUEGREEN_RELEASE": "1.0",
        "BLUEGREEN_SERVICE": "shop",
        "PORT": "9000",
    }


def test_readiness_is_asked_after_10_seconds_and_then_every_5():
    container = container_of(template_of())

    assert container["readinessProbe"] == {
        "httpGet": {"path": "/health/ready", "port": "http"},
        "initialDelaySeconds": 10,
        "periodSeconds": 5,
        "timeoutSeconds": 1,
        "successThreshold": 1,
        "failureThreshold": 3,
    }
    assert container["ports"] == [{"name": "http", "containerPort": 8080}]
    assert {"startupProbe", "livenessProbe"} & container.keys() == set()


def test_readiness_goes_by_the_health_check():
    check = {
        "path": "/db",
        "interval_seconds": 2.4,
        "timeout_seconds": 0.2,
        "healthy_threshold": 2,
        "unhealthy_threshold": 5,
    }
    config = kubernetes_config(
        {"health_check": check}, kubernetes={"ready_initial_delay_seconds": 0}
    )

    assert container_of(template_of(config))["readinessProbe"] == {
        "httpGet": {"path": "/db", "port": "http"},
        "periodSeconds": 2,
        "timeoutSeconds": 1,
        "successThreshold": 2,
        "failureThreshold": 5,
    }


def test_a_slow_start_and_a_hanging_member_can_be_asked_for():
    container = container_of(template_with(startup={}, liveness={"path": "/live"}))

    assert container["startupProbe"] == {
        "httpGet": {"path": "/health/ready", "port": "http"},
        "periodSeconds": 5,
        "failureThreshold": 30,
    }
    assert container["livenessProbe"] == {
        "httpGet": {"path": "/live", "port": "http"},
        "periodSeconds": 10,
        "failureThreshold": 3,
    }


def test_a_member_serves_on_for_a_while_and_then_has_the_time_to_stop():
    config = kubernetes_config({"drain": {"stop_seconds": 20}}, kubernetes={"pre_stop_seconds": 7})
    template = template_of(config)

    assert template["spec"]["terminationGracePeriodSeconds"] == 27
    assert container_of(template)["lifecycle"] == {"preStop": {"sleep": {"seconds": 7}}}


def test_without_seconds_to_serve_on_there_is_nothing_before_the_stop():
    template = template_with(pre_stop_seconds=0)

    assert template["spec"]["terminationGracePeriodSeconds"] == 30
    assert "lifecycle" not in container_of(template)


def test_members_may_do_nothing_by_default():
    spec = template_of()["spec"]

    assert spec["securityContext"] == {
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container_of({"spec": spec})["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    assert "serviceAccountName" not in spec


def test_members_can_write_to_a_directory_of_their_own_only():
    spec = template_of()["spec"]

    assert spec["volumes"] == [{"name": "tmp", "emptyDir": {}}]
    assert container_of({"spec": spec})["volumeMounts"] == [{"name": "tmp", "mountPath": "/tmp"}]


def test_a_user_a_writable_disk_and_an_account_can_be_asked_for():
    spec = template_with(
        security={"run_as_user": 1000, "read_only_root_filesystem": False},
        service_account="shop",
        image_pull_secrets=["registry.example"],
    )["spec"]

    user = {key: spec["securityContext"][key] for key in ("runAsUser", "runAsGroup", "fsGroup")}
    assert set(user.values()) == {1000}
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert container_of({"spec": spec})["securityContext"]["readOnlyRootFilesystem"] is False
    assert spec["serviceAccountName"] == "shop"
    assert "automountServiceAccountToken" not in spec
    assert spec["imagePullSecrets"] == [{"name": "registry.example"}]


def test_every_color_is_spread_over_the_nodes_by_itself():
    (constraint,) = template_of(color=GREEN)["spec"]["topologySpreadConstraints"]

    assert constraint["topologyKey"] == "kubernetes.io/hostname"
    assert constraint["labelSelector"] == {"matchLabels": {"app": "shop", "color": "green"}}
    assert (constraint["maxSkew"], constraint["whenUnsatisfiable"]) == (1, "ScheduleAnyway")


def test_members_ask_for_what_is_written_and_for_nothing_else():
    resources = {"requests": {"cpu": "100m"}, "limits": {"memory": "128Mi"}}

    assert container_of(template_with(resources=resources))["resources"] == resources
    assert "resources" not in container_of(template_of())


# The variables.


def test_a_service_without_variables_has_no_objects_for_them():
    overlay = the_overlay()

    assert (dict(overlay.plain), dict(overlay.secret), overlay.sources) == ({}, {}, [])
    assert "envFrom" not in container_of(template_of())


def test_a_colors_variables_go_on_top_of_the_shared_ones():
    overlay = the_overlay(
        env={"MODE": "calm", "SHARED": "1"},
        secrets={"TOKEN": "a", "KEY": "k"},
        own={"env": {"MODE": "loud"}, "secrets": {"TOKEN": "b"}},
    )

    assert overlay.plain == {"MODE": "loud", "SHARED": "1"}
    assert overlay.secret == {"TOKEN": "b", "KEY": "k"}


def test_members_take_their_variables_from_objects_named_by_content_secrets_last():
    config = kubernetes_config(kubernetes={"env": {"A": "1"}, "secrets": {"B": SECRET}})
    overlay = overlay_of(NAMES, kubernetes_plan(config).fleets[BLUE], config.service)

    # Of two sources with the same name in them the last one wins.
    assert container_of(template_of(config))["envFrom"] == [
        {"configMapRef": {"name": overlay.plain_name}},
        {"secretRef": {"name": overlay.secret_name}},
    ]
    assert overlay.plain_name.startswith("shop-blue-env-")
    assert overlay.secret_name.startswith("shop-blue-secrets-")


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
variables = st.dictionaries(st.sampled_from(["A", "B", "C"]), texts, max_size=3)


@settings(deadline=None, max_examples=40)
@given(one=variables, other=variables)
def test_the_name_of_an_object_changes_exactly_with_its_content(one, other):
    first, second = the_overlay(env=one), the_overlay(env=other)

    assert (first.plain_name == second.plain_name) == (one == other)


@settings(deadline=None, max_examples=10)
@given(one=variables, other=variables)
def test_the_name_of_a_secret_changes_exactly_with_its_content(one, other):
    first, second = the_overlay(secrets=one), the_overlay(secrets=other)

    assert (first.secret_name == second.secret_name) == (one == other)
    assert first.plain_name == second.plain_name


def test_the_order_of_variables_is_not_their_content():
    first = the_overlay(env={"A": "1", "B": "2"}, secrets={"C": "3", "D": "4"})
    turned = the_overlay(env={"B": "2", "A": "1"}, secrets={"D": "4", "C": "3"})

    assert (first.plain_name, first.secret_name) == (turned.plain_name, turned.secret_name)


def test_equal_secrets_of_two_services_do_not_show_that_they_are_equal():
    other = type(NAMES)("shop", "elsewhere")

    mine, theirs = (
        the_overlay(secrets={"A": SECRET}),
        the_overlay(names=other, secrets={"A": SECRET}),
    )
    green = the_overlay(color=GREEN, secrets={"A": SECRET})

    hashes = {each.secret_name.rpartition("-")[2] for each in (mine, theirs, green)}
    assert len(hashes) == 3


def test_no_secret_is_anywhere_in_the_template_or_in_a_name():
    config = kubernetes_config(
        kubernetes={"secrets": {"A": SECRET}}, blue={"release": "1.0", "secrets": {"B": SECRET}}
    )
    overlay = overlay_of(NAMES, kubernetes_plan(config).fleets[BLUE], config.service)

    shown = json.dumps([template_of(config), overlay.plain_name, overlay.secret_name])
    assert SECRET not in shown
    assert overlay.secret == {"A": SECRET, "B": SECRET}


def test_the_name_of_a_secret_is_slow_to_try_out(monkeypatch):
    asked = []
    slow = __import__("hashlib").scrypt

    def watched(*args, **how):
        asked.append(how)
        return slow(*args, **how)

    monkeypatch.setattr("hashlib.scrypt", watched)
    the_overlay(secrets={"A": SECRET})
    the_overlay()

    # Once, and not at all where there is nothing to hide.
    assert [(how["n"], how["r"]) for how in asked] == [(2**14, 8)]


# The fingerprint.

OTHERS = {
    "release": {"blue": {"release": "1.1"}},
    "image": {"kubernetes": {"image": "other"}},
    "own image": {"blue": {"release": "1.0", "image": "other"}},
    "shared variable": {"kubernetes": {"env": {"A": "1"}}},
    "own variable": {"blue": {"release": "1.0", "env": {"A": "1"}}},
    "shared secret": {"kubernetes": {"secrets": {"A": "1"}}},
    "own secret": {"blue": {"release": "1.0", "secrets": {"A": "1"}}},
    "port of a member": {"kubernetes": {"container_port": 9000}},
    "health check": {"service": {"health_check": {"path": "/db"}}},
    "startup": {"kubernetes": {"startup": {}}},
    "liveness": {"kubernetes": {"liveness": {}}},
    "grace": {"service": {"drain": {"stop_seconds": 31}}},
    "serving on": {"kubernetes": {"pre_stop_seconds": 6}},
    "resources": {"kubernetes": {"resources": {"requests": {"cpu": "1"}}}},
    "user": {"kubernetes": {"security": {"run_as_user": 7}}},
    "account": {"kubernetes": {"service_account": "shop"}},
    "pulling": {"kubernetes": {"image_pull_policy": "Always"}},
    "registry": {"kubernetes": {"image_pull_secrets": ["registry"]}},
}
THE_SAME = {
    "number": {"blue": {"release": "1.0", "replicas": 7}},
    "roles": {"active_color": "green"},
    "retired": {"retired": {"color": "green", "release": "1.1"}},
    "the other color": {"green": {"release": "9", "env": {"A": "1"}}},
    "gates": {"service": {"gates": {"capacity": {"fraction": 0.5}}}},
    "port of production": {"service": {"port": 8080}},
    "waiting": {"kubernetes": {"ready_timeout_seconds": 1}},
    "an empty variable list": {"blue": {"release": "1.0", "env": {}}},
    "addresses": {"kubernetes": {"production_url": "http://shop.example"}},
    "namespace": {"kubernetes": {"namespace": "elsewhere"}},
}


@pytest.mark.parametrize("what", OTHERS)
def test_the_fingerprint_changes_with_what_makes_members_other_members(what):
    changed = template_of(kubernetes_config(**OTHERS[what]))

    assert fingerprint_of(changed) != fingerprint_of(template_of())


@pytest.mark.parametrize("what", THE_SAME)
def test_the_template_changes_with_nothing_else(what):
    assert template_of(kubernetes_config(**THE_SAME[what])) == template_of()


def test_the_same_fingerprint_is_the_same_template():
    seen = {}
    for changes in ({}, *OTHERS.values(), *THE_SAME.values()):
        template = template_of(kubernetes_config(**changes))
        assert seen.setdefault(fingerprint_of(template), template) == template

    # An image, a variable and a secret are the same to a member whoever wrote them.
    assert len(seen) == 1 + len(OTHERS) - 3


def test_the_state_of_a_fleet_is_read_from_its_deployment():
    template = template_of()
    properties = {"spec": {"replicas": 3, "template": template}}

    state = fleet_state_of(properties)

    assert (state.release, state.replicas) == ("1.0", 3)
    assert state.fingerprint.startswith(fingerprint_of(template))


def test_an_image_set_by_hand_makes_another_fleet():
    template = template_of()
    before = fleet_state_of({"spec": {"replicas": 3, "template": template}})
    container_of(template)["image"] = "by-hand"

    assert fleet_state_of({"spec": {"replicas": 3, "template": template}}) != before


def test_a_container_that_somebody_injects_does_not_make_another_fleet():
    template = template_of()
    before = fleet_state_of({"spec": {"replicas": 3, "template": template}})
    template["spec"]["containers"].append({"name": "mesh", "image": "mesh:7"})

    assert fleet_state_of({"spec": {"replicas": 3, "template": template}}) == before


def test_a_deployment_of_somebody_else_has_an_unknown_release():
    spec = {"containers": [{"name": "other", "image": "a"}]}

    state = fleet_state_of({"spec": {"template": {"metadata": {}, "spec": spec}}})

    assert (state.release, state.replicas) == ("unknown", 0)


def test_an_overlay_can_be_made_twice_for_the_same_plan():
    config = kubernetes_config(kubernetes={"secrets": {"A": SECRET}})
    plan = kubernetes_plan(config).fleets[BLUE]

    names = {Overlay(NAMES, plan, config.service.kubernetes).secret_name for _ in range(2)}
    assert len(names) == 1
