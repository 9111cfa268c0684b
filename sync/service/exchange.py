"""Customers in and out of files.

An imported file is a system like any other: its rows are read, matched and merged on the same
path, and importing the same file again changes nothing.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import func, select, update

from connectors.file.rows import Rows
from connectors.file.shapes import CONTACTS, CUSTOMERS
from sync.flow import plan, poll
from sync.flow.hub import Hub
from sync.service import systems
from sync.service.errors import ServiceError
from sync.service.sheets import HEADERS, Problem, Record, open_sheet, records
from sync.store.tables import Candidate, Change, Golden, Link, Plan, System

KIND = "file"
SHOWN = 20
PART = 1000


@dataclass(slots=True)
class Report:
    """What an import does, or would do; `problems` are the first rows that were left out."""

    file: str
    dry_run: bool
    rows: int = 0
    good: int = 0
    refused: int = 0
    contacts: int = 0
    unchanged: int = 0
    new: int = 0
    linked: int = 0
    changed: int = 0
    candidates: int = 0
    conflicts: int = 0
    columns: Mapping[str, str] = field(default_factory=dict)
    ignored: Mapping[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Running:
    """An import that was handed over; `report` finds out what became of it."""

    system_id: int
    change: int
    candidate: int
    report: Report


def try_import(
    hub: Hub,
    path: Path,
    *,
    system: str = "import",
    named: Mapping[str, str] | None = None,
    sheet: str = "",
    progress: Callable[[int], None] = lambda _count: None,
) -> Report:
    """What importing the file would do, found out on a scratch copy of the hub's tables."""
    report, found = _read(path, named, sheet, progress, dry_run=True)
    with (
        TemporaryDirectory(prefix="import-", dir=hub.settings.home) as folder,
        plan._scratch(hub, Plan(systems=[], basis={})) as (scratch, clock),  # noqa: SLF001  one simulation
    ):
        kept = _rows_of(hub, system)
        rows = Rows(Path(folder) / "rows.db")
        if kept.path.exists():
            rows = kept.copy_to(rows.path)
        report.unchanged = report.good - _put(rows, found)
        system_id = _ensure(scratch, system, rows.path)
        before = _marks(scratch, system_id, report)
        poll.poll(scratch, system_id, force=True)
        plan._take_all_in(scratch, clock, [system_id])  # noqa: SLF001
        return finished(scratch, before)


def start_import(
    hub: Hub,
    path: Path,
    *,
    system: str = "import",
    named: Mapping[str, str] | None = None,
    sheet: str = "",
    progress: Callable[[int], None] = lambda _count: None,
) -> Running:
    """Keeps the file's rows and puts what is new or different into the inbox."""
    report, found = _read(path, named, sheet, progress, dry_run=False)
    rows = _rows_of(hub, system)
    rows.put(CUSTOMERS, [])  # the file is there before the system is
    system_id = _ensure(hub, system, rows.path)
    running = _marks(hub, system_id, report)
    report.unchanged = report.good - _put(rows, found)
    poll.poll(hub, system_id, force=True)
    return running


def finished(hub: Hub, running: Running) -> Report:
    """The counts of an import whose rows were taken in."""
    report = running.report
    with hub.database.read() as session:
        mine = (Change.system_id == running.system_id, Change.id > running.change)
        ops = dict(
            session.execute(
                select(Change.op, func.count())
                .where(*mine, Change.entity == "customer")
                .group_by(Change.op)
            ).all()
        )
        fresh = select(Change.golden_id).where(*mine, Change.op == "created")
        report.changed = (
            session.scalar(
                select(func.count(func.distinct(Change.golden_id))).where(
                    *mine,
                    Change.op == "set",
                    Change.entity == "customer",
                    Change.golden_id.not_in(fresh),
                )
            )
            or 0
        )
        report.conflicts = (
            session.scalar(
                select(func.count()).select_from(Change).where(*mine, Change.op == "overruled")
            )
            or 0
        )
        report.candidates = (
            session.scalar(
                select(func.count()).select_from(Candidate).where(Candidate.id > running.candidate)
            )
            or 0
        )
        report.problems.extend(_dead(session, running, SHOWN - len(report.problems)))
    report.new, report.linked = ops.get("created", 0), ops.get("linked", 0)
    return report


def _dead(session: Any, running: Running, most: int) -> Iterator[Problem]:
    """Rows that passed the checks and could not be taken in after all."""
    from sync.store.tables import DeadLetter  # noqa: PLC0415  only where there are any

    if most <= 0:
        return
    letters = session.scalars(
        select(DeadLetter)
        .where(DeadLetter.system_id == running.system_id, DeadLetter.state == "open")
        .order_by(DeadLetter.id.desc())
        .limit(most)
    )
    for letter in letters:
        facts = {"message": letter.message}
        yield Problem(0, letter.field or "", str(letter.remote_id), "dead_letter", facts)


def _read(
    path: Path,
    named: Mapping[str, str] | None,
    sheet: str,
    progress: Callable[[int], None],
    *,
    dry_run: bool,
) -> tuple[Report, list[Record]]:
    opened = open_sheet(path, named=named, sheet=sheet)
    report = Report(path.name, dry_run, ignored=opened.unknown)
    report.columns = {opened.headers[place]: name for place, name in opened.columns.items()}
    found: list[Record] = []
    for item in records(opened):
        report.rows += 1
        if report.rows % PART == 0:
            progress(report.rows)
        if isinstance(item, Problem):
            report.refused += 1
            if len(report.problems) < SHOWN:
                report.problems.append(item)
        else:
            found.append(item)
            report.contacts += bool(item.contact)
    report.good = len(found)
    return report, found


def _put(rows: Rows, found: Iterable[Record]) -> int:
    """Keeps the rows; returns how many customers are new or differ from the last import."""
    people = list(found)
    changed = rows.put(CUSTOMERS, ((one.id, one.customer) for one in people))
    rows.put(
        CONTACTS,
        ((one.id, {**one.contact, "customer": one.id}) for one in people if one.contact),
    )
    return changed


def _rows_of(hub: Hub, system: str) -> Rows:
    return Rows((hub.settings.home / "imports" / f"{system}.db").absolute())


def _ensure(hub: Hub, name: str, path: Path) -> int:
    """The system that stands for imported files, live."""
    with hub.database.read() as session:
        row = session.scalar(select(System).where(System.name == name))
    if row is None:
        values = {"path": str(path)}
        systems.add_system(hub, name=name, kind=KIND, values=values, actor="import", check=False)
    elif row.kind != KIND:
        raise ServiceError(
            f"{name} is a {row.kind} system; a file cannot be imported as it.",
            code="not_a_file_system",
            hint="Give the import a name of its own: --system NAME.",
            name=name,
            kind=row.kind,
        )
    with hub.database.write() as tx:
        chosen = tx.scalars(select(System).where(System.name == name)).one()
        if chosen.state in {"draft", "testing"}:
            chosen.state = "live"
        if chosen.state != "live":
            raise ServiceError(
                f"{name} is {chosen.state}: {chosen.state_reason}",
                code="import_paused",
                hint=f"Resume it first: `kehub system resume {name}`.",
                name=name,
                state=chosen.state,
            )
        tx.execute(
            update(System).where(System.id == chosen.id).values(settings={"path": str(path)})
        )
        return chosen.id


def _marks(hub: Hub, system_id: int, report: Report) -> Running:
    with hub.database.read() as session:
        change = session.scalar(select(func.max(Change.id))) or 0
        candidate = session.scalar(select(func.max(Candidate.id))) or 0
    return Running(system_id, change, candidate, report)


# Export.

_PATHS: Mapping[str, str] = {
    "number": "number",
    "name": "name",
    "legal_name": "legal_name",
    "kind": "kind",
    "stage": "stage",
    "phone": "phones[work]",
    "mobile": "phones[mobile]",
    "fax": "phones[fax]",
    "email": "emails[work]",
    "website": "website",
    "street": "addresses[billing].street",
    "district": "addresses[billing].district",
    "city": "addresses[billing].city",
    "region": "addresses[billing].region",
    "postcode": "addresses[billing].postcode",
    "country": "addresses[billing].country",
    "industry": "industry",
    "employees": "employees",
    "payment_term": "payment_term",
    "credit_limit": "credit_limit",
    "currency": "currency",
    "language": "language",
    "owner": "owner",
    "source": "source",
    "tags": "tags",
    "notes": "notes",
}
_CONTACT_PATHS: Mapping[str, str] = {
    "contact_name": "name",
    "contact_title": "job_title",
    "contact_department": "department",
    "contact_phone": "phones[work]",
    "contact_mobile": "phones[mobile]",
    "contact_email": "emails[work]",
}
_MORE = {"systems": ("systems", "所在系统"), "updated": ("updated at", "更新时间")}


def export(hub: Hub, path: Path, *, what: str = "customers", language: str = "en") -> int:
    """Writes customers or contacts to a CSV or Excel file; returns how many.

    The columns are those that an import knows, so a file that was edited can come back.
    """
    names = ["id", *_PATHS] if what == "customers" else ["id", "name", *_CONTACT_PATHS]
    if what == "customers":
        names.insert(4, "tax_id")
    position = 1 if language == "zh" else 0
    heads = [HEADERS[name][position] for name in names]
    heads += [words[position] for words in _MORE.values()]
    lines = _customer_lines(hub, names) if what == "customers" else _contact_lines(hub, names)
    if path.suffix.lower() == ".xlsx":
        return _write_excel(path, heads, lines)
    return _write_csv(path, heads, lines)


def _customer_lines(hub: Hub, names: list[str]) -> Iterator[list[str]]:
    for golden, held in _goldens(hub, "customer"):
        values = golden.values
        cells = {name: values.get(path) for name, path in _PATHS.items()}
        cells["id"] = golden.id
        cells["tax_id"] = next(
            (v for p, v in sorted(values.items()) if p.startswith("identifiers[") and v), None
        )
        yield [*(_shown(cells.get(name)) for name in names), *_rest(golden, held)]


def _contact_lines(hub: Hub, names: list[str]) -> Iterator[list[str]]:
    for golden, held in _goldens(hub, "contact"):
        cells = {name: golden.values.get(path) for name, path in _CONTACT_PATHS.items()}
        cells["id"] = golden.id
        with hub.database.read() as session:
            parent = session.get(Golden, golden.parent_id) if golden.parent_id else None
        cells["name"] = parent.name if parent else ""
        yield [*(_shown(cells.get(name)) for name in names), *_rest(golden, held)]


def _goldens(hub: Hub, entity: str) -> Iterator[tuple[Golden, str]]:
    last = ""
    while True:
        with hub.database.read() as session:
            found = list(
                session.scalars(
                    select(Golden)
                    .where(Golden.entity == entity, Golden.state == "live", Golden.id > last)
                    .order_by(Golden.id)
                    .limit(PART)
                )
            )
            if not found:
                return
            held: dict[str, list[str]] = {}
            linked = session.execute(
                select(Link.golden_id, System.name, Link.remote_id)
                .join(System, System.id == Link.system_id)
                .where(Link.golden_id.in_([one.id for one in found]), Link.state == "live")
                .order_by(Link.id)
            )
            for golden_id, name, remote_id in linked:
                held.setdefault(golden_id, []).append(f"{name}:{remote_id}")
        for one in found:
            yield one, " ".join(held.get(one.id, ()))
        last = found[-1].id


def _rest(golden: Golden, held: str) -> list[str]:
    return [held, golden.updated_at.isoformat(timespec="seconds")]


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return "; ".join(str(part) for part in value)
    return str(value)


def _safe(cell: str) -> str:
    """A cell that a spreadsheet would calculate is marked as text; phone numbers are not."""
    is_number = cell[1:].replace(" ", "").replace(";ext=", "").isdigit()
    if cell[:1] in {"=", "@"} or (cell[:1] in {"+", "-"} and not is_number):
        return f"'{cell}"
    return cell


def _write_csv(path: Path, heads: list[str], lines: Iterable[list[str]]) -> int:
    count = 0
    partial = path.with_name(f"{path.name}.part")
    with partial.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(heads)
        for line in lines:
            writer.writerow([_safe(cell) for cell in line])
            count += 1
    partial.replace(path)
    return count


def _write_excel(path: Path, heads: list[str], lines: Iterable[list[str]]) -> int:
    from openpyxl import Workbook  # noqa: PLC0415  slow to load, and seldom needed
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415

    book = Workbook(write_only=True)
    sheet = book.create_sheet("kehub")
    sheet.append(heads)
    count = 0
    for line in lines:
        cells = []
        for value in line:
            cell = WriteOnlyCell(sheet, value=value)
            if value:
                cell.data_type = "s"  # text, whatever it begins with
            cells.append(cell)
        sheet.append(cells)
        count += 1
    partial = path.with_name(f"{path.name}.part")
    book.save(partial)
    partial.replace(path)
    return count
