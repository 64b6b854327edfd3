import pytest

from bluegreen.errors import DataPlaneError, GateError, RolloutError, UnreadableTrafficError
from bluegreen.gate_hooks.router_gate import FollowGate, RouterGate
from bluegreen.traffic import Route, TrafficSplit
from tests.unit.fake_update import (
    BLUE,
    GREEN,
    FakeDataPlane,
    FakeGate,
    MemoryJournal,
    a_call,
    a_preview,
    an_update,
    live,
    route_properties,
)

PREVIEW_OR_UP = [pytest.param(a_preview, id="preview"), pytest.param(a_call, id="up")]
in_preview_and_in_up = pytest.mark.parametrize("make_call", PREVIEW_OR_UP)

TO_GREEN = {"active_color": "green"}
UNREADABLE = UnreadableTrafficError("the traffic map says 'canteen'")


def asked(update, make_call=a_call, *, recorded=None):
    """The call, after the router's gate let it pass."""
    call = make_call(route_properties(recorded))
    RouterGate(update)(call)
    return call


def refused(update, make_call=a_call, *, recorded=None, error=RolloutError):
    """The text of the refusal, and the call."""
    call = make_call(route_properties(recorded))
    with pytest.raises(error) as caught:
        RouterGate(update)(call)
    return str(caught.value), call


def test_a_preview_that_cannot_tell_who_is_live_warns_and_asks_no_gate():
    gate = FakeGate()

    call = asked(
        an_update(FakeDataPlane.silent(), gates=[gate], **TO_GREEN), a_preview, recorded=live(BLUE)
    )

    assert call.warned == [
        "shop: cannot tell who is live: the proxy does not answer; the same in an update would be "
        "a refusal"
    ]
    assert (gate.subjects, call.said) == ([], [])


def test_an_update_that_cannot_tell_who_is_live_moves_nothing_and_records_it():
    gate, journal = FakeGate(), MemoryJournal()

    refusal, _ = refused(
        an_update(FakeDataPlane.silent(), gates=[gate], journal=journal, **TO_GREEN),
        recorded=live(BLUE),
    )

    assert refusal == (
        "shop: cannot tell who is live: the proxy does not answer; production traffic has not been "
        "moved"
    )
    assert gate.subjects == []
    assert [(event.kind, event.from_split) for event in journal.events] == [("refusal", "unknown")]


def test_traffic_that_cannot_be_read_is_moved_back_to_the_unchanged_color():
    gate = FakeGate()

    call = asked(an_update(FakeDataPlane(UNREADABLE), gates=[gate]), recorded=live(BLUE))

    assert call.warned == [
        "shop: traffic was moved by hand; moving it back: unreadable (the traffic map says "
        "'canteen') → 100 % blue 1.0"
    ]
    (subject,) = gate.subjects
    assert (subject.color, subject.live_color) == (BLUE, None)


def test_where_traffic_cannot_be_read_every_color_that_is_to_get_some_is_judged():
    gate, canary = FakeGate(), {"color": "green", "percent": 10}

    asked(
        an_update(FakeDataPlane(UNREADABLE), gates=[gate], canary=canary), recorded=live(BLUE, 10)
    )

    assert gate.colors == [BLUE, GREEN]


@pytest.mark.parametrize("recorded", [live(BLUE), None])
@pytest.mark.parametrize(("make_call", "kinds"), [(a_preview, []), (a_call, ["refusal"])])
def test_traffic_that_cannot_be_read_is_not_switched(make_call, kinds, recorded):
    gate, journal = FakeGate(), MemoryJournal()
    update = an_update(FakeDataPlane(UNREADABLE), gates=[gate], journal=journal, **TO_GREEN)

    refusal, _ = refused(update, make_call, recorded=recorded)

    assert refusal.startswith(
        "shop: where production traffic goes cannot be read: the traffic map says 'canteen'; "
        "production traffic has not been moved by this update"
    )
    assert gate.subjects == []
    assert journal.kinds == kinds
    assert [event.from_split for event in journal.events] == [
        "unreadable (the traffic map says 'canteen')" for _ in kinds
    ]


def test_traffic_that_cannot_be_read_does_not_hold_up_a_rollback():
    gate = FakeGate()
    update = an_update(FakeDataPlane(UNREADABLE), gates=[gate], rollback=BLUE)

    asked(update, recorded=live(GREEN))

    assert gate.colors == [BLUE]


@in_preview_and_in_up
def test_a_switch_that_meets_somebody_elses_is_refused_before_any_gate(make_call):
    gate = FakeGate()
    update = an_update(FakeDataPlane(live(BLUE, 10)), gates=[gate], **TO_GREEN)

    refusal, _ = refused(update, make_call, recorded=live(BLUE))

    assert refusal.startswith("shop: production traffic is at 90 % blue, 10 % green, but the last")
    assert gate.subjects == []


def test_the_record_of_a_conflict_names_the_releases_that_run():
    journal = MemoryJournal()
    plane = FakeDataPlane(live(BLUE, 10), releases={BLUE: "0.9", GREEN: None})
    update = an_update(plane, journal=journal, **TO_GREEN)

    refusal, _ = refused(update, recorded=live(BLUE))

    (event,) = journal.events
    assert (event.kind, event.reason) == ("refusal", refusal)
    assert event.from_split == "90 % blue 0.9, 10 % green without members"
    assert event.to_split == "100 % green 1.1"


def test_a_release_that_cannot_be_told_does_not_hide_the_refusal():
    journal = MemoryJournal()
    releases = dict.fromkeys([BLUE, GREEN], DataPlaneError("nobody answers"))
    update = an_update(
        FakeDataPlane(live(BLUE, 10), releases=releases), journal=journal, **TO_GREEN
    )

    refusal, _ = refused(update, recorded=live(BLUE))

    assert "somebody else moved it" in refusal
    assert journal.events[0].from_split == (
        "90 % blue of an unknown release, 10 % green of an unknown release"
    )


@pytest.mark.parametrize(
    ("recorded", "live_now", "config", "judged"),
    [
        # Nothing is live: everything rises.
        (None, None, {}, [BLUE]),
        (None, None, {"canary": {"color": "green", "percent": 10}}, [BLUE, GREEN]),
        (live(BLUE), live(BLUE), TO_GREEN, [GREEN]),
        (live(BLUE), live(BLUE), {"canary": {"color": "green", "percent": 10}}, [GREEN]),
        (live(BLUE, 10), live(BLUE, 10), {"canary": {"color": "green", "percent": 5}}, [BLUE]),
        # An update was killed after its write.
        (live(BLUE), live(GREEN), TO_GREEN, []),
        (live(BLUE), live(BLUE), {}, []),
        # Somebody moved it by hand.
        (live(BLUE), live(GREEN), {}, [BLUE]),
    ],
)
def test_gates_are_asked_about_the_colors_whose_share_rises_and_no_other(
    recorded, live_now, config, judged
):
    gate = FakeGate()

    asked(an_update(FakeDataPlane(live_now), gates=[gate], **config), recorded=recorded)

    assert gate.colors == judged


def test_a_gate_is_told_what_the_color_is_to_run_where_it_is_reached_and_who_is_live():
    gate = FakeGate()
    plane = FakeDataPlane(live(BLUE))

    asked(
        an_update(plane, gates=[gate], green={"release": "1.1", "replicas": 4}, **TO_GREEN),
        recorded=live(BLUE),
    )

    (subject,) = gate.subjects
    assert (subject.color, subject.release, subject.replicas) == (GREEN, "1.1", 4)
    assert subject.endpoint.url == "http://green.example"
    assert subject.readiness == plane.readiness
    assert subject.live_color is BLUE
    assert not subject.is_rollback


def test_a_canary_with_most_of_the_traffic_is_not_the_live_color():
    gate = FakeGate()

    asked(an_update(FakeDataPlane(live(BLUE, 90)), gates=[gate]), recorded=live(BLUE, 90))

    assert [(subject.color, subject.live_color) for subject in gate.subjects] == [(BLUE, BLUE)]


def test_what_the_gates_say_is_told_and_kept_with_the_update():
    gates = [FakeGate("capacity"), FakeGate("ready", is_warning=True, reason="slow today")]
    update = an_update(FakeDataPlane(live(BLUE)), gates=gates, **TO_GREEN)

    call = asked(update, recorded=live(BLUE))

    assert call.said == [
        "shop: production traffic 100 % blue 1.0 → 100 % green 1.1",
        "shop: green: capacity: passed: fine",
    ]
    assert call.warned == ["shop: green: ready: warning: slow today"]
    assert call.shown == ["shop: asking the gates of green: capacity, ready"]
    assert [verdict.gate for verdict in update.verdicts] == ["capacity", "ready"]


def test_one_gate_that_refuses_stops_the_write_and_everything_is_recorded():
    journal = MemoryJournal()
    gates = [
        FakeGate("capacity"),
        FakeGate("smoke", passed=False, reason="it fails", detail="line 1\nline 2"),
    ]
    update = an_update(FakeDataPlane(live(BLUE)), gates=gates, journal=journal, **TO_GREEN)

    refusal, call = refused(update, recorded=live(BLUE), error=GateError)

    assert refusal == (
        "not switching to green 1.1: 1 of 2 gates refused; production traffic has not moved\n"
        "  smoke: it fails"
    )
    assert "shop: green: smoke said:\nline 1\nline 2" in call.said
    (event,) = journal.events
    assert [str(each) for each in event.verdicts] == [
        "capacity: passed: fine",
        "smoke: refused: it fails",
    ]
    assert [each.passed for each in event.verdicts] == [True, False]
    assert set(event.durations_seconds) == {"update"}
    assert (event.kind, event.reason) == ("refusal", refusal)
    assert (event.from_split, event.to_split) == ("100 % blue 1.0", "100 % green 1.1")
    assert event.releases == {"blue": "1.0", "green": "1.1"}


def test_the_detail_of_a_gate_that_passes_is_kept_to_itself():
    gate = FakeGate(detail="three hundred lines")

    call = asked(
        an_update(FakeDataPlane(live(BLUE)), gates=[gate], **TO_GREEN), recorded=live(BLUE)
    )

    assert not any("three hundred lines" in text for text in call.said)


def test_the_second_color_is_not_asked_once_the_first_was_refused():
    gate, canary = FakeGate(passed=False), {"color": "green", "percent": 10}

    refused(an_update(FakeDataPlane(None), gates=[gate], canary=canary), error=GateError)

    assert gate.colors == [BLUE]


def test_a_journal_that_cannot_be_written_does_not_hide_what_a_gate_refused():
    journal = MemoryJournal(error=DataPlaneError("the disk is full"))
    gate = FakeGate("smoke", passed=False, reason="it fails")
    update = an_update(FakeDataPlane(live(BLUE)), gates=[gate], journal=journal, **TO_GREEN)

    refusal, call = refused(update, recorded=live(BLUE), error=GateError)

    assert "smoke: it fails" in refusal
    assert "shop: the disk is full" in call.warned


def test_gates_have_no_more_time_than_the_settings_give_all_of_them():
    gate = FakeGate()
    service = {"gates": {"timeout_seconds": 0.001}}
    update = an_update(FakeDataPlane(live(BLUE)), gates=[gate], service=service, **TO_GREEN)

    asked(update, recorded=live(BLUE))

    assert update.settings.gates.timeout_seconds == 0.001
    assert gate.deadlines[0] <= 0.001


@pytest.mark.parametrize("config", [{}, TO_GREEN])
def test_where_live_is_what_is_wanted_only_that_is_said(config):
    wanted = live(GREEN if config else BLUE)

    call = asked(an_update(FakeDataPlane(wanted), **config), recorded=live(BLUE))

    what = "100 % green 1.1" if config else "100 % blue 1.0"
    assert call.said == [f"shop: traffic is where it should be: {what}"]
    assert call.warned == []


def test_drift_that_is_repaired_is_a_warning():
    call = asked(an_update(FakeDataPlane(live(GREEN)), gates=[FakeGate()]), recorded=live(BLUE))

    assert call.warned == [
        "shop: traffic was moved by hand; moving it back: 100 % green 1.1 → 100 % blue 1.0"
    ]


def test_the_first_deployment_comes_from_nothing():
    call = asked(an_update(FakeDataPlane(None)))

    assert call.said == ["shop: production traffic nothing → 100 % blue 1.0"]


def test_a_rollback_says_why_and_skips_slow_gates():
    quick, slow = FakeGate("quick"), FakeGate("slow", is_slow=True, passed=False)
    update = an_update(FakeDataPlane(live(GREEN)), gates=[quick, slow], rollback=BLUE)

    call = asked(update, recorded=live(GREEN))

    assert "shop: rollback: bad figures" in call.said
    assert call.warned == []
    assert (quick.colors, slow.colors) == ([BLUE], [])
    assert quick.subjects[0].is_rollback


def test_a_rollback_whose_color_changes_is_an_ordinary_switch():
    slow = FakeGate("slow", is_slow=True)
    update = an_update(FakeDataPlane(live(GREEN)), gates=[slow], rollback=BLUE)
    update.changing.add(BLUE)

    call = asked(update, recorded=live(GREEN))

    assert call.warned == [
        "shop: not treated as a rollback, because this update changes blue itself; all gates are "
        "asked"
    ]
    assert "shop: rollback: bad figures" not in call.said
    assert [subject.is_rollback for subject in slow.subjects] == [False]


def test_a_change_of_the_other_color_leaves_a_rollback_one():
    slow = FakeGate("slow", is_slow=True)
    update = an_update(FakeDataPlane(live(GREEN)), gates=[slow], rollback=BLUE)
    update.changing.add(GREEN)

    call = asked(update, recorded=live(GREEN))

    assert "shop: rollback: bad figures" in call.said
    assert slow.subjects == []


@pytest.mark.parametrize("changes_its_color", [True, False])
def test_drift_holds_up_a_rollback_only_when_its_color_changes(changes_its_color):
    update = an_update(FakeDataPlane(live(BLUE, 10)), rollback=BLUE)
    update.changing |= {BLUE} if changes_its_color else set()

    if changes_its_color:
        assert "somebody else moved it" in refused(update, recorded=live(GREEN))[0]
    else:
        assert "moved by hand" in asked(update, recorded=live(GREEN)).warned[0]


def test_a_rollback_that_moves_nothing_is_not_talked_about():
    update = an_update(FakeDataPlane(live(BLUE)), gates=[FakeGate()], rollback=BLUE)

    call = asked(update, recorded=live(BLUE))

    assert call.said == ["shop: traffic is where it should be: 100 % blue 1.0"]


def test_a_preview_reports_what_gates_would_say_and_refuses_and_records_nothing():
    journal = MemoryJournal()
    gates = [
        FakeGate("capacity"),
        FakeGate("ready", is_warning=True, reason="slow today"),
        FakeGate("smoke", passed=False, reason="it fails"),
    ]
    update = an_update(FakeDataPlane(live(BLUE)), gates=gates, journal=journal, **TO_GREEN)

    call = asked(update, a_preview, recorded=live(BLUE))

    assert call.said[1:] == ["shop: green, now: capacity: passed: fine"]
    assert call.warned == [
        "shop: green, now: ready: warning: slow today",
        "shop: green, now: smoke: refused: it fails",
    ]
    assert (journal.events, update.verdicts) == ([], [])


def test_a_preview_does_not_ask_a_gate_that_does_more_than_look():
    looking, acting = FakeGate("looking"), FakeGate("acting", runs_in_preview=False)
    update = an_update(FakeDataPlane(live(BLUE)), gates=[looking, acting], **TO_GREEN)

    call = asked(update, a_preview, recorded=live(BLUE))

    assert (looking.colors, acting.colors) == ([GREEN], [])
    assert call.said[-1] == "shop: gates of green 1.1, asked in the update only: acting"


def test_a_preview_does_not_ask_about_a_color_that_the_update_is_going_to_change():
    gates = [FakeGate("capacity"), FakeGate("smoke")]
    update = an_update(FakeDataPlane(live(BLUE)), gates=gates, **TO_GREEN)
    update.changing.add(GREEN)

    call = asked(update, a_preview, recorded=live(BLUE))

    assert [gate.subjects for gate in gates] == [[], []]
    assert call.said[1:] == [
        "shop: gates of green 1.1, asked after its fleet is changed: capacity, smoke"
    ]


@pytest.mark.parametrize("is_changing", [True, False])
def test_a_preview_says_what_a_gate_lacks_and_does_not_ask_it(is_changing):
    gate = FakeGate("order", lacks="no package jsonschema")
    update = an_update(FakeDataPlane(live(BLUE)), gates=[gate], **TO_GREEN)
    update.changing |= {GREEN} if is_changing else set()

    call = asked(update, a_preview, recorded=live(BLUE))

    assert call.warned == ["shop: green: order cannot run: no package jsonschema"]
    assert gate.subjects == []


def test_a_rollback_does_not_miss_what_a_slow_gate_lacks():
    gate = FakeGate("load", is_slow=True, lacks="no package")
    update = an_update(FakeDataPlane(live(GREEN)), gates=[gate], rollback=BLUE)

    assert asked(update, a_preview, recorded=live(GREEN)).warned == []
    assert asked(update, recorded=live(GREEN)).warned == []


def test_a_dry_run_that_would_refuse_is_a_warning_with_everything_behind_it():
    journal = MemoryJournal()
    gate = FakeGate(
        "latency", passed=False, reason="p99 is 0.9 s", detail="buckets", is_dry_run=True
    )
    update = an_update(FakeDataPlane(live(BLUE)), gates=[gate], journal=journal, **TO_GREEN)

    call = asked(update, recorded=live(BLUE))

    assert call.warned == ["shop: green: latency: would refuse: p99 is 0.9 s"]
    assert "shop: green: latency said:\nbuckets" in call.said
    assert journal.events == []
    assert update.verdicts[0].mark == "would refuse"


def test_gates_know_the_color_that_they_may_compare_with():
    gate = FakeGate()

    asked(an_update(FakeDataPlane(live(BLUE)), gates=[gate], **TO_GREEN), recorded=live(BLUE))

    (subject,) = gate.subjects
    assert subject.live_color is BLUE
    assert subject.live_endpoint == FakeDataPlane().pinned_endpoint(BLUE)
    assert subject.live_release == "1.0"
    assert subject.names == {"color": "green", "release": "1.1", "service": "shop"}


def test_the_live_color_itself_has_no_other_color_to_compare_with():
    gate = FakeGate()

    asked(an_update(FakeDataPlane(live(BLUE, 90)), gates=[gate]), recorded=live(BLUE, 90))

    (subject,) = gate.subjects
    assert (subject.live_color, subject.live_endpoint, subject.live_release) == (BLUE, None, None)


WRITTEN = "the router has been written, the active flag has not; `pulumi up` asks again"
NOT_WRITTEN = (
    "the router has not been written, whatever the state says, nor has the active flag; "
    "`pulumi up --refresh` writes them"
)


def follow(update):
    call = a_call()
    return FollowGate(update), call


def test_traffic_that_follows_is_told_once():
    gate, call = follow(an_update(FakeDataPlane(live(BLUE))))

    gate(call)
    gate(call)

    (said,) = call.said
    assert said.startswith("shop: traffic follows: passed: the router says 100 % blue")


def test_traffic_that_follows_only_later_is_told_then():
    plane = FakeDataPlane(live(GREEN))
    gate, call = follow(an_update(plane, service={"follow": {"timeout_seconds": 0.05}}))
    with pytest.raises(RolloutError):
        gate(call)
    plane.route = live(BLUE)

    gate(call)

    assert len(call.said) == 1


@pytest.mark.parametrize(
    ("route", "seen", "advice"),
    [
        (live(GREEN), "the router says 100 % green, wanted is 100 % blue", NOT_WRITTEN),
        (
            Route(BLUE, TrafficSplit(90, 10)),
            "the router says 90 % blue, 10 % green, wanted",
            NOT_WRITTEN,
        ),
        (None, "the router says nothing", WRITTEN),
        (DataPlaneError("it is down"), "it is down", WRITTEN),
        (UNREADABLE, "the traffic map says 'canteen'", WRITTEN),
    ],
)
def test_traffic_that_does_not_follow_stops_the_flag_and_says_what_has_been_written(
    route, seen, advice
):
    gate, call = follow(
        an_update(FakeDataPlane(route), service={"follow": {"timeout_seconds": 0.05}})
    )

    with pytest.raises(RolloutError) as caught:
        gate(call)

    assert str(caught.value).startswith(f"shop: traffic does not follow: {seen}")
    assert advice in str(caught.value)
    assert call.said == []


FEW_TRIES = {"timeout_seconds": 0.3, "interval_seconds": 0.001}


class CutShort(FakeDataPlane):
    """Answers once."""

    def live_route(self):
        found = super().live_route()
        self.route = DataPlaneError("the time is over")
        return found


def test_what_was_seen_before_the_last_try_failed_is_told_too():
    plane = CutShort(live(GREEN))
    gate, call = follow(an_update(plane, service={"follow": FEW_TRIES}))

    with pytest.raises(RolloutError) as caught:
        gate(call)

    assert str(caught.value).startswith(
        "shop: traffic does not follow: the router says 100 % green, wanted is 100 % blue; then "
        "the time is over ("
    )
