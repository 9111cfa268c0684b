"""The customer's own objects: accounts, their addresses, contacts, leads and opportunities."""

from typing import Any

from sandbox.fxiaoke.catalog.fields import (
    area_group,
    auto_number,
    currency,
    date,
    date_time,
    describe,
    email,
    flag,
    hub_key,
    long_text,
    number,
    percentile,
    phone,
    reference,
    select,
    text,
    url,
)

SOURCES = (
    "1=网站|Website", "2=电话营销|Telemarketing", "3=展会|Trade fair",
    "4=客户介绍|Referral", "5=广告|Advertising", "other=其他|Other",
)  # fmt: skip
INDUSTRIES = (
    ("1", "制造业|Manufacturing", (("11", "机械设备|Machinery"), ("12", "电子|Electronics"),
                                   ("13", "化工|Chemicals"), ("14", "食品|Food"))),
    ("2", "信息技术|Information technology", (("21", "软件|Software"), ("22", "硬件|Hardware"),
                                              ("23", "通信|Telecommunications"))),
    ("3", "贸易零售|Trade", (("31", "批发|Wholesale"), ("32", "零售|Retail"),
                             ("33", "电子商务|E-commerce"))),
    ("4", "服务业|Services", (("41", "咨询|Consulting"), ("42", "物流|Logistics"),
                              ("43", "医疗|Health care"), ("44", "教育|Education"))),
    ("5", "金融|Finance", (("51", "银行|Banking"), ("52", "保险|Insurance"))),
)  # fmt: skip


def _industries() -> list[dict[str, Any]]:
    first = select(
        "industry_level1", "一级行业|Industry", *[f"{v}={label}" for v, label, _ in INDUSTRIES]
    )
    for option, (_, _, children) in zip(first["options"], INDUSTRIES, strict=True):
        option["child_options"] = [{"industry_level2": [value for value, _ in children]}]
    second = select(
        "industry_level2",
        "二级行业|Sub-industry",
        *[f"{v}={label}" for _, _, children in INDUSTRIES for v, label in children],
        cascade_parent_api_name="industry_level1",
    )
    return [first, second]


def _times(*pairs: str) -> list[dict[str, Any]]:
    return [date_time(*pair.split("=")) for pair in pairs]


def account() -> dict[str, Any]:
    return describe(
        "AccountObj",
        "客户|Account",
        [
            text("name", "客户名称|Name", is_required=True),
            auto_number("account_no", "客户编号|Account number", "C"),
            select("account_type", "客户类型|Type", "1=终端客户|End customer", "2=渠道|Channel",
                   "3=合作伙伴|Partner", "4=供应商|Supplier", "5=个人|Person"),
            select("account_level", "客户级别|Level", "1=重要客户|Key", "2=普通客户|Regular",
                   "3=小客户|Small"),
            select("account_source", "来源|Source", *SOURCES),
            *_industries(),
            phone("tel", "电话|Phone"),
            text("fax", "传真|Fax", 100),
            email("email", "邮件|E-mail"),
            url("url", "网址|Website"),
            *area_group(),
            reference("parent_account_id", "上级客户|Parent", "AccountObj"),
            text("account_path", "客户路径|Path", _read_only=True),
            reference("leads_id", "来源线索|Lead", "LeadsObj"),
            reference("high_seas_id", "所属公海|Pool", "HighSeasObj"),
            select("biz_status", "分配状态|Assignment", "unallocated=未分配|Unassigned",
                   "allocated=已分配|Assigned", _read_only=True),
            select("deal_status", "成交状态|Deal", "1=未成交|Open", "2=已成交|Dealt",
                   "3=多次成交|Repeat"),
            *_times("last_deal_closed_time=最后成交时间|Last deal",
                    "last_followed_time=最后跟进时间|Last follow-up",
                    "next_followed_time=下次跟进时间|Next follow-up",
                    "claimed_time=领取时间|Claimed", "returned_time=退回时间|Returned",
                    "expire_time=到期时间|Expires", "owner_modified_time=负责人变更时间|Owner since"),
            text("back_reason", "退回原因|Return reason", 500),
            number("transfer_count", "转手次数|Transfers"),
            flag("biz_reg_name", "工商注册名|Registered name matched"),
            text("uniform_social_credit_code", "统一社会信用代码|Credit code", 64),
            long_text("remark", "备注|Remark"),
            hub_key(),
            text("legal_name__c", "法定名称|Legal name"),
            text("customer_no__c", "客户号|Customer number", 64),
            text("postcode__c", "邮编|Postcode", 20),
            phone("mobile__c", "手机|Mobile"),
            currency("credit_limit__c", "信用额度|Credit limit"),
            text("payment_term__c", "付款条件|Payment term", 100),
            text("currency__c", "币种|Currency", 10),
            text("language__c", "语言|Language", 20),
            flag("blocked__c", "冻结|Blocked"),
        ],
    )  # fmt: skip


def address() -> dict[str, Any]:
    return describe(
        "AccountAddrObj",
        "客户地址|Account address",
        [
            auto_number("name", "地址编号|Number", "AD"),
            reference("account_id", "客户|Account", "AccountObj", is_required=True),
            reference("contact_id", "联系人|Contact", "ContactObj"),
            select("add_type", "地址类型|Type", "1=办公|Office", "2=收货|Delivery",
                   "3=开票|Invoice", "other=其他|Other"),
            phone("contact_way", "联系方式|Phone"),
            text("zipcode", "邮编|Postcode", 20),
            *area_group(),
            flag("is_default_add", "默认地址|Default"),
            flag("is_ship_to_add", "收货地址|Ship to"),
            long_text("remark", "备注|Remark"),
        ],
    )  # fmt: skip


def contact() -> dict[str, Any]:
    phones = [phone(f"tel{n}", f"电话{n}|Phone {n}") for n in range(1, 6)]
    mobiles = [phone(f"mobile{n}", f"手机{n}|Mobile {n}") for n in range(1, 6)]
    return describe(
        "ContactObj",
        "联系人|Contact",
        [
            text("name", "姓名|Name", 100, is_required=True),
            reference("account_id", "客户|Account", "AccountObj", is_required=True),
            text("company", "公司|Company"),
            *phones,
            *mobiles,
            phone("tel", "电话|Phones", _read_only=True),
            phone("mobile", "手机|Mobiles", _read_only=True),
            email("email", "邮件|E-mail"),
            text("department", "部门|Department", 100),
            text("job_title", "职务|Job title", 100),
            select("gender", "性别|Gender", "1=男|Male", "2=女|Female"),
            text("address", "地址|Address", 300),
            reference("leads_id", "来源线索|Lead", "LeadsObj"),
            select("primary_contact", "首要联系人|Primary", "1=是|Yes", "0=否|No"),
            long_text("remark", "备注|Remark"),
            hub_key(),
            text("language__c", "语言|Language", 20),
        ],
    )


def lead() -> dict[str, Any]:
    return describe(
        "LeadsObj",
        "销售线索|Lead",
        [
            text("name", "姓名|Name", 100, is_required=True),
            text("company", "公司|Company"),
            phone("tel", "电话|Phone"),
            phone("mobile", "手机|Mobile"),
            email("email", "邮件|E-mail"),
            *area_group(),
            text("department", "部门|Department", 100),
            text("job_title", "职务|Job title", 100),
            select("source", "来源|Source", *SOURCES),
            text("promotion_channel", "推广渠道|Channel"),
            url("url", "网址|Website"),
            long_text("remark", "备注|Remark"),
            reference("leads_pool_id", "线索池|Lead pool", "LeadsPoolObj"),
            select("biz_status", "状态|Status", "un_assigned=未分配|Unassigned",
                   "un_processed=待处理|New", "processed=跟进中|Working",
                   "transformed=已转换|Converted", "closed=无效|Closed"),
            select("leads_stage", "阶段|Stage", "Lead=线索|Lead", "MQL=市场认可|MQL",
                   "SQL=销售认可|SQL"),
            *_times("leads_stage_changed_time=阶段变更时间|Stage since",
                    "changed_to_mql_time=转MQL时间|MQL since", "assigned_time=分配时间|Assigned",
                    "last_follow_time=最后跟进时间|Last follow-up",
                    "next_followed_time=下次跟进时间|Next follow-up",
                    "expire_time=到期时间|Expires", "returned_time=退回时间|Returned",
                    "transform_time=转换时间|Converted", "owner_change_time=负责人变更时间|Owner since"),
            flag("is_duplicated", "是否重复|Duplicate"),
            flag("is_collected", "是否归集|Collected"),
            number("resale_count", "转手次数|Transfers"),
            text("back_reason", "退回原因|Return reason", 500),
            text("close_reason", "无效原因|Close reason", 500),
            reference("account_id", "转换客户|Account", "AccountObj"),
            reference("contact_id", "转换联系人|Contact", "ContactObj"),
            reference("new_opportunity_id", "转换商机|Opportunity", "NewOpportunityObj"),
            hub_key(),
        ],
    )  # fmt: skip


def opportunity() -> dict[str, Any]:
    stages = ("1=初步接洽|First contact", "2=需求确定|Needs", "3=方案报价|Proposal",
              "4=谈判审核|Negotiation", "5=赢单|Won", "6=输单|Lost", "7=无效|Void")  # fmt: skip
    return describe(
        "NewOpportunityObj",
        "商机2.0|Opportunity",
        [
            text("name", "商机名称|Name", is_required=True),
            reference("account_id", "客户|Account", "AccountObj", is_required=True),
            currency("amount", "商机金额|Amount"),
            date("close_date", "预计成交日期|Close date", is_required=True),
            select("sales_process_id", "销售流程|Process", "default_process=标准流程|Standard",
                   is_required=True),
            select("sales_stage", "商机阶段|Stage", *stages, is_required=True),
            select("sales_status", "阶段状态|Status", "1=进行中|Open", "2=赢单|Won",
                   "3=输单|Lost", "4=无效|Void"),
            percentile("probability", "赢率|Probability"),
            currency("probability_amount", "预测金额|Weighted amount", _read_only=True),
            date_time("stg_changed_time", "阶段变更时间|Stage since"),
            date_time("last_followed_time", "最后跟进时间|Last follow-up"),
            reference("leads_id", "来源线索|Lead", "LeadsObj"),
            select("opportunity_type", "商机类型|Type", "1=新购|New", "2=续约|Renewal"),
            select("lead_source", "来源|Source", *SOURCES),
            long_text("remark", "备注|Remark"),
        ],
    )  # fmt: skip


def pools() -> list[dict[str, Any]]:
    fields = (text("name", "名称|Name", is_required=True), long_text("remark", "备注|Remark"))
    return [
        describe("HighSeasObj", "公海|Account pool", list(fields), owner_required=False),
        describe("LeadsPoolObj", "线索池|Lead pool", list(fields), owner_required=False),
    ]
