import pytest

from bluegreen.aws import endpoints
from bluegreen.aws.endpoints import Endpoints
from bluegreen.aws.later import Later
from bluegreen.errors import DataPlaneError
from tests.components.aws_service import RULE, config_of
from tests.unit.aws.answers import BLUE

DNS = "front-1.eu-west-1.elb.amazonaws.com"
HTTP = {"protocol": "HTTP", "certificate_arn": None, "production_url": None}


def addresses(*, service=None, **aws):
    settings = config_of(aws=aws, service=service).service
    return endpoints.production_url(settings, DNS), endpoints.test_url(settings, DNS)


@pytest.mark.parametrize(
    ("aws", "production", "test"),
    [
        ({"production_url": None}, f"https://{DNS}", f"https://{DNS}:8443"),
        ({"production_url": "https://a.example"}, "https://a.example", "https://a.example:8443"),
        ({"test_port": 9443}, "https://shop.example", "https://shop.example:9443"),
        (
            {"production_url": "http://127.0.0.1:1", "test_url": "http://127.0.0.1:2"},
            "http://127.0.0.1:1",
            "http://127.0.0.1:2",
        ),
        (
            {"production_url": None, "rule": RULE | {"hosts": ["*.example", "a.example"]}},
            "https://a.example",
            "https://a.example:8443",
        ),
    ],
)
def test_addresses_are_what_is_written_else_what_leads_there(aws, production, test):
    assert addresses(**aws) == (production, test)


def test_a_usual_port_is_not_part_of_an_address_and_another_is():
    assert addresses(service={"port": 80}, **HTTP)[0] == f"http://{DNS}"
    assert addresses(service={"port": 8000}, **HTTP)[0] == f"http://{DNS}:8000"


def test_the_load_balancers_name_is_only_needed_where_nothing_else_leads_there():
    assert endpoints.needs_balancer_name(config_of(aws={"production_url": None}).service)
    assert not endpoints.needs_balancer_name(config_of().service)
    assert not endpoints.needs_balancer_name(
        config_of("rule", aws={"production_url": None}).service
    )


def test_a_load_balancer_that_is_not_there_yet_has_no_name():
    own = Endpoints(config_of(aws={"production_url": None}).service)
    name = Later("the name", DNS)
    own.learn(name)
    assert own.pinned(BLUE).url == f"https://{DNS}:8443"

    name.get = lambda: None
    with pytest.raises(DataPlaneError, match="not there yet"):
        own.pinned(BLUE)
