"""When an input counts as another one."""

import pytest

from bluegreen.onprem.provider import LiveProvider


class Provider(LiveProvider):
    computed = ("address",)


@pytest.mark.parametrize(
    ("news", "is_new"),
    [
        ({"port": 80, "name": "a"}, False),
        ({"port": 80.0, "name": "a"}, False),
        ({"port": 81, "name": "a"}, True),
        ({"port": 80}, True),
        ({"port": 80, "name": "a", "owner": "b"}, True),
        ({"port": 80, "name": "a", "__provider": "another"}, False),
    ],
)
def test_an_input_that_is_another_further_or_gone_is_a_difference(news, is_new):
    olds = {"port": 80, "name": "a", "address": "http://127.0.0.1:80", "__provider": "one"}

    assert Provider().has_new_inputs(olds, news) is is_new
