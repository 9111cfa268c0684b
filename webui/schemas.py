"""The shapes of the JSON API."""

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from flask import has_request_context
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from sync.service.sentences import in_language
from webui.language import api_language

T = TypeVar("T")


class Out(BaseModel):
    """What the API answers; filled from the service's values."""

    model_config = ConfigDict(from_attributes=True)


def _said(text: str) -> str:
    return in_language(text, api_language()) if has_request_context() else text


# What connectors, engine or mapping say: English, or what `Accept-Language` asks for.
Said = Annotated[str, PlainSerializer(_said, return_type=str)]


class In(BaseModel):
    """What the API takes; unknown members are refused."""

    model_config = ConfigDict(extra="forbid")


class ErrorOut(Out):
    """Why something was refused."""

    error: str = Field(description="A code that stays the same in every language")
    message: str
    hint: str = ""
    detail: Any = None


class CallsOut(Out):
    """API calls to a system so far."""

    read: int
    write: int


class SystemStatus(Out):
    """A system in the status."""

    name: str
    kind: str
    state: str
    url: str
    lag_seconds: float | None
    waiting: int
    calls: CallsOut


class OpenOut(Out):
    """What waits for a person (the first four) or a worker."""

    conflicts: int
    candidates: int
    dead_letters: int
    guards: int
    inbox: int
    dirty: int


class RestoreOut(Out):
    """A restore that waits for its approval."""

    epoch: int
    backup_of: datetime
    restored_at: datetime


class StatusOut(Out):
    """The hub as a whole; the same object as `kehub status --json`."""

    ready: bool
    url: str
    systems: list[SystemStatus]
    customers: int
    contacts: int
    open: OpenOut
    writes: int
    restore: RestoreOut | None = Field(None, exclude_if=lambda value: value is None)


class PageQuery(In):
    """Which page of a list."""

    page: int = Field(1, ge=1, le=1_000_000)
    size: int = Field(50, ge=1, le=200)


class RecordQuery(PageQuery):
    """Which golden records."""

    q: str = Field("", max_length=100, description="Part of a name, or a number, mail or phone")
    stage: str | None = None
    system: str | None = Field(None, description="Only records that this system holds")
    parent: str | None = Field(None, description="Only records of this customer")
    sort: Literal["name", "-name", "updated", "-updated"] = "name"


class RunQuery(PageQuery):
    """Which runs."""

    system: str | None = None
    kind: str | None = None
    state: str | None = None


class StateQuery(PageQuery):
    """Which conflicts, guards or dead letters."""

    state: str | None = Field("open", description="Empty: all")
    system: str | None = None


class RecordOut(Out):
    """A golden record in a list."""

    id: str
    entity: str
    name: str
    values: dict[str, Any]
    systems: list[str]
    parent_id: str | None
    updated_at: datetime


class PageOut(Out, Generic[T]):
    """One page. `total` null: more than 1000."""

    number: int
    size: int
    has_next: bool
    total: int | None
    rows: list[T]


class RecordPage(PageOut[RecordOut]):
    """Golden records."""


class ProvenanceOut(Out):
    """Where a golden value came from."""

    system: str
    object: str
    remote_id: str
    rule: str
    by: str
    at: datetime | None


class SystemValueOut(Out):
    """What a system holds: same, differs, or short (its own form of what it was told)."""

    value: Any
    state: str


class FieldOut(Out):
    """One field of a golden record."""

    path: str
    value: Any
    provenance: ProvenanceOut | None
    systems: dict[str, SystemValueOut]


class LinkOut(Out):
    """A remote record that a golden record is linked to."""

    system: str
    object: str
    remote_id: str | None
    state: str
    is_primary: bool
    seen_at: datetime | None
    waiting: str


class RecordDetail(Out):
    """A golden record with all that is known of it."""

    id: str
    entity: str
    state: str
    name: str
    version: int
    values: dict[str, Any]
    fields: list[FieldOut]
    links: list[LinkOut]
    parent_id: str | None
    children: dict[str, int]
    open_conflicts: int
    held_until: datetime | None
    created_at: datetime
    updated_at: datetime


class EditIn(In):
    """New values by canonical path, as a person would type them; an empty text clears a field."""

    values: dict[str, str] = Field(min_length=1, examples=[{"phones[work]": "+86 21 5555 0101"}])


class ChangeOut(Out):
    """One line of the change log."""

    id: int
    golden_id: str
    entity: str
    op: str
    path: str | None
    old: Any
    new: Any
    system: str | None
    object: str | None
    remote_id: str | None
    rule: str
    actor: str
    run_id: int | None
    at: datetime


class HistoryOut(Out):
    """The change log of a record, the newest first."""

    changes: list[ChangeOut]
    has_more: bool


class HistoryQuery(In):
    """Which part of the change log."""

    before: int | None = Field(None, description="Only changes with a smaller id")
    size: int = Field(50, ge=1, le=200)


class SystemOut(Out):
    """A system; secrets are never answered."""

    name: str
    kind: str
    label: str
    state: str
    reason: Said
    hint: Said
    url: str
    lag_seconds: float | None
    inbox: int
    dirty: int
    dead_letters: int
    links: int
    calls_read: int
    calls_write: int
    records_written: int
    polled_at: datetime | None
    changed_at: datetime | None
    delivered_at: datetime | None
    hold_in: bool
    hold_out: bool
    delete_policy: str
    poll_seconds: float | None
    settings: dict[str, Any]
    hook_url: str
    hook_expires: str | None


class SystemsOut(Out):
    """All systems."""

    systems: list[SystemOut]


class SystemIn(In):
    """A new system. `settings` are the connector's, secrets included."""

    name: str
    kind: str
    label: str = ""
    settings: dict[str, Any]


class PlanIn(In):
    """Which systems to plan; none: all that are not live yet."""

    systems: list[str] = []


class PlanOut(Out):
    """A plan."""

    id: int
    kind: str
    state: str
    systems: list[str]
    progress: dict[str, Any]
    summary: dict[str, Any]
    error: Said
    created_at: datetime
    applied_at: datetime | None


class RunOut(Out):
    """A run."""

    id: int
    kind: str
    system: str | None
    state: str
    actor: str
    started_at: datetime
    ended_at: datetime | None
    counts: dict[str, Any]
    error: Said


class RunPage(PageOut[RunOut]):
    """Runs."""


class OverallOut(Out):
    """The figures of all records; shares are percentages."""

    records: int
    completeness: float
    valid: float
    fresh: float
    duplicates: int
    issues: dict[str, int]


class DayOut(Out):
    """The figures at the end of a day."""

    day: str
    overall: OverallOut


class QualityOut(Out):
    """Data quality of the customers."""

    overall: OverallOut
    days: list[DayOut]


class QualityQuery(PageQuery):
    """Which records to mend."""

    entity: Literal["customer", "contact"] = "customer"
    issue: str | None = None
    system: str | None = None


class QualityRowOut(Out):
    """A record to mend."""

    golden_id: str
    name: str
    entity: str
    completeness: int
    issues: list[str]
    fresh_at: datetime
    is_stale: bool
    is_suspect: bool


class QualityPage(PageOut[QualityRowOut]):
    """Records to mend."""


class QuotaOut(Out):
    """A system's calls of today; `used_up_at` where the budget will not last."""

    system: str
    budget: int | None
    used: int
    left: int | None
    per_hour: float
    used_up_at: datetime | None


class QuotasOut(Out):
    """All systems."""

    quotas: list[QuotaOut]


class BudgetIn(In):
    """Calls per day; null for no limit."""

    calls: int | None = Field(ge=1)


class StepOut(Out):
    """A field that a run changed: `now` becomes `old` again, unless `left` says why not."""

    golden_id: str
    name: str
    path: str
    old: Any
    new: Any
    now: Any
    left: Said


class RollbackPlanOut(Out):
    """What rolling a run back would do; the lists hold the first 200 of each."""

    run_id: int
    kind: str
    records: int
    fields: int
    fields_left: int
    set_back: list[StepOut]
    left: list[StepOut]
    created: list[tuple[str, str]]
    is_partial: bool


class DisputedOut(Out):
    """One path of a conflict."""

    path: str
    base: Any
    ours: Any
    theirs: Any
    proposal: Any


class ConflictOut(Out):
    """A field, or a group of fields, that two sides changed."""

    id: int
    golden_id: str
    golden_name: str
    entity: str
    system: str
    unit: str
    fields: list[DisputedOut]
    rule: str
    state: str
    decision: str
    decided_by: str
    decided_at: datetime | None
    created_at: datetime


class ConflictPage(PageOut[ConflictOut]):
    """Conflicts."""


class ConflictDecision(In):
    """What to take; `values` by path with the choice `other`."""

    choice: Literal["ours", "theirs", "other"]
    values: dict[str, str] = {}


class GuardOut(Out):
    """What a guard stopped."""

    id: int
    system: str
    kind: str
    direction: str
    reason: Said
    facts: dict[str, Any]
    state: str
    decided_by: str
    decided_at: datetime | None
    created_at: datetime


class GuardPage(PageOut[GuardOut]):
    """Guards."""


class GuardDecision(In):
    """Whether what was stopped may go on."""

    allow: bool


class ReasonOut(Out):
    """Why something could not be processed."""

    system: str
    direction: str
    object: str
    kind: str
    field: str | None
    remote_code: str


class LetterOut(Out):
    """A dead letter; secrets in its payload are masked."""

    id: int
    reason: ReasonOut
    remote_id: str | None
    golden_id: str | None
    message: Said
    value: str | None
    payload: dict[str, Any] | None
    attempts: int
    state: str
    created_at: datetime
    closed_at: datetime | None
    closed_by: str


class LetterPage(PageOut[LetterOut]):
    """Dead letters."""


class LettersIn(In):
    """Which dead letters: these, or all open ones (of a system)."""

    ids: list[int] = []
    all: bool = False
    system: str | None = None


class CountOut(Out):
    """How many were concerned."""

    count: int


class JobOut(Out):
    """Long work in a worker."""

    id: int
    kind: str
    subject: str
    state: str = Field(description="waiting, running, done or failed")
    actor: str
    progress: dict[str, Any]
    result: dict[str, Any]
    error: Said
    asked_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


class MappingOut(Out):
    """One version of a mapping."""

    id: int
    system: str
    object: str
    entity: str
    version: int
    state: str = Field(description="draft, live or retired")
    text: str
    author: str
    created_at: datetime
    findings: list[dict[str, Any]] = []


class MappingsOut(Out):
    """Versions of mappings."""

    mappings: list[MappingOut]


class MappingIn(In):
    """A mapping as YAML."""

    text: str


class ActivateIn(In):
    """With which plan a draft becomes the live version."""

    plan: int | None = None
    approved: bool = Field(default=False, description="a person has seen that it touches many")


class BackupOut(Out):
    """A backup in the data folder."""

    name: str
    made_at: datetime
    size: int
    proof: JobOut | None


class BackupsOut(Out):
    """Backups."""

    backups: list[BackupOut]


class EdgeOut(Out):
    """A pair near a threshold."""

    first_id: str
    first_name: str
    second_id: str
    second_name: str
    bits: float


class ThresholdOut(Out):
    """What linking from so many bits on would do."""

    at: float
    customers: int
    links: int
    expected_precision: float
    expected_missed: float
    edge: list[EdgeOut]


class ThresholdsOut(Out):
    """What each threshold would do; `is_asked` while a worker is at newer ones."""

    made_at: datetime | None
    records: int
    link_at: float
    candidate_at: float
    rows: list[ThresholdOut]
    is_asked: bool
    job: JobOut | None
