"""The API's documentation, with our own copy of Swagger UI."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from webui.auth import needs

screens = Blueprint("docs", __name__)


@screens.get("/docs")
@needs("viewer")
def docs() -> ResponseReturnValue:
    """Swagger UI over `/openapi.json`."""
    return render_template("docs.html")
