"""How far long work has come, for every page that shows some."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from sync.service import jobs as service
from webui.auth import hub, needs

screens = Blueprint("jobs", __name__, url_prefix="/jobs")


@screens.get("/<int:job_id>/progress")
@needs("viewer")
def progress(job_id: int) -> ResponseReturnValue:
    """Its card again; the whole page once it has ended."""
    job = service.get_job(hub(), job_id)
    if not job.is_open:
        return "", 204, {"HX-Refresh": "true"}
    return render_template("jobs/card.html", job=job)
