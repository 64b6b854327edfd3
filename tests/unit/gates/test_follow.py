import json

import pytest

from bluegreen.errors import DataPlaneError
from bluegreen.gates.data_plane import HttpProduction
from bluegreen.gates.follow import verify_follow
from bluegreen.gates.gate import Endpoint
from bluegreen.settings.following import ColorFromSettings, FollowSettings
from bluegreen.traffic import TrafficSplit
from tests.unit.fake_update import BLUE, GREEN, FakeDataPlane, live

ALL_GREEN = TrafficSplit.all_to(GREEN)
HEADER = ColorFromSettings(header="X-Bluegreen-Color")
FIELD = ColorFromSettings(json_field="deployment.color", path="/version")


class Routed(FakeDataPlane):
    """A data plane whose router is written, with a production and a control view of the test's."""

    def __init__(self, *views, url=None, route=None):
        super().__init__(route=route or live(GREEN))
        self._views = list(views)
        self._url = url

    def production(self):
        return HttpProduction(Endpoint(self._url)) if self._url else None

    def control_view(self, wanted):
        self.asked.append(f"control view of {wanted}")
        view = self._views.pop(0) if len(self._views) > 1 else self._views[0]
        if isinstance(view, Exception):
            raise view
        return view


def verdict_of(plane, color_from=HEADER, *, wanted=ALL_GREEN, timeout=60.0, consecutive=3):
    settings = FollowSettings(
        consecutive=consecutive, interval_seconds=0.001, timeout_seconds=timeout
    )
    return verify_follow(plane, wanted, color_from, settings)


def answering(*colors):
    """Answers with one color after the other, in a header and a field; the last one for ever."""

    def behave(visit):
        color = colors[min(visit.number, len(colors)) - 1]
        body = json.dumps({"deployment": {"color": color}}).encode()
        visit.reply(200, body, f"X-Bluegreen-Color: {color}\r\n")

    return behave


@pytest.mark.parametrize("color_from", [HEADER, FIELD])
def test_enough_answers_in_a_row_from_the_right_color_are_a_yes(serve, color_from):
    web = serve(answering("green"))

    verdict = verdict_of(Routed(url=web.url), color_from)

    assert verdict.passed
    assert verdict.reason == "production answers from green"
    assert (verdict.value, verdict.limit) == ("3 in a row", "3 in a row from green")
    assert len(web.heads) == 3


def test_an_answer_from_the_old_color_begins_the_row_anew(serve):
    web = serve(answering("green", "green", "blue", "green"))

    assert verdict_of(Routed(url=web.url)).passed
    assert len(web.heads) == 6


def test_in_a_canary_both_colors_are_right(serve):
    web = serve(answering("green", "blue", "green"))
    split = TrafficSplit(blue=50, green=50)

    verdict = verdict_of(Routed(url=web.url, route=live(BLUE, 50)), wanted=split)

    assert verdict.passed
    assert verdict.limit == "3 in a row from blue, green"


def test_answers_that_stay_with_the_old_color_are_a_no(serve):
    verdict = verdict_of(Routed(url=serve(answering("blue")).url), timeout=0.3)

    assert not verdict.passed
    assert (verdict.reason, verdict.value) == ("production answers from blue", "0 in a row")


@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        (answering("purple"), "an answer names the color 'purple'; look at service.color_from"),
        (lambda visit: visit.reply(200), "an answer names the color None; look at"),
        (lambda visit: visit.reply(503), "/ answers 503"),
        (lambda visit: visit.reset(), "the answer to GET / broke off"),
    ],
)
def test_an_answer_that_names_no_color_is_a_no(serve, behave, reason):
    verdict = verdict_of(Routed(url=serve(behave).url), timeout=0.3)

    assert not verdict.passed
    assert reason in verdict.reason


def test_a_router_that_says_something_else_is_believed_without_asking(serve):
    web = serve(answering("green"))

    verdict = verdict_of(Routed(url=web.url, route=live(BLUE)), timeout=0.05)

    assert not verdict.passed
    assert verdict.reason == "the router says 100 % blue, wanted is 100 % green"
    assert web.heads == []


# Where production cannot be asked.

NOT_ASKED = "the application was not asked, because"


def test_where_production_cannot_be_reached_the_routers_word_is_enough():
    plane = Routed((True, "the endpoints are green's"))

    verdict = verdict_of(plane)

    assert verdict.passed
    assert verdict.reason == (
        f"the endpoints are green's; {NOT_ASKED} production cannot be reached from here"
    )
    assert (verdict.value, verdict.limit) == ("1 in a row", "1 in a row from green")
    assert plane.asked.count("control view of 100 % green") == 1


def test_without_a_place_for_the_color_production_is_not_asked(serve):
    web = serve(answering("blue"))

    verdict = verdict_of(Routed((True, "fine"), url=web.url), None)

    assert verdict.passed
    assert verdict.reason == (
        f"fine; {NOT_ASKED} service.color_from does not say where its answers name their color"
    )
    assert web.heads == []


def test_the_routers_word_is_waited_for():
    plane = Routed((False, "still blue's"), DataPlaneError("away"), (True, "green's"))

    verdict = verdict_of(plane)

    assert verdict.passed
    assert verdict.reason.startswith("green's;")


def test_a_router_whose_side_never_follows_is_a_no_with_what_it_says():
    verdict = verdict_of(Routed((False, "2 members of blue are listed")), timeout=0.05)

    assert not verdict.passed
    assert verdict.reason.startswith(f"2 members of blue are listed; {NOT_ASKED} ")
    assert verdict.value == "0 in a row"


def test_a_control_plane_that_is_away_is_a_no():
    verdict = verdict_of(Routed(DataPlaneError("the API server does not answer")), timeout=0.05)

    assert not verdict.passed
    assert verdict.reason == "the API server does not answer"
