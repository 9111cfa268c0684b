"""The modules and fields that a fresh organisation has, as a small table language.

One field per line: `Api_Name type marks…`. Marks: a number is the length, `!` mandatory, `r` read
only, `c` custom, `u` unique, `x` external id of the organisation (which includes unique),
`>Module` the target of a lookup, `[a|b]` the picklist, `+Module` the rows of a subform.
`@address Prefix Code` stands for the five address fields.
"""

import re
from dataclasses import dataclass

SYSTEM = """
Owner ownerlookup
Created_By ownerlookup r
Modified_By ownerlookup r
Created_Time datetime r
Modified_Time datetime r
Last_Activity_Time datetime r
Tag jsonarray
Record_Status__s picklist r [Available|Draft|Trash]
Locked__s boolean r
"""

HUB_KEY = "Hub_Key text 64 x c"

SOURCES = "[Web|Referral|Fair|Call|Advertisement|Partner]"
INDUSTRIES = "[Manufacturing|Trade|Construction|Software|Health|Education|Logistics|Finance|Other]"
RATINGS = "[Acquired|Active|Market Failed|Project Cancelled|Shut Down]"
STAGES = (
    "[Qualification|Needs Analysis|Value Proposition|Proposal|Negotiation|Closed Won|Closed Lost]"
)

LEADS = f"""
First_Name text 40
Last_Name text 80 !
Full_Name text 120 r
Company text 200
Designation text 100
Email email 100
Secondary_Email email 100
Phone phone 30
Mobile phone 30
Fax text 30
Website website 255
Salutation picklist [Mr.|Ms.|Mrs.|Dr.|Prof.]
Lead_Source picklist {SOURCES}
Lead_Status picklist [Not Contacted|Contacted|Qualified|Not Qualified|Lost Lead]
Industry picklist {INDUSTRIES}
Rating picklist {RATINGS}
No_of_Employees integer 9
Annual_Revenue currency 16
Street text 250
City text 100
State text 100
Zip_Code text 30
Country text 100
Description textarea 32000
Skype_ID text 50
Twitter text 50
Email_Opt_Out boolean
Converted__s boolean r
Converted_Date_Time datetime r
Converted_Account lookup r >Accounts
Converted_Contact lookup r >Contacts
Converted_Deal lookup r >Deals
Lead_Conversion_Time integer 9 r
{HUB_KEY}
"""

ACCOUNTS = f"""
Account_Name text 200 !
Account_Site text 80
Account_Number bigint 18
Account_Type picklist [Analyst|Competitor|Customer|Distributor|Partner|Prospect|Supplier|Other]
Industry picklist {INDUSTRIES}
Ownership picklist [Private|Public|Partnership|Subsidiary|Government|Other]
Rating picklist {RATINGS}
Phone phone 30
Fax text 30
Website website 255
Ticker_Symbol text 30
SIC_Code integer 9
Employees integer 9
Annual_Revenue currency 16
Parent_Account lookup >Accounts
Description textarea 32000
@address Billing Code
@address Shipping Code
Tax_Id text 50 c
Legal_Name text 200 c
Customer_No text 30 c
Email email 100 c
Credit_Limit currency 16 c
Payment_Term text 60 c
Blocked boolean c
Language picklist c [zh_CN|zh_TW|en_US|de_DE|fr_FR|ja_JP]
{HUB_KEY}
"""

CONTACTS = f"""
Salutation picklist [Mr.|Ms.|Mrs.|Dr.|Prof.]
First_Name text 40
Last_Name text 80 !
Full_Name text 120 r
Account_Name lookup >Accounts
Vendor_Name lookup >Vendors
Email email 100
Secondary_Email email 100
Phone phone 50
Mobile phone 30
Home_Phone phone 30
Other_Phone phone 30
Asst_Phone phone 30
Assistant text 50
Fax text 30
Title text 100
Department text 50
Date_of_Birth date
Reporting_To lookup >Contacts
Lead_Source picklist {SOURCES}
@address Mailing Zip
@address Other Zip
Email_Opt_Out boolean
Skype_ID text 50
Twitter text 50
Description textarea 32000
Unsubscribed_Mode picklist r [Consent form|Manual|Unsubscribe link]
Unsubscribed_Time datetime r
Language text 20 c
{HUB_KEY}
"""

DEALS = f"""
Deal_Name text 120 !
Stage picklist ! {STAGES}
Pipeline picklist [Standard]
Amount currency 16
Closing_Date date
Probability integer 9
Expected_Revenue currency 16 r
Type picklist [New Business|Existing Business]
Next_Step text 100
Lead_Source picklist {SOURCES}
Reason_For_Loss__s picklist [Price|Competitor|No Budget|Other]
Account_Name lookup >Accounts
Contact_Name lookup >Contacts
Campaign_Source lookup >Campaigns
Description textarea 32000
"""

PRODUCTS = f"""
Product_Name text 200 !
Product_Code text 40
Product_Active boolean
Product_Category picklist [Hardware|Software|Service|Spare Part|Other]
Manufacturer picklist [Own|Other]
Vendor_Name lookup >Vendors
Unit_Price currency 16
Usage_Unit picklist [Piece|Box|Hour|Kilogram|Metre|Set]
Qty_in_Stock double 16
Qty_Ordered double 16
Qty_in_Demand double 16
Reorder_Level double 16
Commission_Rate currency 16
Tax multiselectpicklist [VAT|Sales Tax]
Taxable boolean
Handler ownerlookup
Sales_Start_Date date
Sales_End_Date date
Support_Start_Date date
Support_Expiry_Date date
Description textarea 32000
{HUB_KEY}
"""

TOTALS = """
Sub_Total currency 16 r
Discount currency 16
Tax currency 16
Adjustment currency 16
Grand_Total currency 16 r
Sales_Commission currency 16
Excise_Duty currency 16
Terms_and_Conditions textarea 32000
Description textarea 32000
@address Billing Code
@address Shipping Code
"""

SALES_ORDERS = f"""
Subject text 120 !
Account_Name lookup >Accounts
Contact_Name lookup >Contacts
Deal_Name lookup >Deals
Quote_Name lookup >Quotes
Purchase_Order text 100
SO_Number text 60
Customer_No text 60
Status picklist [Created|Approved|Delivered|Cancelled]
Carrier picklist [FedEx|UPS|USPS|DHL|Other]
Pending text 80
Due_Date date
Ordered_Items subform ! +Ordered_Items
{TOTALS}
{HUB_KEY}
"""

INVOICES = f"""
Subject text 120 !
Account_Name lookup >Accounts
Contact_Name lookup >Contacts
Sales_Order lookup >Sales_Orders
Purchase_Order text 100
Invoice_Number text 60
Status picklist [Created|Approved|Sent|Paid|Cancelled]
Due_Date date
Invoice_Date date
Invoiced_Items subform ! +Invoiced_Items
{TOTALS}
{HUB_KEY}
"""

QUOTES = f"""
Subject text 120 !
Quote_Number text 60
Quote_Stage picklist [Draft|Negotiation|Delivered|On Hold|Confirmed|Closed Won|Closed Lost]
Account_Name lookup >Accounts
Contact_Name lookup >Contacts
Deal_Name lookup >Deals
Valid_Till date
Quoted_Items subform ! +Quoted_Items
{TOTALS}
"""

TASKS = """
Subject text 255 !
Status picklist [Not Started|In Progress|Completed|Deferred|Waiting for input]
Priority picklist [High|Highest|Low|Lowest|Normal]
Due_Date date
Closed_Time datetime r
What_Id multi_module_lookup
Who_Id lookup >Contacts
Send_Notification_Email boolean
Description textarea 32000
"""

NOTES = """
Note_Title text 120
Note_Content textarea 32000 !
Parent_Id multi_module_lookup !
"""

VENDORS = """
Vendor_Name text 100 !
Email email 100
Phone phone 30
Website website 255
Category text 50
Description textarea 32000
"""

CAMPAIGNS = """
Campaign_Name text 200 !
Type picklist [Conference|Webinar|Fair|Email|Other]
Status picklist [Planning|Active|Inactive|Complete]
Start_Date date
End_Date date
Description textarea 32000
"""

LINE_ITEM = """
Parent_Id lookup r >{parent}
Product_Name lookup ! >Products
Quantity double 16
List_Price currency 16
Discount currency 16
Tax currency 16 r
Total currency 16 r
Total_After_Discount currency 16 r
Net_Total currency 16 r
Line_Tax jsonarray
Description textarea 2000
"""


@dataclass(frozen=True)
class ModuleSpec:
    """A module: its names, the field that names a record, the system duplicate-check field."""

    api_name: str
    module_name: str
    singular: str
    plural: str
    name_field: str
    duplicate_field: str | None
    fields: str
    line_items: str | None = None
    parent: str | None = None
    upsert: bool = True


def _items(api_name, parent):
    text = LINE_ITEM.format(parent=parent)
    label = api_name.replace("_", " ")
    return ModuleSpec(
        api_name, api_name, label, label, "Description", None, text, parent=parent, upsert=False
    )


MODULES = (
    ModuleSpec("Leads", "Leads", "Lead", "Leads", "Full_Name", "Email", LEADS),
    ModuleSpec(
        "Accounts", "Accounts", "Account", "Accounts", "Account_Name", "Account_Name", ACCOUNTS
    ),
    ModuleSpec("Contacts", "Contacts", "Contact", "Contacts", "Full_Name", "Email", CONTACTS),
    ModuleSpec("Deals", "Deals", "Deal", "Deals", "Deal_Name", "Deal_Name", DEALS),
    ModuleSpec(
        "Products", "Products", "Product", "Products", "Product_Name", "Product_Name", PRODUCTS
    ),
    ModuleSpec("Quotes", "Quotes", "Quote", "Quotes", "Subject", "Subject", QUOTES, "Quoted_Items"),
    ModuleSpec(
        "Sales_Orders",
        "SalesOrders",
        "Sales Order",
        "Sales Orders",
        "Subject",
        "Subject",
        SALES_ORDERS,
        "Ordered_Items",
    ),
    ModuleSpec(
        "Invoices",
        "Invoices",
        "Invoice",
        "Invoices",
        "Subject",
        "Subject",
        INVOICES,
        "Invoiced_Items",
    ),
    ModuleSpec("Tasks", "Tasks", "Task", "Tasks", "Subject", None, TASKS, upsert=False),
    ModuleSpec("Notes", "Notes", "Note", "Notes", "Note_Title", None, NOTES, upsert=False),
    ModuleSpec("Vendors", "Vendors", "Vendor", "Vendors", "Vendor_Name", "Vendor_Name", VENDORS),
    ModuleSpec(
        "Campaigns",
        "Campaigns",
        "Campaign",
        "Campaigns",
        "Campaign_Name",
        "Campaign_Name",
        CAMPAIGNS,
    ),
    _items("Ordered_Items", "Sales_Orders"),
    _items("Invoiced_Items", "Invoices"),
    _items("Quoted_Items", "Quotes"),
)

_PICKLIST = re.compile(r"\[(.*)\]")


def parse_fields(text):
    """Field descriptions (plain dicts, the form in which they are stored) of one table."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    return [field for line in lines for field in _expand(line)]


def _expand(line):
    if not line.startswith("@address"):
        return [_field(line)]
    _, prefix, code = line.split()
    parts = (("Street", 250), ("City", 100), ("State", 100), (code, 30), ("Country", 100))
    return [_field(f"{prefix}_{part} text {length}") for part, length in parts]


def _field(line):
    picklist = _PICKLIST.search(line)
    marks = _PICKLIST.sub("", line).split()
    external = "x" in marks[2:]
    return {
        "api_name": marks[0],
        "label": marks[0].removesuffix("__s").replace("_", " "),
        "data_type": marks[1],
        "length": next((int(mark) for mark in marks[2:] if mark.isdigit()), 0),
        "mandatory": "!" in marks,
        "read_only": "r" in marks[2:],
        "custom": "c" in marks[2:],
        "unique": external or "u" in marks[2:],
        "external": external,
        "lookup": next((mark[1:] for mark in marks if mark.startswith(">")), None),
        "subform": next((mark[1:] for mark in marks if mark.startswith("+")), None),
        "picklist": picklist.group(1).split("|") if picklist else [],
    }
