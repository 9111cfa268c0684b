"""Object list, describe and area codes."""

from typing import TYPE_CHECKING, Any

from sandbox.fxiaoke.actions.common import find_object
from sandbox.fxiaoke.areas import areas
from sandbox.fxiaoke.caller import Caller
from sandbox.fxiaoke.describes import public
from sandbox.fxiaoke.errors import PARAMETER_WRONG, ApiError
from sandbox.fxiaoke.routes import route
from sandbox.fxiaoke.values import AREAS

if TYPE_CHECKING:
    from sandbox.fxiaoke.world import World

Row = dict[str, Any]


@route("/cgi/crm/v2/object/list", data=False)
def object_list(world: "World", caller: Caller) -> Row:
    return {
        "data": {
            "objects": [
                {
                    "describeApiName": describe["api_name"],
                    "describeDisplayName": describe["display_name"],
                    "defineType": describe["define_type"],
                    "isActive": describe["is_active"],
                    "iconPath": "",
                    "iconIndex": position,
                    "hideButton": False,
                    "publicObject": False,
                }
                for position, describe in enumerate(world.describes.all())
            ]
        }
    }


@route("/cgi/crm/v2/object/describe", data=False)
def object_describe(world: "World", caller: Caller) -> Row:
    data = caller.body.get("data")
    places = [data if isinstance(data, dict) else {}, caller.body]
    api_name = next((one["apiName"] for one in places if one.get("apiName")), None)
    if api_name is None:
        raise ApiError(PARAMETER_WRONG, "参数 apiName 缺失")
    find_object(world, api_name)
    shown = _shown(world, api_name)
    if any(one.get("includeDetail") is True for one in places):
        shown["detailDescribes"] = {
            detail: _shown(world, detail) for detail in world.describes.details_of(api_name)
        }
    return {"data": {"describe": shown}}


def _shown(world: "World", api_name: str) -> Row:
    shown = public(world.describes.known(api_name))
    for field in shown["fields"].values():
        if field["type"] in AREAS:
            field["options"] = []
    return shown


@route("/cgi/crm/countryAreaOptions/get", data=False)
def country_areas(world: "World", caller: Caller) -> Row:
    return {"countryAreaOptions": areas().tree()}
