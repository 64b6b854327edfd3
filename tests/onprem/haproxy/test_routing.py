"""What clients see through the two frontends."""

import asyncio
import contextlib
import itertools
import math
import statistics
import threading
import time
from collections import Counter

import pytest

from bluegreen.colors import Color
from bluegreen.onprem.haproxy_config import external_snippet
from bluegreen.onprem.traffic_map import NOTHING_IS_LIVE, RoutedTraffic
from bluegreen.traffic import Route, TrafficSplit
from tests.onprem.haproxy.proxy import (
    SERVICE,
    SLOW_SECONDS,
    KeepAlive,
    a_proxy,
    eventually,
    get,
)

BLUE, GREEN = Color
COOKIE = "bluegreen_cohort"


def write_raw(proxy, value):
    proxy.runtime.set_map(str(proxy.config.map_path), SERVICE, value)


@pytest.mark.parametrize("active", list(Color))
def test_production_follows_the_active_color_and_test_the_idle_one(proxy, active):
    proxy.route(active)

    assert {proxy.production().body for _ in range(4)} == {active}
    assert {proxy.test().body for _ in range(4)} == {active.other}


def test_both_frontends_change_in_the_same_instant(proxy):
    """For every flip there must be one instant before which every answer, of either frontend, is
    the old one and after which it is the new one. An answer says: my look-up was between my start
    and my end. So no request may start with the old color after another one ended with the new."""
    flips, seen = asyncio.run(flips_under_probes(proxy, count=200))

    contradictions, judged = count_contradictions(flips, seen)
    milliseconds = [flip.milliseconds for flip in flips]
    print(
        f"{len(flips)} flips, {len(seen)} answers, {judged} judged; set map median "
        f"{statistics.median(milliseconds):.2f} ms, largest {max(milliseconds):.2f} ms"
    )
    assert judged > 1000
    assert contradictions == 0


class Flip:
    def __init__(self, proxy, to):
        self.to = to
        self.start = time.perf_counter()
        self.milliseconds = proxy.route(to)
        self.end = time.perf_counter()


async def flips_under_probes(proxy, count):
    stop = threading.Event()
    seen = []
    ports = {proxy.config.production_port: False, proxy.config.test_port: True}

    async def probe(port, is_test):
        async with contextlib.aclosing(KeepAlive(port)) as client:
            while not stop.is_set():
                start = time.perf_counter()
                status, body, _ = await client.get()
                end = time.perf_counter()
                assert status == 200, body
                active = Color(body).other if is_test else Color(body)
                seen.append((start, end, active, is_test))

    def flip_all():
        try:
            flips = []
            for index in range(count):
                time.sleep(0.008)
                flips.append(Flip(proxy, GREEN if index % 2 == 0 else BLUE))
            return flips
        finally:
            stop.set()

    proxy.route(BLUE)
    probes = [probe(port, is_test) for port, is_test in ports.items() for _ in range(2)]
    results = await asyncio.gather(asyncio.to_thread(flip_all), *probes)
    return results[0], seen


def count_contradictions(flips, seen):
    seen = sorted(seen)
    contradictions = judged = 0
    for index, flip in enumerate(flips):
        begin = flips[index - 1].end if index else 0.0
        finish = flips[index + 1].start if index + 1 < len(flips) else math.inf
        window = [one for one in seen if one[0] >= begin and one[1] <= finish]
        judged += len(window)
        last_old = max((s for s, _, active, _ in window if active != flip.to), default=flip.start)
        first_new = min((e for _, e, active, _ in window if active == flip.to), default=flip.end)
        contradictions += last_old > first_new or last_old > flip.end or first_new < flip.start
    return contradictions, judged


def test_the_probe_for_the_same_instant_sees_two_keys_that_move_one_after_the_other():
    flip = Flip.__new__(Flip)
    flip.to, flip.start, flip.end = GREEN, 10.0, 10.4
    production_is_new = (10.0, 10.1, GREEN, False)
    test_is_still_old = (10.2, 10.3, BLUE, True)

    assert count_contradictions([flip], [production_is_new, test_is_still_old]) == (1, 2)


async def fresh_clients(proxy, count):
    """Colors and cookies that `count` clients without a cookie get."""
    answers = []

    async def some(number):
        async with contextlib.aclosing(KeepAlive(proxy.config.production_port)) as client:
            answers.extend([await client.get() for _ in range(number)])

    await asyncio.gather(*(some(count // 8) for _ in range(8)))
    return answers


@pytest.mark.parametrize("percent", [1, 5, 50])
def test_a_canary_gets_its_share_of_new_clients(proxy, percent):
    count = 4000
    proxy.route(BLUE, percent)

    colors = Counter(body for _, body, _ in asyncio.run(fresh_clients(proxy, count)))

    expected, sigma = count * percent / 100, math.sqrt(count * percent / 100 * (1 - percent / 100))
    print(f"{percent} %: {colors[GREEN]} of {count}, expected {expected:.0f} +- {4 * sigma:.0f}")
    assert colors[BLUE] + colors[GREEN] == count
    assert abs(colors[GREEN] - expected) < 4 * sigma


def test_a_client_keeps_its_color_while_the_percentage_stays(proxy):
    proxy.route(BLUE, 50)
    colors = set()
    for _ in range(20):
        first = proxy.production()
        cookie = first.headers["Set-Cookie"]
        again = [proxy.production(Cookie=cookie.split(";")[0]) for _ in range(5)]

        assert cookie.removeprefix(f"{COOKIE}=").partition(";")[0].isdecimal()
        assert cookie.endswith("; Path=/; HttpOnly; SameSite=Lax")
        assert {answer.body for answer in again} == {first.body}
        assert all("Set-Cookie" not in answer.headers for answer in again)
        colors.add(first.body)
    assert colors == set(Color), "20 clients at 50 % are of both colors, but for one in 500,000"


def canary_cohorts(proxy):
    bodies = {n: proxy.production(Cookie=f"{COOKIE}={n}").body for n in range(100)}
    return {number for number, body in bodies.items() if body == GREEN}


def test_a_higher_percentage_only_moves_clients_to_the_canary(proxy):
    steps = []
    for percent in (0, 1, 5, 50, 99):
        proxy.route(BLUE, percent)
        steps.append((percent, canary_cohorts(proxy)))

    assert [len(cohorts) for _, cohorts in steps] == [percent for percent, _ in steps]
    assert all(before[1] < after[1] for before, after in itertools.pairwise(steps))


@pytest.mark.parametrize(
    "cookie", ["", "100", "-1", "5x", " ", "5 5", "%35", "0x1", '"5"', "\u0665", "9" * 400]
)
def test_a_cookie_that_is_no_cohort_is_replaced(proxy, cookie):
    proxy.route(BLUE, 50)

    answer = proxy.production(Cookie=f"other=1; {COOKIE}={cookie}".encode())

    assert answer.status == 200
    assert f"{COOKIE}=" in answer.headers["Set-Cookie"]


def test_without_a_canary_no_cookie_is_set_or_read(proxy):
    proxy.route(BLUE, 0)

    answers = [proxy.production(), proxy.production(Cookie=f"{COOKIE}=0")]

    assert [answer.body for answer in answers] == [BLUE, BLUE]
    assert all("Set-Cookie" not in answer.headers for answer in answers)


def test_a_canary_does_not_change_what_the_test_endpoint_reaches(proxy):
    proxy.route(BLUE, 50)

    assert {proxy.test().body for _ in range(8)} == {GREEN}
    assert "Set-Cookie" not in proxy.test().headers


@pytest.mark.parametrize("active", list(Color))
@pytest.mark.parametrize("pinned", list(Color))
def test_the_header_pins_a_color_on_the_test_endpoint_only(proxy, active, pinned):
    proxy.route(active)

    assert proxy.test(X_Bluegreen_Color=pinned).body == pinned
    assert proxy.production(X_Bluegreen_Color=pinned).body == active


@pytest.mark.parametrize("value", ["red", "", "Blue", "blue,green", "shop-blue"])
def test_a_pin_that_is_no_color_is_refused(proxy, value):
    proxy.route(BLUE)

    answer = proxy.test(X_Bluegreen_Color=value)

    assert (answer.status, answer.body) == (400, "X-Bluegreen-Color must be blue or green")
    assert proxy.production(X_Bluegreen_Color=value).status == 200


def test_two_pins_are_refused(proxy):
    pins = [("X-Bluegreen-Color", "blue"), ("X-Bluegreen-Color", "green")]

    answer = get(proxy.config.test_port, "/", pins)

    assert (answer.status, answer.body) == (400, "X-Bluegreen-Color must be given once")


def test_before_the_first_switch_only_a_pinned_color_answers(proxy):
    write_raw(proxy, NOTHING_IS_LIVE)

    answers = [proxy.production(), proxy.test()]

    assert [(answer.status, answer.body) for answer in answers] == [
        (503, "no color is live yet"),
        (503, "no color is live yet"),
    ]
    assert answers[0].headers["Content-Type"] == "text/plain"
    assert proxy.test(X_Bluegreen_Color="green").body == GREEN


def test_a_key_that_is_not_in_the_map_is_like_before_the_first_switch(proxy):
    proxy.runtime.command(f"del map {proxy.config.map_path} {SERVICE}")

    assert proxy.production().body == proxy.test().body == "no color is live yet"


@pytest.mark.parametrize("value", ["other-blue,other-green,0", "x", "shop-test,shop-test,0"])
def test_a_value_that_names_no_backend_of_the_service_reaches_nothing(proxy, value):
    write_raw(proxy, value)

    answers = [proxy.production(), proxy.test()]

    assert {answer.status for answer in answers} == {503}
    assert {answer.body for answer in answers} == {
        "the traffic map names no backend of this service"
    }


def test_a_percentage_that_is_no_number_keeps_everybody_on_the_active_color(proxy):
    write_raw(proxy, "shop-blue,shop-green,all")

    assert {proxy.production(Cookie=f"{COOKIE}=0").body for _ in range(8)} == {BLUE}


def test_a_color_without_a_ready_member_says_so(proxy, fleets):
    proxy.route(BLUE)
    for member in fleets[GREEN]:
        member.is_ready = False
    try:
        eventually(lambda: proxy.ready(GREEN) == 0, "green is down")

        answers = [proxy.test(), proxy.test(X_Bluegreen_Color="green")]
        proxy.route(GREEN)
        answers.append(proxy.production())
    finally:
        for member in fleets[GREEN]:
            member.is_ready = True
    eventually(lambda: proxy.ready(GREEN) == 2, "green is back")
    assert {(answer.status, answer.body) for answer in answers} == {
        (503, "no ready member of green")
    }


@pytest.fixture
def soon_checked(haproxy, members):
    """A proxy that asks its members so often that it notices one that drains within a request."""
    often = {"interval_seconds": 0.2, "timeout_seconds": 0.2}
    with a_proxy(haproxy, members, **often) as (proxy, fleets):
        proxy.start()
        eventually(lambda: proxy.ready(BLUE) == 2, "blue is ready")
        yield proxy, fleets


def test_a_member_that_drains_finishes_its_requests_and_gets_no_new_ones(soon_checked):
    proxy, fleets = soon_checked
    proxy.route(BLUE)
    drained, staying = fleets[BLUE]
    slow = []
    clients = [
        threading.Thread(target=lambda: slow.append(proxy.production("/slow"))) for _ in range(4)
    ]
    before = drained.requests + staying.requests
    for client in clients:
        client.start()
    eventually(lambda: drained.requests + staying.requests == before + 4, "all are in flight")

    drained.is_ready = False
    try:
        eventually(lambda: proxy.ready(BLUE) == 1, "one is down", seconds=SLOW_SECONDS)
        sessions = proxy.runtime.backend("shop-blue").sessions
        requests = drained.requests
        others = [proxy.production() for _ in range(6)]
        unchanged = drained.requests == requests
    finally:
        drained.is_ready = True
    for client in clients:
        client.join()

    assert sessions == 4
    assert unchanged
    assert {answer.status for answer in others} == {200}
    assert [answer.status for answer in slow] == [200] * 4
    eventually(lambda: proxy.ready(BLUE) == 2, "it is back")
    eventually(lambda: proxy.runtime.backend("shop-blue").sessions == 0, "nothing is in flight")


def test_a_request_that_reached_a_member_is_never_sent_again(proxy, fleets):
    proxy.route(BLUE)
    for member in fleets[BLUE]:
        member.breaks_off = True
    before = sum(member.requests for member in fleets[BLUE])
    try:
        answer = proxy.production()
    finally:
        for member in fleets[BLUE]:
            member.breaks_off = False

    assert answer.status == 502
    assert sum(member.requests for member in fleets[BLUE]) == before + 1


def test_the_snippet_makes_another_haproxy_route_the_same_way(haproxy, members):
    backends = {BLUE: "web_a", GREEN: "web_b"}

    def as_somebody_else_wrote_it(text):
        """Their own backends and frontends, our lines pasted in."""
        head, _, _ = text.partition("frontend ")
        for color, name in backends.items():
            head = head.replace(f"backend shop-{color}", f"backend {name}")
        snippet = external_snippet(SERVICE, map_path=proxy.config.map_path, backends=backends)
        _, production, test = snippet.split("frontend:\n")
        return (
            f"{head}"
            f"frontend one\n  bind 127.0.0.1:{proxy.config.production_port}\n{production}\n"
            f"frontend two\n  bind 127.0.0.1:{proxy.config.test_port}\n{test}"
        )

    with a_proxy(haproxy, members, edit=as_somebody_else_wrote_it) as (proxy, _):
        proxy.start()
        traffic = RoutedTraffic(backends)
        for active in Color:
            split = TrafficSplit.all_to(active)
            write_raw(proxy, traffic.encode(Route(active, split)))

            assert proxy.production().body == active
            assert proxy.test().body == active.other
            assert proxy.test(X_Bluegreen_Color=active).body == active
