import pytest

from bluegreen.settings.following import DrainSettings, FollowSettings
from tests.unit.written import a_config, problem_of, set_path


def test_the_defaults_are_those_that_are_documented():
    follow, drain = FollowSettings(), DrainSettings()

    assert (follow.consecutive, follow.interval_seconds, follow.timeout_seconds) == (5, 0.05, 30)
    assert (drain.timeout_seconds, drain.stop_seconds) == (60, 30)


@pytest.mark.parametrize("source", [{"header": "X-Color"}, {"json_field": "deployment.color"}])
def test_an_answer_may_say_its_color_in_a_header_or_in_a_field(source):
    color_from = a_config(service={"color_from": source}).service.color_from

    assert color_from.model_dump(exclude_none=True) == {**source, "path": "/"}


def test_an_answer_says_its_color_somewhere():
    assert problem_of(service={"color_from": {}}) == (
        "shop:service.color_from: names neither header nor json_field; nothing was changed; "
        f"{set_path('service.color_from.header', 'VALUE --type string')}"
    )


def test_an_answer_says_its_color_in_one_place():
    source = {"header": "X-Color", "json_field": "color"}

    assert problem_of(service={"color_from": source}) == (
        "shop:service.color_from: names both header and json_field; nothing was changed; "
        "`pulumi config rm --path service.color_from.json_field`"
    )


@pytest.mark.parametrize(
    ("section", "key", "value", "complaint"),
    [
        ("follow", "consecutive", 0, "0 is not at least 1"),
        ("follow", "consecutive", 1001, "1001 is not at most 1000"),
        ("follow", "interval_seconds", -1, "-1 is not at least 0"),
        ("follow", "interval_seconds", 61, "61 is not at most 60"),
        ("follow", "timeout_seconds", 0, "0 is not more than 0"),
        ("follow", "timeout_seconds", 3601, "3601 is not at most 3600"),
        ("drain", "timeout_seconds", -1, "-1 is not at least 0"),
        ("drain", "timeout_seconds", float("inf"), "Infinity is not at most 3600"),
        ("drain", "stop_seconds", 0, "0 is not at least 1"),
        ("drain", "stop_seconds", 3601, "3601 is not at most 3600"),
    ],
)
def test_a_value_out_of_range_is_refused(section, key, value, complaint):
    assert problem_of(service={section: {key: value}}) == (
        f"shop:service.{section}.{key}: {complaint}"
        f"; nothing was changed; {set_path(f'service.{section}.{key}')}"
    )


def test_nobody_has_to_wait_for_sessions_or_between_questions():
    service = a_config(
        service={"drain": {"timeout_seconds": 0}, "follow": {"interval_seconds": 0}}
    ).service

    assert service.drain.timeout_seconds == service.follow.interval_seconds == 0
