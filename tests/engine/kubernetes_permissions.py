"""What a user needs to be allowed, as docs/kubernetes-permissions.yaml says it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

import yaml

from tests.engine.pulumi_stack import REPOSITORY
from tools.cluster.access import Rule

__all__ = ["Permission", "needed", "rules_of"]

FILE = REPOSITORY / "docs" / "kubernetes-permissions.yaml"


@dataclass(frozen=True)
class Permission:
    """One verb on one kind of object."""

    group: str
    resource: str
    verb: str

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}"


def needed(role: str = "bluegreen") -> tuple[Permission, ...]:
    """All permissions of one of the roles."""
    roles = {each["metadata"]["name"]: each for each in yaml.safe_load_all(FILE.read_text())}
    return tuple(
        Permission(*each)
        for rule in roles[role]["rules"]
        for each in product(rule["apiGroups"], rule["resources"], rule["verbs"])
    )


def rules_of(permissions: Iterable[Permission]) -> Sequence[Rule]:
    """The same for a test's user."""
    return [
        {"apiGroups": [each.group], "resources": [each.resource], "verbs": [each.verb]}
        for each in permissions
    ]
