"""Messages to employees: checked and counted, shown to nobody."""

from typing import TYPE_CHECKING, Any

from sandbox.fxiaoke.caller import Caller
from sandbox.fxiaoke.errors import ACTOR_UNKNOWN, ApiError
from sandbox.fxiaoke.routes import route

if TYPE_CHECKING:
    from sandbox.fxiaoke.world import World

MAX_RECEIVERS = 500
KINDS = ("text", "composite", "articles")


@route("/cgi/message/send", kind="write", data=False, message="success")
def send(world: "World", caller: Caller) -> dict[str, Any]:
    receivers, kind = caller.body.get("toUser"), caller.body.get("msgType")
    if not receivers:
        raise ApiError(10015, "参数 toUser 缺失")
    if not isinstance(receivers, list) or len(receivers) > MAX_RECEIVERS:
        raise ApiError(11016, "参数 toUser 不合法")
    if kind not in KINDS:
        raise ApiError(11017, "参数 msgType 不合法")
    for one in receivers:
        if world.people.inward(one, caller.convert_user_id) is None:
            raise ApiError(ACTOR_UNKNOWN, f"接收人 {one} 不存在")
    text = caller.body.get("text")
    if kind == "text" and not (isinstance(text, dict) and text.get("content")):
        raise ApiError(12005, "文本消息内容为空")
    return {}
