"""Files that are replaced whole, and locks that end."""

import os
import signal
import stat
import subprocess
import sys
import threading
import time

import pytest

from bluegreen.errors import ConfigError, DataPlaneError
from bluegreen.onprem.private_files import (
    PrivateDirectory,
    replace_file,
    takes_lock,
    write_private,
)

KILLED_WRITER = """
import os, signal, sys
from pathlib import Path
from bluegreen.onprem.private_files import replace_file
replace_file(Path(sys.argv[1]), "half", lambda _: os.kill(os.getpid(), signal.SIGKILL))
"""


def test_a_replaced_file_is_whole_and_for_its_owner_only(tmp_path):
    path = tmp_path / "record.json"
    path.write_text("old")
    path.chmod(0o644)

    write_private(path, "new")

    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["record.json"]


def test_a_file_that_could_not_be_written_whole_is_as_it_was(tmp_path):
    path = tmp_path / "record.json"
    path.write_text("old")

    def prepare(_):
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        replace_file(path, "new", prepare)

    assert path.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["record.json"]


def test_a_place_that_cannot_be_written_to_is_an_error_of_the_data_plane(tmp_path):
    with pytest.raises(DataPlaneError, match=r"could not be written: No such file .*; it is as"):
        write_private(tmp_path / "gone" / "record.json", "new")


def test_bytes_that_are_no_text_are_written_back_as_they_were(tmp_path):
    path = tmp_path / "notes"
    path.write_bytes(b"caf\xe9\n")

    replace_file(path, path.read_text(encoding="utf-8", errors="surrogateescape"))

    assert path.read_bytes() == b"caf\xe9\n"


def test_a_lock_is_waited_for_and_the_wait_ends(tmp_path):
    path = tmp_path / "lock"
    first = os.open(path, os.O_RDWR | os.O_CREAT)
    second = os.open(path, os.O_RDWR)
    began = time.monotonic()

    assert takes_lock(first, 0)
    assert not takes_lock(second, 0.1)
    assert 0.1 <= time.monotonic() - began < 10
    os.close(first)
    assert takes_lock(second, 0)
    os.close(second)


def test_those_who_make_one_directory_at_once_all_take_it_for_theirs(tmp_path):
    def make(path, barrier, problems):
        barrier.wait(10)
        try:
            PrivateDirectory(path).make("programs", "logs")
        except ConfigError as error:
            problems.append(error)

    problems = []
    for number in range(200):
        barrier = threading.Barrier(4)
        threads = [
            threading.Thread(target=make, args=(tmp_path / str(number), barrier, problems))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)

    assert problems == []


def unfinished(folder):
    return [each.name for each in folder.iterdir() if each.name.endswith("-unfinished")]


def test_what_a_killed_writer_left_is_deleted_by_the_next_in_that_folder(tmp_path):
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_WRITER, tmp_path / "old.json"], timeout=30
    )
    assert killed.returncode == -signal.SIGKILL
    assert len(unfinished(tmp_path)) == 1

    replace_file(tmp_path / "new.json", "whole")

    assert [each.name for each in tmp_path.iterdir()] == ["new.json"]


def test_what_somebody_is_still_writing_is_left_to_him(tmp_path):
    meanwhile = []

    def prepare(_):
        meanwhile.extend(unfinished(tmp_path))
        replace_file(tmp_path / "other.json", "first")
        meanwhile.extend(unfinished(tmp_path))

    replace_file(tmp_path / "record.json", "second", prepare)

    assert len(meanwhile) == 2
    assert meanwhile[0] == meanwhile[1]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["other.json", "record.json"]


def test_those_who_write_in_one_folder_at_once_all_finish(tmp_path):
    def write(name):
        for number in range(200):
            replace_file(tmp_path / name, f"{number}")

    writers = [threading.Thread(target=write, args=(f"{each}.json",)) for each in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(30)

    assert sorted(each.read_text() for each in tmp_path.iterdir()) == ["199"] * 4
