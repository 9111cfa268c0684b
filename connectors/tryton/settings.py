"""The settings of a Tryton system."""

from typing import Any, Literal

from pydantic import Field, SecretStr, field_validator

from connectors.sdk.config import ConnectorConfig


def _zh(title: str, description: str) -> dict[str, Any]:
    return {"zh": {"title": title, "description": description}}


class TrytonConfig(ConnectorConfig):
    """Where Tryton is, who we are there, and how parties are to be read."""

    url: str = Field(
        title="Address",
        description="Address of the Tryton server, such as https://erp.example.com:8000.",
        json_schema_extra=_zh("地址", "Tryton 服务器地址,例如 https://erp.example.com:8000。"),
    )
    database: str = Field(
        min_length=1,
        title="Database",
        description="Name of the database, as in Tryton's login window.",
        json_schema_extra=_zh("数据库", "数据库名称,与 Tryton 登录窗口中的一致。"),
    )
    login: str = Field(
        min_length=1,
        title="Login",
        description="Login of the integration user; give the hub a user of its own.",
        json_schema_extra=_zh("登录名", "集成用户的登录名;请为本系统单独建立一个用户。"),
    )
    password: SecretStr = Field(
        title="Password",
        description="Password of that user.",
        json_schema_extra=_zh("密码", "该用户的密码。"),
    )
    company: int | None = Field(
        None,
        title="Company",
        description="Id of the company to work in; empty takes the user's current company.",
        json_schema_extra=_zh("公司", "要使用的公司编号;留空则用该用户的当前公司。"),
    )
    category: str = Field(
        "",
        title="Customer category",
        description="Only parties of this party category are customers; empty takes all parties.",
        json_schema_extra=_zh("客户类别", "只把此类别的往来单位视为客户;留空则全部视为客户。"),
    )
    person_category: str = Field(
        "Person",
        title="Person category",
        description="Party category that marks persons; Tryton knows no other difference.",
        json_schema_extra=_zh("个人类别", "标记个人的往来单位类别;Tryton 本身不区分个人与单位。"),
    )
    contacts: bool = Field(
        True,
        title="Contacts",
        description="Sync contact persons; needs the module party_relationship.",
        json_schema_extra=_zh("联系人", "同步联系人;需要 party_relationship 模块。"),
    )
    contact_relation: str = Field(
        "works for",
        title="Contact relation",
        description="Name of the relation type from a contact person to the customer.",
        json_schema_extra=_zh("联系人关系", "从联系人指向客户的关系类型名称。"),
    )
    facts: bool = Field(
        True,
        title="Orders and invoices",
        description="Read sales, invoices and payments; needs the modules sale and account_invoice.",
        json_schema_extra=_zh(
            "订单与发票", "读取销售、发票和收款;需要 sale 与 account_invoice 模块。"
        ),
    )
    on_delete: Literal["archive", "delete"] = Field(
        "archive",
        title="On delete",
        description="What a delete does here: archive the party, or remove it for good.",
        json_schema_extra=_zh("删除方式", "删除时的处理:archive 为归档,delete 为彻底删除。"),
    )
    unknown_region: Literal["refuse", "leave_out"] = Field(
        "refuse",
        title="Unknown region",
        description="What to do with a province that Tryton does not list: refuse the record, "
        "or write the address without it.",
        json_schema_extra=_zh(
            "未知地区", "Tryton 中没有该省份时:refuse 拒绝整条记录,leave_out 写入时略去省份。"
        ),
    )
    overlap_seconds: int = Field(
        60,
        ge=5,
        le=3600,
        title="Overlap",
        description="Seconds that each poll reads again, for changes that were saved slowly.",
        json_schema_extra=_zh("重叠秒数", "每次轮询重复读取的秒数,防止漏掉提交较慢的变更。"),
    )

    @field_validator("url")
    @classmethod
    def _address(cls, url: str) -> str:
        if not url.startswith(("http://", "https://")):
            raise ValueError("The address must begin with http:// or https://.")
        return url.rstrip("/")
