"""What a day's calls come to at the present pace."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

Sample = tuple[datetime, int]  # a moment and all calls made until then
_PACE_OVER = timedelta(hours=1)
_SHORTEST = timedelta(minutes=5)  # less says nothing about a pace


@dataclass(frozen=True, slots=True)
class Forecast:
    """Calls used today, calls per hour, and when a budget ends at this pace (None: it lasts)."""

    used: int
    per_hour: float
    used_up_at: datetime | None


def day_start(now: datetime, offset_hours: float) -> datetime:
    """When the present day began in a zone that is so many hours ahead of UTC."""
    shift = timedelta(hours=offset_hours)
    return (now + shift).replace(hour=0, minute=0, second=0, microsecond=0) - shift


def forecast(
    samples: Sequence[Sample], now: datetime, total: int, *, budget: int | None, start: datetime
) -> Forecast:
    """`samples` are oldest first; `total` is what the counter shows now."""
    used = total - _at(samples, start, total)
    since = max(start, now - _PACE_OVER)
    before = [sample for sample in samples if sample[0] <= since] or list(samples[:1])
    per_hour = 0.0
    if before and now - before[-1][0] >= _SHORTEST:
        moment, earlier = before[-1]
        per_hour = (total - earlier) / ((now - moment) / timedelta(hours=1))
    return Forecast(used, per_hour, _end(used, per_hour, now, budget, start + timedelta(days=1)))


def _at(samples: Sequence[Sample], moment: datetime, total: int) -> int:
    """The counter at a moment: the last sample before it, else the first one after."""
    before = [count for at, count in samples if at <= moment]
    if before:
        return before[-1]
    return samples[0][1] if samples else total


def _end(
    used: int, per_hour: float, now: datetime, budget: int | None, midnight: datetime
) -> datetime | None:
    if budget is None:
        return None
    if used >= budget:
        return now
    if per_hour <= 0:
        return None
    end = now + timedelta(hours=(budget - used) / per_hour)
    return end if end < midnight else None
