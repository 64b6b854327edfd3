"""What this platform needs beside the library's own requirements."""

from importlib.util import find_spec

__all__ = ["check_extra"]

_PACKAGES = {"pulumi_aws": "pulumi-aws", "boto3": "boto3"}


def check_extra() -> None:
    """Looks for the packages of the extra without loading them: hooks need one of them only late.

    Raises:
        ModuleNotFoundError: One is missing.
    """
    missing = [module for module in _PACKAGES if find_spec(module) is None]
    if missing:
        names = " and ".join(_PACKAGES[module] for module in missing)
        msg = (
            f"bluegreen.aws needs {names}; install them with `pip install 'bluegreen-pulumi[aws]'`"
        )
        raise ModuleNotFoundError(msg, name=missing[0])
