"""What is not as a config takes it to be, in one line."""

from dataclasses import dataclass

__all__ = ["Finding"]


@dataclass(frozen=True, slots=True)
class Finding:
    """By the key that says otherwise."""

    key: str
    """For example `service.aws.vpc_id`."""

    what: str
    """What is wrong with its value."""

    fix: str
    """What puts it right."""

    def told(self, project: str) -> str:
        """In the words in which all problems of a config are told."""
        return f"{project}:{self.key}: {self.what}; nothing was changed; {self.fix}"
