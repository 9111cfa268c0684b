"""The settings of a 纷享销客 tenant."""

import base64
import binascii
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from connectors.sdk.config import ConnectorConfig


def _zh(title: str, description: str) -> dict[str, Any]:
    return {"zh": {"title": title, "description": description}}


class FxiaokeConfig(ConnectorConfig):
    """One tenant, reached through one self-built application."""

    base_url: str = Field(
        "https://open.fxiaoke.com",
        pattern=r"^https?://[^\s/]+/?$",
        title="API address",
        description="`open-` in front of the domain you log in at. The www address is not the API.",
        json_schema_extra=_zh(
            "接口地址", "登录域名前加 open-，默认为 https://open.fxiaoke.com；www 地址不是接口。"
        ),
    )
    app_id: str = Field(
        min_length=1,
        title="App ID",
        description="Of the self-built application, begins with FSAID_.",
        json_schema_extra=_zh("应用 ID", "企业自建应用的 appId，以 FSAID_ 开头。"),
    )
    app_secret: SecretStr = Field(
        title="App secret",
        description="Shown on the application's page in the admin console.",
        json_schema_extra=_zh("应用密钥", "管理后台应用详情页上的 appSecret。"),
    )
    permanent_code: SecretStr = Field(
        title="Permanent code",
        description="Shown beside the app secret; it ties the application to your company.",
        json_schema_extra=_zh("永久授权码", "与密钥同页的 permanentCode，把应用绑定到本企业。"),
    )
    convention: Literal["header", "body"] = Field(
        "header",
        title="Request convention",
        description="`header` for the current API, `body` for older tenants and white labels.",
        json_schema_extra=_zh("请求方式", "新接口用 header；老租户或贴牌部署用 body。"),
    )
    user_id: str = Field(
        "",
        title="Acting employee",
        description="Employee number (header, e.g. 1000) or FSUID_… (body) of an employee with "
        "the CRM administrator role, best one that only the hub uses.",
        json_schema_extra=_zh(
            "操作员工",
            "拥有 CRM 管理员角色的专用员工：header 填员工编号（如 1000），body 填 FSUID_…。",
        ),
    )
    mobile: str = Field(
        "",
        title="Acting employee's mobile number",
        description="Only for the body convention: finds the employee when no FSUID_… is given.",
        json_schema_extra=_zh("操作员工手机号", "仅 body 方式：未填 FSUID 时按手机号查找员工。"),
    )
    owner_id: str = Field(
        "",
        title="Owner of new records",
        description="Employee who gets the records that the hub creates; empty: the acting one.",
        json_schema_extra=_zh("新数据负责人", "中台新建数据的负责人；留空则为操作员工。"),
    )
    hub_key_field: str = Field(
        "kehub_key__c",
        pattern=r"^[A-Za-z0-9_]+__c$",
        title="Hub key field",
        description="API name of the text field, on every synced object, that carries our key.",
        json_schema_extra=_zh("外部主键字段", "各同步对象上存放中台主键的自定义文本字段 API 名。"),
    )
    callback_secret: SecretStr | None = Field(
        None,
        title="Callback secret",
        description="The Base64 key of the event subscription; without it there is only polling.",
        json_schema_extra=_zh("回调密钥", "事件订阅的 Base64 密钥；不填则只轮询。"),
    )
    callback_max_age: int = Field(
        600,
        ge=10,
        le=86_400,
        title="Longest age of a callback (s)",
        description="Older callbacks are refused as replays.",
        json_schema_extra=_zh("回调最长时效（秒）", "超过此时长的回调视为重放而拒绝。"),
    )
    ea: str = Field(
        "",
        title="Enterprise account",
        description="Callbacks of other companies are refused; empty: learned with the token.",
        json_schema_extra=_zh("企业账号", "拒绝其他企业的回调；留空则随令牌获得。"),
    )
    trigger_workflow: bool = Field(
        default=False,
        title="Start workflows",
        description="Whether the hub's writes start the tenant's workflows.",
        json_schema_extra=_zh("触发工作流", "中台写入时是否触发租户的工作流。"),
    )
    trigger_approval: bool = Field(
        default=False,
        title="Start approvals",
        description="Whether the hub's writes go through approval. Rows under approval wait.",
        json_schema_extra=_zh("触发审批流", "中台写入是否走审批；审批中的数据会等待。"),
    )
    page_size: int = Field(
        100,
        ge=1,
        le=100,
        title="Page size",
        description="Rows per query; the system allows 100.",
        json_schema_extra=_zh("每页条数", "每次查询的行数，系统上限 100。"),
    )
    calls_per_20_seconds: int = Field(
        90,
        ge=1,
        le=1_000_000,
        title="Calls per 20 seconds and interface",
        description="The system allows 100; a dedicated database allows more.",
        json_schema_extra=_zh("每接口 20 秒调用数", "系统上限 100；专属数据库可更高。"),
    )
    parallel: int = Field(
        4,
        ge=1,
        le=8,
        title="Writes at the same time",
        description="There is no batch write, so a slow system gets up to so many calls at once.",
        json_schema_extra=_zh("并行写入数", "系统没有批量写入，响应较慢时最多同时发送这么多条。"),
    )
    unknown_area: Literal["refuse", "leave_out_abroad", "leave_out"] = Field(
        "leave_out_abroad",
        title="Areas that the system does not list",
        description="Provinces, cities and districts are picked from the system's own list, "
        "which is complete for China only. `refuse` makes a dead letter of a record with any "
        "other name, `leave_out_abroad` does so only for China, `leave_out` never.",
        json_schema_extra=_zh(
            "列表之外的地区",
            "省市区取自系统自带的列表，该列表只对中国完整。refuse：名称不在列表中的数据一律拒绝；"
            "leave_out_abroad：仅中国地址拒绝，国外地址留空该级；leave_out：一律留空。",
        ),
    )
    overlap_seconds: int = Field(
        300,
        ge=0,
        le=86_400,
        title="Overlap of two polls (s)",
        description="Each poll reads again what changed so long before the last one.",
        json_schema_extra=_zh("轮询重叠（秒）", "每次轮询重读上次之前这段时间的变更。"),
    )
    lag_seconds: float = Field(
        2.0,
        ge=0,
        le=600,
        title="Lag of the cursor (s)",
        description="The next poll begins so much earlier than this one began, beside the overlap.",
        json_schema_extra=_zh("游标滞后（秒）", "除重叠外，下次轮询起点再提前这么久。"),
    )
    locked_retry_seconds: int = Field(
        3600,
        ge=60,
        le=86_400,
        title="Retry of locked records (s)",
        description="How long a write waits for a record that is locked or under approval.",
        json_schema_extra=_zh("锁定数据重试（秒）", "数据锁定或审批中时，写入等待多久再试。"),
    )
    generic_product_code: str = Field(
        "KEHUB-OTHER",
        min_length=1,
        max_length=64,
        title="Product code of lines without a product",
        description="Order lines need a product here; lines that name none get this one.",
        json_schema_extra=_zh("无产品行的产品编码", "订单行必须有产品；没有产品的行用此产品。"),
    )

    @field_validator("base_url")
    @classmethod
    def _without_slash(cls, value: str) -> str:
        return value.rstrip("/")

    @field_validator("callback_secret")
    @classmethod
    def _is_an_aes_256_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None or not value.get_secret_value():
            return None
        try:
            key = base64.b64decode(value.get_secret_value(), validate=True)
        except binascii.Error as exc:
            raise ValueError("The callback secret is not Base64.") from exc
        if len(key) != 32:
            raise ValueError("The callback secret must be 32 bytes in Base64.")
        return value

    @model_validator(mode="after")
    def _names_an_employee(self) -> Self:
        if self.convention == "header" and not self.user_id:
            raise ValueError("The header convention needs the acting employee's number.")
        if self.convention == "body" and not (self.user_id or self.mobile):
            raise ValueError("The body convention needs the acting employee's FSUID_… or mobile.")
        return self
