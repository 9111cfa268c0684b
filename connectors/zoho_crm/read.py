"""Reading: what changed, what was deleted, records by id and by the hub's key."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from connectors.sdk.contract import Change
from connectors.sdk.errors import TransientError
from connectors.sdk.paging import batches
from connectors.zoho_crm.client import Client
from connectors.zoho_crm.marks import Mark
from connectors.zoho_crm.records import Row, change, fingerprint, moment, native, stamp
from connectors.zoho_crm.refusals import CallRefusedError
from connectors.zoho_crm.schema import Metadata, Module

PAGE = 200  # Zoho's maximum per list call
IDS_PER_CALL = 100
KEYS_PER_QUERY = 50  # COQL takes no more values in one `in`
_LEADS = "Leads"
LONGEST_LOOK_BACK = 1000  # rows of a walk remembered, so that its seams tell nothing twice
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page of a listing, oldest change first.

    `order` holds id and time as the listing gave them: where the listing stands is told by
    these, not by the records, which may have been read again a moment later.
    """

    records: Sequence[Row]
    order: Sequence[tuple[str, datetime]]
    more: bool
    at: datetime | None


class Reader:
    """Reads one organisation's records, always with all fields of their module."""

    def __init__(self, client: Client, metadata: Metadata) -> None:
        self._client, self._metadata = client, metadata
        self.page_size = PAGE

    def modified(self, name: str, start: Mark) -> Iterator[tuple[Sequence[Change], Mark]]:
        """Records changed since a mark, with the mark to go on from.

        The listing is by key, not by page number or page token: rows move to its end while they
        are edited, and a place counted in rows would then step over others. Each call asks for
        what changed since the last second seen. A second that fills a page alone (an import) is
        read by id through COQL.
        """
        seen: list[tuple[str, datetime, str]] = []
        place, first = start, True
        while True:
            sheet = self._sheet(name, place)
            known = {*start.recent.items(), *((i, state) for i, _, state in seen)}
            told = [change(name, r) for r in sheet.records if (r["id"], _state(r)) not in known]
            seen.extend(_sightings(sheet))
            if not sheet.more:
                reached = start if first else replace(start, time=place.time, met=None)
                yield told, reached.passed(seen, sheet.at, whole=first and not start.walking)
                return
            following = _next(place, sheet)
            if following == place:
                raise TransientError("Zoho sends the same page again; the listing stands still.")
            place, first = following, False
            seen = seen[-LONGEST_LOOK_BACK:]
            yield told, place

    def deleted(self, name: str, start: Mark) -> Iterator[tuple[Sequence[Change], Mark]]:
        """Tombstones since a mark; the mark moves when the list is complete."""
        seen: list[tuple[str, datetime, str]] = []
        number = 1
        while True:
            headers = {"If-Modified-Since": stamp(start.since)} if start.since else None
            params = {"type": "all", "page": str(number), "per_page": str(PAGE)}
            answer = self._client.get(f"/{name}/deleted", params, headers=headers, cost=2)
            gone = [(str(r["id"]), moment(r.get("deleted_time")), r) for r in answer.rows]
            seen.extend((i, at, stamp(at)) for i, at, _ in gone if at)
            told = [
                Change(name, record_id, None, modified_at=at)
                for record_id, at, _ in gone
                if at is None or start.recent.get(record_id) != stamp(at)
            ]
            if not answer.more:
                yield told, start.passed(seen, answer.at, whole=number == 1)
                return
            number += 1
            yield told, start

    def by_ids(self, name: str, ids: Iterable[str]) -> dict[str, Row]:
        """The records that there are, in as few calls as 100 ids and 50 fields allow."""
        module = self._metadata.module(name)
        wanted = [record_id for record_id in dict.fromkeys(ids) if record_id.isdigit()]
        found: dict[str, Row] = {}
        for some in batches(wanted, IDS_PER_CALL):
            found.update((row["id"], row) for row in self._listed(module, some))
        return found

    def completed(self, name: str, rows: Sequence[Row], lacking: Sequence[str]) -> Sequence[Row]:
        """Rows with the fields that they lack, read by id; what changed meanwhile comes later."""
        if not lacking:
            return rows
        parts: dict[str, Row] = {}
        for some in batches([str(row["id"]) for row in rows], IDS_PER_CALL):
            parts.update((r["id"], r) for r in self._part(name, ("Modified_Time", *lacking), some))
        return [{**row, **_only(parts.get(row["id"], {}), lacking)} for row in rows]

    def one(self, name: str, record_id: str) -> dict[str, Any] | None:
        """A single record with everything, order lines too, as Zoho answers it; None: gone."""
        if not record_id.isdigit():
            return None
        try:
            answer = self._client.get(f"/{name}/{record_id}")
        except CallRefusedError as refused:
            if refused.remote_code != "INVALID_DATA":
                raise
            return None  # how some modules say that there is no such id; others answer 204
        return dict(answer.rows[0]) if answer.rows else None

    def fetch(self, name: str, ids: Sequence[str]) -> Iterator[Change]:
        """Records by id, with a tombstone for what is surely gone.

        Lists hide records that wait for an approval; so one that a list does not show is asked
        for by itself before it counts as gone.
        """
        names = self._metadata.module(name).listed
        for some in batches(list(dict.fromkeys(ids)), IDS_PER_CALL):
            found = self.by_ids(name, some)
            for record_id in some:
                record = found.get(record_id) or self.one(name, record_id)
                if record is None:
                    yield Change(name, record_id, None)
                else:
                    yield change(name, native(record, names))

    def ids_of_keys(self, name: str, field: str, keys: Iterable[str]) -> dict[str, str]:
        """Hub key -> record id, as the database holds it now (no search index in between)."""
        found: dict[str, str] = {}
        for some in batches(list(dict.fromkeys(keys)), KEYS_PER_QUERY):
            values = ",".join(quoted(key) for key in some)
            query = f"select id, {field} from {name} where {field} in ({values}) limit {PAGE}"  # noqa: S608  COQL, values quoted
            for row in self._client.coql(query):
                if row.get(field) in some:
                    found[str(row[field])] = str(row["id"])
        return found

    def count(self, name: str) -> tuple[int, datetime | None]:
        """How many records the module has, minutes old at worst, and the server's time."""
        answer = self._client.get(f"/{name}/actions/count")
        return int(answer.body.get("count") or 0), answer.at

    @property
    def now(self) -> datetime | None:
        """The server's time at its latest answer."""
        return self._client.at

    def _sheet(self, name: str, place: Mark) -> Sheet:
        if place.after is not None and place.time is not None:
            return self._within_second(name, place.time, place.after)
        module = self._metadata.module(name)
        params = {
            "per_page": str(self.page_size),
            "sort_by": "Modified_Time",
            "sort_order": "asc",
            "fields": ",".join(module.passes[0]),
            **_with_converted(name),
        }
        headers = {"If-Modified-Since": stamp(place.since)} if place.since else None
        answer = self._client.get(f"/{name}", params, heavy=True, headers=headers)
        rows = {str(row["id"]): native(row, module.passes[0]) for row in answer.rows}
        order = _order(answer.rows)
        records = {row["id"]: row for row in self._with_rest(module, rows)}
        ordered = [records[record_id] for record_id, _ in order if record_id in records]
        return Sheet(ordered, order, answer.more, answer.at)

    def _within_second(self, name: str, time: datetime, after: str) -> Sheet:
        at = stamp(time)
        query = (
            f"select id, Modified_Time from {name} where "  # noqa: S608  COQL of our own values
            f"((Modified_Time = '{at}' and id > '{after}') or Modified_Time > '{at}') "
            f"order by Modified_Time asc, id asc limit {self.page_size}"
        )
        rows = self._client.coql(query)
        order = _order(rows)
        records = self.by_ids(name, [record_id for record_id, _ in order])
        ordered = [records[record_id] for record_id, _ in order if record_id in records]
        return Sheet(ordered, order, len(rows) == self.page_size, None)

    def _listed(self, module: Module, ids: Sequence[str]) -> list[Row]:
        """Records by id; an id that could never be one is found out and left alone."""
        try:
            rows = {r["id"]: r for r in self._part(module.name, module.passes[0], ids)}
        except CallRefusedError as refused:
            if refused.remote_code != "INVALID_DATA":
                raise
            if len(ids) == 1:
                return []
            middle = len(ids) // 2
            return self._listed(module, ids[:middle]) + self._listed(module, ids[middle:])
        return self._with_rest(module, rows)

    def _part(self, name: str, fields: Sequence[str], ids: Sequence[str]) -> list[dict[str, Any]]:
        params = {
            "ids": ",".join(ids),
            "per_page": str(PAGE),
            "fields": ",".join(fields),
            **_with_converted(name),
        }
        return [native(row, fields) for row in self._client.get(f"/{name}", params).rows]

    def _with_rest(self, module: Module, rows: dict[str, dict[str, Any]]) -> list[Row]:
        """The rows completed with the fields that did not fit the first call."""
        torn: set[str] = set()
        for names in module.passes[1:]:
            for some in batches(list(rows), IDS_PER_CALL):
                parts = {row["id"]: row for row in self._part(module.name, names, some)}
                for record_id in some:
                    part = parts.get(record_id)
                    if part is None or not _same_time(part, rows[record_id]):
                        torn.add(record_id)
                    else:
                        rows[record_id].update(part)
        for record_id in torn:  # edited between two calls: read in one piece
            record = self.one(module.name, record_id)
            if record is None:
                del rows[record_id]
            else:
                rows[record_id] = native(record, module.listed)
        return list(rows.values())


def _only(part: Row, names: Iterable[str]) -> dict[str, Any]:
    return {name: part[name] for name in names if name in part}


def quoted(text: str) -> str:
    """A text value of a COQL query."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _with_converted(name: str) -> dict[str, str]:
    """Lists leave converted leads out unless they are asked for."""
    return {"converted": "both"} if name == _LEADS else {}


def _state(record: Row) -> str:
    at = moment(record.get("Modified_Time"))
    return f"{int(at.timestamp()) if at else 0}:{fingerprint(record)[:8]}"


def _sightings(sheet: Sheet) -> list[tuple[str, datetime, str]]:
    states = {str(record["id"]): _state(record) for record in sheet.records}
    return [(i, at, states[i]) for i, at in sheet.order if i in states]


def _order(rows: Iterable[Row]) -> list[tuple[str, datetime]]:
    timed = [(str(row["id"]), moment(row.get("Modified_Time"))) for row in rows]
    return sorted(
        ((record_id, at or _BEGINNING) for record_id, at in timed), key=lambda r: (r[1], int(r[0]))
    )


def _next(place: Mark, sheet: Sheet) -> Mark:
    """Where to go on: behind the last second seen, or within it where it fills a page."""
    if not sheet.order:
        raise TransientError("Zoho says that there is more, but its page is empty.")
    record_id, time = sheet.order[-1]
    going = Mark(time, walking=True)
    if place.after is not None:
        stays = place.time is not None and time <= place.time
        return Mark(place.time, walking=True, after=record_id) if stays else going
    if place.walking and place.time is not None and time < place.time:
        return Mark(place.time, walking=True, after="0")  # a page of what was told already
    stuck = place.since is not None and going.since is not None and going.since <= place.since
    return Mark(time, walking=True, after="0") if stuck else going


def _same_time(one: Row, other: Row) -> bool:
    return moment(one.get("Modified_Time")) == moment(other.get("Modified_Time"))
