import pytest
from pydantic import ValidationError

from bluegreen.settings.gates import GatesSettings, HttpGateSettings


def problem_of(written):
    with pytest.raises(ValidationError) as caught:
        GatesSettings.model_validate(written)
    (problem,) = caught.value.errors()
    return ".".join(map(str, problem["loc"])), problem["msg"]


def test_the_defaults_are_those_that_are_documented():
    settings = GatesSettings()

    assert settings.timeout_seconds == 120
    assert (settings.capacity.fraction, settings.capacity.timeout_seconds) == (1.0, 60)
    assert settings.release is None
    assert settings.http == settings.command == {}


def test_the_defaults_of_an_http_gate_are_those_that_are_documented():
    gate = HttpGateSettings(path="/")

    assert (gate.method, gate.status, gate.consecutive, gate.slow) == ("GET", 200, 3, False)
    assert (gate.interval_seconds, gate.timeout_seconds) == (0.5, 30)
    assert gate.request_timeout_seconds == 5


def test_a_release_gate_may_be_switched_on_without_a_word():
    release = GatesSettings.model_validate({"release": {}}).release

    assert release is not None
    assert (release.path, release.json_field) == ("/version", "version")


@pytest.mark.parametrize("value", [True, 1, 1.5, "1", "true"])
def test_a_wanted_json_value_keeps_its_type(value):
    gate = HttpGateSettings(path="/", json_field="a", json_equals=value)

    assert gate.json_equals == value
    assert type(gate.json_equals) is type(value)


def test_settings_survive_being_written_and_read_again():
    written = {
        "http": {"db": {"path": "/db", "json_field": "a.b", "json_equals": 1}},
        "release": {},
        "command": {"smoke": {"command": ["npm", "test"], "secret_env": ["TOKEN"]}},
    }
    settings = GatesSettings.model_validate(written)

    assert GatesSettings.model_validate(settings.model_dump(mode="json")) == settings


def test_a_command_may_be_one_line_or_a_list():
    settings = GatesSettings.model_validate(
        {"command": {"a": {"command": "npm 'run all'"}, "b": {"command": ["npm", "run all"]}}}
    )

    assert settings.command["a"].arguments == settings.command["b"].arguments == ("npm", "run all")


def test_values_of_variables_do_not_show_up_in_the_representation():
    written = {"command": {"a": {"command": "true", "env": {"TOKEN": "fake-value"}}}}

    assert "fake-value" not in repr(GatesSettings.model_validate(written))


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ({"timeout": 3}, "timeout"),
        ({"timeout_seconds": 0}, "timeout_seconds"),
        ({"timeout_seconds": float("inf")}, "timeout_seconds"),
        ({"capacity": {"fraction": 0}}, "capacity.fraction"),
        ({"capacity": {"fraction": 1.1}}, "capacity.fraction"),
        ({"capacity": {"dry_run": True}}, "capacity.dry_run"),
        ({"capacity": {"slow": True}}, "capacity.slow"),
        ({"http": {"a": {}}}, "http.a.path"),
        ({"http": {"a": {"path": "health"}}}, "http.a.path"),
        ({"http": {"a": {"path": "/", "method": "POST"}}}, "http.a.method"),
        ({"http": {"a": {"path": "/", "status": 99}}}, "http.a.status"),
        ({"http": {"a": {"path": "/", "json_field": "a..b"}}}, "http.a.json_field"),
        ({"http": {"a": {"path": "/", "consecutive": 0}}}, "http.a.consecutive"),
        ({"http": {"Not Good": {"path": "/"}}}, "http.Not Good.[key]"),
        ({"release": {"json_equals": "1"}}, "release.json_equals"),
        ({"command": {"a": {"command": "true", "env": {"N": 1}}}}, "command.a.env.N"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused_by_its_key(written, key):
    assert problem_of(written)[0] == key


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ({"http": {"a": {"path": "/", "json_equals": 1}}}, "json_field does not say which one"),
        ({"http": {"a": {"path": "/", "json_field": "a", "method": "HEAD"}}}, "has no body"),
        (
            {"http": {"a": {"path": "/", "consecutive": 61}}},
            "61 answers in a row, 0.5 s apart, never fit into timeout_seconds 30",
        ),
        ({"http": {"ready": {"path": "/", "slow": True}}}, "a rollback never skips readiness"),
        ({"http": {"ready": {"path": "/", "dry_run": True}}}, "cannot be a dry run"),
        ({"command": {"a": {"command": "npm 'run"}}}, "cannot be split into words: no closing"),
        ({"command": {"a": {"command": " "}}}, "names no program"),
        ({"command": {"a": {"command": []}}}, "names no program"),
    ],
)
def test_values_that_do_not_fit_together_are_refused_with_the_reason(written, text):
    assert text in problem_of(written)[1]


@pytest.mark.parametrize("name", ["capacity", "release"])
@pytest.mark.parametrize("kind", [{"http": {"path": "/"}}, {"command": {"command": "true"}}])
def test_the_names_of_built_in_gates_are_taken(name, kind):
    ((key, gate),) = kind.items()

    assert f"more than one gate is called {name};" in problem_of({key: {name: gate}})[1]


def test_a_request_and_a_program_cannot_share_a_name():
    written = {"http": {"db": {"path": "/"}}, "command": {"db": {"command": "true"}}}

    assert "more than one gate is called db;" in problem_of(written)[1]


def test_only_a_request_may_replace_the_readiness_gate():
    replaced = GatesSettings.model_validate({"http": {"ready": {"path": "/"}}})

    assert replaced.http["ready"].path == "/"
    written = {"command": {"ready": {"command": "true"}}}
    assert "more than one gate is called ready;" in problem_of(written)[1]
