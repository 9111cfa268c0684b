"""Webhooks in: proven, stored, answered."""

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from sync.service import intake
from sync.service.intake import DeliveryRefusedError
from webui.auth import PUBLIC, hub, needs
from webui.limits import HOOKS, limiter

screens = Blueprint("hooks", __name__, url_prefix="/hooks")


@screens.route("/<system>/<key>", methods=["GET", "POST"])
@needs(PUBLIC)
@limiter.limit(HOOKS)
def take(system: str, key: str) -> ResponseReturnValue:
    """A delivery. Its answer is the vendor's own form; a refusal says little."""
    try:
        answer = intake.take_delivery(
            hub(),
            system,
            key,
            headers=dict(request.headers),
            query=request.args.to_dict(),
            body=request.get_data(cache=False),
        )
    except DeliveryRefusedError:
        return {"error": "refused"}, 403
    return Response(answer.body, status=answer.status, content_type=answer.content_type)
