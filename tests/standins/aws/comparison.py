"""What an update would do to a resource: nothing, a change in place, or a replacement."""

from collections.abc import Iterable
from typing import Any

from pulumi.runtime.proto import provider_pb2

from tests.standins.aws.autonaming import is_autonamed
from tests.standins.aws.aws import Aws
from tests.standins.aws.checkpoint import known
from tests.standins.aws.differences import Difference, differences, is_within
from tests.standins.aws.from_terraform import from_terraform
from tests.standins.aws.paths import property_path
from tests.standins.aws.shapes import Shape
from tests.standins.aws.terraform import Plan
from tests.standins.aws.to_terraform import to_terraform
from tests.standins.kubernetes.property_values import from_struct, plain

__all__ = ["compared"]

Object = dict[str, Any]


def compared(
    aws: Aws, shape: Shape, request: provider_pb2.DiffRequest
) -> provider_pb2.DiffResponse:
    """Asks the provider for its plan, and tells what differs from the state in it.

    Raises:
        ProblemError: the provider does not plan that.
    """
    news = plain(from_struct(request.news))
    prior = known(shape, from_struct(request.olds))
    plan = aws.terraform.plan(shape, prior, to_terraform(shape, news))
    replacing = _replacing(shape, plan)
    found = [
        each
        for each in (*_found(shape, prior.state or {}, plan.state, news),)
        if not any(is_within(each.text, path) for path in request.ignoreChanges)
    ]
    found += _unseen(found, replacing, request.ignoreChanges)
    return _response(shape, found, replacing, news)


def _found(shape: Shape, prior: Object, planned: Object, news: Object) -> Iterable[Difference]:
    old, new = (
        from_terraform(shape, values, news, inputs_only=True, keeps_places=True)
        for values in (prior, planned)
    )
    found = list(differences(old, new, news))
    yield from found
    # What only the provider's default tags change shows nowhere else.
    if not any(each.path[0] == "tags" for each in found) and "tags_all" in prior:
        yield from differences(prior["tags_all"], planned["tags_all"], None, ("tagsAll",))


def _replacing(shape: Shape, plan: Plan) -> list[tuple[str, ...]]:
    paths = (property_path(shape, path) for path in plan.replaces if path[0] != "id")
    return [tuple(part for part in path if isinstance(part, str)) for path in paths]


def _unseen(
    found: list[Difference], replacing: list[tuple[str, ...]], ignored: Iterable[str]
) -> list[Difference]:
    """What replaces the resource although no value of it differs."""
    seen = {each.path[0] for each in found}
    names = {path[0] for path in replacing} - seen - set(ignored)
    return [Difference((name,), "UPDATE") for name in sorted(names)]


def _response(
    shape: Shape, found: list[Difference], replacing: list[tuple[str, ...]], news: Object
) -> provider_pb2.DiffResponse:
    some, none = provider_pb2.DiffResponse.DIFF_SOME, provider_pb2.DiffResponse.DIFF_NONE
    names = {each.path[0] for each in found}
    replaces = sorted({path[0] for path in replacing} & names)
    return provider_pb2.DiffResponse(
        changes=some if found else none,
        replaces=replaces,
        diffs=sorted(str(name) for name in names),
        deleteBeforeReplace=bool(replaces) and _keeps_name(shape, news),
        detailedDiff={each.text: _property_diff(each, replacing) for each in found},
        hasDetailedDiff=True,
    )


def _keeps_name(shape: Shape, news: Object) -> bool:
    """Whether the program gives a name, under which there is room for one."""
    is_made_up = "name" in (news.get("__defaults") or [])
    return is_autonamed(shape) and news.get("name") is not None and not is_made_up


def _property_diff(
    difference: Difference, replacing: list[tuple[str, ...]]
) -> provider_pb2.PropertyDiff:
    names = difference.names
    is_replacing = any(
        path[: len(names)] == names or names[: len(path)] == path for path in replacing
    )
    op = f"{difference.op}_REPLACE" if is_replacing else difference.op
    return provider_pb2.PropertyDiff(kind=provider_pb2.PropertyDiff.Kind.Value(op))
