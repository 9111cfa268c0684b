"""How long the lists of the screens take, with so many customers stored.

    python -m bench lists [--sizes 100000] [--databases sqlite,postgresql]

The floor is the same page without a filter: read by the index of the list, fifty rows.
"""

import argparse
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from bench import stored
from bench.customers import zoho_accounts
from sync.service import records

COLUMNS = {
    "Account_Name": "name",
    "Phone": "phone",
    "Email": "email",
    "Website": "website",
    "Billing_Street": "street",
    "Billing_City": "city",
    "Billing_State": "region",
    "Billing_Code": "postcode",
    "Billing_Country": "country",
    "Tax_Id": "tax_id",
}


def customers(count):
    for number, account in enumerate(zoho_accounts(count)):
        row = {COLUMNS[name]: value for name, value in account.items() if name in COLUMNS}
        yield number, stored.values_of(row)


def questions(sample):
    """What a person asks a list: (name, arguments of the search)."""
    name, mail, phone = sample["name"], sample["emails[work]"], sample["phones[work]"]
    return {
        "no filter": {},
        "newest first": {"sort": "-updated"},
        "part of a name, many": {"text": "软件"},
        "part of a name, one": {"text": name[2:9]},
        "part of a name, none": {"text": "没有这个客户"},
        "end of a phone": {"text": phone[-7:]},
        "part of a mail": {"text": mail[5:14]},
        "digits, none": {"text": "@nowhere-9"},
        "stage, many": {"stage": "active"},
        "stage, none": {"stage": "archived"},
        "stage and name": {"stage": "lead", "text": "深圳"},
        "last page of a stage": {"stage": "former", "page": 200},
    }


def measure(database, repeats, sample):
    hub = SimpleNamespace(database=database)
    for name, arguments in questions(sample).items():
        times, used = [], []
        for _ in range(repeats):
            started, before = time.perf_counter(), time.process_time()
            page = records.search(hub, "customer", **arguments)
            times.append(time.perf_counter() - started)
            used.append(time.process_time() - before)
        shown = "more" if page.total is None else page.total
        own = float(np.median(used)) * 1000
        yield name, shown, float(np.median(times)) * 1000, max(times) * 1000, own


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=100_000)
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--url", help="an empty PostgreSQL database; without it one is started")
    parser.add_argument("--repeats", type=int, default=7)
    arguments = parser.parse_args()
    header = ("database", "question", "found", "median ms", "worst ms", "this process ms")
    print(f"| {' | '.join(header)} |\n|{' --- |' * len(header)}")
    with tempfile.TemporaryDirectory() as folder:
        wanted = arguments.databases.split(",")
        with stored.databases(Path(folder), wanted, arguments.url) as found:
            for name, url in found:
                database = stored.make(url)
                stored.fill(database, stored.golden_rows(customers(arguments.size)), iter(()))
                (_, sample), *_ = customers(1)
                for row in measure(database, arguments.repeats, sample):
                    cells = [name, *(f"{c:.1f}" if isinstance(c, float) else str(c) for c in row)]
                    print("| " + " | ".join(cells) + " |", flush=True)
                database.engine.dispose()


if __name__ == "__main__":
    main()
