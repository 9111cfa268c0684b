"""The README's example loads, and its table lists every transform with every option."""

import re
from importlib.resources import files

from mapping.engine import canonicalise, project
from mapping.loader import load
from mapping.transforms import describe

README = files("mapping").joinpath("README.md").read_text(encoding="utf-8")


def test_the_example_of_the_readme_loads_and_translates():
    spec = load(re.search(r"```yaml\n(.*?)```", README, re.DOTALL).group(1))
    native = {"Account_Name": "A", "Street_1": "x", "Street_2": None, "Account_Type": "Past"}
    values = canonicalise(spec, native)
    assert values == {
        "kind": "organisation",
        "name": "A",
        "addresses[billing].street": "x",
        "stage": "former",
    }
    assert project(spec, values, creating=True) == native | {"Invoice_Name": "A", "Rating": "New"}


def test_the_table_of_the_readme_lists_every_transform_and_option():
    rows = [line for line in README.splitlines() if line.startswith("| `")]
    for found in describe():
        row = next((row for row in rows if f"`{found.name}`" in row.split("|")[1]), "")
        assert row, found.name
        for name, info in found.options.model_fields.items():
            option = info.alias or name
            bold = f"**`{option}`**" if option == found.shorthand else f"`{option}`"
            assert bold in row, (found.name, option)
