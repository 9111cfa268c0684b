"""Backups: making and fetching them, and going on after one was put back."""

from flask import Blueprint, flash, redirect, render_template, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from sync.service import backups as service
from webui import auth
from webui.auth import hub, needs

screens = Blueprint("backups", __name__, url_prefix="/backups")


@screens.get("")
@needs("viewer")
def backups() -> ResponseReturnValue:
    """What there is, and what waits after a restore."""
    restored = service.restored_state(hub())
    compared = restored.plan if restored else None
    return render_template(
        "backups/backups.html",
        backups=service.list_backups(hub()),
        folder=service.folder(hub()),
        restored=restored,
        approval=service.approval(hub(), compared.id) if compared else None,
        making=service.last_backup(hub()),
        proofs=service.proofs(hub()),
    )


@screens.post("")
@needs("admin")
def make() -> ResponseReturnValue:
    """A backup while the hub works, in a worker."""
    service.start_backup(hub(), actor=auth.actor())
    return redirect(url_for("backups.backups"), 303)


@screens.post("/<name>/verify")
@needs("admin")
def verify(name: str) -> ResponseReturnValue:
    """Has a worker prove a backup by restoring it into a scratch database."""
    service.start_proof(hub(), name, actor=auth.actor())
    return redirect(url_for("backups.backups"), 303)


@screens.get("/<name>/file")
@needs("admin")
def download(name: str) -> ResponseReturnValue:
    """The file itself; it is sealed."""
    path = service.stored(hub(), name)
    service.note_download(hub(), name, actor=auth.actor())
    return send_file(path.absolute(), as_attachment=True, download_name=name)


@screens.post("/compare")
@needs("admin")
def compare() -> ResponseReturnValue:
    """After a restore: reads all systems and shows what was re-learned."""
    made = service.start_compare(hub(), actor=auth.actor())
    return redirect(url_for("plans.plan", plan_id=made.id), 303)


@screens.post("/approve/<int:plan_id>")
@needs("admin")
def approve(plan_id: int) -> ResponseReturnValue:
    """Lets the hub go on as the comparison has shown."""
    service.start_approval(hub(), plan_id, actor=auth.actor())
    flash(gettext("Approved. The hub takes everything in, then it writes again."), "success")
    return redirect(url_for("backups.backups"), 303)
