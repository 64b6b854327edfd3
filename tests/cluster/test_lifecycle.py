"""How clusters start and end, also after a kill, and what they refuse."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from kubernetes import client, config

from tests.cluster.objects import PATIENCE_SECONDS, deployment, readiness
from tools.cluster import sysctls
from tools.cluster.api import apply_definitions, create
from tools.cluster.cluster import OwnCluster
from tools.cluster.errors import ClusterError, FolderInUseError, MissingError
from tools.cluster.folders import kind_of
from tools.cluster.kwok_cluster import KwokCluster
from tools.cluster.node_cluster import RUN, NodeCluster
from tools.cluster.packages import require_programs
from tools.cluster.processes import Processes, wait_until

REPOSITORY = Path(__file__).resolve().parents[2]
COMMAND_SECONDS = 300

DEFINITION = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: colors.bluegreen.test}
spec:
  group: bluegreen.test
  scope: Namespaced
  names: {kind: Color, plural: colors}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object}}
"""

# Stands for a test run that is killed while its cluster is up.
KILLED = """\
import os, signal, sys
from pathlib import Path
from tools.cluster.api import apply_definitions, create
from tools.cluster.{module} import {kind}
from tests.cluster.objects import deployment, readiness
from tools.cluster.processes import wait_until
with {kind}(Path(sys.argv[1])) as cluster, cluster.asking() as api:
    create(api, deployment("left", image="local/shop:1"))
    wait_until(lambda: readiness(api, "default", "left") == [True], 120)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short, and not there yet; whatever was started in it is ended."""
    with tempfile.TemporaryDirectory(prefix="bg-") as parent:
        folder = Path(parent, "cluster")
        yield folder
        if folder.exists():
            done = command("down", folder)
            assert done.returncode == 0, done.stderr


def command(*words: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """`python -m tools.cluster WORD --folder FOLDER ...`."""
    verb, folder, *more = words
    return subprocess.run(
        [sys.executable, "-m", "tools.cluster", verb, "--folder", folder, *more],
        cwd=REPOSITORY,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )


def run_and_kill(kind: type[OwnCluster], folder: Path) -> None:
    code = KILLED.format(module=kind.__module__.rpartition(".")[2], kind=kind.__name__)
    done = subprocess.run(
        [sys.executable, "-c", code, folder],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


def listening(processes: list[int]) -> set[str]:
    """The addresses, as the kernel writes them, that these processes listen on."""
    sockets = set()
    for process in processes:
        for entry in Path(f"/proc/{process}/fd").iterdir():
            sockets.add(str(entry.readlink()))
    lines = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path("/proc/net", table).read_text().splitlines()[1:]
    ]
    return {
        fields[1].partition(":")[0]
        for fields in lines
        if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets
    }


def test_up_twice_is_one_cluster_and_down_leaves_nothing(folder: Path):
    definitions = folder.parent / "definitions"
    definitions.mkdir()
    (definitions / "color.yaml").write_text(DEFINITION)

    first = command("up", folder, "--definitions", definitions)
    before = command("status", folder)
    second = command("up", folder)
    other = command("up", folder, "--node")
    after = command("status", folder)

    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    kubeconfig = folder / "certificates" / "admin.kubeconfig"
    assert first.stdout == second.stdout == f"export KUBECONFIG={kubeconfig}\n"
    assert second.stderr == ""
    assert (other.returncode, other.stderr) == (
        1,
        f"in {folder} another kind of cluster runs (kwok); nothing was started;"
        " take that one down first, or choose another folder\n",
    )
    assert pids(before.stdout) == pids(after.stdout)
    assert len(pids(before.stdout)) == 5
    with config.new_client_from_config(str(kubeconfig)) as api:
        apply_definitions(api, definitions)
        (definition,) = client.ApiextensionsV1Api(api).list_custom_resource_definition().items
    assert definition.metadata.name == "colors.bluegreen.test"

    down = command("down", folder)

    assert down.returncode == 0, down.stderr
    assert not folder.exists()
    assert [pid for pid in pids(after.stdout) if Path(f"/proc/{pid}/exe").exists()] == []
    assert Processes(folder).marked() == []
    assert command("status", folder).returncode == 1
    assert "no cluster in" in command("down", folder).stderr


def pids(status: str) -> list[str]:
    return [words[2] for line in status.splitlines() if (words := line.split())[1] == "pid"]


def test_what_a_killed_test_run_left_is_removed_by_the_next(folder: Path):
    run_and_kill(KwokCluster, folder)
    left = Processes(folder).running()
    assert left

    with KwokCluster(folder) as cluster, cluster.asking() as api:
        assert client.AppsV1Api(api).list_namespaced_deployment("default").items == []
        now = cluster.control_plane.processes.running()
        assert set(left.values()).isdisjoint(now.values())

    assert Processes(folder).marked() == []
    assert not folder.exists()


def test_down_ends_a_cluster_whose_folder_somebody_removed(folder: Path):
    run_and_kill(KwokCluster, folder)
    # Not all at once: etcd makes new files meanwhile.
    shutil.rmtree(folder, ignore_errors=True)
    assert kind_of(folder) is None
    assert Processes(folder).marked()

    done = command("down", folder)

    assert done.returncode == 0, done.stderr
    assert Processes(folder).marked() == []
    assert not folder.exists()


def test_a_folder_is_used_by_one_at_a_time(own_cluster: OwnCluster):
    done = command("down", own_cluster.folder)

    assert done.returncode == 1
    assert done.stderr == (
        f"{own_cluster.folder} is in use by another command or test run; nothing was done\n"
    )
    assert own_cluster.is_up()
    with pytest.raises(FolderInUseError):
        KwokCluster(own_cluster.folder).up()


@pytest.mark.parametrize("kind", [KwokCluster, NodeCluster])
def test_a_folder_with_other_files_is_left_alone(kind: type[OwnCluster], tmp_path: Path):
    (tmp_path / "thesis.txt").write_text("all of it")

    with pytest.raises(ClusterError, match="has files that are no cluster's"):
        kind(tmp_path).up()
    with pytest.raises(ClusterError, match="nothing was touched"):
        kind(tmp_path).down()

    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_definitions_that_are_none_are_one_clear_line(folder: Path, tmp_path: Path):
    done = command("up", folder, "--definitions", tmp_path)

    assert done.returncode == 1
    assert done.stderr == f"no *.yaml in {tmp_path}; no cluster was started\n"
    assert not folder.exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not YAML: while parsing a flow node expected the node content"),
        (
            DEFINITION.replace("colors.bluegreen.test", "other.bluegreen.test"),
            'was refused: CustomResourceDefinition.apiextensions.k8s.io "other.bluegreen.test" is',
        ),
    ],
)
def test_a_definition_that_is_wrong_is_one_clear_line(
    own_cluster: OwnCluster, tmp_path: Path, text: str, said: str
):
    (tmp_path / "color.yaml").write_text(text)

    with own_cluster.asking() as api, pytest.raises(ClusterError) as caught:
        apply_definitions(api, tmp_path)

    assert str(caught.value).startswith(f"{tmp_path / 'color.yaml'} {said}")
    assert "\n" not in str(caught.value)


def test_a_missing_etcd_is_one_clear_line(folder: Path, tmp_path: Path):
    done = command("up", folder, PATH=str(tmp_path))

    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        "setup: not installed: etcd-server; install it and run this again"
    )
    assert not folder.exists()


def test_a_missing_go_is_one_clear_line(folder: Path, tmp_path: Path):
    (tmp_path / "etcd").symlink_to(require_programs({"etcd": "etcd-server"})["etcd"])

    done = command("up", folder, PATH=str(tmp_path), XDG_CACHE_HOME=str(tmp_path / "cache"))

    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        "no cluster: go is not on PATH; install Go 1.25 or newer (https://go.dev/dl/)"
        " and run this again"
    )
    assert not folder.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_real_node_is_refused_to_whoever_is_not_root():
    code = (
        "import os, sys; from tools.cluster.__main__ import main; os.seteuid(65534);"
        "sys.exit(main(['up', '--node', '--folder', sys.argv[1]]))"
    )
    with tempfile.TemporaryDirectory(prefix="bg-") as parent:
        Path(parent).chmod(0o777)
        done = subprocess.run(
            [sys.executable, "-c", code, Path(parent, "cluster")],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
        )
        left = list(Path(parent).iterdir())

    assert done.returncode == 2
    assert done.stderr == (
        "a real node needs root; nothing was started; become root, or leave out --node\n"
    )
    assert left == []


def test_a_process_that_ends_is_named_with_what_it_said_last(tmp_path: Path):
    processes = Processes(tmp_path)
    processes.start("broken", ["/bin/sh", "-c", "echo first; echo no such flag >&2; exit 1"])

    with pytest.raises(ClusterError) as caught:
        processes.wait_for("ready", lambda: False, of=("broken",))

    first, *rest = str(caught.value).splitlines()
    assert first.startswith("broken ended before ready; the last lines of ")
    assert rest == ["first", "no such flag"]


def test_only_this_user_can_read_the_keys_and_only_this_machine_the_ports(
    own_cluster: OwnCluster,
):
    files = [path for path in own_cluster.folder.rglob("*") if path.is_file()]
    secret = [path for path in files if path.suffix in (".key", ".kubeconfig")]

    assert len(secret) >= 8
    assert [path for path in secret if stat.S_IMODE(path.stat().st_mode) != 0o600] == []
    processes = own_cluster.control_plane.processes.running()
    assert listening(list(processes.values())) == {"0100007F"}


def test_the_api_server_can_be_killed_and_is_back_with_all_it_knew(
    own_cluster: OwnCluster, namespace: str
):
    with own_cluster.asking() as api:
        create(api, deployment("shop"), namespace)
        wait_until(lambda: readiness(api, namespace, "shop") == [True], PATIENCE_SECONDS)
    server = own_cluster.control_plane.server

    own_cluster.stop_api_server()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{server}/readyz", verify=False)
    assert not own_cluster.is_up()
    own_cluster.start_api_server()

    assert own_cluster.control_plane.server == server
    with own_cluster.asking() as api:
        client.AppsV1Api(api).patch_namespaced_deployment(
            "shop", namespace, {"spec": {"replicas": 2}}
        )
        wait_until(lambda: readiness(api, namespace, "shop") == [True] * 2, PATIENCE_SECONDS)


def traces_of(cluster: NodeCluster) -> list[str]:
    """What there is of the cluster outside of its folder, and what runs or is mounted in it."""
    known_by = (str(cluster.folder), cluster.name)
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    places = (Path("/run"), Path("/sys/fs/cgroup"), Path("/var/lib/cni"), Path("/var/log"))
    names = [str(path) for place in places for path in place.glob(f"**/*{cluster.name}*")]
    return [
        *(f"process {each}" for each in cluster.control_plane.processes.marked()),
        *(line for line in mounts if any(known in line for known in known_by)),
        *names,
    ]


def test_a_node_that_a_killed_test_run_left_is_removed_and_so_is_the_next(folder: Path):
    cluster = NodeCluster(folder)
    try:
        cluster.check()
    except MissingError as error:
        pytest.skip(f"no node cluster: {error}")
    is_only_one, before = not RUN.exists(), sysctls.current()
    run_and_kill(NodeCluster, folder)
    assert traces_of(cluster)

    with NodeCluster(folder) as again, again.asking() as api:
        assert client.CoreV1Api(api).list_namespaced_pod("default").items == []
        assert sysctls.current()["vm/overcommit_memory"] == "1"

    assert traces_of(cluster) == []
    assert not folder.exists()
    if is_only_one and not RUN.exists():
        assert sysctls.current() == before
