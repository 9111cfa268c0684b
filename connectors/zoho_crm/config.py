"""The settings of one Zoho organisation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AnyHttpUrl, BeforeValidator, Field, SecretStr

from connectors.sdk.config import ConnectorConfig

DataCentre = Literal["US", "EU", "IN", "AU", "JP", "CN", "CA", "SA"]
Automation = Literal["workflow", "approval", "blueprint", "pathfinder", "orchestration"]


@dataclass(frozen=True, slots=True)
class Hosts:
    """Where a data centre grants tokens and where it answers calls."""

    accounts: str
    api: str


HOSTS: Mapping[str, Hosts] = {
    "US": Hosts("https://accounts.zoho.com", "https://www.zohoapis.com"),
    "EU": Hosts("https://accounts.zoho.eu", "https://www.zohoapis.eu"),
    "IN": Hosts("https://accounts.zoho.in", "https://www.zohoapis.in"),
    "AU": Hosts("https://accounts.zoho.com.au", "https://www.zohoapis.com.au"),
    "JP": Hosts("https://accounts.zoho.jp", "https://www.zohoapis.jp"),
    "CN": Hosts("https://accounts.zoho.com.cn", "https://www.zohoapis.com.cn"),
    "CA": Hosts("https://accounts.zohocloud.ca", "https://www.zohoapis.ca"),
    "SA": Hosts("https://accounts.zoho.sa", "https://www.zohoapis.sa"),
}


def _words(value: Any) -> Any:
    """A form sends `workflow, approval` where a file has a list; both are meant."""
    if isinstance(value, str):
        return tuple(word.strip() for word in value.split(",") if word.strip())
    return value


def _blank_is_none(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


OptionalUrl = Annotated[AnyHttpUrl | None, BeforeValidator(_blank_is_none)]


def _zh(title: str, description: str) -> dict[str, Any]:
    return {"zh": {"title": title, "description": description}}


class ZohoConfig(ConnectorConfig):
    """Settings of a Zoho CRM system."""

    data_centre: DataCentre = Field(
        "US",
        title="Data centre",
        description="Where the organisation lives: see the ending of the address of its CRM "
        "(.com is US, .eu, .in, .com.au, .jp, .com.cn, zohocloud.ca, .sa).",
        json_schema_extra=_zh(
            "数据中心",
            "组织所在的数据中心,看 CRM 网址的后缀(.com 为 US、.eu、.in、.com.au、.jp、.com.cn、"
            "zohocloud.ca、.sa)。",
        ),
    )
    client_id: str = Field(
        min_length=1,
        title="Client ID",
        description="Of the self client in the Zoho API console of that data centre.",
        json_schema_extra=_zh(
            "客户端 ID", "该数据中心 Zoho API 控制台中 Self Client 的客户端 ID。"
        ),
    )
    client_secret: SecretStr = Field(
        min_length=1,
        title="Client secret",
        description="Stands beside the client ID in the Zoho API console.",
        json_schema_extra=_zh("客户端密钥", "在 Zoho API 控制台中位于客户端 ID 旁边。"),
    )
    refresh_token: SecretStr = Field(
        min_length=1,
        title="Refresh token",
        description="Got once for the code of the self client; the README shows the call.",
        json_schema_extra=_zh("刷新令牌", "用 Self Client 的授权码换取一次即可,命令见 README。"),
    )
    accounts_url: OptionalUrl = Field(
        None,
        title="Accounts URL",
        description="Only where tokens come from another address than the data centre's own.",
        json_schema_extra=_zh("账户服务地址", "仅当令牌服务不在数据中心默认地址时填写。"),
    )
    api_url: OptionalUrl = Field(
        None,
        title="API URL",
        description="Only to fix the address of the API, such as a Zoho sandbox; else the address "
        "that comes with each token is used.",
        json_schema_extra=_zh(
            "API 地址", "仅当需要固定 API 地址(如 Zoho 沙箱)时填写;否则使用令牌返回的地址。"
        ),
    )
    hub_key_field: str = Field(
        "Hub_Key",
        pattern=r"^[A-Za-z][A-Za-z0-9_]*$",
        title="Field of the hub key",
        description="API name of the unique text field that carries the hub's key, the same in "
        "every module.",
        json_schema_extra=_zh(
            "中枢键字段", "保存中枢键的唯一文本字段的 API 名称,各模块须使用相同名称。"
        ),
    )
    bulk_threshold: int = Field(
        2000,
        ge=0,
        title="Bulk read above",
        description="A first load of more records than this uses one bulk export instead of a "
        "listing. 0: never.",
        json_schema_extra=_zh(
            "批量导出阈值", "首次加载的记录数超过该值时使用批量导出而不是逐页读取。0 表示从不。"
        ),
    )
    notifications: bool = Field(
        True,
        title="Notifications",
        description="Let Zoho tell of changes at once; without, they arrive with the next poll.",
        json_schema_extra=_zh("变更通知", "让 Zoho 即时推送变更;关闭后变更随下次轮询到达。"),
    )
    triggers: Annotated[tuple[Automation, ...], BeforeValidator(_words)] = Field(
        (),
        title="Automation to run",
        description="What Zoho runs when the hub writes a record. Empty: nothing.",
        json_schema_extra=_zh("触发的自动化", "中枢写入记录时 Zoho 执行的自动化。留空则都不执行。"),
    )
    owner_fallback: str = Field(
        "",
        title="Owner where the owner has left",
        description="Mail address of the Zoho user who gets the records of owners that are not "
        "active in Zoho. Empty: such a record is refused and shown. Only where a mapping writes "
        "owners.",
        json_schema_extra=_zh(
            "离职负责人的接手人",
            "负责人在 Zoho 中已停用或不存在时,由该邮箱的用户接手。留空则拒绝该记录并提示。"
            "仅当映射会写入负责人时有效。",
        ),
    )
    sales_documents: bool = Field(
        True,
        title="Orders and invoices",
        description="Show the ERP's orders and invoices as Sales Orders and Invoices. Switch off "
        "where the edition has no inventory modules.",
        json_schema_extra=_zh(
            "订单与发票", "将 ERP 的订单和发票写入销售订单与发票模块。没有库存模块的版本请关闭。"
        ),
    )
    line_product: str = Field(
        "ERP item",
        min_length=1,
        max_length=200,
        title="Product for other lines",
        description="Name of the product that stands in an order line without a product; made "
        "when it is needed first.",
        json_schema_extra=_zh("默认产品", "订单行没有产品时使用的产品名称;首次需要时自动创建。"),
    )

    @property
    def accounts_base(self) -> str:
        """Where tokens are granted, without a slash at the end."""
        return str(self.accounts_url or HOSTS[self.data_centre].accounts).rstrip("/")

    @property
    def fixed_api_base(self) -> str | None:
        """The address of the API where the settings fix it."""
        return str(self.api_url).rstrip("/") if self.api_url else None
