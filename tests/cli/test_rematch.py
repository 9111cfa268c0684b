"""`kehub rematch` matches the customers of the hub anew."""

import csv


def test_the_hub_is_matched_anew_and_says_what_came_of_it(kehub, tmp_path):
    file = tmp_path / "customers.csv"
    with file.open("w", newline="", encoding="utf-8") as handle:
        csv.writer(handle).writerows(
            [
                ("name", "phone"),
                ("Nordwind Logistik GmbH", "+49 30 901820"),
                ("Südwind Spedition AG", "+49 89 345678"),
            ]
        )
    kehub("import", str(file))
    found = kehub.json("rematch", "--processes", "1")
    assert (found["customers"], found["rekeyed"], found["asked"]) == (2, 0, 0)
    told = kehub("rematch", "--processes", "1")
    assert "2 customers matched anew" in told.stdout + told.stderr
