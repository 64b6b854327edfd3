"""Looks at what a service stands on before any of its parts is written.

AWS checks most of it only when the parts are written, one after the other: half of them would be
there, and what the provider has failed to write it keeps for written.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pulumi

from bluegreen.aws.aws_session import NoAnswerError
from bluegreen.aws.finding import Finding
from bluegreen.aws.ground_questions import QUESTIONS, Question
from bluegreen.aws.surroundings import Surroundings
from bluegreen.errors import DataPlaneError, RolloutError
from bluegreen.gate_hooks import HookCall

__all__ = ["GroundGuard"]


class GroundGuard:
    """Asked before the service's own component is made or changed.

    It only asks about what has changed. A question that may not be asked, or that has no answer, is
    left to AWS itself.
    """

    def __init__(self, project: str, surroundings: Surroundings) -> None:
        self._project = project
        self._surroundings = surroundings

    def __call__(self, call: HookCall) -> None:
        """Raises with one line for each thing that is not as the config takes it to be."""
        found = list(self._findings(call.old, call.new))
        if found:
            lines = dict.fromkeys(each.told(self._project) for each in found)
            raise RolloutError("\n".join(lines))

    def _findings(self, old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> Iterator[Finding]:
        wanted = {name: value for name, value in new.items() if _is_known(value)}
        for question in QUESTIONS:
            if not _is_asked(question, old, wanted):
                continue
            try:
                yield from question.ask(self._surroundings, wanted)
            except NoAnswerError:
                # Each further question would take as long.
                return
            except DataPlaneError:
                continue


def _is_known(value: object) -> bool:
    """False for what a preview cannot know."""
    if isinstance(value, list):
        return all(_is_known(each) for each in value)
    return not isinstance(value, pulumi.output.Unknown)


def _is_asked(question: Question, old: Mapping[str, Any] | None, wanted: Mapping[str, Any]) -> bool:
    if not set(question.needs) <= wanted.keys():
        return False
    return old is None or any(old.get(name) != wanted[name] for name in question.needs)
