import pytest

from bluegreen.settings.service import Platform, ServiceSettings
from tests.unit.written import COMMAND, a_config, problem_of, set_path


def test_a_service_that_only_has_a_name_has_the_documented_defaults():
    service = ServiceSettings(name="shop")

    assert service.platform is Platform.ONPREM
    assert service.port == 18080
    assert service.retention_hours == 24
    assert service.color_from is None


@pytest.mark.parametrize("name", ["shop", "a", "a1-b2-c3", "a" * 18])
def test_a_legal_name_is_taken_as_it_is(name):
    assert a_config(service={"name": name}).service.name == name


def test_a_name_that_is_too_long_is_refused_with_its_length_and_the_limit():
    assert problem_of(service={"name": "a" * 19}) == (
        f"shop:service.name: service name '{'a' * 19}' has 19 characters; the limit is 18"
        f"; nothing was changed; "
        f"{set_path('service.name', 'VALUE --type string')}"
    )


def test_a_name_with_other_characters_is_refused():
    assert problem_of(service={"name": "Shop_1"}) == (
        "shop:service.name: service name 'Shop_1' must be lower-case letters, digits and single "
        f"hyphens, and start with a letter"
        f"; nothing was changed; {set_path('service.name', 'VALUE --type string')}"
    )


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("port", 0, "0 is not at least 1"),
        ("port", 65536, "65536 is not at most 65535"),
        ("retention_hours", -0.5, "-0.5 is not at least 0"),
        ("retention_hours", 8761, "8761 is not at most 8760"),
        ("retention_hours", float("nan"), "NaN is not at most 8760"),
    ],
)
def test_a_value_out_of_range_is_refused(key, value, complaint):
    assert problem_of(service={key: value}) == (
        f"shop:service.{key}: {complaint}; nothing was changed; {set_path(f'service.{key}')}"
    )


@pytest.mark.parametrize(
    ("service", "complaint", "key"),
    [
        ({"port": 18443}, "port and onprem.test_port are both 18443", "onprem.test_port"),
        ({"port": 18100}, "port 18100 is one of the member ports of blue", "port"),
        ({"port": 18107}, "port 18107 is one of the member ports of blue", "port"),
        ({"port": 18200}, "port 18200 is one of the member ports of green", "port"),
        (
            {"onprem": {"command": COMMAND, "test_port": 18207}},
            "onprem.test_port 18207 is one of the member ports of green",
            "onprem.test_port",
        ),
    ],
)
def test_ports_that_clash_are_refused(service, complaint, key):
    assert problem_of(service=service) == (
        f"shop:service: {complaint}; nothing was changed; {set_path(f'service.{key}')}"
    )


@pytest.mark.parametrize("port", [18099, 18108, 18199, 18208, 18442])
def test_ports_beside_the_others_are_free(port):
    assert a_config(service={"port": port}).service.port == port
