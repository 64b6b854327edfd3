"""Images for the pods, made by hand: there is no registry."""

import hashlib
import io
import json
import platform
import stat
import subprocess
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from tools.cluster.binaries import image_programs

__all__ = ["PAUSE_IMAGE", "write_images"]

PAUSE_IMAGE = "docker.io/local/pause:1"
SHOP_TAGS = ("1", "1.0", "1.1", "1.2", "1.3")
NOBODY = "65534:65534"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
FORMAT = "application/vnd.oci.image"


def write_images(folder: Path, busybox: Path, curl: Path) -> list[Path]:
    """The archives of all images, to be imported."""
    programs = image_programs()
    folder.mkdir(exist_ok=True)
    shop = [f"docker.io/local/shop:{tag}" for tag in SHOP_TAGS]
    archives = {
        "pause": _archive([PAUSE_IMAGE], _program(programs / "pause"), ["/pause"]),
        "shop": _archive(shop, _program(programs / "shop"), ["/shop"]),
        "busybox": _archive(["docker.io/local/busybox:1"], _busybox(busybox), ["/bin/sh"]),
        "curl": _archive(["docker.io/local/curl:1"], _with_libraries(curl), ["/bin/curl"]),
    }
    for name, content in archives.items():
        (folder / f"{name}.tar").write_bytes(content)
    return [folder / f"{name}.tar" for name in archives]


def _program(program: Path) -> bytes:
    """A layer with one program in the root."""
    return _tar({program.name: program.read_bytes()}, mode=0o755)


def _busybox(program: Path) -> bytes:
    """A layer with a shell and the other commands that busybox has, and a /tmp for everybody."""
    listed = subprocess.run([program, "--list"], capture_output=True, text=True, check=True)
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        tar.addfile(_folder("bin", 0o755))
        tar.addfile(_folder("tmp", 0o777 | stat.S_ISVTX))
        data = program.read_bytes()
        tar.addfile(_file("bin/busybox", len(data), 0o755), io.BytesIO(data))
        for command in set(listed.stdout.split()) - {"busybox"}:
            link = tarfile.TarInfo(f"bin/{command}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
    return layer.getvalue()


def _with_libraries(program: Path) -> bytes:
    """A layer with a program of this machine in /bin, and what the loader loads for it."""
    done = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
    # A program without libraries has none listed. The loader itself is named by its place alone.
    libraries = {
        word for line in done.stdout.splitlines() for word in line.split() if word.startswith("/")
    }
    files = {library.lstrip("/"): Path(library).read_bytes() for library in sorted(libraries)}
    return _tar({f"bin/{program.name}": program.read_bytes(), **files}, mode=0o755)


def _archive(names: Iterable[str], layer: bytes, entrypoint: list[str]) -> bytes:
    """An OCI image of one layer, under each of these names."""
    system = {"architecture": ARCHITECTURES[platform.machine()], "os": "linux"}
    settings = {"Entrypoint": entrypoint, "User": NOBODY, "WorkingDir": "/", "Env": ["PATH=/bin"]}
    content = {"type": "layers", "diff_ids": [_digest(layer)]}
    config = _json({**system, "config": settings, "rootfs": content})
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": f"{FORMAT}.manifest.v1+json",
            "config": _described(f"{FORMAT}.config.v1+json", config),
            "layers": [_described(f"{FORMAT}.layer.v1.tar", layer)],
        }
    )
    described = _described(f"{FORMAT}.manifest.v1+json", manifest)
    manifests = [
        {**described, "platform": system, "annotations": {"io.containerd.image.name": name}}
        for name in names
    ]
    blobs = {f"blobs/sha256/{_hash(each)}": each for each in (config, manifest, layer)}
    return _tar(
        {
            "oci-layout": _json({"imageLayoutVersion": "1.0.0"}),
            "index.json": _json({"schemaVersion": 2, "manifests": manifests}),
            **blobs,
        },
        mode=0o644,
    )


def _tar(files: Mapping[str, bytes], mode: int) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        for name, data in files.items():
            tar.addfile(_file(name, len(data), mode), io.BytesIO(data))
    return content.getvalue()


def _file(name: str, size: int, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, mode
    return entry


def _folder(name: str, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = tarfile.DIRTYPE, mode
    return entry


def _described(kind: str, content: bytes) -> dict[str, object]:
    return {"mediaType": kind, "digest": _digest(content), "size": len(content)}


def _digest(content: bytes) -> str:
    return f"sha256:{_hash(content)}"


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _json(content: object) -> bytes:
    return json.dumps(content).encode()
