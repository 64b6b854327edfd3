import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bluegreen.colors import Color
from bluegreen.naming import LONGEST_SERVICE_NAME, child_name, service_name_problem

PROVIDER_SUFFIX = 8
LONGEST_TARGET_GROUP_NAME = 32


@pytest.mark.parametrize("name", ["a", "shop", "shop2", "my-shop", "a-1-b", "a" * 18])
def test_a_legal_name_has_no_problem(name):
    assert service_name_problem(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Shop",
        "1shop",
        "-shop",
        "shop-",
        "my--shop",
        "my_shop",
        "my.shop",
        "my shop",
        "é",
        "a\n",
    ],
)
def test_a_name_that_some_platform_refuses_is_refused_with_the_rule(name):
    assert service_name_problem(name) == (
        f"service name {name!r} must be lower-case letters, digits and single hyphens, "
        "and start with a letter"
    )


def test_a_name_that_is_too_long_is_told_its_length_and_the_limit():
    assert service_name_problem("a" * 19) == (
        f"service name '{'a' * 19}' has 19 characters; the limit is 18"
    )


def test_the_longest_name_fits_a_target_group_with_the_providers_suffix():
    for color in Color:
        name = child_name("a" * LONGEST_SERVICE_NAME, color)
        assert len(name) + PROVIDER_SUFFIX <= LONGEST_TARGET_GROUP_NAME


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet="aZ09-_. é", max_size=20))
def test_a_name_without_a_problem_is_a_dns_label(name):
    if service_name_problem(name) is None:
        assert len(name) <= 63
        assert name.isascii()
        assert name == name.lower()
        assert name[0].isalpha()
        assert name.replace("-", "").isalnum()
        assert not name.endswith("-")


def test_a_child_is_called_after_its_parent_and_its_role():
    assert child_name("shop", "router") == "shop-router"
    assert child_name("shop", Color.BLUE) == "shop-blue"
