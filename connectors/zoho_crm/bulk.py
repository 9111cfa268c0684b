"""Bulk read: a whole module as one export, for first loads that are long.

https://www.zoho.com/crm/developer/docs/api/v8/bulk-read/overview.html
"""

import csv
import io
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any
from urllib.parse import urlsplit

import requests
import structlog

from connectors.sdk.errors import SetupError, TransientError
from connectors.zoho_crm.client import Client
from connectors.zoho_crm.records import Row, moment
from connectors.zoho_crm.refusals import CallRefusedError, call_refusal
from connectors.zoho_crm.schema import Module

WAITS = (0.2, 0.5, 1.0, 2.0, 3.0, 5.0, 5.0, 8.0, 10.0, 10.0)  # 45 seconds in all, then a listing
IN_MEMORY = 8 * 1024 * 1024
LONGEST_LACK = 8  # more unsupported fields than this, and a listing is as good
_TRUE = frozenset({"true", "1", "yes"})
_OWNERS = frozenset({"ownerlookup", "userlookup"})
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Export:
    """A finished export. `made_at` is the server's time at which it was asked for.

    `lacking` names the fields that Zoho does not export; they have to be read otherwise.
    """

    job: str
    made_at: datetime
    address: str
    next_token: str | None = None
    lacking: tuple[str, ...] = ()


class BulkReader:
    """Makes exports and reads them row by row; memory does not grow with their length."""

    def __init__(self, client: Client, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client, self._sleep = client, sleep

    def export(self, module: Module) -> Export | None:
        """An export of all records; None where Zoho takes too long or cannot make one."""
        columns, lacking = _columns(module), list[str]()
        while True:
            query = {"module": {"api_name": module.name}, "fields": columns}
            try:
                return self._wait(self._ask(query), tuple(lacking))
            except SetupError as refused:
                column = _unsupported(refused)
                if column not in columns or len(lacking) == LONGEST_LACK:
                    log.warning("zoho makes no export", code=refused.remote_code)
                    return None
                columns.remove(column)
                lacking.append(column.partition(".")[0])

    def next_part(self, export: Export) -> Export | None:
        """The records behind the 200,000 of one export."""
        try:
            return self._wait(self._ask({"page_token": export.next_token}), export.lacking)
        except SetupError as refused:
            log.warning("zoho makes no export", code=refused.remote_code)
            return None

    def again(self, job: str, lacking: Sequence[str]) -> Export | None:
        """An export made earlier; None where Zoho has thrown it away (after a day)."""
        try:
            return self._state(job, tuple(lacking))
        except SetupError as gone:
            log.info("zoho keeps the export no longer", code=gone.remote_code)
            return None

    def rows(self, export: Export, module: Module) -> Iterator[Row]:
        """The records of an export in the form that a list gives them."""
        with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as packed:
            self._download(export.address, packed)
            packed.seek(0)
            yield from _unpacked(packed, module)

    def _download(self, address: str, packed: IO[bytes]) -> None:
        # Only the path: the token is never sent to an address that an answer names.
        with self._client.download(urlsplit(address).path) as answer:
            try:
                for piece in answer.iter_content(chunk_size=65536):
                    packed.write(piece)
            except requests.RequestException as exc:
                raise TransientError("The download of Zoho's export broke off.") from exc

    def _ask(self, query: Mapping[str, Any]) -> str:
        answer = self._client.bulk("POST", "/read", {"query": query, "file_type": "csv"})
        item = answer.rows[0] if answer.rows else {}
        details = item.get("details")
        if item.get("status") != "success" or not isinstance(details, Mapping):
            raise call_refusal(answer.status, item, write=False)
        return str(details["id"])

    def _wait(self, job: str, lacking: tuple[str, ...]) -> Export | None:
        for pause in WAITS:
            self._sleep(pause)
            export = self._state(job, lacking)
            if export is not None:
                return export
        log.warning("zoho takes too long to make an export", job=job)
        return None

    def _state(self, job: str, lacking: tuple[str, ...]) -> Export | None:
        answer = self._client.bulk("GET", f"/read/{job}")
        item = answer.rows[0] if answer.rows else {}
        result = item.get("result")
        if item.get("state") == "FAILURE":
            raise SetupError("Zoho failed to make an export.", remote_code="FAILURE")
        if item.get("status") == "error":
            raise call_refusal(answer.status, item, write=False)
        if item.get("state") != "COMPLETED" or not isinstance(result, Mapping):
            return None
        made = moment(item.get("created_time"))
        if made is None:
            raise SetupError("Zoho does not say when it made the export.", remote_code="FAILURE")
        token = result.get("next_page_token") if result.get("more_records") else None
        if result.get("more_records") and not token:
            raise SetupError("Zoho does not say how the export goes on.", remote_code="FAILURE")
        address = str(result["download_url"])
        return Export(job, made, address, str(token) if token else None, lacking)


def _unsupported(refused: SetupError) -> str:
    """The column that Zoho does not export, where it says so."""
    if not isinstance(refused, CallRefusedError) or refused.remote_code != "FIELD_NOT_SUPPORTED":
        return ""
    details = refused.details
    return str(details.get("field") or details.get("api_name") or "")


def _columns(module: Module) -> list[str]:
    """The listed fields; of users also the mail address, which an export gives only by name."""
    columns = ["id"]
    for name in module.listed:
        columns.append(name)
        if module.type_of(name) in _OWNERS:
            columns.append(f"{name}.email")
    return columns


def _unpacked(packed: IO[bytes], module: Module) -> Iterator[Row]:
    try:
        with zipfile.ZipFile(packed) as archive:
            for name in archive.namelist():
                with archive.open(name) as binary:
                    text = io.TextIOWrapper(binary, encoding="utf-8-sig", newline="")
                    for cells in csv.DictReader(text):
                        yield _record(cells, module)
    except (zipfile.BadZipFile, UnicodeDecodeError, csv.Error) as exc:
        raise TransientError("The export of Zoho cannot be read.") from exc


def _record(cells: Mapping[str, str | None], module: Module) -> Row:
    record: dict[str, Any] = {"id": str(cells.get("id") or cells.get("Id") or "")}
    for name in module.listed:
        if name not in cells:
            continue
        value = _value(cells[name] or "", module.type_of(name))
        mail = cells.get(f"{name}.email")
        record[name] = {**value, "email": mail} if isinstance(value, dict) and mail else value
    return record


def _value(text: str, kind: str) -> Any:
    """A cell as the list call would give it."""
    if text == "":
        return None
    read = _READERS.get(kind)
    return read(text) if read else text


def _lookup(text: str) -> Any:
    return {"id": text}


def _tags(text: str) -> Any:
    return [{"name": part.strip()} for part in text.split(",") if part.strip()]


_READERS: Mapping[str, Callable[[str], Any]] = {
    "lookup": _lookup,
    "ownerlookup": _lookup,
    "userlookup": _lookup,
    "boolean": lambda text: text.lower() in _TRUE,
    "integer": lambda text: int(float(text)),
    "double": float,
    "currency": float,
    "percent": float,
    "multiselectpicklist": lambda text: [part for part in text.split(";") if part],
    "jsonarray": _tags,
}
