"""One comment on a pull or merge request, found again by an invisible marker and edited."""

from bluegreen.operations.comments.api import CannotPostError, NoTokenError, Posted
from bluegreen.operations.comments.github import GitHub
from bluegreen.operations.comments.gitlab import GitLab

__all__ = ["CannotPostError", "GitHub", "GitLab", "NoTokenError", "Posted"]
