"""Programs under the real engine: what reaches them and what the user gets to see."""

import sys
from pathlib import Path

from tests.language_host.project import UP, Project, descendants, eventually

THING = """
    import os
    import sys
    from pathlib import Path
    from pulumi.dynamic import CreateResult, Resource, ResourceProvider, UpdateResult

    LOG = Path(__file__).with_name("log")

    def log(line):
        with LOG.open("a") as file:
            print(line, file=file)

    class ThingProvider(ResourceProvider):
        def create(self, props):
            log(f"create {props['size']:.0f}")
            return CreateResult("thing-1", {**props, "python": sys.executable})

        def update(self, id, olds, news):
            log(f"update {olds['size']:.0f} {news['size']:.0f}")
            return UpdateResult({**news, "python": sys.executable})

        def delete(self, id, props):
            log(f"delete {props['size']:.0f}")

    class Thing(Resource):
        python: object

        def __init__(self, name, size, opts=None):
            super().__init__(ThingProvider(), name, {"size": size, "python": None}, opts)
"""


def test_a_program_succeeds_and_its_outputs_are_kept(project: Project):
    project.write(
        "__main__.py",
        """
        import pulumi
        print("to stdout")
        pulumi.export("project", pulumi.get_project())
        pulumi.export("stack", pulumi.get_stack())
        pulumi.export("organization", pulumi.get_organization())
        pulumi.export("root", pulumi.runtime.get_root_directory())
        pulumi.export("is_preview", pulumi.runtime.is_dry_run())
        """,
    )

    done = project.up()

    assert done.returncode == 0, done.stdout
    assert "to stdout" in done.stdout
    assert "warning" not in done.stdout + done.stderr
    assert project.outputs() == {
        "project": "sample",
        "stack": "test",
        "organization": "organization",
        "root": str(project.folder),
        "is_preview": False,
    }


def test_a_preview_tells_the_program_that_it_is_one(project: Project):
    project.write("__main__.py", "import pulumi\nprint('preview', pulumi.runtime.is_dry_run())\n")

    done = project.pulumi("preview")

    assert done.returncode == 0, done.stdout
    assert "preview True" in done.stdout


def test_a_run_error_is_shown_without_a_traceback(project: Project):
    project.write("__main__.py", "import pulumi\nraise pulumi.RunError('purple is no color')\n")

    done = project.up()

    assert done.returncode != 0
    assert "error: purple is no color" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_an_exception_shows_the_lines_of_the_program_and_no_others(project: Project):
    project.write(
        "__main__.py",
        """
        def paint():
            raise ValueError("no paint left")

        paint()
        """,
    )

    done = project.up()

    assert done.returncode != 0
    assert "ValueError: no paint left" in done.stdout
    assert "in paint" in done.stdout
    assert "attached.py" not in done.stdout
    # Exit code 32 of the executor: shown once, not followed by "exited with".
    assert "exited with" not in done.stdout


def test_a_program_that_is_not_there_is_named(project: Project):
    done = project.up()

    assert done.returncode != 0
    assert "unable to find main python program `__main__.py`" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_program_that_ends_itself_fails_the_update(project: Project):
    project.write("__main__.py", "import os\nos._exit(7)\n")

    done = project.up()

    assert done.returncode != 0
    assert "program exited with non-zero exit code: 7" in done.stdout


def test_the_modules_of_the_language_host_are_not_importable(project: Project):
    project.write(
        "__main__.py",
        """
        import importlib.util
        import pulumi
        names = ["attached", "children", "install", "environment", "beside"]
        pulumi.export("found", [name for name in names if importlib.util.find_spec(name)])
        """,
    )
    project.write("beside.py", "")

    done = project.up()

    assert done.returncode == 0, done.stdout
    assert project.outputs() == {"found": ["beside"]}


def test_a_secret_reaches_the_program_and_is_never_shown(project: Project):
    secret = "fake-token-73"
    project.pulumi("config", "set", "--secret", "token", secret)
    project.pulumi("config", "set", "plain", "visible")
    project.write(
        "__main__.py",
        """
        import time
        import pulumi
        from pathlib import Path

        config = pulumi.Config()
        Path("reached").write_text(config.require("token"))
        pulumi.export("token", config.require_secret("token"))
        pulumi.export("plain", config.require("plain"))
        print("the token is", config.require("token"))
        while not Path("go-on").exists():
            time.sleep(0.05)
        """,
    )

    with project.started(*UP) as update:
        assert eventually((project.folder / "reached").exists, 30)
        commands = [process.command_line() for process in descendants(update.pid)]
        project.write("go-on", "")
        shown, _ = update.communicate(timeout=30)

    assert update.returncode == 0, shown
    assert (project.folder / "reached").read_text() == secret
    assert any("pulumi-language-python-exec" in command for command in commands)
    assert not any(secret in command for command in commands)
    assert secret not in shown
    assert project.outputs() == {"token": "[secret]", "plain": "visible"}


def test_a_hook_that_raises_stops_the_update_with_its_own_words(project: Project):
    project.write("thing.py", THING)
    project.write(
        "__main__.py",
        """
        import pulumi
        from thing import Thing

        def refuse(args):
            raise RuntimeError("green is not ready")

        gate = pulumi.ResourceHook("gate", refuse)
        hooks = pulumi.ResourceHookBinding(before_create=[gate])
        Thing("router", 1, pulumi.ResourceOptions(hooks=hooks))
        """,
    )

    done = project.up()

    assert done.returncode != 0
    assert 'before hook "gate" failed: green is not ready' in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert project.resources() == []
    assert not (project.folder / "log").exists()


def test_a_dynamic_resource_is_created_updated_and_deleted(project: Project):
    project.write("thing.py", THING)
    project.write(
        "__main__.py",
        """
        import pulumi
        from thing import Thing
        Thing("router", pulumi.Config().require_int("size"))
        """,
    )

    for size in ("1", "1", "2"):
        project.pulumi("config", "set", "size", size)
        done = project.up()
        assert done.returncode == 0, done.stdout
        assert "Traceback" not in done.stdout + done.stderr
    assert project.resources() == ["router"]
    done = project.pulumi("destroy", "--yes", "--skip-preview")

    assert done.returncode == 0, done.stdout
    assert project.resources() == []
    log = (project.folder / "log").read_text().splitlines()
    assert log == ["create 1", "update 1 2", "delete 2"]


def test_a_provider_class_inside_the_program_itself_works(project: Project):
    inside = THING.replace("__file__", "'x'")
    project.write("__main__.py", f"{inside}\n    Thing('router', 1)\n")

    done = project.up()

    assert done.returncode == 0, done.stdout
    assert project.resources() == ["router"]


def with_virtualenv(project: Project, option: str | Path) -> None:
    project.write(
        "Pulumi.yaml",
        f"""
        name: sample
        runtime:
          name: python
          options:
            virtualenv: {option}
        """,
    )


def test_program_and_dynamic_provider_run_in_the_virtualenv_of_the_project(project: Project):
    (project.folder / "own").symlink_to(sys.prefix)
    with_virtualenv(project, "own")
    project.write("thing.py", THING)
    project.write(
        "__main__.py",
        """
        import os
        import shutil
        import sys
        import pulumi
        from thing import Thing
        pulumi.export("program", sys.executable)
        pulumi.export("on_path", shutil.which("python"))
        pulumi.export("activated", os.environ["VIRTUAL_ENV"])
        pulumi.export("provider", Thing("thing", 1).python)
        """,
    )

    done = project.up()

    assert done.returncode == 0, done.stdout
    folder = project.folder / "own"
    python = str(folder / "bin" / "python")
    assert project.outputs() == {
        "program": python,
        "on_path": python,
        "activated": str(folder),
        "provider": python,
    }


def test_a_missing_virtualenv_is_explained_in_one_line(project: Project):
    with_virtualenv(project, "missing")
    project.write("__main__.py", "raise SystemExit('never started')\n")

    done = project.up()

    assert done.returncode != 0
    folder = project.folder / "missing"
    assert f"means {folder}, which does not exist; the program did not start" in done.stdout
    assert f"`python3 -m venv {folder}`" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert "never started" not in done.stdout
    (said,) = {line.strip() for line in done.stdout.splitlines() if line.startswith("    error:")}
    assert said.startswith("error:")
