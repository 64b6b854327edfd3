"""`bluegreen history --html` as it is typed, and the page as a browser shows it."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from bluegreen.cli.__main__ import VERBS, app_of
from bluegreen.events import EventKind, RecordedVerdict
from tests.unit.test_events import an_event

HOSTILE = "</p><img src=x onerror=alert(1)><script>alert(2)</script>\"'&amp;"
LONG = "x" * 400
BLUE, GREEN = (31, 111, 235), (26, 127, 55)
# What is loaded stands in one of these, or in the style.
LOADING = (
    r"(?:src|href|srcset|action|data|poster)\s*=|url\(|@import|https?://|<script|<link|<iframe"
)


@dataclass
class Shop:
    """A project whose engine says what it is told to."""

    directory: Path
    outputs: dict[str, object]
    updates: list[dict[str, object]]
    """Oldest first."""

    def update(self, minutes_ago, active, *, blue="1.0", green="1.1", canary=None, **changes):
        started = datetime.now(UTC) - timedelta(minutes=minutes_ago)
        config = {"active_color": active, "blue": {"release": blue}, "green": {"release": green}}
        if canary is not None:
            config["canary"] = {"color": "green", "percent": canary}
        values = {
            "kind": "update",
            "result": "succeeded",
            "startTime": started.isoformat(timespec="milliseconds"),
            "endTime": (started + timedelta(seconds=9)).isoformat(timespec="milliseconds"),
            "environment": {"git.author": "ann", "git.head": "0a1b2c3d4e5f"},
            "config": {f"shop:{key}": _written(value) for key, value in config.items()},
        }
        self.updates.append(values | changes)
        self.outputs |= {"active_color": active, "releases": {"blue": blue, "green": green}}

    def event(self, minutes_ago, to, **changes):
        at = datetime.now(UTC) - timedelta(minutes=minutes_ago) + timedelta(seconds=5)
        values = {
            "id": f"{minutes_ago}",
            "at": at.isoformat(timespec="milliseconds"),
            "from_color": "green" if to == "blue" else "blue",
            "to_color": to,
            "durations_seconds": {"cutover": 0.5},
        }
        self.add(an_event(**(values | changes)).to_json())

    def add(self, line):
        with (self.directory / "told.jsonl").open("a") as file:
            file.write(f"{line}\n")

    def run(self, *words, stack="prod") -> Result:
        (self.directory / "Pulumi.prod.yaml").write_text(
            "config: {shop:service: {platform: aws, events: {file: told.jsonl}}}\n"
        )
        (self.directory / f"Pulumi.{stack}.yaml").touch()
        (self.directory / "history.json").write_text(json.dumps(self.updates[::-1]))
        (self.directory / "outputs.json").write_text(json.dumps(self.outputs))
        words = ("--cwd", str(self.directory), "--stack", stack, *words)
        return CliRunner().invoke(app_of(VERBS), ["history", *words])

    def page(self, *words, stack="prod") -> str:
        path = self.directory / "page.html"
        result = self.run("--html", str(path), *words, stack=stack)
        assert result.exit_code == 0, result.output
        return path.read_text(encoding="utf-8")


def _written(value):
    return {"objectValue": value} if isinstance(value, dict) else {"value": value}


@pytest.fixture
def shop(tmp_path, monkeypatch):
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    program = tmp_path / "bin" / "pulumi"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\ncd {tmp_path}\ncase "$*" in *" output "*) cat outputs.json;; '
        "*) cat history.json;; esac\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return Shop(tmp_path, {}, [])


@pytest.fixture
def busy(shop):
    """One of each: a deployment, a switch, a refusal, a failure, a rollback."""
    shop.update(100, "blue", green="0.9")
    shop.update(90, "blue")
    shop.update(80, "green", message="bluegreen switch blue → green by ann: it is ready")
    shop.event(80, "green")
    shop.update(60, "blue", blue="1.2", result="failed")
    verdict = RecordedVerdict("smoke", passed=False, reason="exit 1")
    shop.event(60, "blue", kind=EventKind.REFUSAL, verdicts=(verdict,), from_color=None)
    shop.event(50, "blue", kind=EventKind.NOT_FOLLOWED, by="ben@host")
    shop.update(25, "blue", message="bluegreen rollback green → blue by ann: error spike")
    shop.event(25, "blue", rollback=True, reason="error spike: 5xx at 12 %")
    return shop


class Markup(HTMLParser):
    """Collects which tags and attributes there are, and the text between them."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.said = set(), set(), ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.said += data


def test_a_page_loads_nothing_and_runs_nothing(busy):
    page = busy.page()

    assert not re.search(LOADING, page)
    assert "default-src 'none'; style-src 'unsafe-inline'" in page


def test_what_people_wrote_is_text_wherever_it_stands(shop):
    shop.update(50, "blue", blue=HOSTILE)
    shop.update(40, "green", green=HOSTILE, environment={"git.author": HOSTILE, "git.head": "<b>"})
    shop.event(30, "blue", rollback=True, reason=HOSTILE, by=HOSTILE, commit="<i>")
    verdict = RecordedVerdict(HOSTILE, passed=False, reason=HOSTILE)
    shop.event(20, "green", kind=EventKind.REFUSAL, verdicts=(verdict,), by=HOSTILE)
    more = shop.directory / f"{HOSTILE.replace('/', '')}.jsonl"
    more.touch()

    found = Markup(shop.page("--events", str(more)))

    assert found.said.count(HOSTILE) > 5
    known = {"html", "head", "meta", "title", "style", "body", "section", "h1", "h2", "small", "p"}
    known |= {"span", "div", "table", "tr", "th", "td", "svg", "rect", "path", "text", "code"}
    assert found.tags <= known | {"time", "ol", "ul", "li", "b"}
    assert not [name for name in found.attributes if name.startswith("on") or name == "src"]


def test_half_a_character_in_a_reason_is_no_traceback(shop):
    shop.update(50, "blue")
    shop.update(40, "green")
    shop.event(30, "blue", rollback=True, reason="half \ud83d a character")

    assert "half ? a character" in shop.page()
    assert r"\ud83d" in shop.run().stdout


@pytest.mark.parametrize("is_deployed", [True, False])
def test_a_history_without_a_switch_says_so(shop, is_deployed):
    if is_deployed:
        shop.update(50, "blue")

    said = Markup(shop.page()).said

    known = "blue 1.0 has production" if is_deployed else "nothing is deployed"
    assert f"shop/prod: {known}" in said
    assert f"No switch yet in {'1 update' if is_deployed else '0 updates'}" in said
    assert said.count("no data") == 5
    assert "\N{EN DASH}" in said


def test_the_list_tells_all_that_happened_newest_first(busy):
    said = Markup(re.sub("<svg.*?</svg>", "", busy.page())).said

    places = [
        said.index(text, said.index("UTC, newest first"))
        for text in (
            "rollback: green → blue 1.0",
            "error spike: 5xx at 12 %",
            "switch, failed: green → blue 1.0",
            "switch, refused: to blue 1.0",
            "refused by smoke",
            "switch: blue → green 1.1",
            "it is ready",
            "stayed for 55 min",
            "release 1.1 on green",
            "blue 1.0 has production; what was looked at begins here",
        )
    ]
    assert places == sorted(places)
    assert "took 9.0 s · cutover 0.5 s · by ann@host" in said
    assert "by ben@host" in said


def test_many_switches_are_all_there_and_the_older_ones_are_folded(shop):
    for number in range(71):
        shop.update(1000 - 10 * number, "green" if number % 2 else "blue")

    page = shop.page()

    assert "<details><summary>21 older</summary>" in page
    assert page.count("→") == 2 * 70  # in the list, and in the picture


def test_a_color_that_no_switch_led_to_is_told(busy):
    busy.outputs["active_color"] = "green"

    page = busy.page()

    assert "shop/prod: green 1.1 has production" in page
    assert "green is recorded, and no switch that is known led there" in page


def test_a_page_that_cannot_be_written_is_named_without_a_traceback(busy):
    result = busy.run("--html", str(busy.directory / "nowhere" / "page.html"))

    assert result.exit_code == 2
    assert "page.html cannot be written" in result.stderr.replace("\n", "")
    assert "rollback" in result.stdout


def test_a_browser_shows_colors_switches_targets_and_incidents(busy, browser):
    text = " ".join(browser.text(busy.page()).split())

    assert "shop/prod: blue 1.0 has production 1 switch 1 rollback 1 refused 1 failed" in text
    assert "blue active 100 % 1.0 since" in text
    assert "green idle 0 % 1.1 until" in text
    assert "cutover 0.5 s met target &lt; 300 s slowest of 1" in text
    assert "success 0.0 % missed target &gt; 95 % of 2" in text
    assert "error spike 1-5 min 1 54 min 51 s 1" in text


@pytest.mark.parametrize("is_dark", [False, True])
def test_a_phone_shows_it_whole_in_light_and_in_dark(busy, browser, is_dark):
    busy.event(22, "green", reason=LONG, by=LONG, kind=EventKind.SWITCH, rollback=True)
    busy.update(20, "green", green=LONG)
    page = busy.page()

    picture = browser.picture(page, is_dark=is_dark, size=(390, 4000))

    assert (picture[2, 2].mean() < 0.3) == is_dark
    # Nothing runs out of the page: its last columns are empty, from top to bottom.
    assert abs(picture[:, -6:] - picture[2, 2]).max() < 0.02
    # And there is something to see.
    assert abs(picture[:, :-16] - picture[2, 2]).max() > 0.3


def test_the_picture_is_to_scale(shop, browser):
    shop.update(100, "blue")
    shop.update(25, "green")

    picture = (browser.picture(shop.page(), is_dark=False) * 255).round().astype(int)

    lane = 374 - 67
    widths = {
        color: {int((row[67:374] == color).all(axis=1).sum()) for row in picture}
        for color in (BLUE, GREEN)
    }
    # Blue had production for three quarters of the time.
    assert any(abs(width - 0.75 * lane) < 4 for width in widths[BLUE])
    assert any(abs(width - 0.25 * lane) < 4 for width in widths[GREEN])


def test_a_canary_is_as_high_as_its_share_and_told_with_how_long_it_stayed(shop, browser):
    shop.update(100, "blue")
    shop.update(75, "blue", canary=50)
    shop.update(25, "blue", canary=0)
    page = shop.page()

    picture = (browser.picture(page, is_dark=False) * 255).round().astype(int)

    rows = [int((row[67:374] == GREEN).all(axis=1).sum()) for row in picture]
    wide = [width for width in rows if abs(width - 0.5 * (374 - 67)) < 4]
    # Half of a lane of 30 pixels, for half of the time.
    assert abs(len(wide) - 15) <= 1
    assert "canary: 50 % to green 1.1" in page
    assert "stayed for 50 min" in Markup(page).said
