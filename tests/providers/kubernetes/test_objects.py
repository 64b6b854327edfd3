"""What becomes of one object: made, changed, replaced, found, lost."""

import re

import pytest
from kubernetes import client

SERVICE = """
    k8s.core.v1.Service(
        "web",
        metadata=meta("web", annotations=NO_AWAIT),
        spec={"selector": {"color": config.get("color") or "blue"}, "ports": [{"port": 80}]},
    )
"""


def test_a_created_object_is_in_the_cluster_and_its_outputs_are_the_servers(
    program, core, namespace
):
    stack = program("""
        web = k8s.core.v1.Service(
            "web", metadata=meta("web", annotations=NO_AWAIT), spec={"ports": [{"port": 80}]}
        )
        pulumi.export("ip", web.spec.cluster_ip)
    """)

    result = stack.up()

    assert result.ok, result
    live = core.read_namespaced_service("web", namespace)
    assert stack.outputs() == {"ip": live.spec.cluster_ip}
    assert stack.resource("web")["id"] == f"{namespace}/web"


def test_a_changed_object_is_updated_in_place(program, core, namespace):
    stack = program(SERVICE)
    stack.put()
    before = core.read_namespaced_service("web", namespace)

    stack.configure("color", "green")
    result = stack.up()

    after = core.read_namespaced_service("web", namespace)
    assert [(step.name, step.op) for step in result.steps] == [("web", "update")], result
    assert after.spec.selector == {"color": "green"}
    assert after.metadata.uid == before.metadata.uid


def test_without_a_change_nothing_is_done(program, core, namespace):
    stack = program(SERVICE)
    stack.put()
    before = core.read_namespaced_service("web", namespace)

    result = stack.up()

    assert result.ok
    assert result.planned == result.steps == ()
    after = core.read_namespaced_service("web", namespace)
    assert after.metadata.resource_version == before.metadata.resource_version


def test_a_preview_changes_nothing_in_the_cluster(program, core, namespace):
    stack = program(SERVICE)
    assert stack.preview().plan == ["web"]
    assert core.list_namespaced_service(namespace).items == []
    stack.put()
    before = core.read_namespaced_service("web", namespace)

    stack.configure("color", "green")
    result = stack.preview()

    assert result.plan == ["web"]
    assert core.read_namespaced_service("web", namespace).to_dict() == before.to_dict()


def test_a_preview_tells_what_the_server_would_refuse(program):
    stack = program("""
        k8s.core.v1.Service("web", metadata=meta("web"), spec={"ports": [{"port": 70000}]})
    """)

    result = stack.preview()

    assert not result.ok
    assert "spec.ports[0].port: Invalid value: 70000" in result.text


def test_a_preview_of_what_is_not_known_yet_passes(program, core, namespace):
    stack = program("""
        first = k8s.core.v1.ConfigMap("first", metadata=meta("first"), data={"a": "1"})
        k8s.core.v1.ConfigMap("second", metadata=meta("second"), data={"uid": first.metadata.uid})
        pulumi.export("uid", first.metadata.uid)
    """)

    assert stack.preview().plan == ["first", "second"]

    result = stack.up()

    assert result.ok, result
    second = core.read_namespaced_config_map("second", namespace)
    assert second.data == {"uid": stack.outputs()["uid"]}


def test_an_object_without_a_name_is_given_one_that_stays(program, core, namespace):
    stack = program("""
        web = k8s.core.v1.ServiceAccount(
            "web", metadata=meta(labels={"color": config.get("color") or "blue"})
        )
        pulumi.export("name", web.metadata.name)
    """)
    stack.put()
    name = stack.outputs()["name"]
    assert re.fullmatch(r"web-[0-9a-f]{8}", name)

    stack.configure("color", "green")
    result = stack.up()

    assert [step.op for step in result.steps] == ["update"], result
    live = core.read_namespaced_service_account(name, namespace)
    assert live.metadata.labels == {"color": "green"}


def test_an_object_without_a_name_is_replaced_before_the_old_one_goes(program, apps, namespace):
    stack = program("""
        labels = {"color": config.get("color") or "blue"}
        web = k8s.apps.v1.Deployment(
            "web",
            metadata=meta(annotations=NO_AWAIT),
            spec={
                "replicas": 0,
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {"containers": [{"name": "web", "image": "local/shop:1"}]},
                },
            },
        )
        pulumi.export("name", web.metadata.name)
    """)
    stack.put()
    first = stack.outputs()["name"]

    stack.configure("color", "green")
    result = stack.up()

    assert result.ok, result
    second = stack.outputs()["name"]
    assert second != first
    ops = [step.op for step in result.steps]
    assert ops.index("create-replacement") < ops.index("delete-replaced")
    left = apps.list_namespaced_deployment(namespace).items
    assert [live.metadata.name for live in left] == [second]


def test_an_object_with_a_name_is_deleted_before_it_is_replaced(program, apps, namespace):
    stack = program("""
        labels = {"color": config.get("color") or "blue"}
        deployment("web", replicas=0, labels=labels)
    """)
    stack.put()
    before = apps.read_namespaced_deployment("web", namespace)

    stack.configure("color", "green")
    result = stack.up()

    assert result.ok, result
    ops = [step.op for step in result.steps]
    assert ops.index("delete-replaced") < ops.index("create-replacement")
    after = apps.read_namespaced_deployment("web", namespace)
    assert after.spec.selector.match_labels == {"color": "green"}
    assert after.metadata.uid != before.metadata.uid


def test_another_cluster_address_replaces_a_service(program, core, namespace):
    stack = program("""
        k8s.core.v1.Service(
            "web",
            metadata=meta("web", annotations=NO_AWAIT),
            spec={"ports": [{"port": 80}], "clusterIP": config.require("ip")},
        )
    """)
    stack.configure("ip", "None")
    stack.put()

    stack.configure("ip", "10.96.77.77")
    result = stack.up()

    assert result.ok, result
    assert "create-replacement" in [step.op for step in result.steps]
    assert core.read_namespaced_service("web", namespace).spec.cluster_ip == "10.96.77.77"


CONFIG_MAP = """
    provider = k8s.Provider("cluster", enable_config_map_mutable=config.get_bool("mutable"))
    k8s.core.v1.ConfigMap(
        "flag",
        metadata=meta("flag", labels={"color": config.require("label")}),
        data={"active": config.require("data")},
        immutable=config.get_bool("immutable"),
        opts=pulumi.ResourceOptions(provider=provider),
    )
"""


def config_map(program, **values):
    stack = program(CONFIG_MAP)
    for key, value in {"label": "blue", "data": "blue", **values}.items():
        stack.configure(key, value)
    result = stack.up()
    assert result.ok, result
    return stack


def uid_of_flag(core, namespace):
    return core.read_namespaced_config_map("flag", namespace).metadata.uid


def test_other_data_replaces_a_config_map(program, core, namespace):
    stack = config_map(program)
    before = uid_of_flag(core, namespace)

    stack.configure("data", "green")
    result = stack.up()

    assert result.ok, result
    assert core.read_namespaced_config_map("flag", namespace).data == {"active": "green"}
    assert uid_of_flag(core, namespace) != before


def test_other_labels_change_a_config_map_in_place(program, core, namespace):
    stack = config_map(program)
    before = uid_of_flag(core, namespace)

    stack.configure("label", "green")
    result = stack.up()

    assert result.ok, result
    live = core.read_namespaced_config_map("flag", namespace)
    assert live.metadata.labels == {"color": "green"}
    assert live.metadata.uid == before


def test_a_provider_that_allows_it_changes_the_data_in_place(program, core, namespace):
    stack = config_map(program, mutable="true")
    before = uid_of_flag(core, namespace)

    stack.configure("data", "green")
    result = stack.up()

    assert result.ok, result
    assert core.read_namespaced_config_map("flag", namespace).data == {"active": "green"}
    assert uid_of_flag(core, namespace) == before


def test_an_immutable_config_map_is_replaced_all_the_same(program, core, namespace):
    stack = config_map(program, mutable="true", immutable="true")
    before = uid_of_flag(core, namespace)

    stack.configure("data", "green")
    result = stack.up()

    assert result.ok, result
    assert uid_of_flag(core, namespace) != before


def test_a_secret_is_never_shown(program, core, namespace):
    stack = program("""
        secret = k8s.core.v1.Secret(
            "key", metadata=meta("key"), string_data={"token": config.require("token")}
        )
        k8s.core.v1.ConfigMap("copy", metadata=meta("copy"), data={"data": secret.data["token"]})
        pulumi.export("data", secret.data)
    """)
    stack.configure("token", "hunter2-first")
    encoded = "aHVudGVyMi1maXJzdA=="

    results = [stack.preview(), stack.up(), stack.refresh()]
    stack.configure("token", "hunter2-second")
    results += [stack.run("preview", "--diff"), stack.up()]

    assert all(result.ok for result in results), results
    assert core.read_namespaced_secret("key", namespace).data == {"token": "aHVudGVyMi1zZWNvbmQ="}
    shown = "".join(result.text for result in results)
    state = stack.run("stack", "export", "--stack", "test").text
    for secret in (encoded, "hunter2", "aHVudGVyMi1zZWNvbmQ="):
        assert secret not in shown
        assert secret not in state


def test_destroy_waits_until_the_objects_are_gone(program, apps, namespace):
    stack = program('deployment("web", replicas=2)')
    stack.put()

    result = stack.destroy()

    assert result.ok, result
    assert apps.list_namespaced_deployment(namespace).items == []


def test_to_delete_what_is_gone_already_is_fine(program, core, namespace):
    stack = program(SERVICE)
    stack.put()
    core.delete_namespaced_service("web", namespace)

    result = stack.destroy()

    assert result.ok, result
    assert stack.resources() == []


def test_an_object_that_was_there_is_adopted_by_import(program, core, namespace):
    spec = {"selector": {"app": "web"}, "ports": [{"port": 80}]}
    made = core.create_namespaced_service(namespace, {"metadata": {"name": "web"}, "spec": spec})
    stack = program("""
        k8s.core.v1.Service(
            "web",
            metadata=meta("web"),
            spec={
                "type": "ClusterIP",
                "selector": {"app": "web"},
                "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}],
                "sessionAffinity": "None",
                "internalTrafficPolicy": "Cluster",
                "ipFamilies": ["IPv4"],
                "ipFamilyPolicy": "SingleStack",
                "clusterIP": config.require("ip"),
                "clusterIPs": [config.require("ip")],
            },
            opts=pulumi.ResourceOptions(import_=f"{namespace}/web"),
        )
    """)
    stack.configure("ip", made.spec.cluster_ip)

    result = stack.up()

    assert [step.op for step in result.steps] == ["import"], result
    live = core.read_namespaced_service("web", namespace)
    assert live.metadata.uid == made.metadata.uid
    assert stack.up().steps == ()


def test_to_import_what_is_not_there_is_refused(program):
    stack = program("""
        options = pulumi.ResourceOptions(import_=f"{namespace}/web")
        k8s.core.v1.ConfigMap("web", metadata=meta("web"), opts=options)
    """)

    result = stack.up()

    assert not result.ok
    assert "does not exist" in result.text


def test_refresh_sees_a_change_by_hand_and_the_next_update_undoes_it(program, core, namespace):
    stack = program(SERVICE)
    stack.put()
    by_hand = {"spec": {"selector": {"color": "green"}}}
    core.patch_namespaced_service("web", namespace, by_hand, field_manager="kubectl-edit")
    # Without a refresh nobody looks.
    assert stack.preview().plan == []

    refreshed = stack.refresh()
    planned = stack.preview()
    result = stack.up()

    assert refreshed.done == ["web"], refreshed
    assert planned.plan == ["web"]
    assert result.ok, result
    assert core.read_namespaced_service("web", namespace).spec.selector == {"color": "blue"}


def test_refresh_forgets_what_was_deleted_by_hand(program, core, namespace):
    stack = program(SERVICE)
    stack.put()
    core.delete_namespaced_service("web", namespace)

    assert stack.refresh().ok

    assert stack.resource("web") is None
    assert [step.op for step in stack.up().steps] == ["create"]


def test_every_kind_can_be_made_and_is_the_same_at_the_next_look(program, api, namespace):
    stack = program("""
        labels = {"app": "web"}
        pod = {"containers": [{
            "name": "web",
            "image": "local/shop:1",
            "ports": [{"containerPort": 8080}],
            "env": [{"name": "COLOR", "value": "blue"}],
            "resources": {"requests": {"cpu": "0.5"}, "limits": {"memory": "1Gi"}},
            "readinessProbe": {"httpGet": {"path": "/health/ready", "port": 8080}},
        }]}
        job = {"template": {"spec": {**pod, "restartPolicy": "Never"}}}
        named = meta("web", annotations=NO_AWAIT)
        k8s.core.v1.Namespace("web", metadata={"name": f"{namespace}-x"})
        k8s.core.v1.ConfigMap("config", metadata=named, data={"a": "1"}, immutable=True)
        k8s.core.v1.Secret("secret", metadata=named, string_data={"a": "1"}, type="Opaque")
        k8s.core.v1.ServiceAccount("account", metadata=named)
        k8s.core.v1.Service(
            "service",
            metadata=named,
            spec={"selector": labels, "ports": [{"port": 80, "targetPort": "http"}]},
        )
        k8s.core.v1.Event(
            "event",
            metadata=named,
            involved_object={"kind": "Service", "name": "web", "namespace": namespace},
            reason="Switched",
            message="blue to green",
            type="Normal",
        )
        k8s.apps.v1.Deployment(
            "deployment",
            metadata=named,
            spec={
                "replicas": 2,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {
                    **pod,
                    "terminationGracePeriodSeconds": 20,
                    "securityContext": {"runAsNonRoot": True},
                    "topologySpreadConstraints": [{
                        "maxSkew": 1,
                        "topologyKey": "kubernetes.io/hostname",
                        "whenUnsatisfiable": "ScheduleAnyway",
                        "labelSelector": {"matchLabels": labels},
                    }],
                }},
            },
        )
        k8s.autoscaling.v2.HorizontalPodAutoscaler(
            "autoscaler",
            metadata=named,
            spec={
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
                "minReplicas": 2,
                "maxReplicas": 20,
                "metrics": [{"type": "Resource", "resource": {
                    "name": "cpu",
                    "target": {"type": "Utilization", "averageUtilization": 70},
                }}],
                "behavior": {"scaleUp": {
                    "stabilizationWindowSeconds": 0,
                    "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
                }},
            },
        )
        k8s.policy.v1.PodDisruptionBudget(
            "budget",
            metadata=named,
            spec={"minAvailable": "50%", "selector": {"matchLabels": labels}},
        )
        k8s.batch.v1.Job("job", metadata=named, spec=job)
        k8s.batch.v1.CronJob(
            "cron", metadata=named, spec={"schedule": "0 0 1 1 *", "jobTemplate": {"spec": job}}
        )
        k8s.rbac.v1.Role(
            "role",
            metadata=named,
            rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}],
        )
        k8s.rbac.v1.RoleBinding(
            "binding",
            metadata=named,
            role_ref={"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "web"},
            subjects=[{"kind": "ServiceAccount", "name": "web", "namespace": namespace}],
        )
        k8s.networking.v1.NetworkPolicy(
            "policy", metadata=named, spec={"podSelector": {}, "policyTypes": ["Ingress"]}
        )
    """)

    result = stack.up()

    assert result.ok, result
    assert len(result.steps) == 14
    again = stack.up()
    assert again.ok
    assert again.steps == (), again
    assert stack.refresh().ok
    assert stack.up().steps == ()
    assert stack.destroy().ok
    assert client.CoreV1Api(api).list_namespaced_service(namespace).items == []


def test_a_definition_of_a_custom_resource_is_made_changed_and_deleted(program, api, namespace):
    stack = program("""
        group = f"{namespace}.bluegreen.test"
        described = {"type": "object", "description": config.require("description")}
        k8s.apiextensions.v1.CustomResourceDefinition(
            "things",
            metadata={"name": f"things.{group}"},
            spec={
                "group": group,
                "scope": "Namespaced",
                "names": {"plural": "things", "singular": "thing", "kind": "Thing"},
                "versions": [{
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": {
                        **described, "x_kubernetes_preserve_unknown_fields": True,
                    }},
                }],
            },
        )
    """)
    definitions = client.ApiextensionsV1Api(api)
    name = f"things.{namespace}.bluegreen.test"
    stack.configure("description", "first")
    stack.put()
    before = definitions.read_custom_resource_definition(name)

    stack.configure("description", "second")
    result = stack.up()

    assert [step.op for step in result.steps] == ["update"], result
    after = definitions.read_custom_resource_definition(name)
    assert after.metadata.uid == before.metadata.uid
    schema = after.spec.versions[0].schema.open_apiv3_schema
    assert schema.description == "second"
    assert schema.x_kubernetes_preserve_unknown_fields is True
    assert stack.up().steps == ()
    assert stack.destroy().ok


def test_a_kind_that_the_stand_in_does_not_know_is_refused_in_one_line(program, is_stand_in):
    if not is_stand_in:
        pytest.skip("the official plugin knows every kind")
    stack = program("""
        k8s.apps.v1.DaemonSet("web", metadata=meta("web"), spec={})
    """)

    result = stack.preview()

    assert not result.ok
    assert "error: DaemonSet (apps/v1) is a kind that this stand-in" in result.text
    assert "nothing was sent to the cluster. It knows ConfigMap, CronJob, Custom" in result.text
