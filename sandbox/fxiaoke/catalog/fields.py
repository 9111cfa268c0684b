"""Builders for field descriptions, so that an object reads as a list of its fields.

A label is given as "中文|English". The English half is kept under `_en`; keys that start with an
underscore are for the page and never leave through the API.
"""

from typing import Any

Field = dict[str, Any]


def _split(label: str) -> tuple[str, str]:
    chinese, _, english = label.partition("|")
    return chinese, english or chinese


def field(api_name: str, label: str, kind: str, **more: Any) -> Field:
    chinese, english = _split(label)
    custom = api_name.endswith("__c")
    return {
        "api_name": api_name,
        "label": chinese,
        "_en": english,
        "type": kind,
        "define_type": "custom" if custom else "package",
        "is_required": False,
        "is_active": True,
        "is_unique": False,
        "is_index": True,
        "is_single": False,
        "help_text": "",
        "default_value": "",
        "status": "new" if custom else "released",
        **more,
    }


def text(api_name: str, label: str, length: int = 256, **more: Any) -> Field:
    return field(api_name, label, "text", max_length=length, pattern="", **more)


def long_text(api_name: str, label: str, length: int = 2000, **more: Any) -> Field:
    return field(api_name, label, "long_text", max_length=length, **more)


def phone(api_name: str, label: str, **more: Any) -> Field:
    return field(api_name, label, "phone_number", max_length=100, **more)


def email(api_name: str, label: str, **more: Any) -> Field:
    return field(api_name, label, "email", max_length=100, **more)


def url(api_name: str, label: str, **more: Any) -> Field:
    return field(api_name, label, "url", max_length=1000, **more)


def number(api_name: str, label: str, *, digits: int = 14, places: int = 0, **more: Any) -> Field:
    return field(
        api_name, label, "number", length=digits, decimal_places=places, round_mode=4, **more
    )


def currency(api_name: str, label: str, **more: Any) -> Field:
    return field(
        api_name,
        label,
        "currency",
        length=12,
        decimal_places=2,
        round_mode=4,
        currency_unit="￥",
        **more,
    )


def percentile(api_name: str, label: str, **more: Any) -> Field:
    return field(api_name, label, "percentile", length=12, decimal_places=2, **more)


def date(api_name: str, label: str, **more: Any) -> Field:
    return field(api_name, label, "date", time_zone="GMT+8", date_format="yyyy-MM-dd", **more)


def date_time(api_name: str, label: str, **more: Any) -> Field:
    return field(
        api_name, label, "date_time", time_zone="GMT+8", date_format="yyyy-MM-dd HH:mm", **more
    )


def flag(api_name: str, label: str, **more: Any) -> Field:
    options = [
        {"label": "是", "_en": "Yes", "value": True},
        {"label": "否", "_en": "No", "value": False},
    ]
    return field(api_name, label, "true_or_false", options=options, **more)


def options(*pairs: str) -> list[dict[str, Any]]:
    """Options from "value=中文|English"."""
    result = []
    for pair in pairs:
        value, _, label = pair.partition("=")
        chinese, english = _split(label)
        result.append({"label": chinese, "_en": english, "value": value, "not_usable": False})
    return result


def select(api_name: str, label: str, *pairs: str, **more: Any) -> Field:
    return field(api_name, label, "select_one", options=options(*pairs), **more)


def select_many(api_name: str, label: str, *pairs: str, **more: Any) -> Field:
    return field(api_name, label, "select_many", options=options(*pairs), **more)


def reference(api_name: str, label: str, target: str, **more: Any) -> Field:
    return field(
        api_name,
        label,
        "object_reference",
        target_api_name=target,
        target_related_list_name=f"{api_name}_list",
        action_on_target_delete="set_null",
        wheres=[],
        **more,
    )


def master(api_name: str, label: str, target: str, **more: Any) -> Field:
    return field(
        api_name,
        label,
        "master_detail",
        target_api_name=target,
        is_required=True,
        is_create_when_master_create=True,
        is_required_when_master_create=False,
        **more,
    )


def employee(api_name: str, label: str, **more: Any) -> Field:
    return field(api_name, label, "employee", **{"is_single": True, **more})


def department(api_name: str, label: str, **more: Any) -> Field:
    return field(api_name, label, "department", **{"is_single": True, **more})


def auto_number(api_name: str, label: str, prefix: str, **more: Any) -> Field:
    return field(
        api_name,
        label,
        "auto_number",
        prefix=prefix,
        postfix="",
        start_number=1,
        serial_number=6,
        **more,
    )


def area_group() -> list[Field]:
    """The address block: four code fields, the detail text, and the group that holds them."""
    return [
        field("country", "国家|Country", "country"),
        field("province", "省|Province", "province", cascade_parent_api_name="country"),
        field("city", "市|City", "city", cascade_parent_api_name="province"),
        field("district", "区|District", "district", cascade_parent_api_name="city"),
        text("address", "详细地址|Address", 300),
        field("location", "定位|Location", "location"),
        field(
            "area_location",
            "地区定位|Area",
            "group",
            group_type="area",
            fields={
                "area_country": "country",
                "area_province": "province",
                "area_city": "city",
                "area_district": "district",
                "area_detail_address": "address",
                "area_location": "location",
            },
        ),
    ]


def hub_key() -> Field:
    """Where an integration keeps its own key; the tenant's admin made it unique."""
    return text("kehub_key__c", "外部主键|External key", 64, is_unique=True)


def system_fields(*, owner_required: bool = True) -> list[Field]:
    hidden = {"_hidden": True}
    return [
        text("_id", "数据ID|ID", 64, **hidden),
        employee("owner", "负责人|Owner", is_required=owner_required),
        department("data_own_department", "归属部门|Department"),
        text("owner_department", "负责人主属部门|Owner's department", **hidden),
        employee("created_by", "创建人|Created by", **hidden),
        employee("last_modified_by", "最后修改人|Last modified by", **hidden),
        date_time("create_time", "创建时间|Created", **hidden),
        date_time("last_modified_time", "最后修改时间|Last modified", **hidden),
        field(
            "record_type",
            "业务类型|Record type",
            "record_type",
            options=[
                {
                    "api_name": "default__c",
                    "label": "预设业务类型",
                    "_en": "Default",
                    "is_active": True,
                }
            ],
        ),
        select(
            "life_status",
            "生命状态|Life status",
            "ineffective=未生效|Ineffective",
            "under_review=审核中|Under review",
            "normal=正常|Normal",
            "in_change=变更中|In change",
            "invalid=作废|Invalid",
            **hidden,
        ),
        text("life_status_before_invalid", "作废前生命状态|Status before invalid", **hidden),
        select(
            "lock_status", "锁定状态|Lock status", "0=未锁定|Unlocked", "1=锁定|Locked", **hidden
        ),
        text("lock_rule", "锁定规则|Lock rule", **hidden),
        employee("lock_user", "加锁人|Locked by", **hidden),
        flag("is_deleted", "是否删除|Deleted", **hidden),
        number("version", "版本|Version", **hidden),
        field("relevant_team", "相关团队|Team", "embedded_object_list", **hidden),
        text("origin_source", "数据来源|Origin", **hidden),
    ]


SYSTEM_WRITTEN = frozenset(
    {
        "_id", "owner_department", "created_by", "last_modified_by", "create_time",
        "last_modified_time", "life_status", "life_status_before_invalid", "lock_status",
        "lock_rule", "lock_user", "is_deleted", "version", "tenant_id", "package",
        "object_describe_api_name", "object_describe_id", "extend_obj_data_id", "origin_source",
    }
)  # fmt: skip


def describe(
    api_name: str, label: str, fields: list[Field], *, owner_required: bool = True, **more: Any
) -> dict[str, Any]:
    chinese, english = _split(label)
    every = [*fields, *system_fields(owner_required=owner_required)]
    return {
        "api_name": api_name,
        "display_name": chinese,
        "_en": english,
        "define_type": "custom" if api_name.endswith("__c") else "package",
        "is_active": True,
        "package": "CRM",
        "fields": {one["api_name"]: one for one in every},
        **more,
    }
