"""What the dynamic providers of this platform have in common."""

import contextlib
import logging
import pickle
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import pulumi
from pulumi.dynamic import ConfigureRequest, Resource, ResourceProvider

from bluegreen.errors import BlueGreenError

__all__ = ["LiveProvider", "LiveResource", "plain"]


class LiveProvider(ResourceProvider):
    """A provider whose `diff` looks at what is live: a plain `pulumi up` sees and repairs drift.

    Kept in the state by reference (the class must stay importable under its name), so that a new
    version of the library changes its behaviour without changing every resource.
    """

    serialize_as_secret_always = False
    computed: ClassVar[tuple[str, ...]] = ()
    """The properties that only the provider sets. All others are inputs, and must stay as they are
    in the program."""

    def configure(self, req: ConfigureRequest) -> None:  # noqa: ARG002
        """Keeps the traceback of our own errors out of the user's diagnostics."""
        logging.getLogger("grpc._server").addFilter(_is_not_ours)

    def has_new_inputs(self, olds: Mapping[str, Any], news: Mapping[str, Any]) -> bool:
        """True when an input is not what the state has: another one, a further one, one less."""
        before, after = plain(olds), plain(news)
        inputs = (before.keys() | after.keys()) - set(self.computed)
        return any(before.get(key) != after.get(key) for key in inputs)


class LiveResource(Resource):
    """A dynamic resource of which a program may have thousands."""

    def __init__(
        self,
        provider: LiveProvider,
        name: str,
        props: dict[str, Any],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        with _pickle_as_it_is():
            super().__init__(provider, name, props, opts)


@contextlib.contextmanager
def _pickle_as_it_is() -> Iterator[None]:
    """Takes back what Pulumi changes in the standard library's pickle.

    For each dynamic resource it wraps a method there once more, to sort dictionaries, and leaves it
    so (3.259): the more resources, the slower each, and after some 950 a RecursionError.
    """
    pickler = pickle._Pickler
    kept = {name: vars(pickler)[name] for name in ("_batch_setitems", "save_dict")}
    try:
        yield
    finally:
        for name, method in kept.items():
            setattr(pickler, name, method)


def _is_not_ours(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, BlueGreenError)


def plain(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Properties without Pulumi's own; numbers as whole numbers where they are whole."""
    return {key: _whole(value) for key, value in properties.items() if not key.startswith("__")}


def _whole(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    return value
