"""The organisation's clock: real time plus a shift, shown in the token user's zone."""

import time
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo


def parse_offset(text):
    """`+08:00` or an IANA zone name as a tzinfo."""
    if text[:1] not in "+-":
        return ZoneInfo(text)
    sign = -1 if text[0] == "-" else 1
    hours, _, minutes = text[1:].partition(":")
    return timezone(sign * timedelta(hours=int(hours), minutes=int(minutes or 0)))


def parse_time(text):
    """Epoch seconds of an ISO time with an offset; ValueError for anything else."""
    moment = datetime.fromisoformat(str(text).strip().replace(" ", "+"))
    if moment.tzinfo is None:
        raise ValueError("a time needs an offset")
    return int(moment.timestamp())


class Clock:
    def __init__(self, store, zone):
        self._store = store
        self.shift = float(store.meta("clock_shift") or 0)
        self.zone_name = zone or store.meta("clock_zone") or "+08:00"
        self.zone = parse_offset(self.zone_name)
        self.in_dates = False  # whether HTTP dates are off as far as the records' times are

    def http_date(self):
        """Epoch seconds for the Date of an answer."""
        return self.now() if self.in_dates else time.time()

    def now(self):
        return time.time() + self.shift

    def second(self):
        return int(self.now())

    def text(self, epoch):
        return datetime.fromtimestamp(epoch, UTC).astimezone(self.zone).isoformat("T", "seconds")

    def zone_label(self):
        """The zone as an IANA name, which is how users and organisation show it."""
        if self.zone_name[:1] not in "+-":
            return self.zone_name
        if self.zone_name == "+08:00":
            return "Asia/Shanghai"
        hours = int(self.zone.utcoffset(None).total_seconds() // 3600)
        return f"Etc/GMT{-hours:+d}" if hours else "Etc/UTC"

    def set(self, *, shift=None, zone=None, in_dates=None):
        if in_dates is not None:
            self.in_dates = in_dates
        if shift is not None:
            self.shift = float(shift)
            self._store.set_meta("clock_shift", str(self.shift))
        if zone is not None:
            self.zone = parse_offset(zone)
            self.zone_name = zone
            self._store.set_meta("clock_zone", zone)
