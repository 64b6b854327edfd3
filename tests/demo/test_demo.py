"""The whole demo, as `make demo` runs it, only shorter."""

import json
import os
import signal
import socket

from tests.demo.conftest import Demo
from tools.demo.leftovers import processes_with


def read_until(process, text):
    lines = []
    for line in process.stdout:
        lines.append(line)
        if text in line:
            return "".join(lines)
    raise AssertionError("".join(lines))


def assert_nothing_is_left(demo: Demo):
    assert not demo.plan.run_directory.exists()
    assert not demo.plan.config_file.exists()
    assert list(processes_with(f"{demo.plan.run_directory}/")) == []
    assert demo.stacks() == "[]"
    for port in demo.plan.ports:
        with socket.socket() as attempt:
            assert attempt.connect_ex(("127.0.0.1", port)) != 0, port


def test_the_demo_moves_traffic_without_a_failed_or_stale_request_and_leaves_nothing(demo):
    exit_code, output = demo.run("--rate", "200", "--switches", "1")

    assert exit_code == 0, output
    report = json.loads(demo.plan.report_file.read_text())
    assert (report["failed"], report["stale"], report["problems"]) == (0, 0, [])
    assert (report["switches"], report["left_over"]) == (3, [])
    assert report["requests"] > 200 * 15
    assert report["control"]["failed"]["failed"] == report["control"]["failed"]["requests"] > 0
    assert report["control"]["stale"]["stale"] > 0
    assert report["refusal"]["exit_code"] != 0
    assert demo.plan.picture_file.read_bytes().startswith(b"\x89PNG")
    assert "not switching to blue 1.2" in output
    assert max(map(len, output.splitlines())) <= 80
    assert "Traceback" not in output
    assert_nothing_is_left(demo)


def test_ctrl_c_in_the_middle_of_an_update_takes_down_what_was_made(demo):
    with demo.start("--rate", "200") as process:
        output = read_until(process, "$ pulumi up")
        while not demo.plan.run_directory.exists():
            assert process.poll() is None, output
        os.killpg(process.pid, signal.SIGINT)
        rest, _ = process.communicate(timeout=90)

    assert process.returncode == 130, rest
    assert "interrupted by SIGINT" in rest
    assert str(demo.plan.logs) in rest
    assert "Traceback" not in rest
    assert_nothing_is_left(demo)


def test_what_a_killed_demo_has_left_is_taken_down_by_the_next_one(demo):
    with demo.start("--rate", "200") as killed:
        read_until(killed, "$ pulumi up")
        while not demo.plan.run_directory.exists():
            assert killed.poll() is None
        killed.kill()
    with demo.start("--rate", "200") as process:
        output = read_until(process, "Blue 1.0 goes live")
        os.killpg(process.pid, signal.SIGTERM)
        rest, _ = process.communicate(timeout=90)

    assert "A demo from before is still there" in output
    assert process.returncode == 143, rest
    assert_nothing_is_left(demo)


def test_a_taken_port_is_named_with_its_holder_before_anything_is_made(demo):
    port = demo.plan.first_port + 3
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", port))
        holder.listen()

        exit_code, output = demo.run()

    assert exit_code == 1
    assert f"port {port}, needed for a member of blue, is taken by pid {os.getpid()}" in " ".join(
        output.split()
    )
    assert_nothing_is_left(demo)
