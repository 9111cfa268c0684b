"""The stream of one object's changes: a first load, then what changed and what was deleted."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

import structlog

from connectors.sdk.contract import Change, Cursor, Page
from connectors.sdk.errors import SetupError
from connectors.zoho_crm.bulk import BulkReader, Export
from connectors.zoho_crm.marks import Mark
from connectors.zoho_crm.read import PAGE, Reader
from connectors.zoho_crm.records import change, moment, stamp
from connectors.zoho_crm.schema import Metadata

log = structlog.get_logger(__name__)


class Feed:
    """Pages of changes with cursors of three parts: `modified`, `deleted`, and `export` while
    a first load reads an export.
    """

    def __init__(
        self, reader: Reader, exports: BulkReader, metadata: Metadata, *, threshold: int
    ) -> None:
        self._reader, self._exports, self._metadata = reader, exports, metadata
        self._threshold = threshold

    def pages(self, name: str, since: Cursor | None) -> Iterator[Page]:
        """Oldest first, but for the records of an export, which Zoho gives in no order."""
        place: Cursor = since or {}
        if not place or "export" in place:
            for page in self._first(name, place):
                place = page.cursor
                if page.changes:
                    yield page
        deleted = Mark.load(place.get("deleted"))
        modified = Mark.load(place.get("modified"))
        for changes, modified in self._reader.modified(name, modified):  # noqa: B020  it goes on from itself
            yield _page(changes, modified, deleted)
        for changes, deleted in self._reader.deleted(name, deleted):  # noqa: B020
            yield _page(changes, modified, deleted)

    def _first(self, name: str, place: Cursor) -> Iterator[Page]:
        """The export, where there is one; ends with a page whose cursor starts the listing."""
        if not place:
            count, at = self._size(name)
            # What was deleted before the first record is read was never known here.
            place = _cursor(Mark(), Mark(at, walking=True))
            wanted = 0 < self._threshold < count
            export = self._exports.export(self._metadata.module(name)) if wanted else None
            skip = 0
        else:
            held = place["export"]
            export = self._exports.again(str(held["job"]), held.get("lacking") or ())
            skip = int(held["row"])
            if export is None:  # thrown away meanwhile: the listing begins from the beginning
                place = {**_cursor(Mark(), Mark.load(place.get("deleted")))}
        if export is None:
            yield Page((), place)
            return
        yield from self._exported(name, export, place, skip)

    def _exported(self, name: str, export: Export, place: Cursor, skip: int) -> Iterator[Page]:
        module = self._metadata.module(name)
        held = place.get("export") or {}
        begun: datetime = moment(held.get("begun")) or export.made_at
        following: Export | None = export
        while following is not None:
            rows = islice(self._exports.rows(following, module), skip, None)
            while some := list(islice(rows, PAGE)):
                skip += len(some)
                whole = self._reader.completed(name, some, following.lacking)
                part: dict[str, Any] = {"job": following.job, "row": skip, "begun": stamp(begun)}
                part["lacking"] = list(following.lacking)
                told = [change(name, row) for row in whole]
                yield Page(told, {"deleted": place.get("deleted") or {}, "export": part})
            skip = 0
            following = self._next_part(following)
        yield Page((), _cursor(Mark(begun), Mark.load(place.get("deleted"))))

    def _next_part(self, export: Export) -> Export | None:
        if export.next_token is None:
            return None
        following = self._exports.next_part(export)
        if following is None:
            raise SetupError(
                "Zoho made the first part of an export, but not the next.",
                hint="Start the first load again, or set 'Bulk read above' to 0.",
            )
        return following

    def _size(self, name: str) -> tuple[int, datetime | None]:
        """How many records there are, and the server's time before the first is read."""
        try:
            return self._reader.count(name)
        except SetupError as refused:  # the right to count is not worth a stop: list then
            log.info("zoho does not count", module=name, code=refused.remote_code)
            return 0, self._reader.now


def _cursor(modified: Mark, deleted: Mark) -> dict[str, Any]:
    return {"modified": modified.dump(), "deleted": deleted.dump()}


def _page(changes: Sequence[Change], modified: Mark, deleted: Mark) -> Page:
    return Page(changes, _cursor(modified, deleted))
