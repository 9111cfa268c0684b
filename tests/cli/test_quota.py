"""`kehub quota`, and the forecast in `kehub status`."""

import json
import sqlite3
from datetime import UTC, datetime, timedelta


def pretend(home, calls_before):
    """An hour ago the counters stood at so much."""
    at = (datetime.now(UTC) - timedelta(minutes=60)).isoformat()
    with sqlite3.connect(home / "kehub.db") as connection:
        for (system_id,) in connection.execute("SELECT id FROM system").fetchall():
            value = json.dumps({"samples": [[at, calls_before]]})
            connection.execute(
                "INSERT OR REPLACE INTO hub_state (key, value, updated_at) VALUES (?, ?, ?)",
                (f"calls:{system_id}", value, at),
            )
    connection.close()


def test_a_budget_is_set_shown_and_taken_away(two):
    assert "no daily budget" in two("quota", "erp").stdout
    shown = two.json("quota", "erp", "--set", "100000")[0]
    assert (shown["budget"], shown["lanes"]) == (100000, {"interactive": 0, "bulk": 0})
    assert shown["left"] == 100000 - shown["used"]
    assert "of 100000 calls" in two("status").stdout
    assert two.json("quota", "erp", "--unlimited")[0]["budget"] is None
    assert "100000" not in two("status").stdout


def test_a_pace_that_does_not_last_is_said_with_its_time(two, home):
    used = two.json("quota", "erp")[0]["used"]
    pretend(home, 0)
    calls = two.json("status")["systems"][0]["calls"]
    total = calls["read"] + calls["write"]
    two("quota", "erp", "--set", str(total + 1))
    for command in (("status",), ("quota", "erp")):
        said = two(*command).stdout
        assert "at this pace they are used up at" in said or "last the day" in said, said
    two("quota", "erp", "--set", str(max(1, total // 2)))
    assert "are used up" in two("status").stdout
    assert "已用完" in two("--lang", "zh", "status").stdout
    assert used >= 0


def test_a_budget_needs_a_system_and_sense(two):
    two("quota", "--set", "5", expect=2)
    assert "at least one call" in two("quota", "erp", "--set", "0", expect=1).stderr
    assert "nobody" in two("quota", "nobody", expect=2).stderr


def test_the_status_for_scripts_keeps_its_shape(two):
    two("quota", "erp", "--set", "10")
    assert set(two.json("status")) == {
        *("ready", "url", "systems", "customers", "contacts", "open", "writes")
    }
