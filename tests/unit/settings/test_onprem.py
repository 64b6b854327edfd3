import pytest

from bluegreen.colors import Color
from bluegreen.settings.onprem import FirstPorts, OnPremSettings
from tests.unit.written import COMMAND, a_config, problem_of, set_path

KEY = "service.onprem"


def onprem(**changes):
    return {"onprem": {"command": COMMAND, **changes}}


def test_the_defaults_are_closed_and_documented():
    settings = OnPremSettings()

    assert settings.bind_address == "127.0.0.1"
    assert settings.test_port == 18443
    assert (settings.member_ports.blue, settings.member_ports.green) == (18100, 18200)
    assert settings.slots == 8
    assert settings.start_timeout_seconds == 60
    assert settings.command is settings.directory is settings.run_directory is None


def test_every_slot_of_a_color_has_a_port_of_its_own():
    settings = OnPremSettings(slots=3, member_ports=FirstPorts(blue=20000, green=20003))

    assert settings.ports_of(Color.BLUE) == (20000, 20001, 20002)
    assert settings.ports_of(Color.GREEN) == (20003, 20004, 20005)


@pytest.mark.parametrize(("blue", "green"), [(20000, 20007), (20007, 20000), (20000, 20000)])
def test_slots_that_overlap_are_refused(blue, green):
    ports = {"blue": blue, "green": green}

    assert problem_of(service=onprem(member_ports=ports)) == (
        f"shop:{KEY}: member_ports blue {blue} and green {green} are less than slots 8 apart"
        f"; nothing was changed; {set_path(f'{KEY}.member_ports.green', blue + 8)}"
    )


@pytest.mark.parametrize(
    ("color", "first", "last"), [("blue", 65530, 65537), ("green", 65529, 65536)]
)
def test_a_last_port_that_does_not_exist_is_refused(color, first, last):
    assert problem_of(service=onprem(member_ports={color: first})) == (
        f"shop:{KEY}: the last member port {last} is above 65535"
        f"; nothing was changed; {set_path(f'{KEY}.member_ports.{color}', 65528)}"
    )


def test_the_very_last_port_may_be_used():
    settings = a_config(service=onprem(member_ports={"green": 65528})).service.onprem

    assert settings.ports_of(Color.GREEN)[-1] == 65535


@pytest.mark.parametrize(
    ("changes", "key", "complaint"),
    [
        ({"test_port": 80}, "test_port", "80 is not at least 1024"),
        ({"test_port": 65536}, "test_port", "65536 is not at most 65535"),
        ({"member_ports": {"blue": 80}}, "member_ports.blue", "80 is not at least 1024"),
        ({"member_ports": {"green": 99999}}, "member_ports.green", "99999 is not at most 65535"),
        ({"slots": 0}, "slots", "0 is not at least 1"),
        ({"slots": 101}, "slots", "101 is not at most 100"),
        ({"start_timeout_seconds": 0}, "start_timeout_seconds", "0 is not more than 0"),
        ({"start_timeout_seconds": 3601}, "start_timeout_seconds", "3601 is not at most 3600"),
    ],
)
def test_a_value_out_of_range_is_refused(changes, key, complaint):
    assert problem_of(service=onprem(**changes)) == (
        f"shop:{KEY}.{key}: {complaint}; nothing was changed; {set_path(f'{KEY}.{key}')}"
    )


def test_an_empty_command_is_refused():
    assert problem_of(service=onprem(command="")) == (
        f'shop:{KEY}.command: "" has less than 1 characters; nothing was changed; '
        f"{set_path(f'{KEY}.command', 'VALUE --type string')}"
    )
