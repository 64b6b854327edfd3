"""The page of a preview, as a browser shows it."""

import json
import re

import pytest

from bluegreen.preview import as_html, read_document, report_on
from tests.preview.recordings import recordings

SWITCH = "a_switch_updates_the_router_and_then_the_flag_and_nothing_else-1"


def page(name=SWITCH, stack="prod"):
    document = next(found for platform, each, found in recordings() if each == name)
    text = json.dumps(document).replace("urn:pulumi:test::", f"urn:pulumi:{stack}::")
    return as_html([report_on(read_document(text))])


def test_a_page_needs_nothing_but_itself():
    text = page()

    assert "<script" not in text
    assert not re.search(r"(?:src|href)=|url\(|@import|https?://", text)
    assert "default-src 'none'" in text


def test_what_looks_like_markup_is_text():
    step = {"op": "update", "urn": "urn:pulumi:prod::shop::a:b:C::<img src=x onerror=alert(1)>"}
    text = as_html([report_on(read_document(json.dumps({"steps": [step]})))])

    assert "<img" not in text
    assert "(unnamed)" in text


def test_a_browser_shows_what_moves(browser):
    text = browser.text(page())

    assert "100 % of production traffic moves blue 1.0 → green 1.1" in text
    assert "blue 1.0 100 %" in text
    assert "green 1.1 100 %" in text


@pytest.mark.parametrize("is_dark", [False, True])
def test_a_phone_shows_it_whole_in_light_and_in_dark(browser, is_dark):
    picture = browser.picture(page(), is_dark=is_dark)

    rows, columns, _ = picture.shape
    assert (columns, rows) == (390, 844)
    assert (picture[2, 2].mean() < 0.3) == is_dark
    # Nothing runs out of the page: its last columns are empty.
    assert abs(picture[:, -6:] - picture[2, 2]).max() < 0.02
    # Both bars are there.
    assert len({tuple((row * 255).astype(int)) for row in picture[:, columns // 2]}) > 3
