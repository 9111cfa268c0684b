"""Whether this process works, for supervisors and monitors."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from sync.service import health
from webui.auth import PUBLIC, hub, needs

screens = Blueprint("health", __name__)


@screens.get("/healthz")
@needs(PUBLIC)
def healthz() -> ResponseReturnValue:
    """200 while the hub can work; a broker that is away makes it slow, not broken."""
    found = health.check(hub())
    facts = {
        "ok": found.ok,
        "database": found.database,
        "schema_current": found.schema_current,
        "broker": found.broker,
    }
    return facts, 200 if found.ok else 503
