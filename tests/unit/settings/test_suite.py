import pytest

from bluegreen.settings.placeholders import filled, filled_json, names_in
from tests.unit.written import a_config, problem_of, problems_of, set_path

SUITE = "service.gates.suite.smoke"


def service(*steps, **changes):
    return {"gates": {"suite": {"smoke": {"steps": list(steps), **changes}}}}


def step(**changes):
    return {"name": "only", "path": "/", **changes}


def test_what_is_documented_is_accepted():
    config = a_config(
        service=service(
            step(
                name="login",
                method="POST",
                path="/login",
                json_body={"user": "smoke", "password": "{password}"},
                take={"token": "access_token"},
            ),
            step(path="/me", headers={"Authorization": "Bearer {token}"}, json_fields=["id"]),
            step(name="closed", path="/me", status=401),
            secret_env={"password": "SMOKE_PASSWORD"},
            dry_run=True,
        )
    )

    suite = config.service.gates.suite["smoke"]
    assert [each.name for each in suite.steps] == ["login", "only", "closed"]
    assert (suite.timeout_seconds, suite.request_timeout_seconds) == (60, 5)
    assert (suite.slow, suite.dry_run) == (False, True)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"path": "/{token}"}, "path"),
        ({"headers": {"Authorization": "Bearer {token}"}}, "headers.Authorization"),
        ({"method": "POST", "json_body": {"a": [{"b": "{token}"}]}}, "json_body"),
        ({"json_equals": {"id": "{token}"}}, "json_equals.id"),
        ({"path": "/{token}", "take": {"token": "t"}}, "path"),
    ],
)
def test_a_name_that_nobody_gives_a_value_is_refused_at_its_place(changes, place):
    assert problem_of(service=service(step(**changes))).startswith(
        f"shop:{SUITE}: {{token}} in step only.{place}: no earlier step takes it, and secret_env "
        "does not name it; nothing was changed; "
        f"`pulumi config set --path '{SUITE}.steps[0].{place}"
    )


def test_all_unknown_names_are_told_together():
    (problem,) = problems_of(service=service(step(path="/{a}"), step(name="two", path="/{b}")))

    assert "{a} in step only.path, {b} in step two.path: no earlier step" in problem


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (service(), "there are no steps, and a gate that asks nothing always passes"),
        (service(step(), step()), "more than one step is called only"),
        (service(step(json_body={})), "a GET has no body to send json_body in"),
        (service(step(method="HEAD", json_fields=["a"])), "an answer to HEAD has no body"),
        (service(step(take={"color": "a"})), "takes color, which is known before"),
        (
            service(step(take={"pin": "a"}), secret_env={"pin": "PIN"}),
            "takes pin, which is known before",
        ),
        (service(step(), secret_env={"release": "PIN"}), "{release} is known by itself"),
        (service(step(method="TRACE")), '"TRACE" is not GET, HEAD, POST, PUT, PATCH or DELETE'),
        (service(step(path="orders")), '"orders" does not match'),
        (service(step(take={"Token": "a"})), 'the name "Token" does not match'),
    ],
)
def test_a_suite_that_cannot_be_meant_is_refused(written, text):
    problem = problem_of(service=written)

    assert text in problem
    assert "nothing was changed; `pulumi config" in problem


def test_every_problem_of_every_gate_is_told_at_once():
    gates = {
        "suite": {"smoke": {"steps": [step(status=99), step(name="Two")]}},
        "dependencies": {"db": {"json_equals": {}}},
        "warm_up": {"caches": {"requests": 0, "paths": ["/"]}},
        "json_schema": {"order": {"path": "/order"}},
        "feature_flags": {"flags": {"must_equal": True}},
    }

    problems = problems_of(service={"gates": gates})

    assert sorted(problem.split(": ")[0] for problem in problems) == [
        "shop:service.gates.dependencies.db",
        "shop:service.gates.feature_flags.flags.must_equal",
        "shop:service.gates.json_schema.order.json_schema",
        "shop:service.gates.suite.smoke.steps[0].status",
        "shop:service.gates.suite.smoke.steps[1].name",
        "shop:service.gates.warm_up.caches.requests",
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"secret_env": {"password": "hunter2!"}},
        {"secret_env": "hunter2!"},
        {"steps": [step(headers={"X-Key": ["hunter2!"]})]},
        {"steps": [step(headers="hunter2!")]},
        {"steps": [step(json_body={"password": "hunter2!"}, status="x")]},
    ],
)
def test_what_may_hold_a_password_is_not_shown(changes):
    problems = problems_of(service=service(**{"steps": [step()], **changes}))

    assert "hunter2" not in "".join(problems)


def test_bodies_and_headers_do_not_show_up_in_the_representation():
    config = a_config(
        service=service(step(method="POST", json_body=["hunter2"], headers={"X": "hunter2"}))
    )

    assert "hunter2" not in repr(config)


def test_an_authorization_that_the_api_server_would_keep_is_refused():
    gates = service(step(headers={"authorization": "Bearer x"}))["gates"]
    kubernetes = {"image": "shop:{release}", "color_url": "https://{color}.shop.example"}

    problem = problem_of(
        service={
            "platform": "kubernetes",
            "gates": gates,
            "kubernetes": {"image": "shop:{release}"},
        }
    )
    a_config(service={"platform": "kubernetes", "gates": gates, "kubernetes": kubernetes})

    assert problem == (
        f"shop:{SUITE}.steps[0].headers: Authorization does not get through the API server's "
        "proxy, which gates ask without service.kubernetes.color_url; nothing was changed; "
        + set_path("service.kubernetes.color_url", "'https://{color}.HOST'")
    )


def test_names_are_unique_over_all_kinds_of_gates():
    gates = {
        "suite": {"db": {"steps": [step()]}},
        "dependencies": {"db": {"json_equals": {"a": 1}}},
    }

    assert "more than one gate is called db;" in problem_of(service={"gates": gates})


@pytest.mark.parametrize("kind", ["http", "command", "suite", "warm_up"])
def test_approval_is_the_name_of_a_built_in_gate(kind):
    gate = {
        "http": {"path": "/"},
        "command": {"command": "true"},
        "suite": {"steps": [step()]},
        "warm_up": {"paths": ["/"]},
    }[kind]

    problem = problem_of(service={"gates": {kind: {"approval": gate}}})

    assert "more than one gate is called approval;" in problem


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ({}, "names neither paths nor a command"),
        ({"command": "x", "paths": ["/"]}, "names both paths and a command"),
        ({"command": "x 'y"}, "the command cannot be split into words"),
        ({"command": ""}, "the command names no program"),
    ],
)
def test_a_warm_up_is_one_thing(written, text):
    assert text in problem_of(service={"gates": {"warm_up": {"caches": written}}})


def test_a_missing_dependency_comes_with_the_command_that_names_one():
    path = "service.gates.dependencies.db.json_equals"

    assert problem_of(service={"gates": {"dependencies": {"db": {"json_equals": {}}}}}) == (
        "shop:service.gates.dependencies.db: json_equals names no dependency; nothing was changed; "
        + set_path(f"'{path}[\"database.status\"]'", "healthy")
    )


VALUES = {"id": 7, "ok": True, "text": 'a"b'}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("{id}", "7"),
        ("x{id}y{ok}", "x7ytrue"),
        ("{{id}}", "{id}"),
        ("{{ id }}", "{{ id }}"),
        ('{"a": {}}', '{"a": {}}'),
        ("{ID} { id } {", "{ID} { id } {"),
    ],
)
def test_names_in_braces_stand_for_values(written, meant):
    assert filled(written, VALUES) == meant


def test_values_in_json_keep_their_type_where_they_stand_alone():
    written = {"id": "{id}", "list": ["{ok}", "is {ok}", 3, None], "{id}": "{{id}}"}

    assert filled_json(written, VALUES) == {
        "id": 7,
        "list": [True, "is true", 3, None],
        "{id}": "{id}",
    }


def test_escaped_braces_are_no_names():
    assert list(names_in("{{a}} {b} {{c}")) == ["b", "c"]
