"""What each threshold would do, on its page."""

from sync.service import matching
from tests.webui.browsers import Browser, application


def fill(made):
    for number in range(6):
        made.world("erp").create(
            "customers",
            name=f"<i>晨星</i>仪器有限公司{number // 2}",
            phone=f"+86215555{number:04d}",
        )
    made.poll("erp")
    made.work_in()


def test_a_steward_has_it_worked_out_in_a_worker(fresh, browse):
    fill(fresh)
    steward = browse("steward")
    assert "Not worked out yet" in steward.text("/thresholds")
    steward.post("/thresholds")
    assert "Comparing all customers" in steward.text("/thresholds")
    progress = f"/jobs/{matching.thresholds(fresh.hub).job.id}/progress"
    assert "HX-Refresh" not in steward.get(progress).headers
    steward.post("/thresholds")  # somebody else asks, too: one of them is enough
    fresh.do_jobs()
    assert steward.get(progress).headers["HX-Refresh"] == "true"
    assert not matching.thresholds(fresh.hub).is_asked
    text = steward.text("/thresholds")
    assert f"{len(fresh.goldens())} customers compared" in text
    assert "&lt;i&gt;晨星" in text
    assert "<i>晨星" not in text
    assert "links now:" in text
    assert f"已比较 {len(fresh.goldens())} 个客户" in browse("viewer", "zh").text("/thresholds")


def test_looking_changes_nothing(fresh, browse):
    fill(fresh)
    before, waiting = [golden.version for golden in fresh.goldens()], fresh.waiting()
    matching.work_out_thresholds(fresh.hub)
    assert [golden.version for golden in fresh.goldens()] == before
    assert fresh.waiting() == waiting


def test_higher_thresholds_link_less_and_expect_more(fresh):
    fill(fresh)
    rows = matching.work_out_thresholds(fresh.hub).rows
    assert [row.links for row in rows] == sorted((row.links for row in rows), reverse=True)
    assert all(0.0 <= row.expected_precision <= 1.0 for row in rows)
    assert rows[0].links > 0
    assert all(row.customers <= len(fresh.goldens()) for row in rows)


def test_a_viewer_only_looks(browse):
    assert browse("viewer").post("/thresholds").status_code == 403
    assert "Work it out" not in browse("viewer").text("/thresholds")


def test_an_empty_hub_says_so(bare):
    matching.work_out_thresholds(bare.hub)
    text = Browser(application(bare), "viewer").text("/thresholds")
    assert "No customers to compare" in text
