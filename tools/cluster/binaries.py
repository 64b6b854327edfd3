"""The programs of Kubernetes, kwok and our images: built once per user from Go modules."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from tools.engine.go_build import (
    GoModule,
    UnavailableError,
    cache_folder,
    go_on_path,
    made_once,
    say,
)

__all__ = ["KUBERNETES_VERSION", "built_programs", "image_programs"]

KUBERNETES_VERSION = "1.34.2"
KUBERNETES_PROGRAMS = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubelet",
)
KWOK_PROGRAM = "kwok"
IMAGE_PROGRAMS = ("pause", "shop")
GO_MODULE = Path(__file__).resolve().parent


def built_programs(environment: Mapping[str, str] = os.environ) -> Path:
    """The per-user folder with the programs, built now if this is the first time.

    Raises:
        UnavailableError: Go is missing or a build failed.
    """
    cache = cache_folder(f"kubernetes-{KUBERNETES_VERSION}", environment)
    made_once(
        cache,
        (*KUBERNETES_PROGRAMS, KWOK_PROGRAM),
        lambda new: _build(new, environment),
        what="Kubernetes",
    )
    return cache


def image_programs(environment: Mapping[str, str] = os.environ) -> Path:
    """The per-user folder with the static programs that our images are made of.

    Raises:
        UnavailableError: Go is missing or a build failed.
    """
    sources = b"".join((GO_MODULE / name / "main.go").read_bytes() for name in IMAGE_PROGRAMS)
    name = f"images-{hashlib.sha256(sources).hexdigest()[:12]}"
    cache = cache_folder(name, environment)
    made_once(
        cache, IMAGE_PROGRAMS, lambda new: _build_for_images(new, environment), what="the images"
    )
    return cache


def _build_for_images(new: Path, environment: Mapping[str, str]) -> None:
    for name in IMAGE_PROGRAMS:
        module = _module(GO_MODULE / name, name, environment)
        module.run("build", "-o", str(new / name), "-ldflags", "-s -w", ".")


def _build(new: Path, environment: Mapping[str, str]) -> None:
    say(
        f"building Kubernetes {KUBERNETES_VERSION} and kwok with Go;"
        " takes about 6 minutes, once per user"
    )
    packages = [f"k8s.io/kubernetes/cmd/{name}" for name in KUBERNETES_PROGRAMS]
    kubernetes = _module(GO_MODULE, "Kubernetes", environment)
    kubernetes.run("build", "-o", f"{new}/", "-ldflags", _version_flags(), *packages)
    # In a module of its own: it asks for newer versions of what both are made of.
    kwok = _module(GO_MODULE / "kwok", "kwok", environment)
    kwok.run("build", "-o", f"{new}/", "-ldflags", "-s -w", "sigs.k8s.io/kwok/cmd/kwok")


def _version_flags() -> str:
    major, minor, _ = KUBERNETES_VERSION.split(".")
    values = {"gitVersion": f"v{KUBERNETES_VERSION}", "gitMajor": major, "gitMinor": minor}
    variables = [f"-X k8s.io/component-base/version.{name}={values[name]}" for name in values]
    return " ".join(["-s -w", *variables])


def _module(folder: Path, what: str, environment: Mapping[str, str]) -> GoModule:
    go = go_on_path(environment)
    if go is None:
        msg = "go is not on PATH; install Go 1.25 or newer (https://go.dev/dl/) and run this again"
        raise UnavailableError(msg, 2)
    return GoModule(folder=folder, what=what, go=go, environment=environment)
