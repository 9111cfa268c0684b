"""A batch of a hundred: some are refused, some answers never arrive (Zoho's stand-in, HTTP)."""

from sqlalchemy import select

from sync.store.tables import DeadLetter, Link


def seed(zoho, count, bad=()):
    for number in range(count):
        mail = "no mail address" if number in bad else f"c{number}@firm{number}.example"
        zoho.erp.create(
            "customers", name=f"{chr(0x4E00 + 53 * number)}{chr(0x6000 + 31 * number)}科技",
            website=f"firm{number}.example", phone=f"+8613800{number:06d}", notes=mail,
            employees="1000000000000" if number in bad else "10",
        )  # fmt: skip


def test_the_refused_ones_wait_with_their_reason_and_the_others_are_done_once(zoho):
    seed(zoho, 100, bad={7, 50, 93})
    zoho.poll()
    zoho.work()
    assert len(zoho.accounts()) == 97
    with zoho.hub.database.read() as session:
        letters = list(session.scalars(select(DeadLetter).where(DeadLetter.state == "open")))
        linked = session.scalars(select(Link.remote_id).where(Link.object == "Accounts")).all()
    assert len(letters) == 3
    assert {letter.field for letter in letters} == {"Employees"}
    assert len([i for i in linked if i]) == 97


def test_an_answer_that_breaks_off_is_looked_up_before_anything_is_sent_again(zoho):
    seed(zoho, 30)
    zoho.stand_in.fault("drop-answer", times=1, method="POST", path=".*/Accounts.*")
    zoho.poll()
    zoho.work()
    zoho.sync(seconds=60)
    names = [account["Account_Name"] for account in zoho.accounts()]
    assert len(names) == len(set(names)) == 30
