"""Which tests share a process where pytest-xdist runs them in several.

What a process starts for its tests is there until it ends: both clusters, which cost a quarter of a
processor each, or the account with the bridge to its provider. So each is in one process only, and
comes last. All others go by their files, whose tests may share a set-up.

This goes by the names of tests, because the process that hands them out has not collected them;
`tests/conftest.py` sees to it that the names tell the truth. (Groups of pytest-xdist 3.8 do not
work with pytest 9.2.)
"""

import re

import pytest
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

_OF_NOBODY = ("tests/components/", "tests/docs/", "tests/package/", "tests/preview/", "tests/unit/")
_SHARED = {
    "aws": re.compile(r"aws"),
    "kubernetes": re.compile(
        r"kubernetes|tests/cluster/|gateway|test_drill_platforms|\[(service|http-route)[]-]"
    ),
}


class Scheduler(LoadScopeScheduling):
    """Hands out what belongs together as a whole, the largest first and what is shared last."""

    def _split_scope(self, nodeid: str) -> str:
        return process_of(nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        for name in _SHARED:
            if name in self.workqueue:
                self.workqueue.move_to_end(name)
        super()._assign_work_unit(node)


def process_of(nodeid: str) -> str:
    """What a test is handed out with: `kubernetes`, `aws`, or its file."""
    path = nodeid.partition("::")[0]
    if path.startswith(_OF_NOBODY):
        return path
    for name, pattern in _SHARED.items():
        if pattern.search(nodeid):
            return name
    return path


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Scheduler:
    return Scheduler(config, log)  # type: ignore[arg-type]
