"""What holds for every page: asserted on each answer that a test client gets."""

import warnings
from collections import Counter
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
from flask import g
from flask import session as current
from flask.testing import FlaskClient
from flask_wtf.csrf import generate_csrf
from werkzeug.test import TestResponse


def parse(html: str, *, fragment: bool) -> Element:
    """The tree of an HTML5 page or fragment; the parser's own faults are ours."""
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = parser.parseFragment(html) if fragment else parser.parse(html)
    faults = [fault for fault in parser.errors if fault[1] != "expected-doctype-but-got-start-tag"]
    assert not faults, f"HTML does not parse: {faults[:3]}"
    return tree


def check(response: TestResponse) -> Element | None:
    """Assert on the answer what every page must be; its tree."""
    if response.mimetype != "text/html" or 300 <= response.status_code < 400:
        return None
    html = response.get_data(as_text=True)
    if not html.strip():
        return None
    fragment = "<html" not in html[:200]
    tree = parse(html, fragment=fragment)
    _ids_are_unique(tree)
    _forms_are_whole(tree)
    _nothing_inline(tree)
    if not fragment:
        _one_heading(tree)
    return tree


def text(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def _ids_are_unique(tree: Element) -> None:
    ids = Counter(e.get("id") for e in tree.iter() if e.get("id"))
    twice = [one for one, count in ids.items() if count > 1]
    assert not twice, f"ids stand twice: {twice}"


def _forms_are_whole(tree: Element) -> None:
    for form in tree.iter("form"):
        assert form.get("action"), "a form without an action"
        if (form.get("method") or "get").lower() == "post":
            names = [field.get("name") for field in form.iter("input")]
            free = (form.get("action") or "").startswith("/bahasa?")
            assert free or "csrf_token" in names, f"{form.get('action')}: no csrf_token"


def _nothing_inline(tree: Element) -> None:
    for element in tree.iter():
        if not isinstance(element.tag, str):
            continue
        inline = [name for name in element.attrib if name == "style" or name.startswith("on")]
        assert not inline, f"<{element.tag}> has {inline}, which the CSP forbids"
        if element.tag in ("script", "style"):
            assert element.get("src"), f"inline <{element.tag}>"


def _one_heading(tree: Element) -> None:
    headings = list(tree.iter("h1"))
    assert len(headings) == 1, f"{len(headings)} h1 on the page"
    title = text(next(tree.iter("title")))
    assert title.startswith(text(headings[0])[:40]), f"{title!r} does not start with the heading"


class Browser:
    """A test client that asserts on every page, and sends forms with their CSRF token."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def page(self, url: str, **options: Any) -> TestResponse:
        response = self.client.get(url, **options)
        check(response)
        return response

    def fragment(self, url: str, **options: Any) -> TestResponse:
        return self.page(url, headers={"HX-Request": "true"}, **options)

    def token(self) -> str:
        """The CSRF token of this browser's session."""
        with self.client.application.test_request_context():
            with self.client.session_transaction() as session:
                current.update(session)
                signed = generate_csrf()
                session.update(current)
            g.pop("csrf_token", None)
        return str(signed)

    def send(
        self, url: str, data: dict[str, Any] | None = None, *, htmx: bool = False, **options: Any
    ) -> TestResponse:
        headers = {"X-CSRFToken": self.token()}
        if htmx:
            headers["HX-Request"] = "true"
        response = self.client.post(url, data=data or {}, headers=headers, **options)
        check(response)
        return response
