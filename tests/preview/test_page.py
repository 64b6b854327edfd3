"""The page, as a browser shows it."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from matplotlib import image

from bluegreen.preview import as_html, read_document, report_on
from tests.preview.recordings import recordings

REPOSITORY = Path(__file__).resolve().parents[2]
PHONE = (390, 844)


def page(name="a_switch_updates_the_router_and_then_the_flag_and_nothing_else-1", stack="prod"):
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


@pytest.fixture(scope="module")
def browser():
    """Chromium; its Debian package is installed where it is missing and that is possible."""
    if (program := shutil.which("chromium")) is None:
        done = subprocess.run(
            [REPOSITORY / "tools" / "install_packages.sh", "chromium"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        program = shutil.which("chromium")
    if program is None:
        pytest.skip(f"no chromium: {done.stderr.strip().splitlines()[-1:]}")
    return program


def opened(browser, tmp_path, *options):
    path = tmp_path / "page.html"
    path.write_text(page(), encoding="utf-8")
    words = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", *options]
    words.append(f"--user-data-dir={tmp_path / 'profile'}")
    return subprocess.run(
        [*words, path.as_uri()], capture_output=True, text=True, check=True, timeout=120
    ).stdout


def test_a_browser_shows_what_moves(browser, tmp_path):
    text = re.sub(r"<[^>]+>", " ", opened(browser, tmp_path, "--dump-dom"))

    assert "100 % of production traffic moves blue 1.0 → green 1.1" in text
    assert "blue 1.0 100 %" in text
    assert "green 1.1 100 %" in text


@pytest.mark.parametrize(("scheme", "is_dark"), [("1", False), ("0", True)])
def test_a_phone_shows_it_whole_in_light_and_in_dark(browser, tmp_path, scheme, is_dark):
    target = tmp_path / "page.png"
    opened(
        browser,
        tmp_path,
        f"--screenshot={target}",
        f"--window-size={PHONE[0]},{PHONE[1]}",
        f"--blink-settings=preferredColorScheme={scheme}",
    )

    picture = image.imread(target)[:, :, :3]

    assert picture.shape[:2] == (PHONE[1], PHONE[0])
    assert (picture[2, 2].mean() < 0.3) == is_dark
    # Nothing runs out of the page: its last columns are empty.
    assert abs(picture[:, -6:] - picture[2, 2]).max() < 0.02
    # Both bars are there.
    assert len({tuple((row * 255).astype(int)) for row in picture[:, PHONE[0] // 2]}) > 3
