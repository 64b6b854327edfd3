"""The elements of a set in the order in which the program wrote them."""

from collections.abc import Callable
from typing import Any

from tests.standins.kubernetes.property_values import UNKNOWN

__all__ = ["aligned"]


def aligned(elements: list[Any], written: Any, *, keeps_places: bool = False) -> list[Any]:
    """Each element where the program has the one that it is, or has become.

    An element that says all the program says stands in its place; then one that agrees in what
    identifies it (its texts: a weight may have changed); then what is left, in the order given.
    With `keeps_places` there is None where the program has something that is not there.
    """
    if not isinstance(written, list):
        return elements
    left = list(elements)
    places: list[Any] = [None] * len(written)
    for test in (_says_all_of, _is_same_thing, lambda _written, _element: True):
        _fill(places, left, written, test)
    if not keeps_places:
        places = [place for place in places if place is not None]
    while places and places[-1] is None:
        places.pop()
    return places + left


def _fill(
    places: list[Any], left: list[Any], written: list[Any], test: Callable[[Any, Any], bool]
) -> None:
    for index, one in enumerate(written):
        if places[index] is not None:
            continue
        found = next((number for number, each in enumerate(left) if test(one, each)), None)
        if found is not None:
            places[index] = left.pop(found)


def _says_all_of(written: Any, element: Any) -> bool:
    if written is UNKNOWN or element is UNKNOWN:
        return True
    if isinstance(written, dict) and isinstance(element, dict):
        given = {key: each for key, each in written.items() if not key.startswith("__")}
        return all(_says_all_of(each, element.get(key)) for key, each in given.items())
    if isinstance(written, list) and isinstance(element, list):
        pairs = zip(written, element, strict=False)
        return len(written) == len(element) and all(_says_all_of(*pair) for pair in pairs)
    return bool(written == element) or str(written) == str(element)


def _is_same_thing(written: Any, element: Any) -> bool:
    if not isinstance(written, dict) or not isinstance(element, dict):
        return False
    texts = {
        key: each
        for key, each in written.items()
        if isinstance(each, str) and not key.startswith("__")
    }
    return bool(texts) and _says_all_of(texts, element)
