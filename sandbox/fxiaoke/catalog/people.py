"""Employees, departments, and one custom object that has a field of each type."""

from typing import Any

from sandbox.fxiaoke.catalog.fields import (
    area_group,
    auto_number,
    currency,
    date,
    date_time,
    department,
    describe,
    email,
    employee,
    field,
    flag,
    long_text,
    number,
    percentile,
    phone,
    reference,
    select,
    select_many,
    text,
    url,
)

CUSTOM_OBJECT = "object_8w9cb__c"


def personnel() -> dict[str, Any]:
    return describe(
        "PersonnelObj",
        "人员|Employee",
        [
            text("user_id", "员工ID|Employee id", 64, _read_only=True, _running=1003),
            text("name", "昵称|Name", 100, is_required=True),
            text("full_name", "姓名|Full name", 100),
            phone("phone", "手机|Mobile"),
            email("email", "邮箱|E-mail"),
            select("sex", "性别|Gender", "M=男|Male", "F=女|Female"),
            text("position", "职位|Position", 100),
            text("employee_number", "员工编号|Number", 64),
            department("main_department", "主属部门|Main department"),
            employee("leader", "汇报对象|Leader"),
            select("status", "状态|Status", "0=启用|Active", "1=停用|Disabled"),
            flag("crm_admin", "CRM管理员|CRM administrator"),
        ],
        owner_required=False,
    )


def departments() -> dict[str, Any]:
    return describe(
        "DepartmentObj",
        "部门|Department",
        [
            text("name", "部门名称|Name", 100, is_required=True),
            text("dept_code", "部门编码|Code", 64),
            text("dept_id", "部门ID|Department id", 64, _read_only=True, _running=1002),
            department("parent_id", "上级部门|Parent"),
            select("status", "状态|Status", "0=启用|Active", "1=停用|Disabled", "2=删除|Deleted"),
            employee("manager_id", "负责人|Manager"),
        ],
        owner_required=False,
    )


def custom_object() -> dict[str, Any]:
    return describe(
        CUSTOM_OBJECT,
        "服务记录|Service visit",
        [
            text("name", "主题|Subject", is_required=True),
            text("code__c", "编码|Code", 20, is_unique=True),
            long_text("notes__c", "记录|Notes", 2000),
            field("body__c", "正文|Body", "html_rich_text", max_length=20000),
            email("mail__c", "邮件|E-mail"),
            url("link__c", "链接|Link"),
            phone("phone__c", "电话|Phone"),
            number("hours__c", "工时|Hours", digits=6, places=2),
            currency("cost__c", "费用|Cost"),
            percentile("progress__c", "进度|Progress"),
            date("visit_day__c", "日期|Day"),
            field("visit_time__c", "时刻|Time", "time"),
            date_time("visited_at__c", "到访时间|Visited"),
            flag("done__c", "完成|Done"),
            select("kind__c", "类型|Kind", "install=安装|Installation", "repair=维修|Repair",
                   "other=其他|Other"),
            select_many("topics__c", "主题标签|Topics", "a=性能|Performance", "b=安全|Safety",
                        "c=培训|Training"),
            *area_group(),
            employee("engineer__c", "工程师|Engineer"),
            field("helpers__c", "协作人|Others", "employee_many"),
            department("team__c", "班组|Team"),
            field("teams__c", "相关部门|Departments", "department_many"),
            reference("account_id", "客户|Account", "AccountObj"),
            field("products__c", "产品|Products", "object_reference_many",
                  target_api_name="ProductObj"),
            field("files__c", "附件|Files", "file_attachment", file_amount_limit=10,
                  file_size_limit=104857600, support_file_types=[]),
            field("photo__c", "照片|Photo", "image"),
            field("sign__c", "签名|Signature", "signature"),
            auto_number("serial__c", "流水号|Serial", "SV"),
            field("cost_per_hour__c", "单价|Cost per hour", "formula", return_type="currency",
                  expression="$cost__c$ / $hours__c$"),
            field("account_level__c", "客户级别|Account level", "quote",
                  quote_field="account_id__r.account_level", quote_field_type="select_one"),
        ],
    )  # fmt: skip
