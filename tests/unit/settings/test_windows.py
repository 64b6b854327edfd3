"""When traffic may be moved: by the clock of a zone, with its days of 23 and 25 hours."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bluegreen.errors import ConfigError
from bluegreen.settings.windows import OpenSettings, Weekday, WindowsSettings
from tests.unit.written import a_config

BERLIN = "Europe/Berlin"
OFFICE = {"days": ["mon", "tue", "wed", "thu"], "hours": "09:00-16:00"}


def windows(*, zone=BERLIN, opened=(OFFICE,), freeze=()):
    return WindowsSettings(zone=zone, open=opened, freeze=freeze)


def at(text, zone=BERLIN, fold=0):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-30 09:00", True),
        ("2026-11-30 08:59:59", False),
        ("2026-11-30 15:59:59", True),
        ("2026-11-30 16:00", False),
        ("2026-12-04 10:00", False),
        ("2026-11-29 10:00", False),
    ],
)
def test_it_is_open_from_the_first_minute_until_before_the_last(moment, is_open):
    assert windows().is_open(at(moment)) is is_open


def test_the_clock_of_the_zone_counts_whatever_the_machine_has():
    nine = datetime(2026, 7, 6, 7, 0, tzinfo=UTC)

    assert windows().is_open(nine)
    assert not windows(zone="UTC").is_open(nine)
    assert not windows(zone="America/New_York").is_open(nine)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-30 22:00", True),
        ("2026-12-01 01:59", True),
        ("2026-12-01 02:00", False),
        ("2026-11-30 01:00", False),
        ("2026-12-01 22:30", False),
    ],
)
def test_hours_past_midnight_belong_to_the_day_on_which_they_begin(moment, is_open):
    night = windows(opened=[{"days": ["mon"], "hours": "22:00-02:00"}])

    assert night.is_open(at(moment)) is is_open


def test_without_hours_every_time_of_the_day_is_open_and_without_days_every_day():
    assert windows(opened=[{"days": ["mon"]}]).is_open(at("2026-11-30 23:59:59"))
    assert not windows(opened=[{"days": ["mon"]}]).is_open(at("2026-12-01 00:00"))
    assert windows(opened=[{"hours": "09:00-10:00"}]).is_open(at("2026-11-29 09:30"))
    assert windows(opened=[]).is_open(at("2026-11-29 09:30"))


def test_a_freeze_closes_what_is_open_to_the_end_of_its_last_day():
    frozen = windows(
        opened=[], freeze=[{"first": "2026-12-20", "last": "2027-01-06", "reason": "Christmas"}]
    )

    assert frozen.is_open(at("2026-12-19 23:59:59"))
    assert not frozen.is_open(at("2026-12-20 00:00"))
    assert not frozen.is_open(at("2027-01-06 23:59:59"))
    assert frozen.opens(at("2026-12-24 12:00")) == at("2027-01-07 00:00")
    assert frozen.problem(at("2026-12-24 12:00")) == (
        "it is Thu 2026-12-24 12:00 in Europe/Berlin, within the freeze from 2026-12-20 to "
        "2027-01-06 (Christmas)"
    )


def test_a_problem_names_the_moment_and_the_windows():
    assert windows().problem(at("2026-11-29 03:20")) == (
        "it is Sun 2026-11-29 03:20 in Europe/Berlin, outside of the windows for switches "
        "(mon, tue, wed, thu 09:00-16:00)"
    )
    assert windows().next_opening(at("2026-11-29 03:20")) == "Mon 2026-11-30 09:00 in Europe/Berlin"


def test_hours_that_a_day_does_not_have_open_when_the_clocks_have_been_changed():
    # At 02:00 clocks go to 03:00.
    night = windows(opened=[{"days": ["sun"], "hours": "02:30-05:00"}])
    before = at("2026-03-29 01:59")

    assert not night.is_open(before)
    assert night.opens(before) == at("2026-03-29 03:00")
    assert night.is_open(at("2026-03-29 04:59"))


def test_hours_that_a_day_does_not_have_at_all_are_never_open_on_it():
    night = windows(opened=[{"days": ["sun"], "hours": "02:10-02:50"}])

    assert night.opens(at("2026-03-29 00:00")) == at("2026-04-05 02:10")


def test_an_hour_that_a_day_has_twice_is_open_twice():
    # At 03:00 clocks go back to 02:00.
    night = windows(opened=[{"days": ["sun"], "hours": "02:40-02:45"}])
    first, second = at("2026-10-25 02:40"), at("2026-10-25 02:40", fold=1)

    assert second - first.astimezone(UTC) == timedelta(hours=1)
    assert night.is_open(first)
    assert night.is_open(second)
    assert not night.is_open(first.astimezone(UTC) + timedelta(minutes=30))
    opens = night.opens(first.astimezone(UTC) + timedelta(minutes=30))
    # Moments that exist twice are never equal across zones.
    assert opens.astimezone(UTC) == second.astimezone(UTC)


def test_what_never_opens_says_so():
    never = windows(opened=[], freeze=[{"first": "2026-01-01", "last": "2036-01-01"}])

    assert never.opens(at("2026-06-01 00:00")) is None
    assert never.next_opening(at("2026-06-01 00:00")) is None


zones = st.sampled_from(
    ["UTC", BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
)
minutes = st.times().map(lambda each: each.replace(second=0, microsecond=0))
openings = st.builds(
    lambda days, begin, end: {"days": days, "hours": f"{begin:%H:%M}-{end:%H:%M}"},
    st.lists(st.sampled_from(list(Weekday)), min_size=1, unique=True),
    minutes,
    minutes,
).filter(lambda each: each["hours"][:5] != each["hours"][6:])
freezes = st.builds(
    lambda first, length: {"first": str(first), "last": str(first + timedelta(days=length))},
    st.dates(date(2026, 1, 1), date(2026, 12, 1)),
    st.integers(0, 20),
)
instants = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))
some_windows = st.builds(
    lambda zone, opened, freeze: windows(zone=zone, opened=opened, freeze=freeze),
    zones,
    st.lists(openings, max_size=3),
    st.lists(freezes, max_size=2),
)


@settings(max_examples=60, deadline=None)
@given(some_windows, instants)
def test_it_opens_at_the_first_instant_that_is_open(written, now):
    opens = written.opens(now)

    if opens is None:
        assert not written.is_open(now)
        return
    assert opens >= now
    assert written.is_open(opens)
    if opens > now:
        assert not written.is_open(opens - timedelta(seconds=1))
        step = max(timedelta(minutes=7), (opens - now) / 200)
        before = now
        while before < opens:
            assert not written.is_open(before)
            before += step


@settings(max_examples=100, deadline=None)
@given(openings, instants, zones)
def test_an_opening_says_the_same_as_a_clock_on_the_wall(opening, now, zone):
    local = now.astimezone(ZoneInfo(zone))
    begin, end = (time.fromisoformat(each) for each in opening["hours"].split("-"))
    today = list(Weekday)[local.weekday()] in opening["days"]
    yesterday = list(Weekday)[local.weekday() - 1] in opening["days"]
    wall = local.time()
    if begin < end:
        wanted = today and begin <= wall < end
    else:
        wanted = (today and wall >= begin) or (yesterday and wall < end)

    assert OpenSettings(**opening).is_open(local) is wanted


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"zone": "Europe/Bärlin"}, "service.windows.zone: 'Europe/Bärlin' is no time zone"),
        ({"zone": "../etc/passwd"}, "is no time zone"),
        ({"open": [{"hours": "9-16"}]}, 'service.windows.open[0].hours: "9-16" does not match'),
        ({"open": [{"hours": "09:00-09:00"}]}, "hours 09:00-09:00 begin when they end"),
        ({"open": [{"days": []}]}, "service.windows.open[0].days"),
        ({"open": [{"days": ["monday"]}]}, "service.windows.open[0].days[0]"),
        ({"freeze": [{"first": "2026-13-01", "last": "2026-12-24"}]}, "'2026-13-01' is no date"),
        ({"freeze": [{"first": "2026-12-24", "last": "2026-12-20"}]}, "before it begins"),
        ({"freeze": [{"first": "2026-12-24"}]}, "service.windows.freeze[0].last: is missing"),
    ],
)
def test_a_window_that_is_none_is_told_by_its_key(written, said):
    with pytest.raises(ConfigError) as caught:
        a_config(service={"windows": written})
    assert said in str(caught.value)
    assert "nothing was changed" in str(caught.value)
    assert "nput should" not in str(caught.value)


def test_a_date_that_yaml_has_read_already_is_a_date():
    written = WindowsSettings(
        freeze=[{"first": "2026-12-20T00:00:00Z", "last": date(2026, 12, 24)}]
    )

    assert (written.freeze[0].first, written.freeze[0].last) == (
        date(2026, 12, 20),
        date(2026, 12, 24),
    )


def test_other_keys_are_refused():
    with pytest.raises(ValidationError):
        WindowsSettings(timezone="UTC")
