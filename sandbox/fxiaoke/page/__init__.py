"""The screen where a person edits records as a CRM user would; its edits fire events."""

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from sandbox.fxiaoke import records, user_actions
from sandbox.fxiaoke.errors import AdminError, ApiError
from sandbox.fxiaoke.page import listing
from sandbox.fxiaoke.page.texts import LANGUAGES, text
from sandbox.fxiaoke.page.widgets import Widgets, label_of, read_form

if TYPE_CHECKING:
    from sandbox.fxiaoke.world import World

ACTIONS = {
    "invalid": user_actions.invalid,
    "recover": user_actions.recover,
    "delete": user_actions.delete,
    "lock": user_actions.lock,
    "unlock": user_actions.unlock,
    "approve": user_actions.approve,
    "reject": user_actions.reject,
}
_YEAR = 31_536_000


def page_blueprint(world: "World") -> Blueprint:
    blueprint = Blueprint("page", __name__, template_folder="templates", static_folder="static")
    page = Page(world)
    blueprint.context_processor(page.context)
    for rule, view, methods in (
        ("/", page.home, ["GET"]),
        ("/settings", page.settings, ["POST"]),
        ("/callback", page.callback, ["GET"]),
        ("/callback", page.save_callback, ["POST"]),
        ("/o/<api>", page.rows, ["GET"]),
        ("/o/<api>/new", page.new, ["GET"]),
        ("/o/<api>/new", page.create, ["POST"]),
        ("/o/<api>/merge", page.choose_winner, ["GET"]),
        ("/o/<api>/merge", page.merge, ["POST"]),
        ("/o/<api>/<record_id>", page.show, ["GET"]),
        ("/o/<api>/<record_id>", page.save, ["POST"]),
        ("/o/<api>/<record_id>/owner", page.owner, ["POST"]),
        ("/o/<api>/<record_id>/<action>", page.act, ["POST"]),
    ):
        blueprint.add_url_rule(rule, view.__name__, view, methods=methods)
    blueprint.register_error_handler(AdminError, page.wrong)
    return blueprint


def _language() -> str:
    chosen = request.cookies.get("language")
    if chosen in LANGUAGES:
        return chosen
    return request.accept_languages.best_match(LANGUAGES) or "zh"


class Page:
    def __init__(self, world: "World") -> None:
        self._world = world

    def _user(self) -> str:
        chosen = request.cookies.get("user", "")
        return chosen if self._world.people.find(chosen) else "1000"

    def context(self) -> dict[str, Any]:
        language = _language()
        return {
            "language": language,
            "t": lambda key: text(language, key),
            "objects": [(one["api_name"], self._title(one)) for one in self._world.describes.all()],
            "people": self._world.people.all(),
            "user": self._user(),
            "moment": listing.moment,
            "said": request.args.get("said", ""),
        }

    def _title(self, describe: dict[str, Any]) -> str:
        return describe["display_name"] if _language() == "zh" else describe["_en"]

    def _person(self, ids: Any) -> str:
        if not ids:
            return ""
        employee = self._world.people.find(ids[0])
        return employee.name if employee else ids[0]

    def wrong(self, error: AdminError) -> tuple[str, int]:
        return render_template("wrong.html", message=error.message), error.status

    # -- home and settings ------------------------------------------------------------------

    def home(self) -> str:
        with self._world.database.reading() as connection:
            counts = listing.counts(connection)
        totals = self._world.counters.report(0)["totals"]
        calls = text(_language(), "calls").format(**totals)
        return render_template("home.html", counts=counts, calls=calls)

    def settings(self) -> AnyResponse:
        """Language and acting user, kept in cookies."""
        back = request.form.get("back", "/")
        answer = redirect(back if back.startswith("/") and back[1:2] not in {"/", "\\"} else "/")
        for name in ("language", "user"):
            if name in request.form:
                answer.set_cookie(
                    name, request.form[name], max_age=_YEAR, httponly=True, samesite="Lax"
                )
        return answer

    def callback(self, problem: str = "") -> Response:
        events = self._world.events
        return make_response(
            render_template(
                "callback.html",
                settings=events.report(),
                log=events.recent()[:-51:-1],
                secret=self._world.credentials["callback_secret"],
                problem=problem,
            ),
            422 if problem else 200,
        )

    def save_callback(self) -> AnyResponse:
        url = request.form.get("url", "").strip()
        names = [one for one in request.form.getlist("objects") if self._world.describes.find(one)]
        try:
            self._world.events.configure({"url": url, "objects": names})
        except AdminError as error:
            return self.callback(error.message)
        return redirect(url_for("page.callback", said="saved"))

    # -- rows -------------------------------------------------------------------------------

    def rows(self, api: str) -> str:
        describe = self._world.describes.for_admin(api)
        words = request.args.get("q", "")
        number = max(request.args.get("page", default=0, type=int), 0)
        with self._world.database.reading() as connection:
            rows, total = listing.page_of(connection, describe, words, number)
            columns = listing.columns(describe)
            names = self._reference_names(connection, describe, rows, columns)
        return render_template(
            "list.html",
            describe=describe,
            title=self._title(describe),
            rows=rows,
            columns=[(name, label_of(describe["fields"][name], _language())) for name in columns],
            names=names,
            statuses=self._statuses(describe),
            person=self._person,
            total=total,
            words=words,
            number=number,
            more=(number + 1) * listing.PAGE < total,
        )

    @staticmethod
    def _reference_names(
        connection: Any, describe: dict[str, Any], rows: list[dict[str, Any]], columns: list[str]
    ) -> dict[str, str]:
        names: dict[str, str] = {}
        for name in columns:
            target = describe["fields"][name].get("target_api_name")
            if target:
                ids = {row[name] for row in rows if row.get(name)}
                names.update(records.names_of(connection, target, ids))
        return names

    @staticmethod
    def _statuses(describe: dict[str, Any]) -> dict[str, str]:
        options = describe["fields"]["life_status"]["options"]
        return {one["value"]: label_of(one, _language()) for one in options}

    def _form(self, api: str, row: dict[str, Any], problem: str = "") -> Response:
        describe = self._world.describes.for_admin(api)
        with self._world.database.reading() as connection:
            widgets = Widgets(self._world, connection, _language()).of(describe, row)
            related = (
                listing.children(self._world, connection, api, row["_id"]) if "_id" in row else []
            )
        titles = {one["api_name"]: self._title(one) for one in self._world.describes.all()}
        page = render_template(
            "form.html",
            api=api,
            title=self._title(describe),
            row=row,
            widgets=widgets,
            problem=problem,
            statuses=self._statuses(describe),
            person=self._person,
            related=[(child, titles[child], one) for child, one in related],
        )
        return make_response(page, 422 if problem else 200)

    def _row(self, api: str, record_id: str) -> dict[str, Any]:
        self._world.describes.for_admin(api)
        with self._world.database.reading() as connection:
            row = records.get(connection, api, record_id)
        if row is None:
            raise AdminError(text(_language(), "not_found"), 404)
        return row

    def new(self, api: str) -> Response:
        return self._form(api, {"owner": [self._user()], "record_type": "default__c"})

    def create(self, api: str) -> AnyResponse:
        fields = read_form(self._world.describes.for_admin(api), request.form)
        given = {name: value for name, value in fields.items() if value is not None}
        try:
            record_id = user_actions.create(self._world, self._user(), api, given)
        except ApiError as error:
            return self._form(api, given, error.message)
        return redirect(url_for("page.show", api=api, record_id=record_id, said="created"))

    def show(self, api: str, record_id: str) -> Response:
        return self._form(api, self._row(api, record_id))

    def save(self, api: str, record_id: str) -> AnyResponse:
        before = self._row(api, record_id)
        fields = read_form(self._world.describes.for_admin(api), request.form)
        try:
            after = user_actions.edit(self._world, self._user(), api, record_id, fields)
        except ApiError as error:
            shown = {**before, **{n: v for n, v in fields.items() if v is not None}}
            return self._form(api, shown, error.message)
        said = "unchanged" if after["version"] == before["version"] else "saved"
        return redirect(url_for("page.show", api=api, record_id=record_id, said=said))

    def act(self, api: str, record_id: str, action: str) -> AnyResponse:
        row = self._row(api, record_id)
        if action not in ACTIONS:
            raise AdminError(text(_language(), "not_found"), 404)
        try:
            ACTIONS[action](self._world, self._user(), api, record_id)
        except (AdminError, ApiError) as error:
            return self._form(api, row, error.message)
        if action == "delete":
            return redirect(url_for("page.rows", api=api, said="done"))
        return redirect(url_for("page.show", api=api, record_id=record_id, said="done"))

    def owner(self, api: str, record_id: str) -> AnyResponse:
        owner = request.form.get("owner", "")
        user_actions.change_owner(self._world, self._user(), api, record_id, owner=owner)
        return redirect(url_for("page.show", api=api, record_id=record_id, said="done"))

    # -- merge ------------------------------------------------------------------------------

    def choose_winner(self, api: str) -> Response:
        ids = request.args.getlist("id")
        if len(ids) != 2:
            raise AdminError(text(_language(), "choose_two"))
        describe = self._world.describes.for_admin(api)
        pair = [self._row(api, one) for one in ids]
        names = [
            (name, label_of(field, _language()))
            for name, field in describe["fields"].items()
            if not field.get("_hidden") and any(row.get(name) for row in pair)
        ]
        return make_response(
            render_template(
                "merge.html", api=api, title=self._title(describe), pair=pair, names=names
            )
        )

    def merge(self, api: str) -> AnyResponse:
        winner, loser = request.form.get("winner", ""), request.form.get("loser", "")
        user_actions.merge(self._world, self._user(), api, winner, loser)
        return redirect(url_for("page.show", api=api, record_id=winner, said="done"))
