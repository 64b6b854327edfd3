import pytest

from bluegreen.errors import ConfigError
from bluegreen.load import LoadPlan


def a_plan(**changes) -> LoadPlan:
    return LoadPlan(**{"url": "http://127.0.0.1:18080/", "rate": 10, "seconds": 1, **changes})


@pytest.mark.parametrize(
    "host",
    [
        "example.com",
        "10.0.0.1",
        "0.0.0.0",
        "[2001:db8::1]",
        "127.0.0.1.example.com",
        "localhost.example.com",
        "2130706433",
    ],
)
def test_a_host_that_is_not_loopback_is_refused_by_name(host):
    with pytest.raises(ConfigError) as refusal:
        a_plan(url=f"http://{host}:80/")

    (problem,) = refusal.value.problems
    assert repr(host.strip("[]")) in problem
    assert "not loopback" in problem
    assert "nothing was sent" in problem


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:8081/", ("127.0.0.1", 8081)),
        ("http://127.0.0.12/", ("127.0.0.12", 80)),
        ("http://localhost:1", ("127.0.0.1", 1)),
        ("http://[::1]:81/", ("::1", 81)),
    ],
)
def test_loopback_addresses_are_taken(url, address):
    assert a_plan(url=url).address == address


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "127.0.0.1:80",
        "http://",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1:0/",
        "http://[::1/",
        "http://a@127.0.0.1/",
        "http://127.0.0.1/\r\nX: y",
        "http://127.0.0.1/é",
    ],
)
def test_an_address_of_another_form_is_refused(url):
    with pytest.raises(ConfigError, match=r"^url: .*nothing was sent"):
        a_plan(url=url)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rate", 0),
        ("rate", -1),
        ("rate", float("nan")),
        ("rate", float("inf")),
        ("seconds", 0),
        ("seconds", 3601),
        ("connections", 0),
        ("connections", 901),
        ("fresh_share", -0.1),
        ("fresh_share", 1.1),
        ("timeout_seconds", 0),
        ("cookie_clients", -1),
    ],
)
def test_an_amount_outside_its_range_is_refused_by_its_name(name, value):
    with pytest.raises(ConfigError, match=f"^{name}: .* is outside ") as refusal:
        a_plan(**{name: value})

    assert len(refusal.value.problems) == 1


def test_more_requests_than_a_recording_may_hold_are_refused():
    with pytest.raises(ConfigError, match=r"more than 2000000; .* use at most 500 seconds"):
        a_plan(rate=4000, seconds=501)


def test_all_problems_are_told_at_once():
    with pytest.raises(ConfigError) as refusal:
        a_plan(url="http://example.com/", rate=0, headers={"Connection": "x", "A": "b\r\nC: d"})

    keys = [problem.partition(":")[0] for problem in refusal.value.problems]
    assert keys == ["url", "rate", "headers", "headers"]


def test_a_cookie_header_and_simulated_clients_exclude_each_other():
    with pytest.raises(ConfigError, match="Cookie cannot be set together"):
        a_plan(headers={"cookie": "a=b"}, cookie_clients=1)


def test_the_number_of_requests_is_rate_times_seconds():
    assert a_plan(rate=2000, seconds=2.5).request_count == 5000


def test_the_addresses_of_a_private_test_network_are_taken_when_it_is_named():
    plan = a_plan(url="http://10.96.3.4/", test_network="10.96.0.0/16")

    assert plan.address == ("10.96.3.4", 80)


@pytest.mark.parametrize(
    ("network", "reason"),
    [("8.8.8.0/24", "not private"), ("10.96.0.1/16", "host bits"), ("cluster", "IPv4 or IPv6")],
)
def test_a_test_network_that_may_be_somebody_elses_is_refused(network, reason):
    with pytest.raises(ConfigError) as refusal:
        a_plan(url="http://127.0.0.1/", test_network=network)

    assert any(reason in problem for problem in refusal.value.problems)


def test_an_address_outside_of_the_test_network_is_refused():
    with pytest.raises(ConfigError, match="not loopback"):
        a_plan(url="http://10.97.0.1/", test_network="10.96.0.0/16")
