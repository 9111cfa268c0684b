"""`kehub runs` and `kehub rollback`."""


def spoil(two):
    """A bad edit of two customers in one run; returns the run's number."""
    crm = two.world("crm")
    for row in crm.all("customers"):
        crm.edit("customers", row["id"], notes="#REF!")
    two("sync", "--wait")
    return next(row["id"] for row in two.json("runs") if row["counts"].get("changed"))


def notes(two, name):
    return {row["notes"] or "" for row in two.world(name).all("customers")}


def test_the_plan_changes_nothing_and_the_rollback_reaches_every_system(two):
    run = spoil(two)
    plan = two.json("rollback", str(run), "--plan")
    assert (plan["records"], plan["fields"], plan["left"]) == (2, 2, [])
    assert notes(two, "erp") == {"#REF!"}
    done = two.json("rollback", str(run))
    assert (done["rolled_back"], done["fields"], done["left"]) == (run, 2, 0)
    assert notes(two, "erp") == notes(two, "crm") == {""}
    assert two.json("runs", "--kind", "rollback")[0]["id"] == done["run_id"]


def test_what_stays_is_said_in_the_language_of_the_command(two):
    run = spoil(two)
    row = two.world("erp").all("customers")[0]
    two.world("erp").edit("customers", row["id"], notes="typed since")
    two("sync", "--wait")
    assert "it was changed again" in two("rollback", str(run), "--plan").stdout
    assert "1 stay" in two("rollback", str(run)).stdout
    said = two("--lang", "zh", "rollback", str(run), "--plan").stdout
    assert "又有变更" in said
    assert f"kehub rollback {run}" in said
    assert notes(two, "crm") == {"", "typed since"}


def test_runs_are_listed_and_an_unknown_one_is_refused(two):
    assert "RUN" in two("runs").stdout
    assert "no run 999" in two("rollback", "999", expect=2).stderr
    assert "999" in two("--lang", "zh", "rollback", "999", expect=2).stderr


def test_a_hub_without_runs_says_so(kehub):
    assert "Nothing ran yet" in kehub("runs").stdout
