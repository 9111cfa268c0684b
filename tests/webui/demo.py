"""A hub with something on every screen: three memory systems, customers, and work for people."""

import random
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from sqlalchemy import update

from connectors.memory.connector import Memory
from sync.core.policy import FieldPolicy, PolicySet
from sync.service import access, plans, systems
from sync.store.tables import DeadLetter, Guard, System, User
from tests.hubs import Fixture, make_hub

PASSWORD = "correct horse battery"
_PLACES = (("上海市", "浦东新区"), ("北京市", "朝阳区"), ("杭州市", "西湖区"), ("深圳市", "南山区"))
_TRADES = ("精密机械", "食品科技", "医疗器械", "软件", "物流", "新能源", "纺织", "包装材料")
_NAMES = ("华辰", "瑞丰", "长青", "天行", "博远", "鼎新", "海纳", "云帆", "金石", "东方")
_STAGES = ("lead", "prospect", "customer", "customer", "customer", "former")
SYSTEMS = ("erp", "crm", "sales")


@cache
def _hashed() -> str:
    return PasswordHasher().hash(PASSWORD)


def sign_up(hub) -> None:
    """One user of each role."""
    with hub.database.write() as tx:
        for role in access.ROLES:
            user = User(login=role, password_hash=_hashed(), role=role, created_at=hub.now())
            tx.add(user)


def empty_hub(home: Path) -> Fixture:
    """A hub as it is after the installation: users, but no system."""
    made = make_hub(f"sqlite:///{home / 'kehub.db'}", home, ())
    sign_up(made.hub)
    return made


def small_hub(home: Path) -> Fixture:
    """Three systems that agree about one customer."""
    made = make_hub(f"sqlite:///{home / 'kehub.db'}", home, SYSTEMS)
    sign_up(made.hub)
    made.world("erp").create(
        "customers", name="Acme 有限公司", phone="021-55550101", email="office@acme.example"
    )
    made.sync()
    return made


def busy_hub(home: Path, customers: int = 60) -> Fixture:
    """A hub that has been working for a while."""
    policies = PolicySet(
        fields=(
            FieldPolicy(path="notes", rule="latest"),
            FieldPolicy(path="name", rule="manual"),
            FieldPolicy(path="tags", rule="union"),
        )
    )
    made = make_hub(f"sqlite:///{home / 'kehub.db'}", home, SYSTEMS, policies=policies)
    sign_up(made.hub)
    _name_systems(made)
    _fill(made, customers)
    made.sync()
    _disagree(made)
    made.sync()
    _stop_something(made)
    _add_draft(made)
    return made


def _name_systems(made: Fixture) -> None:
    labels = {"erp": "ERP 生产环境", "crm": "Zoho CRM", "sales": "纷享销客"}
    with made.hub.database.write() as tx:
        for name, label in labels.items():
            tx.execute(update(System).where(System.name == name).values(label=label))


def _fill(made: Fixture, customers: int) -> None:
    chance = random.Random(7)
    erp = made.world("erp")
    for number in range(customers):
        city, district = chance.choice(_PLACES)
        name = f"{city[:2]}{chance.choice(_NAMES)}{chance.choice(_TRADES)}有限公司{number:02d}"
        record = erp.create(
            "customers",
            name=name,
            kind="organisation",
            code=f"C{10000 + number}",
            stage=chance.choice(_STAGES),
            phone=f"021-5555{number:04d}",
            email=f"office{number}@customer{number}.example",
            website=f"https://customer{number}.example",
            tax_id=f"91310000MA1K{number:06d}",
            billing_street=f"世纪大道 {number + 1} 号",
            billing_district=district,
            billing_city=city,
            billing_country="CN",
            tags=chance.sample(["重点", "渠道", "出口", "年框"], 2),
            credit_limit=str(10000 * (number + 1)),
            currency="CNY",
            notes="每季度回访一次。",
        )
        for person in range(number % 3):
            erp.create(
                "contacts",
                name=f"{'王李张刘陈'[number % 5]}{'伟芳娜敏静'[person]}",
                customer_id=record,
                job_title=("采购经理", "财务主管")[person % 2],
                mobile=f"138{number:04d}{person:04d}",
                email=f"p{number}-{person}@customer{number}.example",
            )
        if number % 4 == 0:
            _trade(erp, record, number)


def _trade(erp, customer: str, number: int) -> None:
    line = {
        "product_code": "P-100",
        "description": "轴承组件",
        "quantity": "12",
        "unit": "件",
        "unit_price": "350",
        "amount": "4200",
    }
    order = erp.create(
        "orders",
        customer_id=customer,
        number=f"SO{2600 + number}",
        state="confirmed",
        ordered_on="2026-02-12",
        currency="CNY",
        net="4200",
        tax="546",
        total="4746",
        lines=[line],
    )
    invoice = erp.create(
        "invoices",
        customer_id=customer,
        order_id=order,
        number=f"INV{900 + number}",
        state="posted",
        invoiced_on="2026-02-20",
        due_on="2026-03-20",
        currency="CNY",
        net="4200",
        tax="546",
        total="4746",
        open="746",
        lines=[line],
    )
    erp.create(
        "payments",
        customer_id=customer,
        order_id=order,
        invoice_id=invoice,
        number=f"PAY{500 + number}",
        paid_on="2026-02-27",
        currency="CNY",
        amount="4000",
        method="银行转账",
    )


def _disagree(made: Fixture) -> None:
    """Edits in several systems at once: overruled values, an automatic and two open conflicts."""
    for place, (name, field) in enumerate((("notes", "notes"), ("name", "name"), ("name", "name"))):
        for system in ("crm", "sales"):
            made.clock.pass_(7)
            record = made.world(system).all("customers")[place]
            text = (
                f"{record[field]}（{system}）" if field == "name" else f"{system}：客户要求改期。"
            )
            made.world(system).edit("customers", record["id"], **{name: text})
    record = made.world("crm").all("customers")[4]
    made.world("crm").edit(
        "customers", record["id"], phone="13900001111", website="http://new.example"
    )
    made.world("crm").switch(cut={"notes": 6})


def _stop_something(made: Fixture) -> None:
    """A guard, dead letters, a broken system."""
    goldens = made.goldens()
    now = made.hub.now()
    with made.hub.database.write() as tx:
        tx.add(
            Guard(
                system_id=made.id_of("sales"),
                kind="deletes",
                direction="in",
                reason="41 of 60 linked records were deleted in sales at once.",
                facts={"deletes": 41, "linked": 60, "golden": [g.id for g in goldens[:5]]},
                created_at=now,
            )
        )
        tx.execute(update(System).where(System.name == "sales").values(hold_in=True))
        tx.execute(
            update(System)
            .where(System.name == "crm")
            .values(
                state="broken",
                state_reason="Zoho does not accept the refresh token any more.",
                state_hint="Make a new refresh token in the API console and enter it here.",
            )
        )
        for place, golden in enumerate(goldens[:9]):
            late = place >= 6
            tx.add(
                DeadLetter(
                    system_id=made.id_of("crm" if late else "sales"),
                    direction="in" if late else "out",
                    object="customers",
                    remote_id=f"cus{place}",
                    golden_id=None if late else golden.id,
                    kind="unmappable" if late else "refused",
                    message="industry holds 'Maritime', which rule 'industry' cannot read: the "
                    "lookup does not list it (it lists Retail, Software)."
                    if late
                    else "The name is longer than 40 characters.",
                    field="industry" if late else "name",
                    value="Maritime" if late else golden.name,
                    remote_code="" if late else "MAX_LENGTH",
                    payload={
                        "name": golden.name,
                        "api_token": "do-not-show",
                        "industry": "Maritime",
                    },
                    attempts=1,
                    created_at=now,
                )
            )


def _add_draft(made: Fixture) -> None:
    """A system that is not live yet, with a plan that is ready."""
    world = made.world("shop")
    world.clock = made.clock
    for number in range(12):
        known = made.world("erp").all("customers")[number] if number < 8 else {}
        world.create(
            "customers",
            name=known.get("name", f"新客户{number}贸易有限公司"),
            email=known.get("email", f"new{number}@shop.example"),
            phone=f"0571-8888{number:04d}",
        )
    systems.add_system(
        made.hub,
        name="shop",
        kind=Memory.name,
        values={"world": f"{made.prefix}-shop", "password": "memory"},
        label="网店",
    )
    made.names = (*made.names, "shop")
    plan = plans.start_plan(made.hub, ["shop"], actor="admin")
    plans.make_plan(made.hub, plan.id)
