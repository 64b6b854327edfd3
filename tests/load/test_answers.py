import pytest

from bluegreen.load.answers import AnswerReader, HeadParser, MalformedAnswerError


def a_reader() -> AnswerReader:
    return AnswerReader(HeadParser("X-Bluegreen-Color", "X-Bluegreen-Release"))


ANSWERS = {
    "with a length": b"HTTP/1.1 200 OK\r\nx-bluegreen-color: green\r\n"
    b"Content-Length: 4\r\n\r\nbody",
    "without a body": b"HTTP/1.1 204 No Content\r\nX-Bluegreen-Color: green\r\n\r\n",
    "after 100 Continue": b"HTTP/1.1 100 Continue\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nX-Bluegreen-Color:green\r\nContent-Length: 0\r\n\r\n",
    "chunked": b"HTTP/1.1 200 OK\r\nX-Bluegreen-Color: green\r\nTransfer-Encoding: Chunked\r\n\r\n"
    b"A\r\n0123456789\r\n2;name=value\r\n\r\n\r\n0\r\nSome: trailer\r\n\r\n",
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_complete_with_its_last_byte_however_it_is_cut(name):
    data = ANSWERS[name]
    for cut in range(len(data)):
        reader = a_reader()

        assert reader.feed(data[:cut]) is None
        answer = reader.feed(data[cut:])

        assert answer is not None
        assert answer.color == "green"
        assert answer.keeps_alive
        assert not reader.has_leftover


def test_one_reader_reads_answer_after_answer():
    reader = a_reader()

    for data in (*ANSWERS.values(), *ANSWERS.values()):
        assert reader.feed(data) is not None


def test_bytes_after_the_answer_are_noticed():
    reader = a_reader()

    assert reader.feed(ANSWERS["chunked"] + b"x") is not None

    assert reader.has_leftover


def test_a_body_without_length_is_complete_at_the_end_only():
    reader = a_reader()

    assert reader.feed(b"HTTP/1.1 200 OK\r\n\r\nbody") is None
    assert reader.feed(b"more") is None

    answer = reader.end()
    assert answer is not None
    assert not answer.keeps_alive


def test_an_end_before_the_length_is_reached_is_no_answer():
    reader = a_reader()

    reader.feed(ANSWERS["with a length"][:-1])

    assert reader.end() is None


@pytest.mark.parametrize(
    ("head", "keeps_alive"),
    [
        (b"HTTP/1.1 200 OK\r\n", True),
        (b"HTTP/1.1 200 OK\r\nConnection: Close\r\n", False),
        (b"HTTP/1.1 200 OK\r\nConnection: x, close\r\n", False),
        (b"HTTP/1.0 200 OK\r\n", False),
        (b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n", True),
    ],
)
def test_whether_a_connection_may_be_used_again(head, keeps_alive):
    answer = a_reader().feed(head + b"Content-Length: 0\r\n\r\n")

    assert answer is not None
    assert answer.keeps_alive is keeps_alive


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 099 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 5000,
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000,
    ],
)
def test_what_is_no_answer_is_refused(data):
    with pytest.raises(MalformedAnswerError):
        a_reader().feed(data)
