"""What a drill refuses before anything is made, and what it says when something is left."""

import json
from pathlib import Path

import pytest

from bluegreen.operations import UncertainError, UsageError
from bluegreen.operations.drill_commands import remove
from bluegreen.operations.drill_stack import drill_stack
from bluegreen.operations.project import Project
from bluegreen.operations.stack import Stack

STATE = {
    "deployment": {
        "resources": [
            {"type": "pulumi:providers:aws", "custom": True, "id": "0a", "inputs": {}},
            {
                "type": "aws:lb/listener:Listener",
                "custom": True,
                "id": "arn:aws:listener/7",
                "inputs": {},
            },
        ]
    }
}
PULUMI = """#!/bin/sh
echo "$@" >> {folder}/typed
case "$2 $3" in
"stack export") cat {folder}/state.json ;;
"destroy "*)
    [ -e {folder}/is-stuck ] || exit 0
    echo 'error: the listener is in use' >&2
    exit 255 ;;
esac
"""


@pytest.fixture
def stack(tmp_path):
    return Stack(Project(tmp_path, "shop", tmp_path), "dev")


@pytest.fixture
def typed(tmp_path, monkeypatch):
    """A `pulumi` that does as its folder says, and the commands that it was given."""

    def typed() -> list[str]:
        lines = (tmp_path / "typed").read_text().splitlines()
        return [line.removeprefix("--non-interactive ") for line in lines]

    (tmp_path / "state.json").write_text(json.dumps(STATE))
    program = tmp_path / "bin" / "pulumi"
    program.parent.mkdir()
    program.write_text(PULUMI.format(folder=tmp_path))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    return typed


@pytest.mark.parametrize(
    ("service", "options", "problem"),
    [
        ("{platform: onprem}", {"url": "http://127.0.0.1:1"}, "leave out --url"),
        ("{platform: kubernetes}", {"port": 9000}, "leave out --port"),
        (
            "{name: shop, platform: kubernetes, kubernetes: {production_url: 'http://1.2.3.4'}}",
            {},
            "http://1.2.3.4 does not begin with shop",
        ),
        (
            "{name: shop, platform: kubernetes, "
            "kubernetes: {production_url: 'http://shop.here.invalid'}}",
            {},
            "shop.here.invalid is not known here",
        ),
    ],
)
def test_what_cannot_be_reached_is_refused_before_anything_is_made(
    stack, service, options, problem
):
    text = f"config:\n  shop:active_color: blue\n  shop:service: {service}\n"
    stack.config_file.write_text(text)

    with pytest.raises(UsageError, match=problem) as refused:
        drill_stack(stack, lambda _: None, **options).__enter__()

    assert "nothing was done" in str(refused.value)
    assert [path.name for path in Path(stack.project.directory).iterdir()] == ["Pulumi.dev.yaml"]


def test_what_is_left_is_named_with_the_commands_that_remove_it(stack, typed, tmp_path):
    (tmp_path / "is-stuck").touch()

    with pytest.raises(UncertainError) as failed:
        remove(stack)

    assert str(failed.value) == (
        "the copy dev could not be removed: the listener is in use; left: "
        "aws:lb/listener:Listener arn:aws:listener/7; the stack itself was not touched; "
        "`pulumi destroy --stack dev`, then `pulumi stack rm dev`"
    )
    # The lock that a killed engine leaves is no reason to leave everything else.
    assert [line.split()[0] for line in typed()] == [
        "destroy", "cancel", "destroy", "stack", "stack"
    ]  # fmt: skip


def test_a_copy_is_destroyed_once_and_its_stack_removed(stack, typed):
    remove(stack)

    assert typed() == [
        "destroy --yes --skip-preview --continue-on-error --stack dev",
        "stack rm --yes dev",
    ]
