"""File upload in two steps: a credential, then the bytes to the address that it names."""

from typing import TYPE_CHECKING, Any

from sandbox.fxiaoke.caller import Caller
from sandbox.fxiaoke.errors import PARAMETER_WRONG, ApiError
from sandbox.fxiaoke.routes import route

if TYPE_CHECKING:
    from sandbox.fxiaoke.world import World

Row = dict[str, Any]
MAX_BYTES = 104_857_600


@route("/cgi/crm/v2/generatorFileUploadCredential", data=False)
def credential(world: "World", caller: Caller) -> Row:
    place = caller.body.get("data")
    given = place if isinstance(place, dict) else caller.body
    seconds, size = given.get("expireTime", 3600), given.get("fileSize")
    if type(seconds) is not int or not 60 <= seconds <= 604_800:
        raise ApiError(PARAMETER_WRONG, "expireTime 须在 60 到 604800 之间")
    if type(size) is not int or not 0 < size <= MAX_BYTES:
        raise ApiError(PARAMETER_WRONG, f"fileSize 须在 1 到 {MAX_BYTES} 之间")
    if given.get("resourceType", "TN") not in {"N", "TN"}:
        raise ApiError(PARAMETER_WRONG, "resourceType 须为 N 或 TN")
    if not isinstance(given.get("filename"), str) or not isinstance(given.get("extension"), str):
        raise ApiError(PARAMETER_WRONG, "参数 filename 或 extension 缺失")
    ticket = world.uploads.open(
        kind=given.get("resourceType", "TN"),
        size=size,
        extension=given["extension"].lstrip("."),
        until=world.clock.now_ms() + seconds * 1000,
    )
    return {"data": {"url": f"{caller.base_url}/upload/{ticket}", "headers": {"x-ticket": ticket}}}
