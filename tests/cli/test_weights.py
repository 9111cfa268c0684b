"""`kehub weights`: what is in use, learning at request, going back."""


def test_without_decisions_the_shipped_weights_stay(kehub):
    kehub.add("erp")
    (only,) = kehub.json("weights", "list")
    assert (only["number"], only["in_use"]) == (0, True)
    line = kehub.json("weights", "refit")
    assert (line["decisions"], line["kinds"]) == (0, [])
    assert line["version"] == only["version"]
    assert only["version"] in kehub("weights", "refit").stdout
    assert "refit" in kehub("weights", "list").stdout


def test_a_version_that_was_never_made_cannot_be_used(kehub):
    kehub.add("erp")
    said = kehub("weights", "use", "7", expect=2).stderr
    assert "7" in said
    assert "Traceback" not in said
    assert kehub("weights", "use", "0").exit_code == 0
