"""The JSON API, third part: mapping versions, backups, thresholds, and the jobs behind them."""

from typing import Any

from sync.service import backups, jobs, mapping_versions
from webui import auth
from webui import schemas as s
from webui.auth import hub, needs
from webui.language import api_language
from webui.views.api import CHANGES, FINDS, READS
from webui.views.api_upkeep import routes as bp

routes = bp  # with those of the other parts


@bp.get("/jobs/<int:job_id>")
@bp.output(s.JobOut)
@bp.doc(tags=["Jobs"], summary="One job", security="key", responses=FINDS)
@needs("viewer")
def get_job(job_id: int) -> Any:
    """How far long work has come; ask again until its state is `done` or `failed`."""
    return jobs.get_job(hub(), job_id)


@bp.get("/systems/<name>/mappings")
@bp.output(s.MappingsOut)
@bp.doc(tags=["Mappings"], summary="Versions of a system", security="key", responses=READS)
@needs("viewer")
def list_mappings(name: str) -> Any:
    """Every version of every object, the newest first."""
    return {"mappings": mapping_versions.list_versions(hub(), name)}


@bp.post("/systems/<name>/mappings")
@bp.input(s.MappingIn)
@bp.output(s.MappingOut, status_code=201)
@bp.doc(tags=["Mappings"], summary="Add a draft", security="key", responses=CHANGES)
@needs("admin")
def add_mapping(name: str, json_data: s.MappingIn) -> Any:
    """Refused where it does not load or does not fit; nothing works with a draft yet."""
    return mapping_versions.add_version(
        hub(), name, json_data.text, actor=auth.actor(), language=api_language()
    )


@bp.get("/mappings/<int:mapping_id>")
@bp.output(s.MappingOut)
@bp.doc(tags=["Mappings"], summary="One version", security="key", responses=FINDS)
@needs("viewer")
def get_mapping(mapping_id: int) -> Any:
    """Its text, and what the linter said when it was added."""
    return mapping_versions.get_version(hub(), mapping_id)


@bp.post("/mappings/<int:mapping_id>/preview")
@bp.output(s.PlanOut, status_code=202)
@bp.doc(tags=["Mappings"], summary="Plan a draft", security="key", responses=CHANGES)
@needs("admin")
def preview_mapping(mapping_id: int) -> Any:
    """Starts a plan of what activating the draft would change."""
    return mapping_versions.preview(hub(), mapping_id, actor=auth.actor())


@bp.post("/mappings/<int:mapping_id>/activate")
@bp.input(s.ActivateIn)
@bp.output(s.MappingOut, status_code=202)
@bp.doc(tags=["Mappings"], summary="Activate a draft", security="key", responses=CHANGES)
@needs("admin")
def activate_mapping(mapping_id: int, json_data: s.ActivateIn) -> Any:
    """Makes it the live version; a worker carries out what its plan has shown."""
    return mapping_versions.activate(
        hub(),
        mapping_id,
        json_data.plan,
        approved=json_data.approved,
        actor=auth.actor(),
        inline=False,
    )


@bp.get("/backups")
@bp.output(s.BackupsOut)
@bp.doc(tags=["Backups"], summary="List backups", security="key", responses=READS)
@needs("viewer")
def list_backups() -> Any:
    """Those in the data folder, the newest first, each with its newest proof."""
    proofs = backups.proofs(hub())
    return {
        "backups": [
            {
                "name": each.name,
                "made_at": each.made_at,
                "size": each.size,
                "proof": proofs.get(each.name),
            }
            for each in backups.list_backups(hub())
        ]
    }


@bp.post("/backups")
@bp.output(s.JobOut, status_code=202)
@bp.doc(tags=["Backups"], summary="Make a backup", security="key", responses=CHANGES)
@needs("admin")
def make_backup() -> Any:
    """Starts it; the job tells when it is made, and its name."""
    return backups.start_backup(hub(), actor=auth.actor())


@bp.post("/backups/<name>/prove")
@bp.output(s.JobOut, status_code=202)
@bp.doc(tags=["Backups"], summary="Prove a backup", security="key", responses=CHANGES)
@needs("admin")
def prove_backup(name: str) -> Any:
    """Restores it into a scratch database and compares every table."""
    return backups.start_proof(hub(), name, actor=auth.actor())


@bp.get("/thresholds")
@bp.output(s.ThresholdsOut)
@bp.doc(tags=["Quality"], summary="Matching thresholds", security="key", responses=READS)
@needs("viewer")
def get_thresholds() -> Any:
    """What each threshold would do to the customers, as it was worked out last."""
    from sync.service import matching  # noqa: PLC0415  loads numpy

    return matching.thresholds(hub())


@bp.post("/thresholds")
@bp.output(s.ThresholdsOut, status_code=202)
@bp.doc(tags=["Quality"], summary="Work thresholds out", security="key", responses=CHANGES)
@needs("steward")
def work_out_thresholds() -> Any:
    """Has a worker compare all customers; nothing is changed."""
    from sync.service import matching  # noqa: PLC0415  loads numpy

    matching.ask_for_thresholds(hub(), actor=auth.actor())
    return matching.thresholds(hub())
