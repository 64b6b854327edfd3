import asyncio

import pulumi
import pytest

from bluegreen.aws.later import Later, known
from bluegreen.errors import DataPlaneError


def in_a_program(what):
    return asyncio.run(what())


def output(value, *, is_known=True, fails=False):
    async def resolve():
        await asyncio.sleep(0.01)
        if fails:
            raise RuntimeError("secret text")
        return value

    async def resolved(answer):
        return answer

    future = asyncio.ensure_future(resolve())
    is_secret = asyncio.ensure_future(resolved(answer=False))
    return pulumi.Output(resolved(set()), future, resolved(is_known), is_secret)


def test_a_text_is_known_at_once():
    assert Later("the load balancer", "arn:1").get() == "arn:1"


def test_a_hook_gets_what_is_known_a_moment_later():
    async def program():
        later = Later("the load balancer", output("arn:1"))
        return await asyncio.to_thread(later.get)

    assert in_a_program(program) == "arn:1"


def test_the_program_itself_does_not_wait_for_what_only_it_could_make():
    async def program():
        later = Later("the load balancer", output("arn:1"))
        with pytest.raises(DataPlaneError, match="the load balancer is not known yet"):
            later.get()
        await asyncio.sleep(0.05)
        return later.get()

    assert in_a_program(program) == "arn:1"


def test_a_preview_may_not_know_it():
    async def program():
        later = Later("the load balancer", output(None, is_known=False))
        return await asyncio.to_thread(later.get)

    assert in_a_program(program) is None


def test_what_it_comes_from_may_fail_and_is_not_quoted():
    async def program():
        later = Later("the load balancer", output("", fails=True))
        await asyncio.to_thread(later.get)

    with pytest.raises(DataPlaneError) as caught:
        in_a_program(program)
    assert str(caught.value) == "the load balancer is not known: RuntimeError"


def test_of_several_values_all_are_known_or_none():
    values = {"a": Later("a", "1"), "b": Later("b", "2")}
    assert known(values) == {"a": "1", "b": "2"}

    values["b"].get = lambda: None
    assert known(values) is None
