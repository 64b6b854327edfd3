import pytest

from bluegreen.colors import Color


def test_there_are_two_colors():
    assert [str(color) for color in Color] == ["blue", "green"]


@pytest.mark.parametrize("color", list(Color))
def test_the_other_color_is_another_and_has_this_one_as_its_other(color):
    assert color.other is not color
    assert color.other.other is color


@pytest.mark.parametrize("text", ["red", "Blue", "BLUE", " blue", ""])
def test_no_other_text_is_a_color(text):
    with pytest.raises(ValueError, match="is not a valid Color"):
        Color(text)
