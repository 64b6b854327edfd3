"""A pytest plugin for `make test`: says which tests may have failed of what ran beside them.

Thousands of tests share two processors with engines, clusters and proxies, and now and then one of
them waits too long for its turn. A few that failed are run once more, by themselves; what fails
then is a failure. What the first run printed of them stays in the output: it is a defect of the
test or of the code, and is to be mended. A test that counted a lost or a stale request gets no
second run.
"""

import re
from pathlib import Path

import pytest

RUN_AGAIN = 75
"""The exit code that asks for it: EX_TEMPFAIL of sysexits.h."""

MOST = 3
"""Files with one that failed; with more of them it was not the machine."""

NODES = Path(".bluegreen", "run-again")
"""One test a line, as pytest takes them from a file."""

_COUNTED = re.compile(r"^>.*\b(failed|failures|lost|stale)\b", re.MULTILINE)

_failed: dict[str, str] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.failed:
        _failed.setdefault(report.nodeid, report.longreprtext)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    is_worker = hasattr(session.config, "workerinput")
    if is_worker or session.exitstatus != pytest.ExitCode.TESTS_FAILED:
        return
    files = {node.partition("::")[0] for node in _failed}
    if len(files) <= MOST and not any(map(_COUNTED.search, _failed.values())):
        NODES.parent.mkdir(exist_ok=True)
        NODES.write_text("".join(f"{node}\n" for node in _failed))
        session.exitstatus = RUN_AGAIN
