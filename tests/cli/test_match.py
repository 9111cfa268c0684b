"""`kehub match` judges a file without the hub's records."""

import csv
import json

import pytest
from click.testing import CliRunner

from webui.cli.main import kehub

ROWS = (
    ("1", "company", "上海华信科技有限公司", "021-55550101", "91310000607371888Q"),
    ("2", "company", "华信科技（上海）有限公司", "+86 21 5555 0101", "91310000607371888Q"),
    ("3", "company", "Nordwind Logistik GmbH", "+49 30 901820", ""),
)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "customers.csv"
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(("id", "kind", "name", "phone", "tax_id"))
        writer.writerows(ROWS)
    return path


def invoke(*arguments, home):
    return CliRunner().invoke(kehub, ["match", *map(str, arguments)], env={"KEHUB_HOME": str(home)})


def test_equal_customers_share_a_cluster(file, tmp_path):
    out = tmp_path / "clusters.csv"
    told = invoke(file, "--out", out, "--json", home=tmp_path / "home")
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["customers"] == 2
    with out.open(encoding="utf-8") as handle:
        clusters = {row["id"]: row["cluster"] for row in csv.DictReader(handle)}
    assert clusters["1"] == clusters["2"] != clusters["3"]


def test_a_score_is_a_sum_of_named_weights(file, tmp_path):
    told = invoke(file, "--explain", "1", "2", home=tmp_path / "home")
    assert told.exit_code == 0, told.output
    assert "tax id: same" in told.stdout


def test_decisions_about_the_file_are_learnt_from(file, tmp_path):
    labels, out = tmp_path / "labels.csv", tmp_path / "clusters.csv"
    labels.write_text("id_a,id_b,same\n1,3,0\n2,3,0\n", encoding="utf-8")
    told = invoke(
        *(file, "--out", out, "--labels", labels, "--aim", "balance", "--json"),
        home=tmp_path / "home",
    )
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["customers"] == 2
    assert json.loads(told.stdout)["model"].endswith("+labels")
