from datetime import UTC, datetime, timedelta

import pytest

from bluegreen.errors import DataPlaneError, RolloutError, UnreadableTrafficError
from bluegreen.gate_hooks.retention import Retention, check_removed_colors
from tests.unit.fake_update import (
    BLUE,
    GREEN,
    FakeDataPlane,
    MemoryJournal,
    an_update,
    live,
)

GREEN_IS_GONE = {"green": None}
in_preview_and_in_up = pytest.mark.parametrize("is_preview", [True, False], ids=["preview", "up"])


def hours_ago(hours):
    return datetime.now(UTC) - timedelta(hours=hours)


def retention(switched_at=None, **changes):
    return Retention(an_update(FakeDataPlane(live(BLUE), switched_at=switched_at), **changes))


def test_a_color_is_idle_since_the_last_switch():
    switched_at = hours_ago(3)

    assert retention(switched_at).idle_since() == switched_at
    assert retention(None).idle_since() is None


def test_a_clock_that_cannot_be_read_is_a_refusal():
    with pytest.raises(RolloutError, match="shop: cannot tell since when a color is idle: no disk"):
        retention(DataPlaneError("no disk")).of(GREEN, "1.1")


@pytest.mark.parametrize(
    ("hours", "switched", "is_kept"),
    [(24, 23, True), (24, 25, False), (1, 2, False), (48, 25, True), (0, 0, False)],
)
def test_an_idle_color_is_kept_for_the_hours_of_the_settings(hours, switched, is_kept):
    kept = retention(hours_ago(switched), service={"retention_hours": hours})

    refusal = kept.of(GREEN, "1.1")

    assert (refusal is not None) == is_kept
    assert not is_kept or refusal.startswith("green 1.1 must stay able to serve until ")


def test_a_color_that_was_never_switched_from_is_not_kept():
    assert retention(None).of(GREEN, "1.1") is None


def test_the_retention_of_what_is_live_now_has_not_begun():
    assert retention(hours_ago(1000)).of_what_is_left_now(GREEN, "1.1") == (
        "green 1.1 is live until this update switches, and must stay able to serve for 24 hours "
        "after that; nothing was changed; switch first, with green as it is, and take it down "
        "later, or say BLUEGREEN_RETIRE_EARLY='why'"
    )


def test_without_retention_what_is_live_now_may_go_after_the_switch():
    assert retention(service={"retention_hours": 0}).of_what_is_left_now(GREEN, "1.1") is None


def test_an_early_end_is_recorded_with_its_reason():
    journal = MemoryJournal()

    retention(journal=journal, retire_early="costs").record_early_end("green 1.1", "removed")

    (event,) = journal.events
    assert (event.kind, event.reason, event.service) == ("early_retirement", "costs", "shop")
    assert (event.from_split, event.to_split) == ("green 1.1", "removed")


def removed(plane, *, is_preview=False, journal=None, **changes):
    """Asks about a config without green; returns what is to be recorded at the end."""
    update = an_update(plane, journal=journal, **GREEN_IS_GONE, **changes)
    return check_removed_colors(update, is_preview=is_preview)


def refusal_of(plane, *, is_preview=False, **changes):
    with pytest.raises(RolloutError) as caught:
        removed(plane, is_preview=is_preview, **changes)
    return str(caught.value)


def test_colors_that_are_in_the_config_are_not_asked_about():
    plane = FakeDataPlane.silent()

    check_removed_colors(an_update(plane), is_preview=False)

    assert plane.asked == []


@pytest.mark.parametrize("route", [live(GREEN), live(BLUE, 1)])
@in_preview_and_in_up
def test_a_color_with_any_share_is_not_removed_however_long_ago_the_last_switch_is(
    is_preview, route
):
    plane = FakeDataPlane(route, switched_at=hours_ago(1000))

    refusal = refusal_of(plane, is_preview=is_preview)

    assert refusal == (
        "shop: green is not in the config any more, but green 1.1 is live until this update "
        "switches, and must stay able to serve for 24 hours after that; nothing was changed; "
        "switch first, with green as it is, and take it down later, or say "
        "BLUEGREEN_RETIRE_EARLY='why'; until then `pulumi config set --path green.release 1.1 "
        "--type string` keeps it"
    )


@in_preview_and_in_up
def test_where_traffic_cannot_be_read_a_color_with_members_may_be_live(is_preview):
    plane = FakeDataPlane(UnreadableTrafficError("who knows"), switched_at=hours_ago(1000))

    assert "green is not in the config any more" in refusal_of(plane, is_preview=is_preview)


@in_preview_and_in_up
def test_an_idle_color_is_not_removed_within_its_retention(is_preview):
    plane = FakeDataPlane(live(BLUE), switched_at=hours_ago(6))

    refusal = refusal_of(plane, is_preview=is_preview)

    assert refusal.startswith(
        "shop: green is not in the config any more, but green 1.1 must stay able to serve until "
    )
    assert "(18.0 of 24 hours left)" in refusal


def test_a_removed_color_is_named_with_the_release_that_runs():
    plane = FakeDataPlane(live(GREEN), releases={GREEN: "0.7"})

    refusal = refusal_of(plane)

    assert "green 0.7 is live" in refusal
    assert "`pulumi config set --path green.release 0.7 --type string`" in refusal


@pytest.mark.parametrize("route", [live(GREEN), live(BLUE)], ids=["with a share", "idle"])
@pytest.mark.parametrize(
    ("is_preview", "events"),
    [(True, []), (False, [("early_retirement", "green 1.1", "removed", "costs")])],
)
def test_somebody_may_remove_a_color_early_which_is_recorded_in_an_update(
    is_preview, events, route
):
    journal = MemoryJournal()
    plane = FakeDataPlane(route, switched_at=hours_ago(6))

    ends = removed(plane, is_preview=is_preview, journal=journal, retire_early="costs")

    # The update may still be refused.
    assert journal.events == []
    ends.record()
    assert [
        (event.kind, event.from_split, event.to_split, event.reason) for event in journal.events
    ] == events


@pytest.mark.parametrize("switched_at", [hours_ago(25), None], ids=["for long", "for ever"])
def test_a_color_that_is_idle_for_long_may_be_removed_without_a_word(switched_at):
    journal = MemoryJournal()
    plane = FakeDataPlane(live(BLUE), switched_at=switched_at)

    removed(plane, journal=journal, retire_early="costs").record()

    assert journal.events == []


def test_a_color_that_runs_before_the_first_write_may_be_removed():
    removed(FakeDataPlane(route=None))


def test_a_color_without_members_is_gone_already():
    plane = FakeDataPlane(live(GREEN), releases={}, switched_at=hours_ago(1))

    removed(plane)

    assert plane.asked == ["release of green"]


@pytest.mark.parametrize(
    "plane",
    [
        FakeDataPlane.silent(),
        FakeDataPlane(live(GREEN), releases={GREEN: DataPlaneError("it is down")}),
    ],
    ids=["all of it", "the process manager"],
)
def test_what_is_left_of_a_service_that_does_not_answer_may_be_removed(plane):
    removed(plane)


@in_preview_and_in_up
@pytest.mark.parametrize("switched_at", [None, hours_ago(6)])
def test_a_router_that_is_down_ends_no_retention(is_preview, switched_at):
    plane = FakeDataPlane(DataPlaneError("it is down"), switched_at=switched_at)

    refusal = refusal_of(plane, is_preview=is_preview)

    assert "green 1.1 is live until this update switches" in refusal


@pytest.mark.parametrize(("is_preview", "kinds"), [(True, []), (False, ["refusal"])])
def test_a_removal_that_is_refused_is_recorded_in_an_update_only(is_preview, kinds):
    journal = MemoryJournal()
    plane = FakeDataPlane(live(BLUE), switched_at=hours_ago(6))

    refusal = refusal_of(plane, is_preview=is_preview, journal=journal)

    assert journal.kinds == kinds
    assert [event.reason for event in journal.events] == [refusal for _ in kinds]


def test_a_preview_with_a_damaged_flag_warns_of_a_removal_and_an_update_refuses_it(capsys):
    journal = MemoryJournal()
    plane = FakeDataPlane(live(BLUE), switched_at=DataPlaneError("the flag is damaged"))

    removed(plane, is_preview=True, journal=journal)
    assert "since when a color is idle: the flag is damaged" in capsys.readouterr().err
    assert journal.kinds == []

    refusal = refusal_of(plane, journal=journal)

    assert "cannot tell since when a color is idle: the flag is damaged" in refusal
    assert journal.kinds == ["refusal"]
