"""No statement of a load walks over a table that grows with the customers (SQLite tells how)."""

import pytest
from sqlalchemy import event

from sync.flow import load, worked_out
from sync.service import plans
from tests.flow.test_plan import draft

GROWING = frozenset({"golden", "link", "change", "match_key", "dirty", "inbox", "staged"})
# An index's first column that is the same for a whole system, or a whole plan, narrows nothing.
COARSE = ("(system_id=?)", "(plan_id=?)")
# Read in the order of an index up to the first ones that fit; and what was staged goes as a whole.
FITTING = (
    "select inbox.id from inbox join system",
    "select inbox.id, inbox.lane from inbox where inbox.system_id = ? and inbox.state = ? and",
    "select distinct inbox",
    "select distinct dirty",
    "delete from staged where staged.plan_id = ?",
    "select count(*) as count_1 from staged where staged.plan_id = ?",
    "select 1 from golden limit",
    "select 1 from link limit",
)


@pytest.fixture
def statements(fixture):
    """Statements of the hub's own database, with parameters, as they are executed."""
    seen = {}

    def note(_connection, _cursor, statement, parameters, _context, many):
        if not many and statement.lstrip().upper().startswith(("SELECT", "UPDATE", "DELETE")):
            seen.setdefault(statement, parameters)

    event.listen(fixture.hub.database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(fixture.hub.database.engine, "before_cursor_execute", note)


@pytest.mark.parametrize("placed", [True, False])
def test_nothing_of_a_load_walks_over_all_customers(fixture, statements, placed):
    if not fixture.hub.database.is_sqlite:
        pytest.skip("PostgreSQL plans by statistics that a small table does not have")
    draft(fixture)
    for number in range(30):
        fixture.world("erp").create("customers", name=f"Acme {number}", email=f"{number}@a.example")
    plan = plans.make_plan(fixture.hub, plans.start_plan(fixture.hub, wake=False).id)
    if not placed:
        worked_out.forget(fixture.hub)
    statements.clear()  # a plan reads everything
    plans.apply_plan(fixture.hub, plan.id)
    load.hand_over(fixture.hub, plan.id)
    fixture.work()
    asked = dict(statements)
    assert len(fixture.links()) == 30 * len(fixture.names)
    walks = [(found, step) for found in asked for step in _walks(fixture, found, asked)]
    assert not walks, "\n".join(f"{step}: {' '.join(text.split())[:300]}" for text, step in walks)


def _walks(fixture, statement, statements):
    if " ".join(statement.split()).lower().startswith(FITTING):
        return []
    with fixture.hub.database.read() as session:
        raw = session.connection().connection.driver_connection
        plan = raw.execute(f"EXPLAIN QUERY PLAN {statement}", statements[statement]).fetchall()
    return [step for *_, step in plan if _is_walk(step)]


def _is_walk(step):
    verb, table, *rest = step.split()
    if table not in GROWING or verb not in {"SCAN", "SEARCH"}:
        return False
    return verb == "SCAN" or " ".join(rest).endswith(COARSE)
