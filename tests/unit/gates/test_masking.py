import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluegreen.gates.masking import Mask, MaskedTail


def kept(chunks, secrets, limit=100):
    tail = MaskedTail(limit, secrets)
    for chunk in chunks:
        tail.add(chunk)
    return tail.text()


def test_only_the_end_is_kept():
    assert kept([b"a" * 200, b"end"], [], limit=5) == "aaend"


def test_a_secret_split_over_two_chunks_is_masked():
    assert kept([b"token=abc", b"def!"], ["abcdef"]) == "token=***!"


def test_the_end_of_a_secret_does_not_show_where_the_output_was_cut():
    assert "def" not in kept([b"abcdef" * 50, b"-", b"z" * 4], ["abcdef"], limit=8)


def test_a_secret_that_begins_with_another_secret_is_masked_whole():
    assert kept([b"abc", b"def abc "], ["abc", "abcdef"]) == "*** *** "


def test_each_line_of_a_secret_is_masked_by_itself():
    assert kept([b"  line one\n> line two\n"], ["line one\nline two\n"]) == "  ***\n> ***\n"


def test_an_empty_secret_masks_nothing():
    assert kept([b"text"], ["", "\n"]) == "text"


def test_bytes_that_are_no_text_are_kept_readable():
    assert kept([b"ok \xff"], []) == "ok \N{REPLACEMENT CHARACTER}"


@given(
    chunks=st.lists(st.text("ab-", max_size=8).map(str.encode), max_size=12),
    secrets=st.lists(st.text("ab", min_size=1, max_size=5), max_size=3),
    limit=st.integers(1, 30),
)
def test_no_secret_is_ever_in_what_is_kept_and_chunks_make_no_difference(chunks, secrets, limit):
    text = kept(chunks, secrets, limit)

    assert not any(secret in text for secret in secrets)
    assert len(text) <= limit
    assert text == kept([b"".join(chunks)], secrets, limit)


@pytest.mark.parametrize(
    "written",
    [
        'a "b" /ä',
        r"a \"b\" /ä",
        r"a \"b\" /\u00e4",
        r"a \"b\" /\u00E4",
        r"a \\\"b\\\" /ä",
        "a%20%22b%22%20%2F%C3%A4",
        "a%20%22b%22%20%2f%c3%a4",
        "a+%22b%22+%2F%C3%A4",
        "a%20%22b%22%20/%C3%A4",
    ],
)
def test_a_secret_is_masked_however_json_and_addresses_write_it(written):
    assert Mask(['a "b" /ä']).text(f"<{written}>") == "<***>"


def test_without_secrets_nothing_is_masked():
    assert Mask([]).text("a\ud800") == "a\ud800"
