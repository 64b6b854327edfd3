"""An example as a user runs it: the commands of its README, in its folder, line by line."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.docs.pages import REPOSITORY, Block, blocks
from tests.engine.kubernetes_driver import with_provider
from tests.engine.pulumi_stack import engine_environment

EXAMPLES = REPOSITORY / "examples"
COMMAND_SECONDS = 300


class ExampleProject:
    """A copy of one example, with values of the test in its config."""

    def __init__(self, name: str, directory: Path, kubeconfig: Path | None = None) -> None:
        self.source = EXAMPLES / name
        self.directory = directory / name
        shutil.copytree(self.source, self.directory, ignore=shutil.ignore_patterns("__pycache__"))
        self.environment = engine_environment(directory / "engine")
        # As installing the package does, without installing it.
        self.environment["PYTHONPATH"] = str(REPOSITORY)
        # Nobody is there to confirm.
        self.environment["PULUMI_SKIP_CONFIRMATIONS"] = "true"
        if kubeconfig is not None:
            self.environment["KUBECONFIG"] = str(kubeconfig)
            with_provider(self.environment)

    def override(self, values: Mapping[str, Any]) -> None:
        """Other values for keys of the config; `service.kubernetes.image` is below `service`."""
        file = self.directory / "Pulumi.dev.yaml"
        content = yaml.safe_load(file.read_text())
        for key, value in values.items():
            first, *rest = key.split(".")
            *parents, last = first, *rest
            place = content["config"]
            for parent in parents:
                place = place.setdefault(parent, {})
            place[last] = value
        file.write_text(yaml.safe_dump(content))

    def commands(self) -> list[Block]:
        """What its README says to type, part by part."""
        return blocks(self.source / "README.md", "sh")

    def type(self, line: str) -> str:
        """What a command printed; it did not fail."""
        done = subprocess.run(
            ["sh", "-e", "-c", line],
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=COMMAND_SECONDS,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}"
        return done.stdout

    def can_type(self, line: str) -> bool:
        """Whether the program of a command is on this machine."""
        program = line.split(maxsplit=1)[0]
        return "=" in program or shutil.which(program, path=self.environment["PATH"]) is not None
