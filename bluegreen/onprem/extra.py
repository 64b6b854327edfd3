"""What this platform needs beside the library's own requirements."""

from importlib.util import find_spec

__all__ = ["check_extra"]

_MODULES = ("jinja2", "supervisor")


def check_extra() -> None:
    """Looks for the packages of the extra without loading them: only providers need them.

    Raises:
        ModuleNotFoundError: One is missing.
    """
    missing = [name for name in _MODULES if find_spec(name) is None]
    if missing:
        msg = (
            f"bluegreen.onprem needs {' and '.join(missing)}; "
            "install both with `pip install 'bluegreen-pulumi[onprem]'`"
        )
        raise ModuleNotFoundError(msg, name=missing[0])
