import json
from dataclasses import asdict

import pytest

from bluegreen.errors import DataPlaneError
from bluegreen.events import Event, EventKind, RecordedVerdict
from bluegreen.kubernetes.event_journal import EVENT, EventJournal
from bluegreen.kubernetes.live_http_route import LiveHttpRoute
from bluegreen.kubernetes.live_service import LiveService
from tests.unit.kubernetes.api_server import Said
from tests.unit.kubernetes.objects import (
    BLUE,
    GREEN,
    NAMES,
    a_backend,
    a_route_object,
    a_service_object,
    selects,
)

EVENTS = "/api/v1/namespaces/shops/events"
SERVICE = "/api/v1/namespaces/shops/services/shop"
HTTP_ROUTE = "/apis/gateway.networking.k8s.io/v1/namespaces/shops/httproutes/shop"


def an_event(kind=EventKind.SWITCH, **changes):
    values = {
        "at": "2026-03-01T12:00:00.250+00:00",
        "by": "ann@laptop",
        "service": "shop",
        "from_split": "blue",
        "to_split": "100 % green 1.1",
        "releases": {"blue": "1.0", "green": "1.1"},
        "verdicts": (RecordedVerdict("capacity", passed=True, reason="2 of 2"),),
    }
    return Event(kind=kind, **{**values, **changes})


@pytest.fixture
def journal(cluster, api):
    api.answers["POST", EVENTS] = {"kind": "Event", "metadata": {"name": "shop.1"}}
    api.objects[SERVICE] = a_service_object(selects(BLUE))
    return EventJournal(cluster, NAMES, LiveService(cluster, NAMES, may_adopt=False))


def kept(api):
    (asked,) = [each for each in api.asked if each.method == "POST"]
    return asked.content


def test_a_switch_is_an_event_of_the_object_that_moves_traffic(journal, api):
    journal.record(an_event())

    event = kept(api)
    assert event["involvedObject"] == {
        "apiVersion": "v1",
        "kind": "Service",
        "name": "shop",
        "namespace": "shops",
        "uid": "uid-1",
    }
    assert (event["type"], event["reason"]) == ("Normal", "Switched")
    assert event["message"] == "blue → 100 % green 1.1, by ann@laptop"
    assert event["firstTimestamp"] == event["lastTimestamp"] == "2026-03-01T12:00:00Z"
    assert event["source"] == {"component": "bluegreen"}


def test_an_event_has_a_name_of_its_own_and_the_label_of_its_service(journal, api):
    journal.record(an_event())

    metadata = kept(api)["metadata"]
    assert metadata["generateName"] == "shop."
    assert metadata["namespace"] == "shops"
    assert metadata["labels"] == {"bluegreen.dev/service": "shop"}


def test_the_whole_entry_is_in_an_annotation(journal, api):
    entry = an_event(reason="why", details={"a": "b"})
    journal.record(entry)

    whole = json.loads(kept(api)["metadata"]["annotations"][EVENT])
    assert whole == json.loads(json.dumps(asdict(entry)))


@pytest.mark.parametrize(
    ("kind", "type_", "reason"),
    [
        (EventKind.SWITCH, "Normal", "Switched"),
        (EventKind.REFUSAL, "Warning", "Refused"),
        (EventKind.LIVE_CHANGE, "Normal", "LiveChangeAllowed"),
        (EventKind.EARLY_RETIREMENT, "Normal", "RetiredEarly"),
    ],
)
def test_every_kind_has_a_reason_that_kubectl_shows(journal, api, kind, type_, reason):
    journal.record(an_event(kind))

    assert (kept(api)["type"], kept(api)["reason"]) == (type_, reason)


def test_a_long_reason_is_cut_in_the_message_and_whole_in_the_annotation(journal, api):
    journal.record(an_event(EventKind.REFUSAL, reason="x" * 3000))

    assert len(kept(api)["message"]) == 1024
    assert "x" * 3000 in kept(api)["metadata"]["annotations"][EVENT]


def test_a_refusal_before_the_first_write_is_kept_too(journal, api):
    del api.objects[SERVICE]
    journal.record(an_event(EventKind.REFUSAL))

    about = kept(api)["involvedObject"]
    assert (about["kind"], about["name"]) == ("Service", "shop")
    assert "uid" not in about


def test_with_an_http_route_the_event_is_about_that(cluster, api, journal):
    api.objects[HTTP_ROUTE] = a_route_object(a_backend(BLUE, 1), a_backend(GREEN, 0))
    EventJournal(cluster, NAMES, LiveHttpRoute(cluster, NAMES)).record(an_event())

    about = kept(api)["involvedObject"]
    assert (about["kind"], about["apiVersion"]) == ("HTTPRoute", "gateway.networking.k8s.io/v1")


def test_what_could_not_be_kept_is_told_in_one_line(journal, api):
    api.answers["POST", EVENTS] = Said.refusal(403, "events is forbidden:\nno verb create")

    with pytest.raises(DataPlaneError) as caught:
        journal.record(an_event())
    assert str(caught.value) == (
        f"the event could not be kept: POST {EVENTS} answers 403: events is forbidden: no verb "
        "create"
    )


def test_an_object_that_could_not_be_asked_for_is_told_so_too(journal, api):
    api.objects[SERVICE] = Said.refusal(403, "services is forbidden")

    with pytest.raises(DataPlaneError, match=r"^the event could not be kept: GET .* 403: "):
        journal.record(an_event())
