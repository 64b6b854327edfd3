import stat

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bluegreen.operations.config_file import edit_config, edited_text, restore_config
from bluegreen.operations.outcome import RefusedError

WRITTEN = """\
# At the top.
encryptionsalt: v1:abc
config:
  shop:active_color: blue      # who is live

  shop:service: {name: shop, port: 80}   # on one line
  # The two colors.
  shop:blue:
    release: "1.0"
    replicas: 3
  shop:green:
    release: '1.1'   # the next
    env:
      TEXT: |
        of two
        lines

  shop:canary: {color: green, percent: 10}
"""


def test_one_word_is_changed_and_nothing_else():
    text = edited_text(WRITTEN, "shop", {"active_color": "green"})

    assert text == WRITTEN.replace("active_color: blue ", "active_color: green ")


def test_several_values_are_changed_at_once():
    text = edited_text(WRITTEN, "shop", {"active_color": "green", "canary.percent": 0})

    assert text == WRITTEN.replace("active_color: blue ", "active_color: green ").replace(
        "percent: 10", "percent: 0"
    )


def test_a_release_stays_a_text():
    text = edited_text(WRITTEN, "shop", {"green.release": "1.10"})

    assert text == WRITTEN.replace("'1.1'   # the next", '"1.10"   # the next')


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"retired": {"color": "blue", "release": "1.0"}}, "\n  shop:retired:\n    color: blue\n"),
        ({"green.image": "shop:1.1"}, '\n    image: "shop:1.1"\n'),
        ({"blue.image": "shop:1.0"}, '\n    image: "shop:1.0"\n  shop:green:\n'),
        ({"canary.note": "why"}, "percent: 10, note: why}"),
        ({"new.key.below": 1}, "\n  shop:new:\n    key:\n      below: 1\n"),
    ],
)
def test_what_is_not_there_yet_is_added_below_its_neighbours(changes, line):
    text = edited_text(WRITTEN, "shop", changes)

    assert line in text
    assert all(each in text for each in ("# who is live", "# on one line", "# the next"))
    assert text.replace("\n", "").startswith(WRITTEN[:60].replace("\n", ""))


def test_a_file_without_an_end_of_its_last_line_is_continued():
    text = edited_text("config:\n  shop:active_color: blue", "shop", {"canary": {"percent": 1}})

    assert text == "config:\n  shop:active_color: blue\n  shop:canary:\n    percent: 1\n"


def test_line_ends_stay_as_they_are(tmp_path):
    path = tmp_path / "Pulumi.test.yaml"
    path.write_bytes(b"config:\r\n  shop:active_color: blue # x\r\n")

    edit_config(path, "shop", {"active_color": "green"})

    assert path.read_bytes() == b"config:\r\n  shop:active_color: green # x\r\n"


@pytest.mark.parametrize(
    "text",
    [
        "config: {shop:blue: &same {release: a}, shop:green: *same}\n",
        "config:\n  shop:blue: &same\n    release: a\n  shop:green: *same\n",
    ],
)
def test_what_cannot_be_changed_alone_is_not_changed(text):
    with pytest.raises(RefusedError, match="nothing was changed"):
        edited_text(text, "shop", {"green.release": "b"})


@pytest.mark.parametrize("text", ["", "config:\n", "a: [\n", "config: 1\n", "- config\n"])
def test_what_is_no_config_is_refused_in_words(text):
    with pytest.raises(RefusedError, match="nothing was changed"):
        edited_text(text, "shop", {"active_color": "green"})


def test_an_edit_is_taken_back_to_the_byte_and_keeps_the_mode(tmp_path):
    path = tmp_path / "Pulumi.test.yaml"
    path.write_text(WRITTEN)
    path.chmod(0o640)

    edit = edit_config(path, "shop", {"active_color": "green", "canary.percent": 0})
    left = restore_config(edit)

    assert left is None
    assert path.read_text() == WRITTEN
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_what_somebody_else_wrote_stays_when_an_edit_is_taken_back(tmp_path):
    path = tmp_path / "Pulumi.test.yaml"
    path.write_text(WRITTEN)
    edit = edit_config(path, "shop", {"active_color": "green", "canary.percent": 0})
    path.write_text(path.read_text().replace("percent: 0", "percent: 5") + "  shop:team: web\n")

    left = restore_config(edit)

    assert left is not None
    assert "changed by somebody else" in left
    config = yaml.safe_load(path.read_text())["config"]
    assert config["shop:active_color"] == "blue"
    assert config["shop:canary"]["percent"] == 5
    assert config["shop:team"] == "web"


@given(
    release=st.text(min_size=1, max_size=12).filter(lambda text: text.isprintable()),
    number=st.integers(0, 99),
)
def test_whatever_is_written_is_read_back(release, number):
    text = edited_text(WRITTEN, "shop", {"green.release": release, "canary.percent": number})

    config = yaml.safe_load(text)["config"]
    assert config["shop:green"]["release"] == release
    assert config["shop:canary"]["percent"] == number
    assert config["shop:service"] == {"name": "shop", "port": 80}


@pytest.mark.parametrize(
    ("key", "gone"),
    [
        ("canary", "  shop:canary: {color: green, percent: 10}\n"),
        ("green", WRITTEN[WRITTEN.index("  shop:green:") : WRITTEN.index("  shop:canary")]),
        ("green.release", "    release: '1.1'   # the next\n"),
        ("retired", ""),
        ("retired.color", ""),
    ],
)
def test_what_is_taken_out_takes_its_own_lines_along(key, gone):
    assert edited_text(WRITTEN, "shop", {key: None}) == WRITTEN.replace(gone, "")


def test_what_stands_in_one_line_with_others_is_not_taken_out_of_it():
    with pytest.raises(RefusedError, match="nothing was changed"):
        edited_text(WRITTEN, "shop", {"canary.percent": None})


@pytest.mark.parametrize("meanwhile", ["", "# by somebody else\n"])
def test_what_was_taken_out_is_put_back(tmp_path, meanwhile):
    path = tmp_path / "Pulumi.prod.yaml"
    path.write_text(WRITTEN)
    edit = edit_config(path, "shop", {"active_color": "green", "green": None})
    path.write_text(meanwhile + path.read_text())

    restore_config(edit)

    now = path.read_text()
    assert yaml.safe_load(now) == yaml.safe_load(WRITTEN)
    assert now == WRITTEN or meanwhile
