"""The order of a set is the program's, as far as it says one."""

from hypothesis import given
from hypothesis import strategies as st

from tests.standins.aws.alignment import aligned
from tests.standins.kubernetes.property_values import UNKNOWN

BLUE, GREEN = {"arn": "blue", "weight": 100}, {"arn": "green", "weight": 0}


def test_elements_stand_where_the_program_has_them():
    assert aligned([BLUE, GREEN], [GREEN, BLUE]) == [GREEN, BLUE]


def test_an_element_is_known_by_its_texts_when_its_numbers_have_changed():
    written = [{"arn": "green", "weight": 100}, {"arn": "blue", "weight": 0}]

    assert aligned([BLUE, GREEN], written) == [GREEN, BLUE]


def test_what_the_provider_adds_to_an_element_does_not_matter():
    found = {**BLUE, "stickiness": False}

    assert aligned([GREEN, found], [{**BLUE, "__defaults": []}, GREEN]) == [found, GREEN]


def test_a_number_may_come_back_as_a_text():
    assert aligned(["2", "1"], [1, 2]) == ["1", "2"]


def test_what_is_not_known_yet_may_be_anything():
    assert aligned([BLUE, GREEN], [GREEN, UNKNOWN]) == [GREEN, BLUE]


def test_what_the_program_does_not_have_comes_last():
    other = {"arn": "red", "weight": 1}

    assert aligned([other, BLUE, GREEN], [GREEN, BLUE]) == [GREEN, BLUE, other]


def test_places_of_what_is_not_there_are_kept_only_for_a_comparison():
    assert aligned([GREEN], [BLUE, GREEN], keeps_places=True) == [None, GREEN]
    assert aligned([GREEN], [BLUE, GREEN]) == [GREEN]


@given(st.lists(st.integers()), st.lists(st.integers()))
def test_no_element_is_lost_or_made_up(elements, written):
    assert sorted(aligned(elements, written)) == sorted(elements)


@given(st.permutations(range(6)))
def test_the_same_elements_take_the_order_of_the_program(written):
    assert aligned(list(range(6)), written) == written
