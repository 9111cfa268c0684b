"""A few rounds of `make chaos`'s killing, with the processes that `kehub run` starts."""

from contextlib import ExitStack

import pytest

from tests.chaos import kills


@pytest.fixture
def company(tmp_path):
    with ExitStack() as stack:
        yield kills.started(tmp_path, None, customers=8, seed=5, stack=stack)


@pytest.mark.slow
@pytest.mark.redis
@pytest.mark.timeout(1200)
def test_killed_processes_lose_and_double_nobody(company):
    report = kills.run(company, rounds=3, seed=20)
    assert not report.findings, "\n".join(report.lines())
    assert report.kills == {"worker": 1, "web": 1, "everything": 1}
    assert report.edits.total() > 5
