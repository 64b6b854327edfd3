from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.pulumi_stack import REPOSITORY
from tools.demo.errors import DemoError
from tools.demo.plan import DemoPlan
from tools.demo.screen import Screen
from tools.demo.stage import Stage


def a_plan(**changes):
    plan = DemoPlan(root=REPOSITORY, into=Path("/tmp/results"), first_port=28080)
    return replace(plan, **changes)


def test_other_ports_move_both_endpoints_and_every_slot():
    plan = a_plan()

    assert plan.production_url == "http://127.0.0.1:28080"
    assert plan.test_url == "http://127.0.0.1:28081"
    assert list(plan.ports) == list(range(28080, 28098))
    assert a_plan(first_port=None).moved_ports == {}


def test_a_checkout_with_a_long_path_keeps_its_sockets_elsewhere(tmp_path):
    deep = tmp_path / ("d" * 60)

    assert a_plan(root=Path("/srv/app")).run_directory == Path(
        "/srv/app/.bluegreen/run/bluegreen/demo/shop"
    )
    assert a_plan(root=deep).run_directory.name.endswith("-demo")
    assert len(str(a_plan(root=deep).run_directory)) < 80
    assert a_plan(root=Path("/srv/my app")).short_run_directory is not None


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"stack": "Demo"}, "stack 'Demo' must be"),
        ({"rate": 0}, "rate 0 is outside"),
        ({"switches": 0}, "0 switches are outside"),
    ],
)
def test_a_demo_that_cannot_be_is_refused(changes, problem):
    with pytest.raises(DemoError, match=problem):
        a_plan(**changes)


def test_a_second_demo_at_the_same_place_is_refused(tmp_path):
    plan = a_plan(into=tmp_path)

    with (
        Stage(plan, Screen()).reserved(),
        pytest.raises(DemoError, match="another demo is running"),
        Stage(plan, Screen()).reserved(),
    ):
        pass
