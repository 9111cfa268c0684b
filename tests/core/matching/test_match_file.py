"""A file in, clusters out: deterministic, in any order, and by the same scores as online."""

import csv
import random
from dataclasses import replace

import numpy as np
import pytest

from sync.core.again import Before
from sync.core.batch import candidates, compare_all, match_all, score_all
from sync.core.columns import Table
from sync.core.holders import looked_up
from sync.core.levels import Pairs
from sync.core.match import keys
from sync.core.normal.record import normalise
from sync.core.party import party_from_row
from sync.core.union import united
from sync.flow.match_file import (
    explain_file,
    load,
    match_loaded,
    run,
    threshold_report,
)
from sync.flow.spread import Cores

COLUMNS = [
    "id",
    "source",
    "kind",
    "name",
    "org_name",
    "email",
    "phone",
    "mobile",
    "street",
    "city",
    "tax_id",
    "birth_date",
]
STORE = 50_000
ONE, TWO = "91350100M000100Y43", "9135010000000000X0"
BRANDS = ["华天", "新宏", "瑞恒", "鑫盛", "达通", "泰德", "安信", "诚嘉", "佳美", "康健"]
TRADES = ["贸易", "科技", "物流", "食品", "电子"]
CITIES = [("上海", "021"), ("深圳", "0755"), ("杭州", "0571")]


def rows_of(seed=1, customers=120, *, doubtful=False):
    """Two records for each of many companies, in different spellings, with some values missing.

    Doubtful ones are never linked by themselves: the place stands elsewhere, the house is not told.
    """
    pick = random.Random(seed)
    rows = []
    for number in range(customers):
        brand = BRANDS[number % 10] + BRANDS[(number // 10) % 10][0]
        trade, (city, area) = pick.choice(TRADES), pick.choice(CITIES)
        phone, mail = f"{area}-{30000000 + number * 7919}", f"office@b{number}.example.cn"
        rows.append(
            [
                f"a{number}",
                "erp",
                "company",
                f"{city}{brand}{trade}有限公司",
                "",
                "",
                phone,
                "",
                f"人民路{number + 1}号",
                city,
                "",
                "",
            ]
        )
        spelt = (
            f"{brand}{trade}（{city}）有限公司"
            if doubtful
            else f"{city}市{brand}{trade}有限责任公司"
        )
        rows.append(
            [
                f"b{number}",
                "zoho",
                "company",
                spelt,
                "",
                mail,
                phone.replace("-", ""),
                "",
                "" if doubtful else f"{city}市人民路{number + 1}号",
                city,
                "",
                "",
            ]
        )
    pick.shuffle(rows)
    return rows


def write(path, rows, columns=COLUMNS):
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(columns)
        writer.writerows(rows)
    return path


def clusters(path):
    with path.open(encoding="utf-8") as handle:
        found = {}
        for row in csv.DictReader(handle):
            found.setdefault(row["cluster"], set()).add(row["id"])
    return sorted(map(sorted, found.values()))


def test_spellings_of_one_company_end_in_one_cluster(tmp_path):
    source = write(tmp_path / "in.csv", rows_of())
    summary = run(source, tmp_path / "out.csv", pairs=tmp_path / "pairs.csv", processes=1)
    pairs = [group for group in clusters(tmp_path / "out.csv") if len(group) == 2]
    assert summary.records == 240
    assert len([g for g in pairs if g[0][1:] == g[1][1:]]) >= 110
    assert not [g for g in pairs if g[0][1:] != g[1][1:]]
    with (tmp_path / "pairs.csv").open(encoding="utf-8") as handle:
        written = list(csv.DictReader(handle))
    assert {row["decision"] for row in written} <= {"link", "candidate"}
    scores = [float(row["score"]) for row in written]
    assert scores == sorted(scores, reverse=True)


def test_the_order_of_the_file_and_the_processes_change_nothing(tmp_path):
    rows = rows_of()
    run(write(tmp_path / "a.csv", rows), tmp_path / "a.out", processes=1)
    run(write(tmp_path / "b.csv", rows[::-1]), tmp_path / "b.out", processes=2)
    assert clusters(tmp_path / "a.out") == clusters(tmp_path / "b.out")


def test_two_processes_and_small_chunks_read_what_one_reads(tmp_path, matcher):
    source = write(tmp_path / "in.csv", rows_of())
    alone = load(source, 1)
    shared = load(source, 2, chunk=37, share_from=0)
    assert shared.id_list() == alone.id_list()
    assert np.array_equal(shared.keys.key, alone.keys.key)
    one, two = match_loaded(alone, matcher), match_loaded(shared, matcher)
    assert np.array_equal(one.matched.customer, two.matched.customer)
    assert np.array_equal(one.scored.bits, two.scored.bits)


def test_comparing_and_settling_side_by_side_change_nothing(tmp_path, matcher):
    loaded = load(write(tmp_path / "in.csv", rows_of(customers=600)), 1)
    pairs = candidates(loaded.table, loaded.keys)
    found = []
    for cores in (Cores(1), Cores(2)):
        compared = compare_all(loaded.table, pairs, matcher.model, spread=cores)
        scored = score_all(compared, matcher.model)
        found.append(match_all(compared, scored, matcher, spread=cores).customer)
    assert np.array_equal(*found)


def test_two_identifiers_are_never_joined_through_others(tmp_path):
    base = [
        "company",
        "上海华天贸易有限公司",
        "",
        "office@huatian.example.cn",
        "021-37989783",
        "",
        "淮海路668号2304室",
        "上海",
    ]
    rows = [
        ["x", "erp", *base, ONE, ""],
        ["y", "zoho", *base, "27-9277811", ""],
        ["z", "web", *base, "", ""],
        ["w", "erp", *base, "27-9277812", ""],
    ]
    run(write(tmp_path / "in.csv", rows), tmp_path / "out.csv", processes=1)
    assert not [group for group in clusters(tmp_path / "out.csv") if {"y", "w"} <= set(group)]


def test_a_file_scores_like_the_online_path(tmp_path, matcher):
    rows = rows_of(customers=30)
    result = match_loaded(load(write(tmp_path / "in.csv", rows), 1), matcher)
    parties = [party_from_row(dict(zip(COLUMNS, row, strict=True))) for row in rows]
    held = {}
    for party in parties:
        for _, key in keys(party):
            held[key] = held.get(key, 0) + 1
    pairs, size = result.compared.pairs, len(rows)
    bits = score_all(result.compared, matcher.model).bits
    assert len(pairs) > 20
    for number in range(0, len(pairs), 7):
        left, right = int(pairs.left[number]), int(pairs.right[number])
        store = {
            key: count - 1 for key, count in held.items()
        }  # the incoming one is not stored yet
        own = {key for _, key in keys(parties[left])}
        frequencies = {key: store[key] for key in own if store[key]}
        online = matcher.compare(parties[left], parties[right], frequencies, size)
        assert online.bits == pytest.approx(bits[number], abs=0.02)


def test_a_customer_of_a_file_is_all_that_its_records_say(matcher, company):
    spellings = [
        company("上海华天贸易有限公司", mail=["office@huatian.example.cn"], city="上海"),
        company("上海华天贸易", phone=["021-37989783"], tax=[ONE]),
        company("Delta Harbour Foods Ltd", phone=["+442071234567"]),
        company("华天贸易", phone=["021-37989783", "13800001111"], mail=["hr@huatian.example.cn"]),
    ]
    table = Table.of([normalise(party) for party in spellings])
    whole, row = united(table, np.array([0, 0, 2, 0]), np.array([3, 2, 1, 0]))
    assert row.tolist() == [0, 0, 1, 0]
    ours, theirs = np.array([0]), np.array([1])
    numbers = [phone.national for phone in normalise(spellings[3]).phones]
    assert whole.records["phone"][0].tolist()[:2] == numbers  # the record that ranks first
    assert np.count_nonzero(whole.records["mail"][0]) == 2
    assert whole.records.texts["mail"].take(ours) == ["hr@huatian.example.cn"]
    names = whole.names.texts["text"].take(np.arange(*whole.name_start[:2]))
    assert names == ["华天", "华天", "华天"]
    assert whole.name_start.tolist() == [0, 3, 4]
    pair = matcher.compare(merged(spellings), spellings[2], {}, STORE)
    compared = compare_all(whole, Pairs(ours, theirs), matcher.model, looked_up(whole, {}))
    assert score_all(compared, matcher.model, STORE).bits[0] == pytest.approx(pair.bits, abs=0.02)


def merged(parties):
    """The first, second and last of them as one, in the order of their ranks."""
    some = [parties[3], parties[1], parties[0]]
    return replace(
        some[0],
        names=tuple(name for party in some for name in party.names),
        emails=tuple(mail for party in some for mail in party.emails),
        phones=tuple(phone for party in some for phone in party.phones),
        addresses=tuple(place for party in some for place in party.addresses),
        tax_ids=tuple(number for party in some for number in party.tax_ids),
    )


def test_what_two_records_do_not_prove_their_customers_may(tmp_path, matcher):
    """Each record of the second customer shares one fact with one record of the first."""
    facts = {"name": "上海华天贸易有限公司", "city": "上海"}
    rows = [
        {**facts, "id": "a1", "email": "office@huatian.example.cn", "tax_id": ONE},
        {**facts, "id": "a2", "phone": "021-37989783", "tax_id": ONE},
        {"name": "华天", "id": "b1", "phone": "021-37989783", "email": "office@huatian.example.cn"},
    ]
    columns = ["id", "kind", "name", "city", "email", "phone", "tax_id"]
    lines = [[{"kind": "company", **row}.get(c, "") for c in columns] for row in rows]
    asking = replace(matcher, thresholds=replace(matcher.thresholds, link_in_file=6.5))
    result = match_loaded(load(write(tmp_path / "in.csv", lines, columns), 1), asking)
    alone = score_all(result.compared, matcher.model)
    apart = np.flatnonzero(result.compared.pairs.right == 2)
    assert max(alone.bits[apart]) < asking.thresholds.link_in_file_at(3)
    assert len(set(result.matched.customer.tolist())) == 1


def test_what_a_round_takes_over_from_the_one_before_is_what_it_would_work_out(
    tmp_path, matcher, monkeypatch
):
    """Some customers are joined by the first round, some by nobody; what others hold changes."""
    rows = [
        *rows_of(customers=150),
        *([f"d{row[0]}", *row[1:]] for row in rows_of(seed=2, customers=150, doubtful=True)),
    ]
    source, taken_over = write(tmp_path / "in.csv", rows), []
    known = Before.known

    def counting(*asked):
        found = known(*asked)
        taken_over.append((int((found >= 0).sum()), len(found)))
        return found

    monkeypatch.setattr(Before, "known", counting)
    quick = match_loaded(load(source, 1), matcher)
    monkeypatch.setattr(Before, "known", lambda *asked: np.full_like(known(*asked), -1))
    slow = match_loaded(load(source, 1), matcher)
    assert any(0 < some < every for some, every in taken_over)
    for kind, matrix in slow.rounds.second.compared.matrix.items():
        assert np.array_equal(quick.rounds.second.compared.matrix[kind], matrix)
    assert np.array_equal(quick.rounds.scored.bits, slow.rounds.scored.bits)
    assert np.array_equal(quick.matched.customer, slow.matched.customer)


def test_every_candidate_of_the_batch_shares_a_key_online(tmp_path, matcher):
    rows = rows_of(customers=40)
    result = match_loaded(load(write(tmp_path / "in.csv", rows), 1), matcher)
    found = [
        {key for _, key in keys(party_from_row(dict(zip(COLUMNS, row, strict=True))))}
        for row in rows
    ]
    pairs = zip(
        result.compared.pairs.left.tolist(), result.compared.pairs.right.tolist(), strict=True
    )
    assert all(found[a] & found[b] for a, b in pairs)


def test_explain_prints_named_weights_that_add_up(tmp_path):
    source = write(tmp_path / "in.csv", rows_of())
    lines = explain_file(source, "a3", "b3", processes=1)
    parts = [float(line.split()[0]) for line in lines]
    total = next(float(line.split()[0]) for line in lines if "bits in all" in line)
    assert sum(parts) - total == pytest.approx(total, abs=0.1)
    assert any("brand" in line for line in lines)
    with pytest.raises(KeyError, match="nobody"):
        explain_file(source, "a3", "nobody", processes=1)


def test_a_threshold_report_trades_links_for_precision(tmp_path):
    lines = threshold_report(write(tmp_path / "in.csv", rows_of()), steps=(0, 4, 8), processes=1)
    assert [line.at for line in lines] == [0, 4, 8]
    assert lines[0].links >= lines[1].links >= lines[2].links
    assert lines[2].expected_precision >= lines[0].expected_precision
    assert all(line.edge for line in lines)


def test_labels_move_the_weights_their_way(tmp_path, matcher):
    rows = rows_of(customers=60, doubtful=True)
    source = write(tmp_path / "in.csv", rows)
    labels = write(
        tmp_path / "labels.csv",
        [[f"a{n}", f"b{n}", "1"] for n in range(40)],
        ["id_a", "id_b", "same"],
    )
    run(source, tmp_path / "plain.csv", processes=1)
    run(source, tmp_path / "taught.csv", labels=labels, processes=1)
    assert len(clusters(tmp_path / "taught.csv")) < len(clusters(tmp_path / "plain.csv"))


def test_labels_with_an_unknown_id_name_the_line(tmp_path):
    source = write(tmp_path / "in.csv", rows_of(customers=5))
    labels = write(tmp_path / "labels.csv", [["a1", "gone", "1"]], ["id_a", "id_b", "same"])
    with pytest.raises(ValueError, match="line 2"):
        run(source, None, labels=labels, processes=1)


def test_unknown_columns_count_by_what_they_tell_apart(tmp_path):
    columns = ["id", "kind", "title", "authors"]
    pick = random.Random(5)
    words = [
        a + b
        for a in ("graph", "index", "query", "stream", "cache", "lock")
        for b in ("ing", "able", "less", "wise", "ful")
    ]
    rows = []
    for number in range(150):
        title = " ".join(pick.sample(words, 5))
        author = f"author{number % 50}"
        rows += [
            [f"a{number}", "other", title, author],
            [f"b{number}", "other", title.title(), author],
        ]
    run(write(tmp_path / "in.csv", rows, columns), tmp_path / "out.csv", aim="balance", processes=1)
    right = [g for g in clusters(tmp_path / "out.csv") if len(g) == 2 and g[0][1:] == g[1][1:]]
    assert len(right) > 120


def test_training_leaves_a_file_that_the_weights_know_as_it_is(tmp_path, matcher):
    loaded = load(write(tmp_path / "in.csv", rows_of()), 1)
    plain, trained = match_loaded(loaded, matcher), match_loaded(loaded, matcher, train=True)
    assert trained.matcher.model.version != plain.matcher.model.version
    same = np.unique(plain.matched.customer).size
    assert abs(np.unique(trained.matched.customer).size - same) <= 0.1 * same


def test_an_empty_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no records"):
        run(write(tmp_path / "in.csv", []), None, processes=1)
