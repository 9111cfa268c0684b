"""The JSON API: the same facts as the screens, with a bearer key."""

from typing import Any

from apiflask import APIBlueprint, HTTPError

from sync.service import letters, plans, records, review, runs, systems
from sync.service import status as service_status
from sync.service.errors import ServiceError
from webui import auth, limits
from webui import schemas as s
from webui.auth import hub, needs

bp = APIBlueprint("api", __name__, url_prefix="/api/v1")
limits.limiter.limit(limits.API, key_func=limits.by_key)(bp)
SETTINGS: dict[str, Any] = {
    "SECURITY_SCHEMES": {
        "key": {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key from the account page; it has the rights of its user.",
        }
    },
    "DESCRIPTION": "One truth about each customer across ERP and CRMs.",
    "HTTP_ERROR_SCHEMA": s.ErrorOut.model_json_schema(),
    "VALIDATION_ERROR_SCHEMA": s.ErrorOut.model_json_schema(),
    "VALIDATION_ERROR_STATUS_CODE": 422,
    "DOCS_FAVICON": "/static/favicon.svg",
    "TAGS": [
        {"name": "Status", "description": "The hub as a whole"},
        {"name": "Records", "description": "Golden records: customers, contacts and their facts"},
        {"name": "Systems", "description": "What is connected"},
        {"name": "Mappings", "description": "How each system's fields are read and written"},
        {"name": "Plans", "description": "What going live would do"},
        {"name": "Runs", "description": "What happened"},
        {"name": "Review", "description": "What waits for a person"},
        {"name": "Quality", "description": "How good the data is"},
        {"name": "Backups", "description": "The whole hub as it was, sealed"},
        {"name": "Jobs", "description": "Long work in the workers"},
        {"name": "Dead letters", "description": "What could not be processed"},
    ],
}
READS = [400, 401, 403, 429]
FINDS = [*READS, 404]
CHANGES = [*FINDS, 409]


def problem(error: HTTPError) -> Any:
    """An input that does not fit, in the same shape as every other error."""
    body = {"error": "invalid", "message": error.message, "detail": error.detail}
    return body, error.status_code, error.headers or {}


@bp.get("/status")
@bp.output(s.StatusOut)
@bp.doc(tags=["Status"], summary="How the hub is", security="key", responses=READS)
@needs("viewer")
def status() -> Any:
    """The same object as `kehub status --json`."""
    return service_status.status(hub().settings, is_answering=True).as_json()


@bp.get("/customers")
@bp.input(s.RecordQuery, location="query")
@bp.output(s.RecordPage)
@bp.doc(tags=["Records"], summary="List customers", security="key", responses=READS)
@needs("viewer")
def list_customers(query_data: s.RecordQuery) -> Any:
    """Golden customers."""
    return _list("customer", query_data)


@bp.get("/contacts")
@bp.input(s.RecordQuery, location="query")
@bp.output(s.RecordPage)
@bp.doc(tags=["Records"], summary="List contacts", security="key", responses=READS)
@needs("viewer")
def list_contacts(query_data: s.RecordQuery) -> Any:
    """Golden contacts."""
    return _list("contact", query_data)


@bp.get("/records/<golden_id>")
@bp.output(s.RecordDetail)
@bp.doc(tags=["Records"], summary="One record", security="key", responses=FINDS)
@needs("viewer")
def get_record(golden_id: str) -> Any:
    """A record of any entity; a merged one answers as the record that it became."""
    return records.get_record(hub(), golden_id)


@bp.get("/customers/<golden_id>")
@bp.output(s.RecordDetail)
@bp.doc(tags=["Records"], summary="One customer", security="key", responses=FINDS)
@needs("viewer")
def get_customer(golden_id: str) -> Any:
    """A golden customer with every system's value per field."""
    return records.get_record(hub(), golden_id)


@bp.patch("/customers/<golden_id>")
@bp.input(s.EditIn)
@bp.output(s.RecordDetail)
@bp.doc(tags=["Records"], summary="Edit a customer", security="key", responses=CHANGES)
@needs("steward")
def edit_customer(golden_id: str, json_data: s.EditIn) -> Any:
    """Sets fields; they go to every linked system like any other edit."""
    return records.edit(hub(), golden_id, json_data.values, actor=auth.actor())


@bp.patch("/contacts/<golden_id>")
@bp.input(s.EditIn)
@bp.output(s.RecordDetail)
@bp.doc(tags=["Records"], summary="Edit a contact", security="key", responses=CHANGES)
@needs("steward")
def edit_contact(golden_id: str, json_data: s.EditIn) -> Any:
    """Sets fields; they go to every linked system like any other edit."""
    return records.edit(hub(), golden_id, json_data.values, actor=auth.actor())


@bp.get("/records/<golden_id>/changes")
@bp.input(s.HistoryQuery, location="query")
@bp.output(s.HistoryOut)
@bp.doc(tags=["Records"], summary="History of a record", security="key", responses=FINDS)
@needs("viewer")
def history(golden_id: str, query_data: s.HistoryQuery) -> Any:
    """Who changed what, when and by which rule."""
    found = records.get_record(hub(), golden_id)
    changes, more = records.history(
        hub(), found.id, before=query_data.before, limit=query_data.size
    )
    return {"changes": changes, "has_more": more}


@bp.get("/systems")
@bp.output(s.SystemsOut)
@bp.doc(tags=["Systems"], summary="List systems", security="key", responses=READS)
@needs("viewer")
def list_systems() -> Any:
    """All systems."""
    return {"systems": systems.list_systems(hub())}


@bp.post("/systems")
@bp.input(s.SystemIn)
@bp.output(s.SystemOut, status_code=201)
@bp.doc(tags=["Systems"], summary="Add a system", security="key", responses=CHANGES)
@needs("admin")
def add_system(json_data: s.SystemIn) -> Any:
    """Adds a system once a cheap call has shown that its settings work."""
    return systems.add_system(
        hub(),
        name=json_data.name,
        kind=json_data.kind,
        label=json_data.label,
        values=json_data.settings,
        actor=auth.actor(),
    )


@bp.get("/systems/<name>")
@bp.output(s.SystemOut)
@bp.doc(tags=["Systems"], summary="One system", security="key", responses=FINDS)
@needs("viewer")
def get_system(name: str) -> Any:
    """One system."""
    return systems.get_system(hub(), name)


@bp.post("/systems/<name>/test")
@bp.output(s.SystemOut)
@bp.doc(tags=["Systems"], summary="Test a system", security="key", responses=CHANGES)
@needs("admin")
def test_system(name: str) -> Any:
    """One cheap call; a refusal says what to mend."""
    return systems.test_system(hub(), name)


@bp.post("/systems/<name>/pause")
@bp.output(s.SystemOut)
@bp.doc(tags=["Systems"], summary="Pause a system", security="key", responses=CHANGES)
@needs("admin")
def pause_system(name: str) -> Any:
    """Stops polling and writing; what waits is kept."""
    return systems.pause_system(hub(), name, actor=auth.actor())


@bp.post("/systems/<name>/resume")
@bp.output(s.SystemOut)
@bp.doc(tags=["Systems"], summary="Resume a system", security="key", responses=CHANGES)
@needs("admin")
def resume_system(name: str) -> Any:
    """Lets a paused or broken system go on."""
    return systems.resume_system(hub(), name, actor=auth.actor())


@bp.post("/systems/<name>/poll")
@bp.output(s.SystemOut)
@bp.doc(tags=["Systems"], summary="Read changes now", security="key", responses=CHANGES)
@needs("steward")
def poll_system(name: str) -> Any:
    """Reads what changed as soon as a worker is free."""
    return systems.poll_now(hub(), name)


@bp.post("/plans")
@bp.input(s.PlanIn)
@bp.output(s.PlanOut, status_code=202)
@bp.doc(tags=["Plans"], summary="Make a plan", security="key", responses=CHANGES)
@needs("admin")
def create_plan(json_data: s.PlanIn) -> Any:
    """Starts reading; ask for the plan until its state is `ready`."""
    return plans.start_plan(hub(), json_data.systems, actor=auth.actor())


@bp.get("/plans/<int:plan_id>")
@bp.output(s.PlanOut)
@bp.doc(tags=["Plans"], summary="One plan", security="key", responses=FINDS)
@needs("viewer")
def get_plan(plan_id: int) -> Any:
    """A plan with what it would do."""
    return plans.get_plan(hub(), plan_id)


@bp.post("/plans/<int:plan_id>/apply")
@bp.output(s.PlanOut, status_code=202)
@bp.doc(tags=["Plans"], summary="Apply a plan", security="key", responses=CHANGES)
@needs("admin")
def apply_plan(plan_id: int) -> Any:
    """Carries a plan out; refused when mappings or policy have changed since."""
    return plans.apply_plan(hub(), plan_id, actor=auth.actor())


@bp.get("/runs")
@bp.input(s.RunQuery, location="query")
@bp.output(s.RunPage)
@bp.doc(tags=["Runs"], summary="List runs", security="key", responses=READS)
@needs("viewer")
def list_runs(query_data: s.RunQuery) -> Any:
    """The newest first."""
    return runs.list_runs(
        hub(),
        system=query_data.system,
        kind=query_data.kind,
        state=query_data.state,
        page=query_data.page,
        limit=query_data.size,
    )


@bp.get("/runs/<int:run_id>")
@bp.output(s.RunOut)
@bp.doc(tags=["Runs"], summary="One run", security="key", responses=FINDS)
@needs("viewer")
def get_run(run_id: int) -> Any:
    """One run."""
    return runs.get_run(hub(), run_id)


@bp.get("/conflicts")
@bp.input(s.StateQuery, location="query")
@bp.output(s.ConflictPage)
@bp.doc(tags=["Review"], summary="List conflicts", security="key", responses=READS)
@needs("viewer")
def list_conflicts(query_data: s.StateQuery) -> Any:
    """Open ones; `auto` and `decided` on request."""
    return review.list_conflicts(
        hub(),
        state=query_data.state or None,
        system=query_data.system,
        page=query_data.page,
        limit=query_data.size,
    )


@bp.post("/conflicts/<int:conflict_id>/decide")
@bp.input(s.ConflictDecision)
@bp.output(s.ConflictOut)
@bp.doc(tags=["Review"], summary="Decide a conflict", security="key", responses=CHANGES)
@needs("steward")
def decide_conflict(conflict_id: int, json_data: s.ConflictDecision) -> Any:
    """Ends a conflict, or reverses one that was ended."""
    return review.decide_conflict(
        hub(), conflict_id, json_data.choice, actor=auth.actor(), other=json_data.values
    )


@bp.get("/guards")
@bp.input(s.StateQuery, location="query")
@bp.output(s.GuardPage)
@bp.doc(tags=["Review"], summary="List guards", security="key", responses=READS)
@needs("viewer")
def list_guards(query_data: s.StateQuery) -> Any:
    """What was stopped."""
    return review.list_guards(
        hub(), state=query_data.state or None, page=query_data.page, limit=query_data.size
    )


@bp.post("/guards/<int:guard_id>/decide")
@bp.input(s.GuardDecision)
@bp.output(s.GuardOut)
@bp.doc(tags=["Review"], summary="Decide a guard", security="key", responses=CHANGES)
@needs("steward")
def decide_guard(guard_id: int, json_data: s.GuardDecision) -> Any:
    """Allows or refuses what a guard stopped."""
    return review.decide_guard(hub(), guard_id, allow=json_data.allow, actor=auth.actor())


@bp.get("/dead-letters")
@bp.input(s.StateQuery, location="query")
@bp.output(s.LetterPage)
@bp.doc(tags=["Dead letters"], summary="List dead letters", security="key", responses=READS)
@needs("viewer")
def list_letters(query_data: s.StateQuery) -> Any:
    """The newest first."""
    return letters.list_letters(
        hub(),
        state=query_data.state or None,
        system=query_data.system,
        page=query_data.page,
        limit=query_data.size,
    )


@bp.post("/dead-letters/retry")
@bp.input(s.LettersIn)
@bp.output(s.CountOut)
@bp.doc(tags=["Dead letters"], summary="Try again", security="key", responses=CHANGES)
@needs("steward")
def retry_letters(json_data: s.LettersIn) -> Any:
    """Each comes back as a new one if nothing was mended."""
    return {"count": letters.retry(hub(), _chosen(json_data), actor=auth.actor())}


@bp.post("/dead-letters/discard")
@bp.input(s.LettersIn)
@bp.output(s.CountOut)
@bp.doc(tags=["Dead letters"], summary="Give up", security="key", responses=CHANGES)
@needs("steward")
def discard_letters(json_data: s.LettersIn) -> Any:
    """Closes them; what they were about stays as it is."""
    return {"count": letters.discard(hub(), _chosen(json_data), actor=auth.actor())}


def _list(entity: str, asked: s.RecordQuery) -> Any:
    return records.search(
        hub(),
        entity,
        text=asked.q,
        stage=asked.stage,
        system=asked.system,
        parent=asked.parent,
        sort=asked.sort,
        page=asked.page,
        limit=asked.size,
    )


def _chosen(given: s.LettersIn) -> list[int]:
    if given.ids:
        return given.ids
    if not given.all:
        raise ServiceError("Say which dead letters.", code="value_needed")
    return letters.ids_of(hub(), system=given.system)
