import os
import subprocess
import sys

import pytest

PROGRAM = """
import sys, time
from bluegreen.cli.output import Output
from bluegreen.operations import EngineMessage
output = Output(as_json={as_json})
sys.stdin.readline()
with output.at_work() as (progress, _):
    for number in range(50):
        progress(EngineMessage(f"step {{number}} " + "x" * 5000, "info"))
output.result({{"done": True}}, lambda: "done")
output.problem("look at this")
with open({path!r}, "w") as file:
    file.write("went on to its end")
sys.exit(3)
"""


@pytest.mark.parametrize("as_json", [True, False])
def test_who_reads_it_may_go_away_at_any_time(tmp_path, as_json):
    path = tmp_path / "end"
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(as_json=as_json, path=str(path))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": "."},
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    process.stderr.close()

    process.stdin.write("go\n")
    process.stdin.close()

    assert process.wait(30) == 3
    assert path.read_text() == "went on to its end"


def test_a_terminal_that_lacks_a_character_gets_another_one():
    program = "from bluegreen.cli.output import Output; Output(as_json=False).say('blue → green')"

    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": ".", "PYTHONIOENCODING": "latin-1"},
    )

    assert (done.returncode, done.stdout) == (0, "blue \\u2192 green\n"), done.stderr
