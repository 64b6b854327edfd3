"""Whose run directory it is: nobody touches what runs in that of somebody else."""

import pytest

from bluegreen.errors import ConfigError
from bluegreen.onprem import supervisor
from bluegreen.onprem.supervisord import Program, Supervisord

MINE, ANOTHERS = "shop/prod/shop", "store/prod/store"


@pytest.fixture
def mine(supervisord):
    """One that runs, with a program."""
    mine = Supervisord(supervisord.directory, MINE)
    mine.start()
    mine.put(Program(name="blue-0", command=("sleep", "1000"), start_seconds=0, stop_seconds=5))
    return mine


def properties(supervisord, owner):
    return {"run_directory": str(supervisord.directory), "owner": owner}


def test_the_directory_of_another_owner_is_not_started(mine):
    another = Supervisord(mine.directory, ANOTHERS)

    with pytest.raises(
        ConfigError,
        match=rf"belongs to {MINE}; nothing was started; choose another service.onprem.run_dir",
    ):
        another.start()

    assert mine.owner == MINE


def test_whoever_does_not_own_it_stops_takes_and_deletes_nothing(mine):
    before = mine.programs()
    another = Supervisord(mine.directory, ANOTHERS)

    another.take("blue-0")
    another.stop()
    another.remove()

    assert mine.programs() == before


def test_the_owner_takes_and_deletes(mine):
    mine.take("blue-0")
    assert mine.programs() == {}

    mine.remove()
    assert not mine.directory.exists()


def test_a_directory_that_nobody_has_claimed_is_adopted(supervisord):
    supervisord.start()
    assert supervisord.owner is None
    pid = supervisord.pid()

    Supervisord(supervisord.directory, MINE).start()

    assert supervisord.owner == MINE
    assert supervisord.pid() == pid
    # Who names no owner, as tools do, is not held up.
    supervisord.start()
    assert supervisord.owner == MINE


def test_a_resource_refuses_the_directory_of_another_already_in_a_preview(mine):
    provider = supervisor._Provider()

    refused = provider.check({}, properties(mine, ANOTHERS))
    again = provider.check({}, properties(mine, MINE))

    (failure,) = refused.failures
    assert failure.reason.startswith(f"run directory {mine.directory} belongs to {MINE}; nothing")
    assert again.failures == []


def test_a_renamed_owner_keeps_its_directory(mine):
    provider = supervisor._Provider()
    olds, news = properties(mine, MINE), properties(mine, "shop/production/shop")

    assert provider.check(olds, news).failures == []
    assert provider.diff("", olds, news).changes
    provider.update("", olds, news)

    assert mine.owner == "shop/production/shop"
    assert not provider.diff("", news, news).changes


def test_a_resource_deletes_only_what_is_its_own(mine):
    provider = supervisor._Provider()

    provider.delete("", properties(mine, ANOTHERS))
    assert mine.is_running()

    provider.delete("", properties(mine, MINE))
    assert not mine.directory.exists()


def test_a_directory_that_was_deleted_by_hand_is_no_obstacle(scratch):
    gone = Supervisord(scratch / ".bluegreen/run/shop/test/shop")

    supervisor._Provider().delete("", properties(gone, MINE))

    assert not (scratch / ".bluegreen").exists()
