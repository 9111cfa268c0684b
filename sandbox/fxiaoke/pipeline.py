"""Answers one API call: the vendor's order of checks, faults on order, counting, the envelope."""

import dataclasses
import json
import re
import secrets
import time
import traceback
from typing import TYPE_CHECKING, Any

from sandbox.fxiaoke.caller import Caller
from sandbox.fxiaoke.errors import (
    ACTOR_UNKNOWN,
    EMPTY_BODY,
    PARAMETER_MISSING,
    PARAMETER_WRONG,
    TENANT_UNKNOWN,
    TOKEN_DEAD,
    UNKNOWN_PATH,
    ApiError,
    BadShape,
    Refused,
)
from sandbox.fxiaoke.people import Employee
from sandbox.fxiaoke.present import encode
from sandbox.fxiaoke.routes import ROUTES, Route

if TYPE_CHECKING:
    from sandbox.fxiaoke.world import World

TOKEN_PATHS = ("/oauth2.0/token", "/cgi/corpAccessToken/get/V2")
STARTS_AUTOMATION = ("/data/create", "/data/update", "/data/invalid")  # unless told not to
AUTOMATION_FLAGS = {"triggerWorkFlow": "workflow", "triggerApprovalFlow": "approval"}
DIRECTORY_PATHS = ("/cgi/user/", "/cgi/department/")
GATEWAY_PAGE = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
_BEARER = re.compile(r"Bearer\s+(\S+)", re.IGNORECASE)


@dataclasses.dataclass
class Call:
    """A request without its transport."""

    method: str
    path: str
    headers: Any
    query: Any
    raw: bytes
    base_url: str = ""
    user_id: str | None = None
    started: float = dataclasses.field(default_factory=time.monotonic)


@dataclasses.dataclass(frozen=True)
class Answer:
    body: bytes
    status: int = 200
    content_type: str = "application/json;charset=UTF-8"
    hang_up: bool = False


class Pipeline:
    def __init__(self, world: "World") -> None:
        self._world = world

    def answer(self, call: Call) -> Answer:
        faults = self._world.faults.take(call.path)
        for fault in faults:
            if fault.kind == "slow":
                time.sleep(fault.delay_ms / 1000)
        failing = next((fault for fault in faults if fault.kind != "slow"), None)
        if failing and failing.kind == "drop_connection":
            return Answer(b"", hang_up=True)
        if failing and failing.kind == "http":
            return Answer(GATEWAY_PAGE.encode(), failing.status, "text/html")
        forced = failing.code if failing and failing.kind == "error" else None
        reply = self._reply(call, forced)
        self._count(call, reply)
        if failing and failing.kind == "drop_answer":
            return Answer(b"", hang_up=True)
        return Answer(encode(reply))

    def _reply(self, call: Call, forced: int | None) -> dict[str, Any]:
        try:
            if forced is not None:
                raise ApiError(forced, "系统繁忙，请稍后重试")
            message, extra = self._work(call)
        except Refused as error:
            code = self._world.switches["business_error_code"]
            return self._envelope(call, code, error.message, error.description)
        except BadShape as error:
            code = self._world.switches["null_pointer_code"]
            return self._envelope(call, code, error.message, error.description)
        except ApiError as error:
            return self._envelope(call, error.code, error.message, error.description, error.extra)
        except Exception:
            # A fault of the stand-in itself; the traceback goes to stderr, the caller sees -2.
            traceback.print_exc()
            return self._envelope(call, -2, "系统错误", "stand-in failure, see its stderr")
        return self._envelope(call, 0, message, "success", extra)

    def _work(self, call: Call) -> tuple[str, dict[str, Any]]:
        route = ROUTES.get(call.path)
        if call.method != "POST" or (route is None and call.path not in TOKEN_PATHS):
            raise ApiError(
                UNKNOWN_PATH, f"the request uri=[{call.path}], apiName=[null] is not exists"
            )
        body = _parse(call.raw)
        if route is None:
            return "success", self._grant(call, body)
        caller = self._identify(call, body, route.family)
        self._world.limits.check_app()
        self._world.limits.count_day()
        self._world.limits.admit(call.path, self._world.switches["throttle_code"])
        _check_shape(route, body)
        return route.message, route.action(self._world, caller)

    def _grant(self, call: Call, body: dict[str, Any]) -> dict[str, Any]:
        known = self._world.credentials
        if call.path == "/oauth2.0/token" and body.get("grantType") != "app_secret":
            raise ApiError(10006, "grantType is missing or illegal", "参数 grantType 不合法",
                           error="unsupported_grant_type")  # fmt: skip
        token, left = self._world.tokens.grant(body)
        if call.path == "/oauth2.0/token":
            return {
                "accessToken": token, "expiresIn": left, "openUserId": known["corp_id"],
                "appId": known["app_id"], "ea": known["ea"],
            }  # fmt: skip
        return {"corpAccessToken": token, "corpId": known["corp_id"], "expiresIn": left}

    # -- who calls --------------------------------------------------------------------------

    def _identify(self, call: Call, body: dict[str, Any], family: str) -> Caller:
        header = call.headers.get("authorization")
        if header:
            employee, converted = self._by_header(call, body, header), False
        elif body.get("corpAccessToken") or body.get("corpId"):
            employee, converted = self._by_body(call, body), True
        else:
            raise ApiError(TENANT_UNKNOWN, "参数 corpAccessToken 不能为空")
        if not employee.is_active:
            raise ApiError(20014, "应用没有该员工的权限")
        call.user_id = employee.user_id
        flags = Caller(employee, converted, converted, body)
        return Caller(
            employee,
            flags.flag("convertUserId", converted),
            flags.flag("convertMediaId", converted),
            body,
            call.base_url,
            family,
        )

    def _by_header(self, call: Call, body: dict[str, Any], header: str) -> Employee:
        found = _BEARER.fullmatch(header.strip())
        ea = call.headers.get("x-fs-ea")
        if "corpId" in body and not ea:
            # Half of one convention, half of the other.
            raise ApiError(TENANT_UNKNOWN, "企业ID不存在")
        if not found or ea != self._world.ea or not self._world.tokens.is_live(found[1]):
            raise ApiError(TOKEN_DEAD, "the corpId, corpAccessToken or authorization is wrong")
        if self._world.switches["require_thirdTraceId"] and not call.query.get("thirdTraceId"):
            raise ApiError(PARAMETER_WRONG, "参数 thirdTraceId 缺失")
        user_id = call.headers.get("x-fs-userid")
        if not user_id:
            raise ApiError(PARAMETER_MISSING, "参数 x-fs-userid 缺失")
        employee = self._world.people.find(user_id)
        if employee is None:
            raise ApiError(ACTOR_UNKNOWN, "x-fs-userid 不存在")
        return employee

    def _by_body(self, call: Call, body: dict[str, Any]) -> Employee:
        live = self._world.tokens.is_live(body.get("corpAccessToken"))
        if not live or body.get("corpId") != self._world.credentials["corp_id"]:
            raise ApiError(TOKEN_DEAD, "the corpId, corpAccessToken or authorization is wrong")
        actor = body.get("currentOpenUserId")
        if not actor and call.path.startswith(DIRECTORY_PATHS):
            # These are how a caller finds its own id, so they work without one.
            return self._world.people.known(self._world.credentials["user_id"])
        if not actor:
            raise ApiError(PARAMETER_MISSING, "参数 currentOpenUserId 缺失")
        employee = self._world.people.find_open(actor)
        if employee is None:
            raise ApiError(ACTOR_UNKNOWN, "currentOpenUserId 不存在")
        return employee

    # -- reply and count --------------------------------------------------------------------

    def _envelope(
        self,
        call: Call,
        code: int,
        message: str,
        description: str,
        extra: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        return {
            "errorCode": code,
            "errorMessage": message,
            "errorDescription": description,
            "traceId": self._trace(call),
            **(extra or {}),
        }

    def _trace(self, call: Call) -> str:
        number = secrets.token_hex(8)
        if call.path in TOKEN_PATHS or call.path not in ROUTES:
            return f"open-api-gateway-web/{number}"
        if call.user_id is None:
            return f"E-O.null.-1000-{number}"
        return f"E-O.{self._world.ea}.{call.user_id}-{number}"

    def _count(self, call: Call, reply: dict[str, Any]) -> None:
        route = ROUTES.get(call.path)
        kind = "token" if call.path in TOKEN_PATHS else route.kind if route else "read"
        self._world.counters.call(call.path, kind, reply["errorCode"])
        if kind != "write":
            return
        if reply["errorCode"] == 0 and call.path.endswith(STARTS_AUTOMATION):
            self._world.counters.fired(_automation_of(call.raw))
        self._world.counters.log_write(
            {
                "at": self._world.clock.now_ms(),
                "path": call.path,
                "user": call.user_id,
                "data": _data_of(call.raw),
                "errorCode": reply["errorCode"],
                "errorMessage": reply["errorMessage"],
                "dataId": reply.get("dataId"),
                "ms": round((time.monotonic() - call.started) * 1000, 1),
            }
        )


def _parse(raw: bytes) -> dict[str, Any]:
    if not raw.strip():
        raise ApiError(EMPTY_BODY, "POST 请求内容为空")
    try:
        body = json.loads(raw)
    except ValueError:
        raise ApiError(PARAMETER_WRONG, "参数错误：请求内容不是 JSON") from None
    if not isinstance(body, dict):
        raise ApiError(PARAMETER_WRONG, "参数错误：请求内容不是 JSON 对象")
    if b"\\ud" in raw.lower() and not _is_sound(body):
        raise ApiError(PARAMETER_WRONG, "参数错误：请求内容含有无效字符")
    return body


def _is_sound(body: dict[str, Any]) -> bool:
    """Whether every text can be written as UTF-8: half of a surrogate pair cannot."""
    try:
        json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _automation_of(raw: bytes) -> list[str]:
    given = json.loads(raw)
    return [name for flag, name in AUTOMATION_FLAGS.items() if given.get(flag, True) is not False]


def _data_of(raw: bytes) -> Any:
    try:
        return json.loads(raw).get("data")
    except (ValueError, AttributeError):
        return None


def _check_shape(route: Route, body: dict[str, Any]) -> None:
    if route.wants_data and not isinstance(body.get("data"), dict):
        raise BadShape
