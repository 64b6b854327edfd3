"""Records what `pulumi preview --json` says in every scenario, for `tests/preview`.

`BLUEGREEN_RECORD_PREVIEWS=folder pytest tests/engine/test_scenarios.py -m ""` writes the documents
as they are; `python -m tests.preview.pack folder` makes of them what is kept.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.engine.driver import Driver
from tests.engine.pulumi_stack import PulumiStack
from tests.engine.stack_driver import StackDriver

__all__ = ["RECORD", "record_previews"]

RECORD = "BLUEGREEN_RECORD_PREVIEWS"


def record_previews(driver: Driver, request: pytest.FixtureRequest) -> None:
    """Records before each `up` and `preview` of the scenario, where the environment says a folder.

    Not before what a scenario only begins with.
    """
    folder = os.environ.get(RECORD)
    if folder is None:
        return
    assert isinstance(driver, StackDriver)
    parameters = dict(request.node.callspec.params)
    place = Path(folder) / parameters.pop("driver")
    name = "-".join(
        [request.node.originalname.removeprefix("test_"), *map(str, parameters.values())]
    )
    driver.stack.before_command = _Recorder(driver.stack, place, name)


class _Recorder:
    def __init__(self, stack: PulumiStack, folder: Path, name: str) -> None:
        self._stack, self._folder, self._name = stack, folder, name
        self._number = 0

    def __call__(self, options: tuple[str, ...], environment: Mapping[str, str]) -> None:
        if "--skip-preview" in options:
            return
        result = self._stack.run("preview", "--json", "--show-sames", *options, **environment)
        self._number += 1
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{self._name}-{self._number}.json"
        path.write_text(
            json.dumps({"exit": result.exit_code, "out": result.stdout, "err": result.stderr})
        )
