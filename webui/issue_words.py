"""Issues of data quality: English, Chinese."""

from collections.abc import Mapping

Pair = tuple[str, str]

ISSUES: Mapping[str, Pair] = {
    "no_name": ("no name", "缺少名称"),
    "no_phone": ("no phone", "缺少电话"),
    "no_mail": ("no mail", "缺少邮箱"),
    "no_address": ("no full address", "缺少完整地址"),
    "no_identifier": ("no tax or registration number", "缺少证件号码"),
    "no_stage": ("no stage", "缺少阶段"),
    "no_industry": ("no industry", "缺少行业"),
    "no_owner": ("no owner", "缺少负责人"),
    "no_customer": ("belongs to no customer", "未归属客户"),
    "bad_phone": ("phone cannot be right", "电话有误"),
    "bad_mail": ("mail cannot be right", "邮箱有误"),
    "bad_identifier": ("number fails its check", "证件号码校验不通过"),
    "bad_website": ("website cannot be right", "网址有误"),
    "invalid": ("something cannot be right", "存在错误值"),
    "stale": ("not confirmed for a year", "一年未确认"),
    "duplicate": ("suspected twice", "疑似重复"),
}
