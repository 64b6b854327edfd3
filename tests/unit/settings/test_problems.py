import pytest

from tests.unit.written import COMMAND, a_config, problem_of, set_path


def set_parts(path):
    return f"`pulumi config rm --path {path}`, then set its parts with {set_path(f'{path}.KEY')}"


@pytest.mark.parametrize(
    ("changes", "path", "meant"),
    [
        ({"service": {"prot": 1}}, "service.prot", "port"),
        ({"blue": {"release": "1", "replica": 3}}, "blue.replica", "replicas"),
        ({"service": {"health_check": {"pth": "/"}}}, "service.health_check.pth", "path"),
        (
            {"service": {"onprem": {"command": COMMAND, "member_ports": {"bleu": 1}}}},
            "service.onprem.member_ports.bleu",
            "blue",
        ),
        (
            {"service": {"gates": {"http": {"db": {"path": "/", "stat": 200}}}}},
            "service.gates.http.db.stat",
            "status",
        ),
    ],
)
def test_a_misspelt_key_comes_with_the_one_that_was_meant(changes, path, meant):
    assert problem_of(**changes) == (
        f"shop:{path}: is not a known key, did you mean {meant}?"
        f"; nothing was changed; `pulumi config rm --path {path}`"
    )


def test_an_unknown_key_that_resembles_nothing_comes_with_all_that_are_known():
    assert problem_of(canary={"color": "green", "zzz": 1}) == (
        "shop:canary.zzz: is not a known key (known: color, percent); nothing was changed; "
        "`pulumi config rm --path canary.zzz`"
    )


def test_a_key_that_needs_quotes_is_quoted_in_the_command():
    written_gates = {"http": {"Not Good": {"path": "/"}}}

    assert problem_of(service={"gates": written_gates}) == (
        'shop:service.gates.http["Not Good"]: the name "Not Good" does not match '
        "^[a-z][a-z0-9_-]{0,30}$; nothing was changed; "
        "`pulumi config rm --path 'service.gates.http[\"Not Good\"]'`"
    )


def test_a_whole_number_where_text_is_wanted_comes_with_the_command_that_keeps_it_text():
    assert problem_of(blue={"release": 2}) == (
        f"shop:blue.release: 2 is not text"
        f"; nothing was changed; {set_path('blue.release', '2 --type string')}"
    )


def test_a_number_that_may_have_lost_a_zero_is_not_offered_again():
    assert problem_of(blue={"release": 1.10}) == (
        "shop:blue.release: 1.1 is not text (as a number, 1.10 is the same as 1.1)"
        "; nothing was changed; "
        f"{set_path('blue.release', 'VALUE --type string')}"
    )


@pytest.mark.parametrize(
    ("value", "shown"),
    [(True, "true"), (None, "null"), (["1"], "a list"), ({"a": 1}, "a mapping"), (-1, "-1")],
)
def test_what_else_is_not_text_is_named_but_not_offered_again(value, shown):
    assert problem_of(blue={"release": value}) == (
        f"shop:blue.release: {shown} is not text"
        f"; nothing was changed; {set_path('blue.release', 'VALUE --type string')}"
    )


@pytest.mark.parametrize("key", ["service", "blue", "canary", "retired"])
@pytest.mark.parametrize(
    ("text", "shown"),
    [("hello", "text"), ("", "text"), ('{"release": "1"', "text"), ("7", "7"), ("[1]", "a list")],
)
def test_anything_but_a_mapping_where_one_is_wanted_is_removed_first(key, text, shown):
    assert problem_of(**{key: text}) == (
        f"shop:{key}: {shown} is not a mapping; nothing was changed; {set_parts(key)}"
    )


def test_plain_text_deep_inside_is_removed_by_its_whole_path():
    assert problem_of(service={"onprem": "x"}) == (
        "shop:service.onprem: text is not a mapping; nothing was changed; "
        f"{set_parts('service.onprem')}"
    )


@pytest.mark.parametrize(
    ("service", "path", "complaint"),
    [
        ({"port": "http"}, "service.port", '"http" is not a whole number'),
        ({"port": 80.5}, "service.port", "80.5 is not a whole number"),
        ({"retention_hours": "long"}, "service.retention_hours", '"long" is not a number'),
        (
            {"gates": {"command": {"a": {"command": "x", "slow": "maybe"}}}},
            "service.gates.command.a.slow",
            '"maybe" is not true or false',
        ),
        (
            {"gates": {"http": {"a": {"path": "/", "method": "POST"}}}},
            "service.gates.http.a.method",
            '"POST" is not GET or HEAD',
        ),
        ({"platform": "moon"}, "service.platform", '"moon" is not onprem, kubernetes or aws'),
        (
            {"retired_capacity": {"mode": "half"}},
            "service.retired_capacity.mode",
            '"half" is not zero, minimum or percent',
        ),
    ],
)
def test_a_value_of_another_type_is_shown_with_the_wanted_type(service, path, complaint):
    assert (
        problem_of(service=service)
        == f"shop:{path}: {complaint}; nothing was changed; {set_path(path)}"
    )


def test_a_number_stored_as_text_by_the_command_line_is_a_number():
    config = a_config(
        blue={"release": "1", "replicas": "3"}, service={"drain": {"timeout_seconds": "0.5"}}
    )

    assert config.blue.replicas == 3
    assert config.service.drain.timeout_seconds == 0.5


def test_a_value_that_fits_none_of_several_types_is_one_problem():
    assert problem_of(service={"gates": {"command": {"a": {"command": 5}}}}) == (
        "shop:service.gates.command.a.command: 5 is not text or a list; nothing was changed; "
        f"{set_path('service.gates.command.a.command', '5 --type string')}"
    )


def test_a_value_of_several_plain_types_is_not_made_text_by_the_command():
    gate = {"path": "/", "json_field": "a", "json_equals": [1]}
    path = "service.gates.http.a.json_equals"

    assert problem_of(service={"gates": {"http": {"a": gate}}}) == (
        f"shop:{path}: a list is not text or a whole number or a number or true or false"
        f"; nothing was changed; "
        f"{set_path(path)}"
    )


def test_a_wrong_item_of_a_list_is_told_by_its_index():
    assert problem_of(service={"gates": {"command": {"a": {"command": ["x", 5]}}}}) == (
        "shop:service.gates.command.a.command[1]: 5 is not text; nothing was changed; "
        f"{set_path(repr('service.gates.command.a.command[1]'), '5 --type string')}"
    )


def test_text_where_a_list_is_wanted_comes_with_the_command_for_the_first_item():
    path = "service.gates.command.a.secret_env"
    gate = {"command": "x", "secret_env": "TOKEN"}

    assert problem_of(service={"gates": {"command": {"a": gate}}}) == (
        f"shop:{path}: the value (not shown) is not a list"
        f"; nothing was changed; `pulumi config rm --path {path}`, then set its "
        f"items with {set_path(repr(f'{path}[0]'), 'VALUE --type string')}"
    )
