import pytest

from bluegreen.settings.health_check import HealthCheckSettings
from tests.unit.written import a_config, problem_of, set_path

KEY = "service.health_check"


def test_the_defaults_are_those_that_are_documented():
    check = HealthCheckSettings()

    assert check.path == "/health/ready"
    assert (check.interval_seconds, check.timeout_seconds) == (2, 1)
    assert (check.healthy_threshold, check.unhealthy_threshold) == (2, 3)


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("interval_seconds", 0, "0 is not more than 0"),
        ("interval_seconds", 301, "301 is not at most 300"),
        ("timeout_seconds", 0, "0 is not more than 0"),
        ("timeout_seconds", 121, "121 is not at most 120"),
        ("healthy_threshold", 0, "0 is not at least 1"),
        ("healthy_threshold", 11, "11 is not at most 10"),
        ("unhealthy_threshold", 0, "0 is not at least 1"),
        ("unhealthy_threshold", 11, "11 is not at most 10"),
    ],
)
def test_a_value_out_of_range_is_refused(key, value, complaint):
    assert problem_of(service={"health_check": {key: value}}) == (
        f"shop:{KEY}.{key}: {complaint}; nothing was changed; {set_path(f'{KEY}.{key}')}"
    )


@pytest.mark.parametrize("path", ["health", "", "/a b", "http://x/", "/a'b", "/a#b"])
def test_a_path_starts_with_a_slash_and_has_nothing_that_a_proxy_would_read_as_its_own(path):
    assert problem_of(service={"health_check": {"path": path}}) == (
        rf'shop:{KEY}.path: "{path}" does not match ^/[A-Za-z0-9_./@+=:~,;&?%!*-]*$'
        f"; nothing was changed; {set_path(f'{KEY}.path', 'VALUE --type string')}"
    )


def test_a_timeout_longer_than_the_interval_is_refused():
    assert problem_of(
        service={"health_check": {"timeout_seconds": 3, "interval_seconds": 2.5}}
    ) == (
        f"shop:{KEY}: timeout_seconds 3 is longer than interval_seconds 2.5; a check would overlap "
        f"the next one; nothing was changed; {set_path(f'{KEY}.timeout_seconds', 2.5)}"
    )


def test_a_timeout_as_long_as_the_interval_is_taken():
    check = a_config(service={"health_check": {"timeout_seconds": 2}}).service.health_check

    assert check.timeout_seconds == check.interval_seconds == 2
