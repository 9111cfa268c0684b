"""Mail addresses: user and domain apart, plus tags off, role mailboxes and free providers known."""

import re
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from sync.core.normal.tables import FREE_MAIL, ROLE_USERS
from sync.core.normal.text import fold

ADDRESS = re.compile(r"([^\s@<>(),;:\"]+)@([a-z0-9][a-z0-9.-]*)")
HOST = re.compile(r"^(?:[a-z]+://)?(?:www\d?\.)?([a-z0-9-]+(?:\.[a-z0-9-]+)+)")
PROVIDERS = (
    "gmail.com",
    "hotmail.com",
    "outlook.com",
    "yahoo.com",
    "icloud.com",
    "163.com",
    "126.com",
    "qq.com",
)
# One slip leaves the start or the end of a provider's domain as it is.
STARTS = tuple(name[:3] for name in PROVIDERS[:5])
ENDS = tuple(name[-5:] for name in PROVIDERS[:5])
DIGITS_END = re.compile(r"\d+$")
HOSTED = frozenset(
    [
        "1688.com",
        "taobao.com",
        "tmall.com",
        "made-in-china.com",
        "alibaba.com",
        "facebook.com",
        "linkedin.com",
        "wixsite.com",
    ]
)


@dataclass(frozen=True, slots=True)
class Mail:
    """A mailbox in its normal form."""

    user: str
    domain: str
    role: bool
    free: bool

    @property
    def key(self) -> str:
        return f"{self.user}@{self.domain}"

    @property
    def numbered(self) -> bool:
        """`li.wei2@` a firm's own domain: there is another person of that name."""
        user = self.user
        if self.free or self.role or len(user) < 4 or user[-1] not in "23456789":
            return False
        return user[-2].isalpha()


def parse_mail(text: str) -> Mail | None:
    """The first address in the text, None where there is none."""
    match = ADDRESS.search(fold(text))
    if match is None:
        return None
    user, domain = match[1].strip("."), _provider(match[2].strip("."))
    user = user.split("+", 1)[0] or user
    free = domain in FREE_MAIL
    if domain in {"gmail.com", "googlemail.com"}:
        user, domain = user.replace(".", ""), "gmail.com"
    stem = user.rstrip("0123456789") if user.isascii() else DIGITS_END.sub("", user)
    return Mail(user, domain, role=user in ROLE_USERS or stem in ROLE_USERS, free=free)


def _provider(domain: str) -> str:
    """`gmial.com` is gmail.com: a free provider with one slip of the keys."""
    if domain in FREE_MAIL or not 9 <= len(domain) <= 12:
        return domain
    if not domain.startswith(STARTS) and not domain.endswith(ENDS):
        return domain
    for provider in PROVIDERS[:5]:
        if OSA.distance(domain, provider, score_cutoff=1) <= 1:
            return provider
    return domain


def parse_domain(text: str) -> str:
    """The host of a web address without `www.`; empty for none and for market places."""
    match = HOST.match(fold(text))
    if match is None:
        return ""
    host = match[1]
    return "" if any(host == h or host.endswith("." + h) for h in HOSTED) else host
