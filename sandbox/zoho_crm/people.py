"""Users and the organisation. The first user is the one whose token the API uses."""

import json

from sandbox.zoho_crm.store import dump

SEEDS = (
    ("Hub", "Integration", "integration@crm-stand-in.example", "Administrator"),
    ("Sales", "East", "sales.east@crm-stand-in.example", "Standard"),
    ("Sales", "West", "sales.west@crm-stand-in.example", "Standard"),
    ("Service", "Desk", "service.desk@crm-stand-in.example", "Standard"),
)


class People:
    def __init__(self, store, clock):
        self._store = store
        self._clock = clock
        with store.write() as conn:
            if not conn.execute("SELECT 1 FROM users").fetchone():
                self._seed(conn)
            rows = conn.execute("SELECT doc FROM users ORDER BY id").fetchall()
        self.users = {user["id"]: user for user in (json.loads(row[0]) for row in rows)}
        self.integration = min(self.users)
        self.person = sorted(self.users)[1]

    def _seed(self, conn):
        ids = {name: self._store.next_id() for name in ("Administrator", "Standard", "CEO", "Org")}
        meta = {"org": ids["Org"], "created": self._clock.second()}
        conn.execute("INSERT OR REPLACE INTO meta VALUES ('org', ?)", (dump(meta),))
        for first, last, email, profile in SEEDS:
            user = {
                "id": self._store.next_id(),
                "first_name": first,
                "last_name": last,
                "email": email,
                "profile": {"name": profile, "id": ids[profile]},
                "role": {"name": "CEO", "id": ids["CEO"]},
                "created": self._clock.second(),
                "status": "active",
            }
            conn.execute("INSERT INTO users VALUES (?, ?)", (user["id"], dump(user)))

    def name(self, user_id):
        user = self.users.get(user_id)
        return f"{user['first_name']} {user['last_name']}" if user else "Unknown"

    def short(self, user_id):
        return {"name": self.name(user_id), "id": str(user_id)}

    def full(self, user_id):
        user = self.users.get(user_id)
        return {**self.short(user_id), "email": user["email"] if user else None}

    def profiles(self):
        return list(
            {user["profile"]["id"]: user["profile"] for user in self.users.values()}.values()
        )

    def render(self, user):
        """A user as the users call gives it."""
        return {
            "id": str(user["id"]),
            "zuid": str(user["id"])[-9:],
            "full_name": self.name(user["id"]),
            "first_name": user["first_name"],
            "last_name": user["last_name"],
            "email": user["email"],
            "status": user["status"],
            "confirm": True,
            "role": _with_text_id(user["role"]),
            "profile": _with_text_id(user["profile"]),
            "time_zone": self._clock.zone_label(),
            "locale": "en_US",
            "language": "en_US",
            "country": "cn",
            "country_locale": "en_US",
            "date_format": "yyyy-MM-dd",
            "time_format": "HH:mm",
            "created_time": self._clock.text(user["created"]),
            "created_by": self.short(self.integration),
            "Modified_Time": self._clock.text(user["created"]),
            "Modified_By": self.short(self.integration),
            "type__s": "Regular User",
            "microsoft": False,
            "personal_account": False,
        }

    def change_user(self, email, status):
        """Somebody leaves or comes back."""
        user = next(each for each in self.users.values() if each["email"] == email)
        user["status"] = status
        with self._store.write() as conn:
            conn.execute("UPDATE users SET doc = ? WHERE id = ?", (dump(user), user["id"]))

    def change_org(self, facts):
        """Another name or type of organisation, as `org` shows it."""
        meta = {**json.loads(self._store.meta("org")), **facts}
        self._store.set_meta("org", dump(meta))

    def org(self):
        meta = json.loads(self._store.meta("org"))
        return {
            "id": str(meta["org"]),
            "zgid": str(meta["org"])[-8:],
            "company_name": meta.get("name", "CRM stand-in (not Zoho)"),
            "primary_email": self.users[self.integration]["email"],
            "domain_name": "org-stand-in",
            "country_code": "CN",
            "country": "CN",
            "currency": "Chinese Yuan - CNY",
            "currency_locale": "zh_CN",
            "currency_symbol": "¥",
            "iso_code": "CNY",
            "time_zone": self._clock.zone_label(),
            "type": meta.get("type", "sandbox"),
            "mc_status": False,
            "gapps_enabled": False,
            "translation_enabled": False,
            "privacy_settings": False,
            "hipaa_compliance_enabled": False,
            "license_details": {
                "paid": True,
                "paid_type": "enterprise",
                "trial_type": None,
                "trial_expiry": None,
                "paid_expiry": None,
                "users_license_purchased": 10,
            },
            "created_time": self._clock.text(meta["created"]),
        }


def _with_text_id(pair):
    return {"name": pair["name"], "id": str(pair["id"])}
