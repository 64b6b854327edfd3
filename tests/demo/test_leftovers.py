import socket
import subprocess
import sys

from tools.demo.leftovers import MARK, find_leftovers

SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]


def leftovers(tmp_path, *ports):
    run_directory = tmp_path / "run"
    return find_leftovers(run_directory, ports, "this-demo", patience_seconds=0)


def test_nothing_is_found_where_nothing_is(tmp_path):
    assert leftovers(tmp_path) == []


def test_files_of_the_run_directory_are_found(tmp_path):
    (tmp_path / "run").mkdir()
    assert leftovers(tmp_path) == [f"file {tmp_path}/run"]

    (tmp_path / "run" / "haproxy.sock").touch()
    assert leftovers(tmp_path) == [f"file {tmp_path}/run/haproxy.sock"]


def test_a_process_is_found_by_the_mark_that_commands_pass_on(tmp_path):
    with subprocess.Popen(SLEEP, env={MARK: "this-demo"}, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        found = leftovers(tmp_path)
        process.kill()

    assert [line.split(":")[0] for line in found] == [f"process {process.pid}"]
    assert leftovers(tmp_path) == []


def test_a_process_of_another_demo_is_not_taken_for_this_one(tmp_path):
    with subprocess.Popen(SLEEP, env={MARK: "other"}, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        found = leftovers(tmp_path)
        process.kill()

    assert found == []


def test_a_listening_port_is_found_with_its_holder(tmp_path):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]

        (line,) = leftovers(tmp_path, port)

    assert line.startswith(f"port {port}: pid ")
