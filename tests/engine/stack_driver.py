"""What the drivers of every platform do alike: type commands, and tell of them in roles."""

from dataclasses import replace
from typing import Any, ClassVar

from tests.engine.pulumi_stack import PulumiStack, Result, Step


class StackDriver:
    """The part of `tests.engine.driver.Driver` that no platform changes."""

    stack: PulumiStack

    ROLES: ClassVar[dict[str, str]] = {
        "shop-route": "router",
        "shop-flag": "flag",
        "shop-blue-members": "blue fleet",
        "shop-green-members": "green fleet",
    }
    """What the resources are called, in the scenarios' words."""

    def is_told(self, step: Step) -> bool:
        """Whether the scenarios are told of this step."""
        return True

    def configure(self, key: str, value: Any) -> None:
        self.stack.configure(key, value)

    def arrange(self, *, refresh: bool = False) -> None:
        result = self.stack.up("--skip-preview", *(["--refresh"] if refresh else []))
        assert result.ok, result

    def up(self, *, refresh: bool = False, **environment: str) -> Result:
        return self._in_roles(self.stack.up(*(["--refresh"] if refresh else []), **environment))

    def preview(self, *, refresh: bool = False, **environment: str) -> Result:
        return self._in_roles(
            self.stack.preview(*(["--refresh"] if refresh else []), **environment)
        )

    def refresh(self) -> Result:
        return self._in_roles(self.stack.refresh())

    def destroy(self) -> Result:
        return self._in_roles(self.stack.destroy())

    def outputs(self) -> dict[str, Any]:
        return self.stack.outputs()

    def _in_roles(self, result: Result) -> Result:
        """The same result with the scenarios' words for the resources."""
        return replace(result, steps=self._named(result.steps), planned=self._named(result.planned))

    def _named(self, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        return tuple(
            replace(step, name=self.ROLES.get(step.name, step.name))
            for step in steps
            if self.is_told(step)
        )
