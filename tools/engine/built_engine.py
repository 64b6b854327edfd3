"""The engine for machines that reach only package registries: built once per user, with Go.

Provides the command line and the official program executor, which is a plain file of the same
release's Go SDK. The language host is Python (`language_host.py`), because the official one is
not published as a Go module.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path

from go_build import GoModule, UnavailableError, cache_folder, go_on_path, made_once, say

__all__ = ["EXECUTOR", "VERSION", "built_engine"]

VERSION = "3.259.0"
EXECUTOR = "pulumi-language-python-exec"
CLI_PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
SDK_MODULE = "github.com/pulumi/pulumi/sdk/v3"
GO_MODULE = Path(__file__).resolve().parent


def built_engine(environment: Mapping[str, str]) -> Path:
    """The per-user folder with `pulumi` and the executor, built now if this is the first time.

    Raises:
        UnavailableError: Go is missing or the build failed.
    """
    cache = cache_folder(f"engine-{VERSION}", environment)
    made_once(cache, (EXECUTOR, "pulumi"), lambda new: _build(new, environment), what="the engine")
    return cache


def _build(new: Path, environment: Mapping[str, str]) -> None:
    engine = _module(environment)
    linker = f"-s -w -X {SDK_MODULE}/go/common/version.Version=v{VERSION}"
    say(f"building the Pulumi engine {VERSION} with Go; takes about 3 minutes, once per user")
    engine.run("build", "-o", str(new / "pulumi"), "-ldflags", linker, CLI_PACKAGE)
    sources = engine.run("list", "-m", "-f", "{{.Dir}}", SDK_MODULE)
    # Without its permissions: the files of Go modules are read-only.
    shutil.copyfile(Path(sources.strip(), "python", "cmd", EXECUTOR), new / EXECUTOR)


def _module(environment: Mapping[str, str]) -> GoModule:
    go = go_on_path(environment)
    if go is None:
        msg = (
            "neither pulumi (3.238 or newer, with its Python language host) nor go is on PATH;"
            " install Pulumi (https://www.pulumi.com/docs/install/)"
            " or Go 1.25 (https://go.dev/dl/) and run this again"
        )
        raise UnavailableError(msg, 2)
    return GoModule(folder=GO_MODULE, what="the engine", go=go, environment=environment)
