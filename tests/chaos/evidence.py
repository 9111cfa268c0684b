"""What a soak leaves behind for whoever has to find out why: what users did, and what is there.

With `--keep DIR`: `journal.jsonl` has each edit, fault and kill with its moment, `tables/` every
row of the hub's database, `places/` what each system holds and which writes it answered.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sqlalchemy import select

from sync.store.tables import Base
from tests.chaos.company import Company
from tests.chaos.places import Place, PlaceError

CALLS = 5000


def leave(folder: Path, company: Company) -> None:
    _write(folder / "journal.jsonl", company.journal.lines)
    with company.machine.hub.database.read() as session:
        for table in Base.metadata.sorted_tables:
            rows = session.execute(select(table)).mappings()
            _write(folder / "tables" / f"{table.name}.jsonl", map(dict, rows))
    for place in company.places:
        held = ({"id": h.remote_id, "mail": h.mail, **h.values} for h in place.customers())
        _write(folder / "places" / f"{place.name}.jsonl", held)
        _write(folder / "places" / f"{place.name}-calls.jsonl", _calls(place))


def _calls(place: Place) -> list[dict[str, Any]]:
    try:
        return place.write_log(CALLS)
    except PlaceError as error:
        return [{"error": str(error)}]


def _write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
