"""What is left when an update is interrupted, or when its engine is killed."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.language_host.project import (
    UP,
    Project,
    SeenProcess,
    descendants,
    eventually,
    interrupt,
)

# A dynamic resource whose creation says that it started, and takes as long as it is told.
SLOW = """
    import time
    from pathlib import Path
    from pulumi.dynamic import CreateResult, Resource, ResourceProvider

    HERE = Path(__file__).parent

    class SlowProvider(ResourceProvider):
        def create(self, props):
            (HERE / "started").touch()
            time.sleep(props["seconds"])
            (HERE / "finished").touch()
            return CreateResult("slow-1", props)

    class Slow(Resource):
        def __init__(self, name, seconds, opts=None):
            super().__init__(SlowProvider(), name, {"seconds": seconds}, opts)
"""

SLOW_HOOK = """
    import asyncio
    import pulumi
    from pathlib import Path
    from slow import Slow

    async def wait(args):
        Path("started").touch()
        await asyncio.sleep(60)

    hooks = pulumi.ResourceHookBinding(before_create=[pulumi.ResourceHook("gate", wait)])
    Slow("slow", 0, pulumi.ResourceOptions(hooks=hooks))
"""

SLOW_PROGRAM = """
    import time
    from pathlib import Path
    Path("started").touch()
    time.sleep(60)
"""


def seen_at_work(project: Project, update: subprocess.Popen[str]) -> list[SeenProcess]:
    """Waits for the sign of the program or its provider; returns all processes of the update."""
    sign = project.folder / "started"
    assert eventually(lambda: sign.exists() or update.poll() is not None, 30)
    assert update.poll() is None, update.communicate()
    return descendants(update.pid)


def all_ended(processes: list[SeenProcess], seconds: float) -> bool:
    return eventually(lambda: not any(process.is_running() for process in processes), seconds)


def test_ctrl_c_lets_the_running_step_finish_and_leaves_nothing_behind(project: Project):
    project.write("slow.py", SLOW)
    project.write("__main__.py", "from slow import Slow\nSlow('slow', 1)\n")

    with project.started(*UP) as update:
        processes = seen_at_work(project, update)
        interrupt(update)
        shown, _ = update.communicate(timeout=15)

    assert update.returncode != 0
    assert "update canceled" in shown
    assert "Traceback" not in shown
    assert len(processes) == 3  # language host, program, dynamic provider
    assert all_ended(processes, 5)
    assert project.resources() == ["slow"]
    assert project.up().returncode == 0  # not locked


def test_ctrl_c_ends_a_program_that_is_busy(project: Project):
    project.write("__main__.py", SLOW_PROGRAM)

    with project.started(*UP) as update:
        processes = seen_at_work(project, update)
        interrupt(update)
        shown, _ = update.communicate(timeout=15)

    assert update.returncode != 0
    assert "Traceback" not in shown
    assert len(processes) == 2
    assert all_ended(processes, 5)


def test_a_second_ctrl_c_ends_an_update_whose_hook_hangs(project: Project):
    project.write("slow.py", SLOW)
    project.write("__main__.py", SLOW_HOOK)

    with project.started(*UP) as update:
        processes = seen_at_work(project, update)
        interrupt(update)
        # The engine waits for the hook, whichever language host runs it.
        with pytest.raises(subprocess.TimeoutExpired):
            update.wait(1)
        interrupt(update)
        shown, _ = update.communicate(timeout=15)

    assert update.returncode != 0
    assert "Traceback" not in shown
    assert all_ended(processes, 5)
    project.write("__main__.py", "")
    assert project.up().returncode == 0  # not locked


@pytest.mark.parametrize(
    ("program", "count"),
    [
        pytest.param("from slow import Slow\nSlow('slow', 60)\n", 3, id="in the provider"),
        pytest.param(SLOW_HOOK, 3, id="in a hook"),
        pytest.param(SLOW_PROGRAM, 2, id="in the program"),
    ],
)
def test_everything_ends_when_the_engine_is_killed(project: Project, program: str, count: int):
    project.write("slow.py", SLOW)
    project.write("__main__.py", program)

    with project.started(*UP) as update:
        processes = seen_at_work(project, update)
        update.kill()
        update.communicate(timeout=5)

    assert len(processes) == count
    assert all_ended(processes, 5)
    assert not (project.folder / "finished").exists()
    assert project.pulumi("cancel", "--yes").returncode == 0


def test_a_short_step_is_finished_after_the_engine_was_killed(project: Project):
    project.write("slow.py", SLOW)
    project.write("__main__.py", "from slow import Slow\nSlow('slow', 0.7)\n")

    with project.started(*UP) as update:
        processes = seen_at_work(project, update)
        update.kill()
        update.communicate(timeout=5)

    assert all_ended(processes, 5)
    assert (project.folder / "finished").exists()


def test_the_program_ends_when_its_language_host_is_killed(project: Project):
    project.write("__main__.py", SLOW_PROGRAM)

    with project.started(*UP) as update:
        processes = seen_at_work(project, update)
        host, program = processes
        assert "language_host.py" in host.command_line()
        os.kill(host.pid, signal.SIGKILL)
        shown, _ = update.communicate(timeout=30)

    assert update.returncode != 0, shown
    assert all_ended([program], 5)


def test_a_process_that_a_program_leaves_behind_does_not_hold_up_the_update(project: Project):
    project.write(
        "__main__.py",
        """
        import subprocess
        from pathlib import Path
        Path("left").write_text(str(subprocess.Popen(["sleep", "50"]).pid))
        """,
    )
    started = time.monotonic()

    done = project.up()

    assert done.returncode == 0, done.stdout
    assert time.monotonic() - started < 30
    left = int((project.folder / "left").read_text())
    assert eventually(lambda: not Path(f"/proc/{left}").exists(), 5)


def test_the_dynamic_provider_is_one_process(project: Project):
    project.write("slow.py", SLOW)
    project.write("__main__.py", "from slow import Slow\nSlow('slow', 60)\n")

    with project.started(*UP) as update:
        processes = seen_at_work(project, update)
        providers = [p for p in processes if "pulumi.dynamic" in p.command_line()]
        executable = Path(f"/proc/{providers[0].pid}/exe").resolve()
        update.kill()
        update.communicate(timeout=5)

    assert len(providers) == 1
    assert executable.name.startswith("python")
    assert all_ended(processes, 5)
