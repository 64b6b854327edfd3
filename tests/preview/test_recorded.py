"""The verdict of every preview that the scenarios recorded, on every platform."""

import json

import pytest

from bluegreen.preview import VerdictClass, as_text, read_document, report_on
from tests.preview.recordings import recordings

EXPECTED = {
    "canary": """
        a_canary_gets_its_share_and_must_be_reset_before_the_switch-1
        a_canary_with_most_of_the_traffic_does_not_make_its_color_active-1
        lowering_a_canary_is_not_held_up_by_the_health_of_its_color-1
        lowering_a_canary_is_not_held_up_by_the_health_of_its_color-3
    """,
    "changes the live release": """
        fewer_members_of_the_live_color_need_a_permission-3
        lowering_a_canary_is_not_held_up_by_the_health_of_its_color-2
        the_release_of_the_live_color_is_protected_in_preview_and_in_up-3
    """,
    "changes the live release + rollback": """
        the_outputs_say_what_is_after_a_rollback_from_a_release_that_cannot_start-2
    """,
    "changes the live release, fails": """
        a_permission_for_the_other_color_lifts_nothing-1
        fewer_members_of_the_live_color_need_a_permission-1
        the_release_of_the_live_color_is_protected_in_preview_and_in_up-1
    """,
    "deploy and switch": """
        a_refusing_gate_leaves_traffic_state_and_outputs_where_they_were-4
        a_rollback_to_a_color_that_changes_in_the_same_update_is_none-1
        deploy_and_switch_in_one_update_raises_first_and_switches_then-1
        deploy_and_switch_in_one_update_raises_first_and_switches_then-2
        deploy_and_switch_with_a_broken_release_stops_before_the_router-1
        deploy_and_switch_with_a_broken_release_stops_before_the_router-2
        the_first_color_serves_and_the_absent_one_says_so-1
    """,
    "deploy to idle": """
        a_deploy_over_the_rollback_target_says_that_rollback_ends-2
        a_deploy_to_the_idle_color_changes_that_fleet_only-1
        a_new_release_brings_a_retired_color_back-2
        a_refusing_gate_leaves_traffic_state_and_outputs_where_they_were-1
    """,
    "no traffic change": """
        a_larger_live_color_is_refused_with_the_exact_command-1
        a_stale_canary_of_the_active_color_with_zero_percent_is_harmless-1
        an_update_killed_after_its_write_is_finished_by_the_next_one-1
        an_update_without_a_change_changes_nothing-1
        traffic_that_does_not_follow_fails_the_update_until_it_does-2
        traffic_that_does_not_follow_fails_the_update_until_it_does-3
    """,
    "no traffic change, fails": """
        a_canary_gets_its_share_and_must_be_reset_before_the_switch-2
        a_color_cannot_be_removed_while_it_is_the_rollback_target-1
        a_color_cannot_be_removed_while_it_is_the_rollback_target-3
        a_permission_without_color_or_reason_is_refused-green-1
        a_permission_without_color_or_reason_is_refused-green:-1
        a_permission_without_color_or_reason_is_refused-purple:why-1
        the_active_color_cannot_be_removed-1
    """,
    "retire": """
        a_color_cannot_be_removed_while_it_is_the_rollback_target-4
        a_new_release_brings_a_retired_color_back-1
        a_retired_color_shrinks_and_comes_back_when_it_is_made_active-2
        retention_is_kept_unless_somebody_gives_a_reason-4
        the_removed_idle_color_is_gone_and_the_active_one_stays-1
    """,
    "retire, fails": """
        retention_is_kept_unless_somebody_gives_a_reason-2
    """,
    "rollback": """
        a_rollback_forces_the_canary_to_zero-2
        a_rollback_skips_slow_gates_and_accepts_a_smaller_fleet-2
        traffic_that_cannot_be_read_stops_a_switch_and_not_a_rollback-2
    """,
    "switch": """
        a_canary_gets_its_share_and_must_be_reset_before_the_switch-3
        a_color_cannot_be_removed_while_it_is_the_rollback_target-2
        a_larger_live_color_is_refused_with_the_exact_command-2
        a_larger_live_color_is_refused_with_the_exact_command-3
        a_refusing_gate_leaves_traffic_state_and_outputs_where_they_were-2
        a_refusing_gate_leaves_traffic_state_and_outputs_where_they_were-3
        a_retired_color_shrinks_and_comes_back_when_it_is_made_active-1
        a_retired_color_shrinks_and_comes_back_when_it_is_made_active-3
        a_rollback_forces_the_canary_to_zero-1
        a_rollback_skips_slow_gates_and_accepts_a_smaller_fleet-1
        a_switch_back_restores_what_was-1
        a_switch_back_restores_what_was-2
        a_switch_is_refused_when_somebody_else_moved_the_traffic-3
        a_switch_updates_the_router_and_then_the_flag_and_nothing_else-1
        drift_is_seen_by_a_preview_and_repaired_by_an_up-1
        retention_is_kept_unless_somebody_gives_a_reason-1
        traffic_that_cannot_be_read_is_repaired_towards_the_unchanged_color-1
        traffic_that_does_not_follow_fails_the_update_until_it_does-1
    """,
    "switch + retire": """
        continuing_on_errors_does_not_switch_past_a_refusal-2
        without_retention_a_switch_comes_before_the_shrink_in_one_update-1
    """,
    "switch + retire, fails": """
        a_switch_and_the_retirement_of_what_it_leaves_do_not_fit_into_retention-1
    """,
    "switch, fails": """
        a_switch_is_refused_when_somebody_else_moved_the_traffic-1
        traffic_that_cannot_be_read_stops_a_switch_and_not_a_rollback-1
    """,
}
"""By what is expected: the scenarios, each with the number of its preview."""

VERDICTS = {name: verdict for verdict, names in EXPECTED.items() for name in names.split()}
RECORDED = [
    pytest.param(name, document, id=f"{platform}-{name}")
    for platform, name, document in recordings()
]


def report(document):
    return report_on(read_document(json.dumps(document)))


@pytest.mark.parametrize(("name", "document"), RECORDED)
def test_every_recorded_preview_has_its_verdict_on_every_platform(name, document):
    found = report(document)

    failure = ", fails" if found.has_failed else ""
    assert f"{' + '.join(found.verdicts)}{failure}" == VERDICTS[name]


def test_the_recordings_cover_every_platform_and_every_class_but_the_one_the_library_refuses():
    platforms = {platform for platform, _, _ in recordings()}
    classes = {
        each for verdict in EXPECTED for each in verdict.removesuffix(", fails").split(" + ")
    }

    assert platforms == {"aws", "http-route", "onprem", "service"}
    # No scenario replaces a router; test_raw.py has one.
    assert set(VerdictClass) - classes == {"replaces the router"}


@pytest.mark.parametrize(("name", "document"), RECORDED)
def test_everything_that_the_library_says_is_known_or_says_nothing(name, document):
    found = report(document)

    assert found.hidden == {}, as_text([found])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "a_canary_gets_its_share_and_must_be_reset_before_the_switch-1",
            "30 % of production traffic moves blue 1.0 → green 1.1 (then 70 % blue 1.0, "
            "30 % green 1.1)",
        ),
        (
            "a_deploy_over_the_rollback_target_says_that_rollback_ends-2",
            "production traffic stays at 100 % green 1.1; blue changes 1.0 → 1.2",
        ),
        (
            "a_rollback_forces_the_canary_to_zero-2",
            "100 % of production traffic moves back green 1.1 → blue 1.0",
        ),
        (
            "an_update_killed_after_its_write_is_finished_by_the_next_one-1",
            "production traffic stays at 100 % green 1.1",
        ),
        (
            "traffic_that_cannot_be_read_is_repaired_towards_the_unchanged_color-1",
            "production traffic goes where nobody can tell, and moves to 100 % blue 1.0",
        ),
        (
            "the_release_of_the_live_color_is_protected_in_preview_and_in_up-1",
            "the preview FAILS and changes nothing: blue has 100 % of production traffic and its "
            "release would change from 1.0 to 1.0.1",
        ),
    ],
)
def test_the_first_line_says_what_happens(name, text):
    found = [document for _, each, document in recordings() if each == name]

    assert found
    for document in found:
        assert report(document).headline.startswith(f"shop/test: {text}")


def test_warnings_and_refusals_are_shown_in_the_librarys_words():
    documents = {name: document for _, name, document in recordings()}

    ends = report(documents["a_deploy_over_the_rollback_target_says_that_rollback_ends-2"])
    keeps = report(documents["retention_is_kept_unless_somebody_gives_a_reason-2"])

    assert ends.warnings == ("shop: blue is the rollback target: rollback to 1.0 ends now",)
    assert keeps.errors[0].endswith(
        "it is the rollback target; it was not shrunk; wait, or say BLUEGREEN_RETIRE_EARLY='why'"
    )
