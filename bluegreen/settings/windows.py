"""What stands under `service.windows`: when production traffic may be moved to another color."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from bluegreen.settings.base import MisfitError, SettingsModel

__all__ = ["FreezeSettings", "OpenSettings", "Weekday", "WindowsSettings"]

_HOURS = r"^([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"
_FURTHEST_DAYS = 370
_CLOCKS_CHANGE = timedelta(minutes=30)
"""Zones change their clocks at whole or half hours of UTC."""


class Weekday(StrEnum):
    """Days of the week, Monday first."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


def _as_date(value: object) -> date:
    # YAML makes a date of it that is not in quotes, and Pulumi a moment of that.
    text = value.removesuffix("T00:00:00Z") if isinstance(value, str) else str(value)
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        msg = f"{text!r} is no date like 2026-12-24"
        raise ValueError(msg) from error


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        msg = f"{name!r} is no time zone known here, like Europe/Berlin (`pip install tzdata`?)"
        raise ValueError(msg) from error
    return name


_Day = Annotated[date, BeforeValidator(_as_date)]


class OpenSettings(SettingsModel):
    """Hours of some days of the week."""

    days: tuple[Weekday, ...] = Field(default=tuple(Weekday), min_length=1)
    """Of `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`; default all."""

    hours: str = Field(default="00:00-24:00", pattern=_HOURS)
    """From and until, by the clock of the zone: `09:00-16:00`. `22:00-02:00` ends on the next day,
    and belongs to the day on which it begins."""

    @model_validator(mode="after")
    def _has_a_length(self) -> Self:
        if self.begins == self.ends:
            msg = f"hours {self.hours} begin when they end"
            raise MisfitError(msg, "hours", value="00:00-24:00")
        return self

    @property
    def begins(self) -> time:
        """When it opens."""
        return time.fromisoformat(self.hours[:5])

    @property
    def ends(self) -> time | None:
        """When it closes; None at the end of the day."""
        until = self.hours[6:]
        return None if until == "24:00" else time.fromisoformat(until)

    def is_open(self, local: datetime) -> bool:
        """Whether a moment, by the clock of the zone, lies within."""
        at, end = local.time(), self.ends
        if end is None or self.begins < end:
            return self._has(local) and self.begins <= at and (end is None or at < end)
        return (self._has(local) and at >= self.begins) or (
            self._has(local - timedelta(days=1)) and at < end
        )

    def _has(self, day: datetime) -> bool:
        return list(Weekday)[day.weekday()] in self.days

    def __str__(self) -> str:
        days = "every day" if len(self.days) == len(Weekday) else ", ".join(self.days)
        return f"{days} {self.hours}"


class FreezeSettings(SettingsModel):
    """Days on which nothing is switched."""

    first: _Day
    """The first day, `2026-12-20`."""

    last: _Day
    """The last day; the freeze ends with it."""

    reason: str = ""
    """Said in a refusal."""

    @model_validator(mode="after")
    def _first_comes_first(self) -> Self:
        if self.last < self.first:
            msg = f"the freeze ends on {self.last}, before it begins on {self.first}"
            raise MisfitError(msg, "last", value=str(self.first))
        return self

    def covers(self, local: datetime) -> bool:
        """Whether a moment, by the clock of the zone, lies within."""
        return self.first <= local.date() <= self.last

    def __str__(self) -> str:
        reason = f" ({self.reason})" if self.reason else ""
        return f"the freeze from {self.first} to {self.last}{reason}"


class WindowsSettings(SettingsModel):
    """When a switch is allowed. A rollback always is, and so is a deploy to the idle color."""

    zone: Annotated[str, AfterValidator(_known_zone)] = "UTC"
    """IANA time zone of the hours and dates; default UTC."""

    open: tuple[OpenSettings, ...] = ()
    """When it may be switched; default always."""

    freeze: tuple[FreezeSettings, ...] = ()
    """When it may not, whatever is open."""

    def is_open(self, now: datetime) -> bool:
        """Whether it may be switched at an instant."""
        return self.problem(now) is None

    def problem(self, now: datetime) -> str | None:
        """Why it may not be switched at an instant; None when it may."""
        local = now.astimezone(ZoneInfo(self.zone))
        frozen = next((each for each in self.freeze if each.covers(local)), None)
        moment = f"it is {self._told(now)}"
        if frozen is not None:
            return f"{moment}, within {frozen}"
        if not self.open or any(each.is_open(local) for each in self.open):
            return None
        return f"{moment}, outside of the windows for switches ({'; '.join(map(str, self.open))})"

    def next_opening(self, now: datetime) -> str | None:
        """When it may be switched next, for people; None when not within a year."""
        opens = self.opens(now)
        return None if opens is None else self._told(opens)

    def opens(self, now: datetime) -> datetime | None:
        """The first instant from now on at which it may be switched; None when not within a year.

        To the second: a window that is open has been so since a time of its `hours`, since
        midnight, or since the clocks were changed.
        """
        if self.is_open(now):
            return now
        day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        for number in range(_FURTHEST_DAYS):
            for instant in sorted(self._candidates(day + timedelta(days=number))):
                if instant > now and self.is_open(instant):
                    return instant
        return None

    def _candidates(self, day: datetime) -> Iterator[datetime]:
        """Every instant of a day, in UTC, at which it may become open."""
        end = day + timedelta(days=1)
        instant = day
        while instant < end:
            yield instant
            instant += _CLOCKS_CHANGE
        times = {time(0)} | {each.begins for each in self.open}
        local_day = day.astimezone(ZoneInfo(self.zone)).date()
        for offset in (-1, 0, 1):
            for begins in times:
                for fold in (0, 1):
                    local = datetime.combine(local_day + timedelta(days=offset), begins)
                    zoned = local.replace(tzinfo=ZoneInfo(self.zone), fold=fold)
                    if day <= (found := zoned.astimezone(UTC)) < end:
                        yield found

    def _told(self, instant: datetime) -> str:
        return f"{instant.astimezone(ZoneInfo(self.zone)):%a %Y-%m-%d %H:%M} in {self.zone}"
