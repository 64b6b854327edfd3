"""What a URN says: stack, project, the types above a resource, and its name."""

from dataclasses import dataclass

__all__ = ["Urn"]

_PARTS = 4


@dataclass(frozen=True, slots=True)
class Urn:
    """The parts of `urn:pulumi:<stack>::<project>::<types>::<name>`."""

    stack: str
    project: str
    types: tuple[str, ...]
    """The types of the parents, outermost first, and its own last."""

    name: str

    @classmethod
    def parse(cls, text: str) -> "Urn | None":
        """The parts; None when it is no URN."""
        parts = text.removeprefix("urn:pulumi:").split("::", _PARTS - 1)
        if not text.startswith("urn:pulumi:") or len(parts) != _PARTS:
            return None
        stack, project, types, name = parts
        return cls(stack, project, tuple(types.split("$")), name)

    @property
    def type(self) -> str:
        """The resource's own type."""
        return self.types[-1]

    @property
    def is_users(self) -> bool:
        """False for the stack itself and its providers."""
        return not self.type.startswith("pulumi:")

    @property
    def is_ours(self) -> bool:
        """True for what one of this library's components has made, and for the component."""
        return any(each.startswith("bluegreen:") for each in self.types)

    @property
    def is_component(self) -> bool:
        """True for one of this library's components, which groups resources and is none itself."""
        return self.type.startswith("bluegreen:")
