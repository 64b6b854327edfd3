import pytest

from bluegreen.colors import Color
from bluegreen.settings.kubernetes import AutoscalingSettings, KubernetesSettings, RouterMechanism
from bluegreen.settings.service import Platform
from tests.unit.written import COMMAND, a_config, problem_of, problems_of, set_path

IMAGE = "ghcr.io/acme/shop:{release}"
GATEWAY = {"name": "front"}


def on_kubernetes(**kubernetes):
    """A service there; None takes a key out."""
    written = {"image": IMAGE, **kubernetes}
    return {
        "platform": "kubernetes",
        "kubernetes": {key: value for key, value in written.items() if value is not None},
    }


def the_settings(**kubernetes):
    return a_config(service=on_kubernetes(**kubernetes)).service.kubernetes


def the_problem(path, complaint, *, fix=None, **kubernetes):
    """Whether the settings have exactly this one problem, and this way out."""
    place = f"service.kubernetes.{path}"
    said = problem_of(service=on_kubernetes(**kubernetes))
    expected = f"shop:{place}: {complaint}; nothing was changed; {fix or set_path(place)}"
    assert said == expected


def test_a_service_on_kubernetes_needs_an_image_and_nothing_else():
    settings = the_settings()

    assert settings == KubernetesSettings(image=IMAGE)
    assert settings.router is RouterMechanism.SERVICE
    assert (settings.ready_initial_delay_seconds, settings.pre_stop_seconds) == (10, 5)
    assert settings.image_pull_policy == "IfNotPresent"
    assert settings.security.read_only_root_filesystem
    assert (settings.startup, settings.liveness, settings.autoscaling) == (None, None, None)


def test_kubernetes_has_defaults_of_its_own_for_port_and_readiness():
    service = a_config(service=on_kubernetes()).service

    assert service.port == 80
    check = service.health_check
    assert (check.path, check.interval_seconds, check.healthy_threshold) == ("/health/ready", 5, 1)


def test_what_is_written_wins_over_the_defaults_of_the_platform():
    service = a_config(
        service=on_kubernetes() | {"port": 8443, "health_check": {"interval_seconds": 1}}
    ).service

    assert service.port == 8443
    check = service.health_check
    assert (check.interval_seconds, check.healthy_threshold) == (1, 1)


def test_the_defaults_of_kubernetes_are_not_those_of_another_platform():
    service = a_config().service

    assert service.platform is Platform.ONPREM
    assert (service.port, service.health_check.interval_seconds) == (18080, 2)


def test_a_health_check_that_is_no_mapping_is_told_where_it_was_written():
    problem = problem_of(service=on_kubernetes() | {"health_check": 5})

    assert problem.startswith("shop:service.health_check: 5 is not a mapping; nothing was changed;")


def test_ports_of_processes_do_not_matter_on_kubernetes():
    assert a_config(service=on_kubernetes() | {"port": 18443}).service.port == 18443


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("router", "ingress", '"ingress" is not service or http_route'),
        ("image_pull_policy", "Sometimes", '"Sometimes" is not Always, IfNotPresent or Never'),
        ("container_port", 0, "0 is not at least 1"),
        ("container_port", 65536, "65536 is not at most 65535"),
        ("ready_initial_delay_seconds", -1, "-1 is not at least 0"),
        ("pre_stop_seconds", 601, "601 is not at most 600"),
        ("pre_stop_seconds", 0.5, "0.5 is not a whole number"),
        ("ready_timeout_seconds", 0, "0 is not more than 0"),
        ("propagation_seconds", -0.1, "-0.1 is not at least 0"),
        ("startup.period_seconds", 0, "0 is not at least 1"),
        ("startup.failure_threshold", 1001, "1001 is not at most 1000"),
        ("liveness.period_seconds", 0, "0 is not at least 1"),
        ("liveness.failure_threshold", 0, "0 is not at least 1"),
        ("security.run_as_user", 0, "0 is not at least 1"),
        ("security.read_only_root_filesystem", "maybe", '"maybe" is not true or false'),
        ("autoscaling.min_replicas", 0, "0 is not at least 1"),
        ("autoscaling.max_replicas", 1001, "1001 is not at most 1000"),
        ("autoscaling.cpu_percent", 101, "101 is not at most 100"),
    ],
)
def test_a_value_out_of_its_range_is_refused(key, value, complaint):
    first, _, inner = key.partition(".")

    the_problem(key, complaint, **{first: {inner: value} if inner else value})


LABEL = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"
NAME = "^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"
URL = r"^https?://[^\s/]+(/+[^\s/]+)*$"


@pytest.mark.parametrize(
    ("key", "value", "pattern"),
    [
        ("namespace", "Shops", LABEL),
        ("namespace", "shops.test", LABEL),
        ("namespace", "-shops", LABEL),
        ("service_account", "a b", NAME),
        ("image", "an image", r"^\S+$"),
        ("gateway.name", "Front", NAME),
        ("gateway.namespace", "front_", LABEL),
        ("gateway.section_name", "-https", NAME),
        ("gateway.pin_header", "X Color", "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"),
        ("liveness.path", "health", r"^/\S*$"),
        ("production_url", "shop.example", URL),
        ("production_url", "https://shop.example/", URL),
        ("color_url", "http:///{color}", URL),
        ("follow_job.image", "a b", r"^\S+$"),
    ],
)
def test_a_text_of_another_form_is_refused_with_the_form(key, value, pattern):
    first, _, inner = key.partition(".")
    required = {"gateway": {"name": "front"}}.get(first, {})

    the_problem(
        key,
        f'"{value}" does not match {pattern}',
        fix=set_path(f"service.kubernetes.{key}", "VALUE --type string"),
        **{first: {**required, inner: value} if inner else value},
    )


def test_a_namespace_has_at_most_63_characters():
    the_problem(
        "namespace",
        f'"{"a" * 64}" has more than 63 characters',
        fix=set_path("service.kubernetes.namespace", "VALUE --type string"),
        namespace="a" * 64,
    )


def test_an_image_is_not_empty():
    the_problem(
        "image",
        '"" has less than 1 characters',
        fix=set_path("service.kubernetes.image", "VALUE --type string"),
        image="",
    )


def test_names_in_a_list_are_told_with_their_place():
    the_problem(
        "image_pull_secrets[1]",
        f'"B" does not match {NAME}',
        fix=set_path("'service.kubernetes.image_pull_secrets[1]'", "VALUE --type string"),
        image_pull_secrets=["a.b", "B"],
    )


def test_host_names_are_lower_case():
    place = "gateway.hostnames[0]"
    the_problem(
        place,
        r'"Shop.example" does not match ^(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?$',
        fix=set_path(f"'service.kubernetes.{place}'", "VALUE --type string"),
        gateway=GATEWAY | {"hostnames": ["Shop.example"]},
    )


@pytest.mark.parametrize("url", ["http://a", "https://shop.example:8443", "http://h/{color}/api"])
def test_an_address_has_a_scheme_a_host_and_perhaps_a_path(url):
    assert the_settings(production_url=url).production_url == url


@pytest.mark.parametrize("host", ["shop.example", "*.shop.example", "localhost"])
def test_a_host_name_may_stand_for_all_below_it(host):
    gateway = the_settings(gateway=GATEWAY | {"hostnames": [host]}).gateway

    assert gateway.hostnames == (host,)


@pytest.mark.parametrize("quantity", ["1", "0.5", "250m", "128Mi", "2G"])
def test_a_quantity_is_a_number_and_a_unit(quantity):
    resources = the_settings(resources={"requests": {"cpu": quantity}}).resources

    assert resources.requests == {"cpu": quantity}


@pytest.mark.parametrize("quantity", ["", "much", "1 Gi", "-1", "128MB", "1e3"])
def test_anything_else_is_no_quantity(quantity):
    place = "resources.limits.memory"
    pattern = r"^[0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti|P|Pi|E|Ei)?$"
    the_problem(
        place,
        f'"{quantity}" does not match {pattern}',
        fix=set_path(f"service.kubernetes.{place}", "VALUE --type string"),
        resources={"limits": {"memory": quantity}},
    )


def test_a_number_in_the_place_of_a_quantity_comes_with_the_command_for_the_text():
    place = "resources.requests.cpu"
    the_problem(
        place,
        "1 is not text",
        fix=set_path(f"service.kubernetes.{place}", "1 --type string"),
        resources={"requests": {"cpu": 1}},
    )


def test_a_resource_that_is_not_known_is_told_by_its_name():
    problem = problem_of(service=on_kubernetes(resources={"limits": {"gpu": "1"}}))

    assert problem == (
        'shop:service.kubernetes.resources.limits.gpu: "gpu" is not cpu, memory or '
        "ephemeral-storage; nothing was changed; "
        "`pulumi config rm --path service.kubernetes.resources.limits.gpu`"
    )


def test_an_unknown_key_is_told_with_the_one_that_was_meant():
    the_problem(
        "namspace",
        "is not a known key, did you mean namespace?",
        fix="`pulumi config rm --path service.kubernetes.namspace`",
        namspace="shops",
    )


def test_the_fewest_members_are_not_more_than_the_most():
    the_problem(
        "autoscaling",
        "min_replicas 5 is above max_replicas 3",
        fix=set_path("service.kubernetes.autoscaling.min_replicas", "3"),
        autoscaling={"min_replicas": 5, "max_replicas": 3},
    )
    assert AutoscalingSettings(min_replicas=3, max_replicas=3).cpu_percent == 70


def test_an_http_route_belongs_to_a_gateway():
    assert problem_of(service=on_kubernetes(router="http_route")) == (
        "shop:service.kubernetes: router is http_route, but gateway does not say which Gateway it "
        "belongs to; nothing was changed; "
        f"{set_path('service.kubernetes.gateway.name', 'NAME')}"
    )
    assert the_settings(router="http_route", gateway=GATEWAY).gateway.name == "front"


def test_a_gateway_has_a_name():
    the_problem(
        "gateway.name",
        "is missing",
        fix=set_path("service.kubernetes.gateway.name", "VALUE --type string"),
        gateway={"namespace": "edge"},
    )


def test_a_job_has_a_service_to_ask():
    problem = problem_of(
        service=on_kubernetes(router="http_route", gateway=GATEWAY, follow_job={"image": "curl"})
    )

    assert problem == (
        "shop:service.kubernetes: follow_job asks production's Service, and with the router "
        "http_route it has none; nothing was changed; "
        "`pulumi config rm --path service.kubernetes.follow_job`"
    )
    assert the_settings(follow_job={"image": "curl"}).follow_job.timeout_seconds == 60


def test_a_color_url_reaches_one_color():
    url = "http://shop.example/test"
    assert problem_of(service=on_kubernetes(color_url=url)) == (
        f"shop:service.kubernetes: color_url {url} has no {{color}} in it, so it reaches no one "
        "color; nothing was changed; "
        f"{set_path('service.kubernetes.color_url', 'VALUE --type string')}"
    )
    fits = "http://{color}.shop.example"
    assert the_settings(color_url=fits).color_url == fits


@pytest.mark.parametrize("key", ["env", "secrets"])
@pytest.mark.parametrize("name", ["PORT", "BLUEGREEN_COLOR"])
def test_variables_that_every_member_is_given_cannot_be_replaced(key, name):
    place = f"service.kubernetes.{key}"

    assert problem_of(service=on_kubernetes(**{key: {name: "1"}})) == (
        f"shop:{place}: {name} is set by bluegreen for every member; nothing was changed; "
        f"`pulumi config rm --path {place}.{name}`"
    )


# What several settings contradict each other in.


def test_a_color_without_an_image_is_refused_for_each_color():
    assert problems_of(service=on_kubernetes(image=None)) == [
        f"shop:{color}.image: is missing, and so is service.kubernetes.image; nothing was changed; "
        "`pulumi config set --path service.kubernetes.image 'REGISTRY/NAME:{release}'`"
        for color in Color
    ]


def test_a_color_may_have_an_image_of_its_own():
    own = {"release": "1.0", "image": "a:1"}
    config = a_config(service=on_kubernetes(image=None), blue=own, green=None)

    assert config.blue.image == "a:1"


def test_a_release_that_cannot_be_the_tag_of_its_image_is_refused():
    blue = {"release": "1.0+hotfix"}

    assert problem_of(service=on_kubernetes(image="shop:{release}"), blue=blue) == (
        "shop:blue.release: 1.0+hotfix cannot be a tag of the image shop:{release}: a tag has no +;"
        " nothing was changed; `pulumi config set --path blue.image IMAGE` names the image of this "
        "release"
    )


def test_a_service_cannot_send_a_canary():
    canary = {"color": "green", "percent": 10}

    assert problem_of(service=on_kubernetes(), canary=canary) == (
        "shop:canary.percent: 10 % cannot be sent by a Service, whose selector is all or nothing; "
        "nothing was changed; `pulumi config set --path canary.percent 0`, or use the router "
        "http_route"
    )


def test_an_http_route_can_send_a_canary_and_a_service_one_of_nothing():
    http_route = on_kubernetes(router="http_route", gateway=GATEWAY)

    some = a_config(service=http_route, canary={"color": "green", "percent": 10})
    none = a_config(service=on_kubernetes(), canary={"color": "green", "percent": 0})

    assert (some.canary.percent, none.canary.percent) == (10, 0)


def test_a_problem_and_a_contradiction_are_told_together():
    problems = problems_of(
        service=on_kubernetes(image=None),
        blue={"release": "1.0", "replicas": 0},
        canary={"color": "green", "percent": 5},
    )

    assert [problem.partition(": ")[0] for problem in problems] == [
        "shop:blue.replicas",
        "shop:canary.percent",
        "shop:green.image",
    ]


@pytest.mark.parametrize(
    ("service", "key", "value"),
    [
        (on_kubernetes(), "command", COMMAND),
        ({}, "image", "a:1"),
        ({}, "secrets", {"TOKEN": "hunter2"}),
    ],
)
def test_what_the_platform_would_not_read_is_refused(service, key, value):
    platform = service.get("platform", "onprem")

    assert problem_of(service=service, blue={"release": "1.0", key: value}) == (
        f"shop:blue.{key}: is not read on the platform {platform}; nothing was changed; "
        f"`pulumi config rm --path blue.{key}`"
    )


NO_VARIABLE = "is not a name of a variable on Kubernetes ([A-Za-z_][A-Za-z0-9_.-]*)"


@pytest.mark.parametrize("key", ["env", "secrets"])
@pytest.mark.parametrize("name", ["9LIVES", "DB PASSWORD", "naïve", "-x"])
def test_variables_that_kubernetes_would_leave_out_are_refused(key, name):
    shared = problem_of(service=on_kubernetes(**{key: {name: "hunter2"}}))
    own = problem_of(service=on_kubernetes(), blue={"release": "1.0", key: {name: "hunter2"}})

    assert all(NO_VARIABLE in said and "hunter2" not in said for said in (shared, own))
    assert shared.startswith(f"shop:service.kubernetes.{key}[")
    assert own.startswith(f"shop:blue.{key}[")


@pytest.mark.parametrize("name", ["DB_URL", "_x", "spring.profiles-active"])
def test_names_that_kubernetes_takes_are_let_through(name):
    assert the_settings(env={name: "1"}).env == {name: "1"}
