"""Steps on dates and moments."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from mapping.transforms.registry import Fn, Options, Refusal, Step, transform, two_way

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DIGITS = re.compile(r"^-?\d{9,}$")  # epoch milliseconds; eight digits are a compact date
_TAGGED = re.compile(r"^/Date\((-?\d+)(?:[+-]\d{4})?\)/$")  # OData version 2


@lru_cache(maxsize=64)
def zone_of(name: str) -> tzinfo:
    """The time zone of an IANA name; ValueError where there is none."""
    if name.upper() == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        raise ValueError(
            f"there is no time zone {name!r}; write a name such as Asia/Shanghai"
        ) from None


def _known_zone(name: str) -> str:
    zone_of(name)
    return name


Zone = Annotated[str, AfterValidator(_known_zone)]


def parse_moment(value: Any, zone: tzinfo = UTC) -> datetime:
    """An aware UTC moment from ISO text, epoch milliseconds, a tagged object or a datetime.

    What names no offset is local to `zone`; tagged objects are UTC, as Tryton sends them.
    """
    try:
        return _moment(value, zone)
    except (ValueError, OverflowError, TypeError, KeyError):
        raise Refusal("not_moment") from None


def _moment(value: Any, zone: tzinfo) -> datetime:
    if isinstance(value, datetime):
        found = value
    elif isinstance(value, bool):
        raise TypeError
    elif isinstance(value, (int, float)):
        return _EPOCH + timedelta(milliseconds=value)
    elif isinstance(value, str):
        text = value.strip()
        stamp = _milliseconds(text)
        if stamp is not None:
            return _EPOCH + timedelta(milliseconds=stamp)
        found = datetime.fromisoformat(text)
    elif isinstance(value, date):
        found = datetime(value.year, value.month, value.day)  # noqa: DTZ001  local to `zone`
    elif isinstance(value, Mapping):
        return _from_object(value)
    else:
        raise TypeError
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)


def _milliseconds(text: str) -> int | None:
    if _DIGITS.match(text):
        return int(text)
    tagged = _TAGGED.match(text)
    return int(tagged.group(1)) if tagged else None


def _from_object(value: Mapping[str, Any]) -> datetime:
    parts = ("hour", "minute", "second", "microsecond")
    clock = [int(value.get(part, 0)) for part in parts]
    day = (int(value["year"]), int(value["month"]), int(value["day"]))
    return datetime(*day, clock[0], clock[1], clock[2], clock[3], tzinfo=UTC)


def parse_day(value: Any, zone: tzinfo = UTC) -> date:
    """A date from ISO text, epoch milliseconds, a tagged object, a date or a moment in `zone`."""
    try:
        return _day(value, zone)
    except (ValueError, OverflowError, TypeError, KeyError):
        raise Refusal("not_date") from None


def _day(value: Any, zone: tzinfo) -> date:
    if isinstance(value, str):
        text = value.strip()
        if len(text) <= 10 and _milliseconds(text) is None:
            return date.fromisoformat(text)
        if _milliseconds(text) is None and datetime.fromisoformat(text).tzinfo is None:
            return datetime.fromisoformat(text).date()
    elif isinstance(value, Mapping) and value.get("__class__", "date") == "date":
        return date(int(value["year"]), int(value["month"]), int(value["day"]))
    elif isinstance(value, datetime):
        return (value.astimezone(zone) if value.tzinfo else value).date()
    elif isinstance(value, date):
        return value
    return _moment(value, zone).astimezone(zone).date()


def day_text(value: Any, zone: tzinfo = UTC) -> str:
    """The normal form of a date."""
    return parse_day(value, zone).isoformat()


def moment_text(value: Any, zone: tzinfo = UTC) -> str:
    """The normal form of a moment: ISO in UTC, without fractions that it lacks."""
    return parse_moment(value, zone).isoformat()


def _day_begins(on: date, zone: tzinfo) -> datetime:
    """Midnight by the zone's standard time.

    Some systems keep a day as midnight of a fixed offset (GMT+8), others by the zone's own rules,
    and China had summer time from 1986 to 1991. In summer this is one o'clock, so the day is the
    same by either, and whoever cuts it down to midnight stays on it.
    """
    begins = datetime(on.year, on.month, on.day, tzinfo=zone)
    return begins.astimezone(UTC) + max(begins.dst() or timedelta(0), timedelta(0))


def _epoch_ms(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)


class DateOptions(Options):
    zone: Zone = Field("UTC", description="where a moment's day begins")
    style: Literal["iso", "epoch_ms", "class"] = Field("iso", description="how it is written")


@transform("date", DateOptions, shorthand="style", chinese="日期；写出为 ISO、毫秒时间戳或对象")
def day(options: DateOptions) -> Step:
    """Dates from any form; written as ISO text, epoch milliseconds of midnight or an object."""
    zone = zone_of(options.zone)
    styles: dict[str, Callable[[date], Any]] = {
        "iso": date.isoformat,
        "epoch_ms": lambda on: _epoch_ms(_day_begins(on, zone)),
        "class": lambda on: _tagged("date", on, ("year", "month", "day")),
    }
    return two_way(
        lambda value: day_text(value, zone),
        lambda value: styles[options.style](parse_day(value, zone)),
    )


class DatetimeOptions(Options):
    zone: Zone = Field("UTC", description="of what names no offset, and of ISO text written")
    style: Literal["iso", "iso_seconds", "epoch_ms", "class"] = Field(
        "iso", description="how it is written"
    )


@transform(
    "datetime", DatetimeOptions, shorthand="style", chinese="日期时间；写出为 ISO、毫秒时间戳或对象"
)
def moment(options: DatetimeOptions) -> Step:
    """Moments from any form; written as ISO text in the zone, epoch milliseconds or an object."""
    zone = zone_of(options.zone)
    parts = ("year", "month", "day", "hour", "minute", "second", "microsecond")
    styles: dict[str, Fn] = {
        "iso": lambda at: at.astimezone(zone).isoformat(),
        "iso_seconds": lambda at: at.astimezone(zone).isoformat(timespec="seconds"),
        "epoch_ms": _epoch_ms,
        "class": lambda at: _tagged("datetime", at, parts),
    }
    return two_way(
        lambda value: moment_text(value, zone),
        lambda value: styles[options.style](parse_moment(value, zone)),
    )


def _tagged(name: str, value: date, parts: tuple[str, ...]) -> dict[str, Any]:
    return {"__class__": name, **{part: getattr(value, part) for part in parts}}
