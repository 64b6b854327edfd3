"""Whatever stands in a stack's config: it works, or every problem is told in one readable line."""

import json
import os
import re
import traceback
from collections.abc import Callable
from typing import Any
from unittest import mock

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bluegreen.aws import AsgService, AsgServiceArgs, aws_session
from bluegreen.contract import ConfigKey
from bluegreen.errors import ConfigError
from bluegreen.onprem import ProcessService, ProcessServiceArgs
from bluegreen.settings import Platform, ServiceConfig
from tests.components.conftest import record
from tests.unit.strategies import damaged_configs, junk, odd_texts
from tests.unit.written import FakeSource

SECRET = "hunter2-visibly-fake"
NOBODY = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "nothing",
}
JARGON = re.compile(
    r"Traceback|pydantic|[Ii]nput should|validation error|Error\b"
    r"|(?<!instance)_type|errors\.|object at 0x"
)

many = settings(
    max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)
some = settings(many, max_examples=300)

whole_configs = st.fixed_dictionaries({}, optional=dict.fromkeys(map(str, ConfigKey), junk))
secrets = st.recursive(
    st.sampled_from(
        [SECRET, f"{SECRET} ", f"{{{SECRET}}}", f"'{SECRET}", f'{SECRET} "quoted"', SECRET * 9]
    ),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(odd_texts, inner, max_size=2),
    max_leaves=3,
)


def refusal_of(run: Callable[[], object]) -> ConfigError | None:
    try:
        run()
    except ConfigError as error:
        return error
    return None


def load(config: dict[str, Any]) -> ServiceConfig:
    return ServiceConfig.load(FakeSource(config))  # type: ignore[no-untyped-call]


def assert_readable(refusal: ConfigError | None) -> None:
    for line in refusal.problems if refusal else ():
        assert line.splitlines() == [line], "one line, and not an empty one"
        assert re.match(r"shop:[a-z_]", line), line
        assert line.isprintable(), line
        # What somebody wrote is quoted; the rest is ours.
        assert not JARGON.search(re.sub(r'"(\\.|[^"])*"', "", line)), line


@given(damaged_configs())
@many
def test_a_nearly_right_config_is_read_or_refused_readably(config: dict[str, Any]):
    assert_readable(refusal_of(lambda: load(config)))


@given(whole_configs)
@some
def test_any_config_at_all_is_read_or_refused_readably(config: dict[str, Any]):
    assert_readable(refusal_of(lambda: load(config)))


@given(damaged_configs(values=secrets))
@many
def test_no_problem_of_a_secret_shows_it(config: dict[str, Any]):
    keys = json.dumps([f"shop:{key}" for key in ConfigKey])
    with mock.patch.dict(os.environ, {"PULUMI_CONFIG_SECRET_KEYS": keys}):
        refusal = refusal_of(lambda: load(config))
    assert SECRET not in "".join(traceback.format_exception(refusal) if refusal else ())


@given(damaged_configs(most=1))
@some
def test_what_is_read_becomes_a_service_or_is_refused_readably(config: dict[str, Any]):
    recordings = []

    def program() -> None:
        read = load(config)
        if read.service.platform is Platform.AWS:
            AsgService(read.service.name, AsgServiceArgs(config=read, region="eu-west-1"))
        else:
            ProcessService(read.service.name, ProcessServiceArgs(config=read))

    with mock.patch.object(aws_session, "_ATTEMPTS", 1), mock.patch.dict(os.environ, NOBODY):
        refusal = refusal_of(lambda: recordings.append(record(program)))

    lines = [*(refusal.problems if refusal else recordings[0].warnings)]
    assert lines or not refusal
    assert all(line.splitlines() == [line] for line in lines)
    if refusal is None:
        tokens = {each.type for each in recordings[0].resources}
        assert tokens & {"bluegreen:index:ProcessService", "bluegreen:index:AsgService"}
