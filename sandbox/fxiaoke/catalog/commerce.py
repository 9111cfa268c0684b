"""Products, orders and payments, with the detail objects of the latter two."""

from typing import Any

from sandbox.fxiaoke.catalog.fields import (
    auto_number,
    currency,
    date,
    date_time,
    describe,
    field,
    flag,
    hub_key,
    long_text,
    master,
    number,
    percentile,
    phone,
    reference,
    select,
    text,
)

UNITS = ("1=个|Piece", "2=件|Item", "3=箱|Box", "4=套|Set", "5=千克|Kilogram", "6=小时|Hour",
         "7=米|Metre", "8=台|Unit")  # fmt: skip
TERMS = ("post=先货后款|After delivery", "pre=先款后货|Before delivery", "cash=现金|Cash",
         "transfer=转账|Transfer", "cheque=支票|Cheque", "other=其他|Other")  # fmt: skip


def product() -> dict[str, Any]:
    return describe(
        "ProductObj",
        "产品|Product",
        [
            text("name", "产品名称|Name", is_required=True),
            text("product_code", "产品编码|Code", 64),
            select("category", "分类|Category", "1=设备|Equipment", "2=配件|Parts",
                   "3=服务|Service", "4=软件|Software"),
            select("product_line", "产品线|Line", "1=标准|Standard", "2=高端|Premium"),
            currency("price", "标准价格|Price", is_required=True),
            select("unit", "单位|Unit", *UNITS),
            text("product_spec", "规格|Specification"),
            select("product_status", "状态|Status", "1=已上架|On sale", "2=已下架|Off sale"),
            text("barcode", "条形码|Barcode", 64),
            select("is_giveaway", "赠品|Giveaway", "1=是|Yes", "0=否|No"),
            date_time("on_shelves_time", "上架时间|On sale since"),
            date_time("off_shelves_time", "下架时间|Off sale since"),
            long_text("remark", "备注|Remark"),
            hub_key(),
        ],
    )  # fmt: skip


def order() -> dict[str, Any]:
    return describe(
        "SalesOrderObj",
        "销售订单|Sales order",
        [
            text("name", "订单编号|Number", _serial="SO"),
            reference("account_id", "客户|Account", "AccountObj", is_required=True),
            date("order_time", "下单日期|Order date", is_required=True),
            currency("order_amount", "销售订单金额|Amount", is_required=True),
            currency("product_amount", "产品合计|Product amount"),
            currency("receivable_amount", "待回款金额|Receivable"),
            percentile("discount", "整单折扣|Discount"),
            date("delivery_date", "交货日期|Delivery date"),
            reference("new_opportunity_id", "商机|Opportunity", "NewOpportunityObj"),
            reference("ship_to_id", "收货人|Ship to", "ContactObj"),
            text("ship_to_add", "收货地址|Ship-to address", 300),
            phone("ship_to_tel", "收货电话|Ship-to phone"),
            long_text("remark", "备注|Remark"),
            hub_key(),
        ],
        _details={"SalesOrderProductObj": "order_id"},
    )


def order_line() -> dict[str, Any]:
    return describe(
        "SalesOrderProductObj",
        "订单产品|Order line",
        [
            auto_number("name", "编号|Number", "SOL"),
            master("order_id", "销售订单|Order", "SalesOrderObj"),
            reference("product_id", "产品|Product", "ProductObj"),
            number("quantity", "数量|Quantity", places=4, is_required=True),
            currency("product_price", "价格|Price"),
            currency("sales_price", "销售单价|Sales price"),
            percentile("discount", "折扣|Discount"),
            currency("subtotal", "小计|Subtotal"),
            select("unit", "单位|Unit", *UNITS),
            long_text("remark", "备注|Remark"),
        ],
        owner_required=False,
    )


def payment() -> dict[str, Any]:
    return describe(
        "PaymentObj",
        "回款|Payment",
        [
            text("name", "回款编号|Number", _serial="PM"),
            reference("account_id", "客户|Account", "AccountObj", is_required=True),
            reference("order_id", "销售订单|Order", "SalesOrderObj"),
            currency("payment_amount", "本次回款总金额|Amount", is_required=True),
            date("payment_time", "回款日期|Payment date", is_required=True),
            select("payment_term", "回款方式|Method", *TERMS),
            date("notification_time", "提醒时间|Reminder"),
            date_time("submit_time", "提交时间|Submitted"),
            field("attachment", "附件|Attachment", "file_attachment", file_amount_limit=10,
                  file_size_limit=104857600, support_file_types=[]),
            long_text("remark", "备注|Remark"),
            hub_key(),
        ],
        _details={"OrderPaymentObj": "payment_id"},
    )  # fmt: skip


def payment_line() -> dict[str, Any]:
    return describe(
        "OrderPaymentObj",
        "回款明细|Payment line",
        [
            auto_number("name", "编号|Number", "PML"),
            master("payment_id", "回款|Payment", "PaymentObj"),
            reference("order_id", "销售订单|Order", "SalesOrderObj"),
            reference("account_id", "客户|Account", "AccountObj"),
            currency("payment_amount", "回款金额|Amount", is_required=True),
            date("payment_time", "回款日期|Payment date"),
            select("payment_term", "回款方式|Method", *TERMS),
            flag("is_refunded", "已退款|Refunded"),
            long_text("remark", "备注|Remark"),
        ],
        owner_required=False,
    )
