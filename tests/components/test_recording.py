"""The recording engine refuses what the real one refuses; otherwise tests pass by accident."""

import pulumi
import pytest

from tests.components.conftest import Deploy


class Thing(pulumi.CustomResource):
    size: pulumi.Output[int]

    def __init__(
        self,
        name: str,
        opts: pulumi.ResourceOptions | None = None,
        **inputs: pulumi.Input[object],
    ) -> None:
        super().__init__("test:index:Thing", name, {"size": None, **inputs}, opts)


class Box(pulumi.ComponentResource):
    """Names its child without its own name, as one must not."""

    def __init__(self, name: str) -> None:
        super().__init__("test:index:Box", name)
        Thing("inside", pulumi.ResourceOptions(parent=self))


async def do_nothing(_args: pulumi.ResourceHookArgs) -> None: ...


def test_two_resources_with_one_urn_are_refused(deploy: Deploy) -> None:
    def program() -> None:
        Box("one")
        Box("two")

    with pytest.raises(AssertionError, match="duplicate URN"):
        deploy(program)


def test_two_hooks_with_one_name_are_refused(deploy: Deploy) -> None:
    def program() -> None:
        for name in ("one", "two"):
            hook = pulumi.ResourceHook("same", do_nothing)
            hooks = pulumi.ResourceHookBinding(before_create=[hook])
            Thing(name, pulumi.ResourceOptions(hooks=hooks))

    with pytest.raises(AssertionError, match="hook of this name"):
        deploy(program)


def test_a_lookup_is_refused(deploy: Deploy) -> None:
    def program() -> None:
        Thing("thing", size=pulumi.Output.from_input(pulumi.runtime.invoke("test:index:get", {})))

    with pytest.raises(AssertionError, match="unexpected lookup: test:index:get"):
        deploy(program)


def test_reading_a_resource_that_exists_is_refused(deploy: Deploy) -> None:
    with pytest.raises(AssertionError, match="unexpected read"):
        deploy(lambda: Thing("thing", pulumi.ResourceOptions(id="there")))


def test_outputs_that_are_registered_twice_are_refused(deploy: Deploy) -> None:
    def program() -> None:
        component = pulumi.ComponentResource("test:index:Twice", "twice")
        component.register_outputs({})
        component.register_outputs({})

    with pytest.raises(AssertionError, match="or twice"):
        deploy(program)


def test_what_a_program_raises_reaches_the_test(deploy: Deploy) -> None:
    def program() -> None:
        Thing("thing").urn.apply(lambda _: pytest.fail("seen"))

    with pytest.raises(pytest.fail.Exception, match="seen"):
        deploy(program)


def test_dependencies_hooks_secrets_and_parents_are_recorded(deploy: Deploy) -> None:
    def program() -> None:
        first = Thing("first", size=1)
        parent = pulumi.ComponentResource("test:index:Parent", "parent")
        hook = pulumi.ResourceHook("asks", do_nothing)
        Thing(
            "second",
            pulumi.ResourceOptions(
                parent=parent,
                depends_on=[Thing("other")],
                hooks=pulumi.ResourceHookBinding(before_update=[hook]),
            ),
            size=first.size,
            password=pulumi.Output.secret("not-a-password"),
        )

    recording = deploy(program)

    second = recording.by_name["second"]
    assert recording.dependencies("second") == {"first", "other"}
    assert second.property_dependencies["size"] == {recording.by_name["first"].urn}
    assert second.hooks == {"before_update": ("asks",)}
    assert second.inputs == {"size": 1, "password": "not-a-password"}
    assert second.secrets == {"password"}
    assert next(recording.ancestors(second)).name == "parent"


def test_an_answer_takes_the_place_of_an_input(deploy: Deploy) -> None:
    recording = deploy(
        lambda: pulumi.export("size", Thing("thing", size=1).size), answers={"thing": {"size": 2}}
    )

    assert recording.stack_outputs == {"size": 2}


def test_programs_after_each_other_do_not_see_each_other(deploy: Deploy) -> None:
    for _ in range(3):
        recording = deploy(lambda: Box("box"))

        assert len(recording.resources) == 2
