"""The web's contract: every route, every link and target on every page, every text in English."""

import ast
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit
from xml.etree.ElementTree import Element

import pytest
from flask import Flask
from jinja2 import Environment, StrictUndefined, nodes
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from kiosk import population, queue
from kiosk.loket import Loket
from models import Ticket
from tests.conftest import STAFF, Clock, actor
from tests.letters import act, to_step
from tests.pages import Browser, check

Submit = Callable[..., int]
AsRole = Callable[..., Browser]
ROOT = Path(__file__).resolve().parent.parent
ROLES = [role for role, _ in STAFF.values()]
HTMX = {"HX-Request": "true"}
PUBLIC = {
    "GET /", "GET /masuk", "POST /masuk", "GET /keluar", "POST /keluar", "POST /bahasa",
    "GET /t/<token>", "GET /t/<token>/rows", "GET /t/<token>/berkas", "POST /t/<token>/berkas",
    "GET /t/<token>/surat", "POST /t/<token>/surat",
    "GET /v", "POST /v", "GET /v/<digits>", "POST /v/<digits>/matches",
    "GET /v/nomor", "POST /v/nomor", "GET /v/berkas", "POST /v/berkas",
    "GET /api/v1/verifikasi/<digits>", "GET /.well-known/sk-keys.json",
    "GET /.well-known/sk-offices.json", "GET /.well-known/sk-trust.jwt",
    "GET /.well-known/sk-status.jwt",
    "GET /standar", "GET /perangkat/<code>", "POST /perangkat/<code>", "GET /sehat",
    "GET /robots.txt", "GET /v/<digits>/cocok", "GET /v/kelompok", "POST /v/kelompok",
    "POST /api/v1/verifikasi",
    "GET /sw.js", "GET /v/luring", "GET /v/luring/<path:part>",
}  # fmt: skip
# Refused otherwise: known by a key in a header that no browser sends by itself, so that another
# site cannot make it ask; and the language, for which nobody is given a cookie with a token.
WITHOUT_TOKEN = {"institutions.api": 401, "staff.language": 303}
PERSON = population.DEMO_PERSON


@pytest.fixture
def office(app: Flask) -> Loket:
    found: Loket = app.extensions["loket"]
    return found


@dataclass(frozen=True)
class Route:
    """A route as one would call it, its converters filled with something."""

    method: str
    rule: str
    url: str
    endpoint: str


def routes(app: Flask) -> list[Route]:
    """Every route and method but the static files."""
    with app.test_request_context():
        return [
            Route(method, rule.rule, _url(app, rule), rule.endpoint)
            for rule in app.url_map.iter_rules()
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
            if rule.endpoint != "static"
        ]


def _url(app: Flask, rule: Rule) -> str:
    values = {name: 1 if f"<int:{name}>" in rule.rule else "x" for name in rule.arguments}
    return app.url_map.bind("loket.test").build(rule.endpoint, values)


def guard(app: Flask, route: Route) -> object:
    return getattr(app.view_functions[route.endpoint], "guard", None)


def call(browser: Browser, route: Route, *, htmx: bool = False) -> TestResponse:
    headers = HTMX if htmx else {}
    if route.method == "POST":
        return browser.send(route.url, htmx=htmx)
    return browser.client.get(route.url, headers=headers)


# --- routes ---


def test_every_route_is_guarded_and_what_is_public_is_written_down(app: Flask) -> None:
    kinds = {f"{route.method} {route.rule}": guard(app, route) for route in routes(app)}
    assert [name for name, found in kinds.items() if found is None] == []
    assert {name for name, found in kinds.items() if found.kind == "public"} == PUBLIC  # type: ignore[attr-defined]


def test_there_are_no_methods_but_get_and_post_and_a_get_changes_nothing_by_its_name(
    app: Flask,
) -> None:
    assert {route.method for route in routes(app)} == {"GET", "POST"}
    for rule in app.url_map.iter_rules():
        assert not {"PUT", "DELETE", "PATCH"} & (rule.methods or set())


@pytest.mark.parametrize("headers", [{}, HTMX, HTMX | {"X-CSRFToken": "forged"}])
def test_every_post_without_its_token_is_refused(
    app: Flask, browser: Browser, headers: dict[str, str]
) -> None:
    posts = [route for route in routes(app) if route.method == "POST"]
    assert len(posts) > 20
    for route in posts:
        answer = browser.client.post(route.url, headers=headers, data={"csrf_token": "forged"})
        assert answer.status_code == WITHOUT_TOKEN.get(route.endpoint, 400), route


def test_who_is_not_signed_in_is_led_to_the_sign_in(app: Flask, browser: Browser) -> None:
    for route in routes(app):
        if guard(app, route).kind == "staff":  # type: ignore[attr-defined]
            plain, htmx = call(browser, route), call(browser, route, htmx=True)
            assert plain.status_code == 303, route
            assert urlsplit(plain.headers["Location"]).path == "/masuk", route
            assert (htmx.status_code, htmx.headers["HX-Redirect"]) == (401, "/masuk"), route


@pytest.mark.parametrize("role", ROLES)
def test_a_right_that_a_role_has_not_closes_its_routes(
    app: Flask, as_role: AsRole, office: Loket, role: str
) -> None:
    browser = as_role(role)
    for route in routes(app):
        rights = getattr(guard(app, route), "rights", ())
        if rights:
            refused = call(browser, route).status_code == 403
            allowed = any(office.profile.may(role, right) for right in rights)
            assert refused is not allowed, route
            assert not refused or call(browser, route, htmx=True).status_code == 403, route


def test_a_devices_routes_are_closed_to_strangers_staff_and_other_devices(
    app: Flask, browser: Browser, as_role: AsRole, kiosk: Browser, display_client: Browser
) -> None:
    known = {"kiosk": kiosk, "display": display_client}
    others = [browser, as_role("admin")]
    for route in routes(app):
        kinds = getattr(guard(app, route), "devices", ())
        if kinds:
            strangers = others + [known[kind] for kind in known if kind not in kinds]
            for stranger in strangers:
                assert call(stranger, route).status_code == 403, route
                assert call(stranger, route, htmx=True).status_code == 403, route
            assert all(call(known[kind], route).status_code != 403 for kind in kinds), route


def test_what_is_anothers_looks_like_what_is_not_there(
    app: Flask, as_role: AsRole, office: Loket, submit: Submit
) -> None:
    """Application 1 waits at the counter; to the operator it is as unknown as 999."""
    assert submit(office) == 1
    operator = as_role("operator")
    for route in routes(app):
        if "<int:application_id>" in route.rule:
            far = replace(route, url=route.url.replace("/1", "/999"))
            anothers, nobodys = call(operator, route), call(operator, far)
            assert anothers.status_code == nobodys.status_code < 500, route
            shown = anothers.get_data(as_text=True)
            assert not [word for word in ("A01", "Siti", "2026-000001") if word in shown], route


def test_ids_that_are_nobodys_are_refused_and_never_a_fault_of_ours(
    app: Flask, as_role: AsRole
) -> None:
    admin, clerk = as_role("admin"), as_role("front_office", 1)
    for route in routes(app):
        if "<int:" in route.rule:
            who = admin if "admin" in getattr(guard(app, route), "rights", ()) else clerk
            for number in ("999", "9" * 25):
                far = replace(route, url=re.sub(r"/1\b", f"/{number}", route.url))
                assert call(who, far).status_code < 500, far


@pytest.mark.parametrize("asked", ["job=9", "done=9", "open=9", "seen=9", "q=A9", "q=2026-9"])
def test_a_number_in_a_query_may_be_any(as_role: AsRole, asked: str) -> None:
    for url in ("/meja", "/meja/first", "/meja/rows", "/meja/found", "/loket"):
        answer = as_role("front_office", 1).client.get(f"{url}?{asked}{'9' * 30}")
        assert answer.status_code < 500


# --- answers ---


def test_templates_fail_loudly(app: Flask) -> None:
    assert app.jinja_env.undefined is StrictUndefined
    assert app.jinja_env.autoescape is not False


def safe(answer: TestResponse) -> None:
    """What every answer's headers must say."""
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    for part in ("unsafe-inline", "unsafe-eval", "*", "http:"):
        assert part not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    static = answer.request.path.startswith("/static/")
    if not static and answer.mimetype in ("text/html", "application/pdf", "image/png", "text/csv"):
        assert answer.headers["Cache-Control"] == "no-store"


def test_answers_carry_a_strict_policy_whoever_asks(
    app: Flask, browser: Browser, kiosk: Browser, as_role: AsRole
) -> None:
    for who in (browser, kiosk, as_role("admin")):
        for route in routes(app):
            safe(call(who, route))


@pytest.mark.parametrize(
    ("method", "url", "code"),
    [
        ("GET", "/tidak-ada", 404),
        ("GET", "/meja/../../etc/passwd", 404),
        ("GET", "/static/../app.py", 404),
        ("DELETE", "/masuk", 405),
        ("TRACE", "/masuk", 405),
        ("GET", "/keluar/x", 404),
        ("GET", "/kiosk/answers", 405),
        ("GET", "/api/v2/x", 404),
    ],
)
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_what_is_not_there_is_said_without_a_trace(
    browser: Browser, method: str, url: str, code: int, headers: dict[str, str]
) -> None:
    answer = browser.client.open(url, method=method, headers=headers)
    check(answer)
    safe(answer)
    assert answer.status_code == code
    tells_nothing(answer)


def tells_nothing(answer: TestResponse) -> None:
    said = answer.get_data(as_text=True)
    for word in ("Traceback", "File &#34;", str(ROOT), "werkzeug", "Werkzeug", "sqlite", "SELECT"):
        assert word not in said
        assert word not in str(answer.headers)


@pytest.mark.parametrize("url", ["/robots.txt", "/api/v1/verifikasi/x"])
def test_a_fault_nobody_thought_of_is_said_without_a_trace(
    app: Flask, browser: Browser, url: str
) -> None:
    endpoint, _ = app.url_map.bind("loket.test").match(url)

    def broken(**_: object) -> str:
        raise RuntimeError(f"SELECT this and {ROOT}")

    broken.guard = app.view_functions[endpoint].guard  # type: ignore[attr-defined]
    app.view_functions[endpoint] = broken
    app.testing = False
    answer = browser.client.get(url)
    assert answer.status_code == 500
    check(answer)
    safe(answer)
    tells_nothing(answer)


# --- pages ---


@dataclass
class Walk:
    """Somebody who opens every link they see, and what was found on the way."""

    app: Flask
    browser: Browser
    ids: set[str] = field(default_factory=set)
    targets: set[tuple[str, str]] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)
    waiting: list[str] = field(default_factory=list)

    def from_(self, *urls: str, most: int = 120) -> "Walk":
        self.waiting += urls
        while self.waiting and len(self.seen) < most:
            url = self.waiting.pop(0)
            if url not in self.seen:
                self.seen.add(url)
                self.look(url, self.browser.client.get(url))
        return self

    def look(self, url: str, answer: TestResponse) -> None:
        """Check one answer; what it links to is opened later."""
        assert answer.status_code < 400 or answer.status_code == 422, f"{url}: {answer.status}"
        safe(answer)
        if 300 <= answer.status_code < 400:
            self.waiting.append(plain(answer.headers["Location"]))
        tree = check(answer)
        if tree is not None:
            whole = "<html" in answer.get_data(as_text=True)[:200]
            self.read(url, tree, whole=whole)

    def read(self, url: str, tree: Element, *, whole: bool) -> None:
        ids = {element.get("id") for element in tree.iter() if element.get("id")}
        self.ids |= ids
        for method, target in links(tree):
            self.resolve(url, method, target)
            fetched = method == "GET" and not target.endswith((".png", ".pdf", ".csv"))
            if fetched and not target.startswith("/static/"):
                self.waiting.append(plain(target))
        for element in tree.iter():
            wanted = element.get("hx-target", "")
            if wanted.startswith("#"):
                assert not whole or wanted[1:] in ids, f"{url}: no {wanted} on the page"
                self.targets.add((url, wanted[1:]))

    def resolve(self, url: str, method: str, target: str) -> None:
        path = urlsplit(target).path
        try:
            self.app.url_map.bind("loket.test").match(path, method=method)
        except HTTPException as error:
            raise AssertionError(f"{url}: {method} {target} leads nowhere: {error}") from None
        if path.startswith("/static/"):
            assert (ROOT / path.lstrip("/")).is_file(), f"{url}: no file {path}"

    def finish(self) -> "Walk":
        """Where a fragment goes must be on one of the pages that were seen."""
        lost = [(url, target) for url, target in self.targets if target not in self.ids]
        assert not lost
        return self


def links(tree: Element) -> Iterator[tuple[str, str]]:
    """(method, address) of all that an element of this page calls on our own site."""
    for element in tree.iter():
        get = element.get
        verbs = {"GET": get("hx-get"), "POST": get("hx-post")}
        for odd in ("hx-put", "hx-delete", "hx-patch"):
            assert get(odd) is None, f"{odd} on <{element.tag}>"
        if element.tag == "form":
            method = (get("method") or "get").upper()
            verbs |= {method: verbs.get(method) or get("action"), f"{method} ": get("action")}
        if element.tag in ("a", "link"):
            verbs |= {"GET  ": get("href")}
        if element.tag in ("script", "img"):
            verbs |= {"GET  ": get("src")}
        for method, target in verbs.items():
            if target and target.startswith("/"):
                yield method.strip(), target


def plain(target: str) -> str:
    """The address without its anchor and without the version that was seen: answered in full."""
    parts = urlsplit(target)
    asked = [(name, value) for name, value in parse_qsl(parts.query) if name != "v"]
    return parts.path + (f"?{urlencode(asked)}" if asked else "")


@pytest.fixture
def busy(office: Loket, clock: Clock, submit: Submit) -> list[int]:
    """An application in each step a person can meet, two waiting, one at window 1."""
    ids = [submit(office, priority=group) for group in ("", "lansia", "", "", "", "", "", "", "")]
    for id_, step in zip(ids[3:], ("cek", "cek", "cek", "periksa", "penyerahan"), strict=False):
        to_step(office, clock, id_, step)
    act(office, clock, ids[2], "front_office", "kurang", missing="kk", note="Salinan buram")
    act(office, clock, ids[3], "operator", "berbeda", seen="Alamat lain")
    act(office, clock, ids[4], "operator", "tidak_ditemukan", seen="Tidak ada")
    queue.call_next(office, actor("front_office", window=1), clock.at)
    return ids


@pytest.mark.parametrize("role", ROLES)
def test_what_staff_open_leads_somewhere_and_goes_somewhere(
    app: Flask, as_role: AsRole, busy: list[int], role: str
) -> None:
    window = 1 if role == "front_office" else None
    walk = Walk(app, as_role(role, window)).from_("/", "/meja").finish()
    assert len(walk.seen) >= 3
    if role == "front_office":
        assert {"/loket", "/meja/1"} <= walk.seen
    if role == "admin":
        assert {"/admin/petugas", "/admin/perangkat", "/admin/register"} <= walk.seen


def test_what_anybody_opens_leads_somewhere_and_goes_somewhere(
    app: Flask, browser: Browser, busy: list[int], office: Loket
) -> None:
    tokens = [ticket.token for ticket in Ticket.select()]
    walk = Walk(app, browser)
    walk.from_("/", "/masuk", "/keluar", "/v", "/v/123", *(f"/t/{token}" for token in tokens))
    walk.finish()
    assert f"/t/{tokens[0]}/rows" in walk.seen


def test_what_the_lobby_shows_leads_somewhere(
    app: Flask, display_client: Browser, busy: list[int]
) -> None:
    assert "/display/rows" in Walk(app, display_client).from_("/display").finish().seen


def answer_to(screen: str, **given: object) -> tuple[str, dict[str, object]]:
    return "/kiosk/answers", {"screen": screen} | given


BEGIN = ("/kiosk/visits", {"choice": "sk_dtks"})
TO_PAIR = [
    BEGIN,
    answer_to("about"),
    answer_to("priority", priority="lansia"),
    answer_to("consent"),
]
FOUND = [
    *TO_PAIR, answer_to("nik", nik=PERSON.nik), answer_to("kk", kk=PERSON.kk),
    answer_to("purpose", purpose="pip"),
]  # fmt: skip
UNKNOWN = [*TO_PAIR, answer_to("nik", nik=PERSON.nik), answer_to("kk", kk="3602111111110000")]
VISITS = {
    "found": [*FOUND, answer_to("check", correct="yes")],
    "wrong": [
        *FOUND, answer_to("check", correct="no"), answer_to("wrong", wrong="address"),
        answer_to("note", note="RT 3"),
    ],
    "by hand": [
        *UNKNOWN, answer_to("notfound", choice="manual"), answer_to("name", name="SITI AMINAH"),
        answer_to("birth", birth="07081990"), answer_to("address", address="KP. BARU RT 3"),
        answer_to("purpose", purpose="pip"), answer_to("check", correct="yes"),
    ],
    "faults": [*TO_PAIR, answer_to("nik", nik="1"), answer_to("nik", nik=PERSON.nik)],
    "print": [("/kiosk/visits", {"choice": "print"}), ("/kiosk/scans", {"screen": "scan_print"})],
    "state": [("/kiosk/visits", {"choice": "status"}), ("/kiosk/scans", {"screen": "scan_status"})],
}  # fmt: skip


@pytest.mark.parametrize("lang", ["id", "en"])
@pytest.mark.parametrize("visit", VISITS)
def test_what_a_citizen_touches_leads_somewhere(
    app: Flask, kiosk: Browser, busy: list[int], visit: str, lang: str
) -> None:
    kiosk.client.set_cookie("lang", lang)
    walk = Walk(app, kiosk).from_("/kiosk", most=1)
    screens = set()
    token = Ticket.get(Ticket.application == busy[7]).token
    for url, given in VISITS[visit]:
        code = {"code": f"http://loket.test/t/{token}"} if "scans" in url else {}
        walk.look(url, kiosk.send(url, given | code))
        for page in ("/kiosk", "/kiosk/screen"):
            walk.look(page, kiosk.client.get(page))
        screens.add(str(kiosk.client.get("/kiosk/screen").data)[:60])
    walk.finish()
    assert len(screens) >= len(VISITS[visit]) - 1, "the visit stood still"


# --- words ---

ENGLISH = {
    key: value
    for file in sorted((ROOT / "views" / "english").glob("*.toml"))
    for key, value in tomllib.loads(file.read_text()).items()
}
# What only the terminal says, in the language of its tables.
TERMINAL = {
    "settings.py", "profile.py", "demo.py", "loket.py", "fetch.py", "key_acts.py", "key_backup.py",
    "key_commands.py", "key_file.py", "trust_refresh.py",
}  # fmt: skip
CODE = [ROOT / "app.py", *sorted(ROOT.glob("views/*.py")), *sorted(ROOT.glob("kiosk/*.py"))]
RAISED = {
    "Invalid", "NotAllowed", "NotFound", "Stale", "Unusable", "TooMany", "BadSeal", "PrinterDown",
    "Status",
}  # fmt: skip


def template_calls(source: str) -> Iterator[tuple[nodes.Call, str]]:
    """The calls of `_` in a template with each text that they may be given."""
    for found in Environment(extensions=["jinja2.ext.do"]).parse(source).find_all(nodes.Call):  # noqa: S701 - only parsed
        if isinstance(found.node, nodes.Name) and found.node.name == "_" and found.args:
            first = found.args[0]
            texts = [first] if isinstance(first, nodes.Const) else _branches(first)
            for text in texts:
                if isinstance(text, nodes.Const) and isinstance(text.value, str):
                    yield found, text.value


def _branches(expression: nodes.Node) -> list[nodes.Node]:
    if isinstance(expression, nodes.CondExpr):
        ends = [expression.expr1, *([expression.expr2] if expression.expr2 else [])]
        return [leaf for end in ends for leaf in (_branches(end) or [end])]
    return []


# Its parts are filled in by app.js, as they are typed.
BY_SCRIPT = {"{n} dari {of} angka"}
TEMPLATES = [
    file for file in sorted((ROOT / "templates").rglob("*.html")) if file.parent.name != "letters"
]


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda f: str(f.relative_to(ROOT / "templates")))
def test_every_text_of_a_template_has_its_english_with_the_same_parts(file: Path) -> None:
    missing = []
    for found, text in template_calls(file.read_text()):
        english = ENGLISH.get(text)
        if english is None:
            missing.append(text)
            continue
        given = {keyword.key for keyword in found.kwargs}
        assert parts(text) == given or text in BY_SCRIPT, text
        assert parts(english) == parts(text), text
    assert not missing


def parts(text: str) -> set[str]:
    return set(re.findall(r"{(\w+)}", text))


def constants(tree: ast.Module) -> dict[str, str]:
    """A module's own texts by their names."""
    return {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name) and isinstance(node.value.value, str)
    }


def messages(file: Path) -> set[str]:
    """What a module says in an error or a fault; texts with parts filled in are not told here."""
    tree = ast.parse(file.read_text())
    known = constants(tree)
    found: set[str] = set()
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in RAISED
        ):
            given = [
                *node.args,
                *(k.value for k in node.keywords if k.arg in ("reason", "message")),
            ]
            found |= {text for one in given for text in said(one, known)}
        elif isinstance(node, ast.Assign) and _is_fault(node.targets[0]):
            found |= said(node.value, known)
    return {text for text in found if " " in text}


def _is_fault(target: ast.expr) -> bool:
    return (
        isinstance(target, ast.Subscript)
        and isinstance(target.value, ast.Name)
        and target.value.id == "faults"
    )


def said(node: ast.expr, known: dict[str, str]) -> set[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {node.value}
    if isinstance(node, ast.Name) and node.id in known:
        return {known[node.id]}
    if isinstance(node, ast.Dict):
        return {text for value in node.values for text in said(value, known)}
    if isinstance(node, ast.IfExp):
        return said(node.body, known) | said(node.orelse, known)
    return set()


@pytest.mark.parametrize("file", [f for f in CODE if f.name not in TERMINAL], ids=lambda f: f.name)
def test_every_message_has_its_english(file: Path) -> None:
    assert not {text for text in messages(file) if text not in ENGLISH}


def test_no_english_is_left_over() -> None:
    used: set[str] = set()
    patterns: set[str] = set()
    for file in CODE:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                used.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                patterns.add(pattern(node))
    for file in TEMPLATES:
        tree = Environment(extensions=["jinja2.ext.do"]).parse(file.read_text())  # noqa: S701 - only parsed
        used |= {text.value for text in tree.find_all(nodes.Const) if isinstance(text.value, str)}
    whole = re.compile("|".join(sorted(patterns)))
    left = {text for text in ENGLISH if text not in used and not whole.fullmatch(text)}
    assert not {text for text in left if text.removesuffix(" lagi") not in used}


def pattern(text: ast.JoinedStr) -> str:
    """A text with parts filled in, as a pattern; one that is nothing but parts matches nothing."""
    fixed = [p.value if isinstance(p, ast.Constant) else None for p in text.values]
    if sum(len(str(part)) for part in fixed if part) < 8:
        return "(?!)"
    return "".join(".+" if part is None else re.escape(str(part)) for part in fixed)


def test_no_text_has_two_english_ones() -> None:
    found: dict[str, set[str]] = {}
    for file in sorted((ROOT / "views" / "english").glob("*.toml")):
        for key, value in tomllib.loads(file.read_text()).items():
            found.setdefault(key, set()).add(value)
    assert not {key: values for key, values in found.items() if len(values) > 1}
