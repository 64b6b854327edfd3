import asyncio
import itertools
import socket
import time
from unittest import mock

import pytest

from bluegreen.load import LoadPlan, Outcome, Recording, run
from bluegreen.load.connection import Connection
from tests.load.servers import HEADERS, Reply, StubServer, always, answer
from tests.ports import free_port


def load(reply=None, **plan) -> tuple[Recording, StubServer]:
    """Runs a plan against a stub server in the same event loop."""

    async def both() -> tuple[Recording, StubServer]:
        async with StubServer(reply or always(Reply())) as server:
            settings = {"url": server.url, "rate": 100, "seconds": 0.3, "fresh_share": 0, **plan}
            return await run(LoadPlan(**settings)), server

    return asyncio.run(asyncio.wait_for(both(), 20))


def test_every_scheduled_request_is_sent_once_and_recorded_with_color_and_release():
    recording, server = load(rate=200, seconds=0.5)

    assert len(recording) == len(server.heads) == 100
    assert recording.failed() == 0
    assert recording.by_color() == {"blue": 100}
    assert recording.by_release() == {"1.0": 100}
    assert {request.status for request in recording} == {200}
    assert all(request.intended <= request.sent <= request.ended for request in recording)


def test_intended_times_are_evenly_spaced_at_the_planned_rate():
    recording, _ = load(rate=100, seconds=0.3)

    moments = sorted(request.intended for request in recording)
    gaps = [after - before for before, after in itertools.pairwise(moments)]
    assert gaps == pytest.approx([0.01] * 29)


def test_connections_are_used_again_when_nothing_asks_for_fresh_ones():
    recording, server = load(rate=50, seconds=0.6)

    # More than one only if an answer took longer than the 20 ms between two requests.
    assert server.connections == recording.connections_opened < 10


def test_fresh_requests_each_use_a_new_connection_and_say_that_they_close_it():
    recording, server = load(rate=50, seconds=0.8, fresh_share=0.25)

    closing = [head for head in server.heads if b"Connection: close" in head]
    assert len(recording) == 40
    assert len(closing) == 10
    assert 11 <= server.connections < 20
    fresh = [heads for heads in server.heads_by_connection if heads[0] in closing]
    assert [len(heads) for heads in fresh] == [1] * 10
    assert recording.connections_opened == server.connections


def test_without_kept_connections_the_server_sees_one_connection_per_request():
    recording, server = load(fresh_share=1)

    assert server.connections == len(recording) == 30
    assert recording.failed() == 0


@pytest.mark.parametrize("status", ["500 Internal Server Error", "503 Busy", "404 No", "302 Found"])
def test_an_answer_that_is_not_2xx_has_failed(status):
    recording, _ = load(always(Reply(answer(status))))

    assert recording.failures() == {Outcome.HTTP_ERROR: 30}
    assert {request.status for request in recording} == {int(status[:3])}
    assert recording.by_color() == {"blue": 30}


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "204 No Content"])
def test_every_2xx_answer_is_a_success(status):
    body = b"" if status.startswith("204") else b"ok"

    recording, _ = load(always(Reply(answer(status, body=body))))

    assert recording.failed() == 0


@pytest.mark.parametrize("then", ["reset", "close"])
def test_a_connection_that_ends_after_the_request_was_written_is_a_failure(then):
    recording, server = load(always(Reply(b"", then=then)))

    assert recording.failures() == {Outcome.RESET: 30}
    assert len(server.heads) == 30, "the client must not try a request again"


def test_half_a_body_is_a_failure():
    half = answer(body=b"0123456789")[:-5]

    recording, _ = load(always(Reply(half, then="close")))

    assert recording.failures() == {Outcome.RESET: 30}


def test_bytes_that_are_no_http_are_a_failure_without_status():
    recording, _ = load(always(Reply(b"SSH-2.0-OpenSSH\r\n\r\n")))

    assert recording.failures() == {Outcome.HTTP_ERROR: 30}
    assert {request.status for request in recording} == {0}
    assert recording.by_color() == {}


def test_a_connection_that_the_server_closes_while_idle_is_replaced_without_a_failure():
    async def close_soon(server, head):
        task = asyncio.current_task()
        asyncio.get_running_loop().call_later(0.02, task.cancel)
        return Reply()

    recording, server = load(close_soon, rate=10, seconds=0.5)

    assert recording.failed() == 0
    assert server.connections == 5
    assert recording.idle_closes >= 4


def test_an_end_that_the_event_loop_has_not_noticed_yet_is_seen_before_a_request_is_written():
    async def close_without_a_round_of_the_loop() -> tuple[bool, bool]:
        ours, theirs = socket.socketpair()
        ours.settimeout(0)
        connection = Connection(mock.Mock(), mock.Mock(), ours)
        await asyncio.get_running_loop().create_connection(lambda: connection, sock=ours)
        before = connection.is_still_open()
        theirs.close()
        after = connection.is_still_open()
        connection.discard()
        await asyncio.sleep(0.01)
        return before, after

    assert asyncio.run(close_without_a_round_of_the_loop()) == (True, False)


def test_a_connection_close_header_is_obeyed():
    reply = Reply(answer(headers=b"Connection: close\r\n"), then="close")

    recording, server = load(always(reply))

    assert recording.failed() == 0
    assert server.connections == 30
    assert recording.idle_closes == 0


def test_chunked_answers_are_complete_at_their_last_chunk():
    chunks = b"5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nTrailer: 1\r\n\r\n"
    head = b"HTTP/1.1 200 OK\r\n" + HEADERS + b"Transfer-Encoding: chunked\r\n\r\n"

    recording, server = load(always(Reply(head + chunks)), rate=50)

    assert recording.failed() == 0
    assert server.connections < 10, "the connection is in step and used again"


def test_a_chunked_answer_cut_before_its_last_chunk_is_a_failure():
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    recording, _ = load(always(Reply(head + b"5\r\nhello\r\n", then="close")))

    assert recording.failures() == {Outcome.RESET: 30}


def test_a_body_without_length_ends_with_the_connection():
    reply = Reply(b"HTTP/1.1 200 OK\r\n" + HEADERS + b"\r\nhello", then="close")

    recording, _ = load(always(reply))

    assert recording.failed() == 0
    assert recording.idle_closes == 0


def test_a_request_without_answer_times_out_counted_from_its_intended_time():
    async def never(server, head):
        await asyncio.sleep(60)

    recording, server = load(never, rate=50, seconds=0.2, timeout_seconds=0.3)

    assert recording.failures() == {Outcome.TIMEOUT: 10}
    assert len(server.heads) == 10
    assert all(0.3 <= request.latency < 1 for request in recording)


def test_a_request_that_gets_no_connection_in_time_has_failed_unsent():
    async def never(server, head):
        await asyncio.sleep(60)

    recording, server = load(never, rate=2000, seconds=0.1, timeout_seconds=0.3, connections=1)

    assert recording.failures() == {Outcome.TIMEOUT: 200}
    sent = [request for request in recording if request.sent is not None]
    # The slot of a request that timed out is used again, at most once a millisecond.
    assert 1 <= len(server.heads) <= len(sent) < 200


def test_a_refused_connection_is_a_failure_of_its_own_kind():
    plan = LoadPlan(url=f"http://127.0.0.1:{free_port()}/", rate=100, seconds=0.2)

    recording = asyncio.run(run(plan))

    assert recording.failures() == {Outcome.CONNECT_FAILURE: 20}
    assert all(request.sent is None for request in recording)
    assert recording.achieved_rate() == 0


def test_a_stall_is_seen_by_every_request_scheduled_meanwhile():
    stall = {}

    async def stall_300_ms(server, head):
        loop = asyncio.get_running_loop()
        start = stall.setdefault("start", loop.time() + 0.2)
        if start <= loop.time() < start + 0.3:
            await asyncio.sleep(start + 0.3 - loop.time())
        return Reply()

    recording, _ = load(stall_300_ms, rate=200, seconds=0.8, connections=4)

    end = stall["start"] + 0.3
    meanwhile = [r for r in recording if stall["start"] + 0.01 <= r.intended < end - 0.01]
    assert len(meanwhile) >= 50
    for request in meanwhile:
        assert request.latency >= end - request.intended - 0.002
    # A closed loop on four connections would have noticed little more than four slow requests.
    assert sum(request.ended - request.sent > 0.1 for request in meanwhile) <= 8
    assert sum(request.latency > 0.1 for request in meanwhile) >= 35


def test_no_more_connections_are_open_than_allowed():
    open_now, most = 0, 0

    async def count(server, head):
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        await asyncio.sleep(0.05)
        open_now -= 1
        return Reply()

    recording, _ = load(count, rate=200, seconds=0.3, connections=5, fresh_share=0.3)

    assert most == 5
    assert recording.failed() == 0


def test_the_achieved_rate_tells_when_the_target_was_not_reached():
    async def slow(server, head):
        await asyncio.sleep(0.02)
        return Reply()

    recording, _ = load(slow, rate=200, seconds=0.5, connections=1)

    assert recording.failed() == 0
    assert recording.target_rate == 200
    # One connection at 20 ms a request cannot do more than 50 a second.
    assert 5 < recording.achieved_rate() < 51


def test_a_rate_beyond_this_machine_ends_in_time_all_the_same():
    async def busy(server, head):
        # Not awaited: client and server share this loop, so that nothing is sent meanwhile.
        time.sleep(0.001)
        return Reply()

    start = time.monotonic()

    recording, _ = load(busy, rate=20_000, seconds=1, timeout_seconds=0.2)

    assert time.monotonic() - start < 3
    assert len(recording) == 20_000
    assert recording.failures()[Outcome.TIMEOUT] > 0
    # One request at 1 ms each cannot be more than 1,000 a second.
    assert 0 < len(recording) - recording.failed() < 1_300


def test_stopping_sends_nothing_more_and_waits_for_what_is_under_way():
    async def slow(server, head):
        await asyncio.sleep(0.2)
        return Reply()

    async def stopped() -> tuple[Recording, int]:
        async with StubServer(slow) as server:
            stop = asyncio.Event()
            asyncio.get_running_loop().call_later(0.3, stop.set)
            recording = await run(LoadPlan(url=server.url, rate=100, seconds=60), stop=stop)
            return recording, len(server.heads)

    recording, answered = asyncio.run(asyncio.wait_for(stopped(), 10))

    assert 5 <= len(recording) == answered <= 100
    assert recording.failed() == 0


def test_a_cancelled_load_leaves_no_connection_open():
    async def cancelled() -> int:
        async with StubServer(always(Reply())) as server:
            task = asyncio.create_task(run(LoadPlan(url=server.url, rate=100, seconds=60)))
            await asyncio.sleep(0.2)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.sleep(0.05)
            return len(server._tasks)

    assert asyncio.run(asyncio.wait_for(cancelled(), 10)) == 0


def test_extra_headers_and_the_query_are_sent_and_host_can_be_replaced():
    async def both() -> list[bytes]:
        async with StubServer(always(Reply())) as server:
            headers = {"Host": "shop.example", "X-Cohort": "green"}
            plan = LoadPlan(
                url=f"{server.url}a/b?c=d", rate=10, seconds=0.1, headers=headers, fresh_share=0
            )
            await run(plan)
            return server.heads

    assert asyncio.run(both()) == [
        b"GET /a/b?c=d HTTP/1.1\r\nHost: shop.example\r\nX-Cohort: green\r\n\r\n"
    ]


def _cookie_of(head: bytes) -> str | None:
    lines = [line for line in head.decode().split("\r\n") if line.startswith("Cookie: ")]
    return lines[0].removeprefix("Cookie: ") if lines else None


def test_each_simulated_client_keeps_its_own_cookies():
    async def give_a_number(server, head):
        if _cookie_of(head) is not None:
            return Reply()
        cookie = b"Set-Cookie: cohort=%d; Path=/; HttpOnly\r\n" % len(server.heads)
        return Reply(answer(headers=cookie + b"Set-Cookie: a=b\r\n"))

    recording, server = load(give_a_number, rate=30, seconds=1, cookie_clients=3)

    cookies = [_cookie_of(head) for head in server.heads]
    assert cookies[:3] == [None, None, None]
    assert cookies[3:] == [f"cohort={1 + number % 3}; a=b" for number in range(27)]
    clients = [request.client for request in sorted(recording)]
    assert clients == [number % 3 for number in range(30)]


@pytest.mark.parametrize("how", [b"Max-Age=0", b"Expires=Thu, 01 Jan 1970 00:00:00 GMT"])
def test_a_cookie_that_the_server_deletes_is_not_sent_again(how):
    async def give_then_take(server, head):
        last = b"Set-Cookie: cohort=1" if len(server.heads) == 1 else b"Set-Cookie: cohort=; " + how
        return Reply(answer(headers=last + b"\r\n"))

    _, server = load(give_then_take, rate=20, seconds=0.2, cookie_clients=1)

    assert [_cookie_of(head) for head in server.heads] == [None, "cohort=1", None, None]


def test_a_load_without_simulated_clients_sends_no_cookies():
    recording, server = load(always(Reply(answer(headers=b"Set-Cookie: a=b\r\n"))))

    assert not any(b"Cookie" in head for head in server.heads)
    assert {request.client for request in recording} == {None}
