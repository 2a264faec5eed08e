"""What the rooms of proposals share: whose they are, their tabs, the period, fields of acts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import current_app, request

from kiosk import periods, staff
from kiosk.errors import NotFound
from kiosk.jobs import Jobs
from kiosk.periods import PeriodView
from kiosk.service import FormField, ProposalService
from kiosk.tables import Text
from kiosk.words import MONTHS
from views import web

SOON_DAYS = 3
CHOSEN = ("staff", "requirements", "choice")
SAID = {
    "coming": "dibuka {n} hari lagi",
    "open": "sisa {n} hari",
    "soon": "sisa {n} hari",
    "last": "hari terakhir",
    "cut_off": "lewat batas usulan",
    "closed": "sudah berakhir",
}

Option = tuple[str, str | Text]


@dataclass(frozen=True)
class Period:
    """A period as a screen shows it: `days` left until `state` changes, of `of`."""

    code: str
    month: str
    opens: date
    cutoff: date
    pull: date
    closes: date
    state: str
    said: str
    days: int
    of: int
    families: int


def jobs() -> Jobs:
    found: Jobs = current_app.extensions["jobs"]
    return found


def service_asked() -> ProposalService:
    """The service that `layanan` names, else the office's first. Raises NotFound without any."""
    found = web.loket().profile.proposals
    asked = request.values.get("layanan", "")
    service = next((one for one in found if one.id == asked), None) or next(iter(found), None)
    if service is None or (asked and asked != service.id):
        raise NotFound("Layanan usulan ini tidak ada.")
    return service


def frame(service: ProposalService, **more: Any) -> dict[str, Any]:
    """What the frame of every room needs, and `more`."""
    me, profile = web.actor(), web.loket().profile
    role = profile.role(me.role)
    return {
        "me": me,
        "my_role": role.title if role else None,
        "may": may,
        "service": service,
        "services": profile.proposals,
        "rooms": _rooms(service, me.role),
        "notice": "",
        "good": "",
        "faults": {},
        **more,
    }


def may(right: Any) -> bool:
    return web.loket().profile.may(web.actor().role, right)


def _rooms(service: ProposalService, role: str) -> list[tuple[str, str | Text, dict[str, str]]]:
    """(endpoint, words, values) of the tabs that this role has."""
    here = {"layanan": service.id} if len(web.loket().profile.proposals) > 1 else {}
    rooms: list[tuple[str, str | Text, dict[str, str]]] = [("proposals.page", "Daftar", here)]
    if any(role in route.roles for route in service.routes):
        rooms += [("households.new", "Tambah keluarga", here)]
        rooms += [("sheets.page", "Unggah template", here)]
    for bundle in service.bundles:
        if role in bundle.roles:
            rooms += [("bundles.page", bundle.title, {"bundle_id": bundle.id, **here})]
    if may("supervise"):
        rooms += [("periods.page", "Periode", here)]
    return rooms


def month(code: str) -> str:
    """November 2026, of "2026-11"."""
    year, number = code.split("-")
    return f"{MONTHS[web.lang()][int(number) - 1]} {year}"


def listed_periods(service: ProposalService) -> list[Period]:
    return [_period(one) for one in periods.listed(web.loket(), service, web.now())]


def taking(found: list[Period]) -> Period | None:
    """The period that takes what is proposed now: the first that is not past its cut-off."""
    open_ = [one for one in found if one.state not in ("cut_off", "closed")]
    return min(open_, key=lambda one: one.code, default=None)


def _period(view: PeriodView) -> Period:
    today = web.loket().calendar.day_of(web.now())
    until = view.opens if view.state == "coming" else view.cutoff
    days, state = max(0, (until - today).days), view.state
    if state == "open" and days <= SOON_DAYS:
        state = "soon" if days else "last"
    of = max(1, (view.cutoff - view.opens).days)
    return Period(
        view.code, month(view.code), view.opens, view.cutoff, view.pull, view.closes,
        state, SAID[state], days, of, view.families,
    )  # fmt: skip


def village_name(village: str) -> str:
    """Desa, Kecamatan: of "Kecamatan/Desa"."""
    return ", ".join(reversed(village.split("/")))


def born(day: str) -> str:
    """A birth date as people read it, of an ISO text."""
    return web.short_date(date.fromisoformat(day)) if day else ""


def options_of(service: ProposalService, fields: Iterable[FormField]) -> dict[str, list[Option]]:
    """What can be chosen, by the field's name."""
    return {one.name: _choices(service, one) for one in fields if one.kind in CHOSEN}


def _choices(service: ProposalService, field: FormField) -> list[Option]:
    if field.kind == "staff":
        return [(str(one.id), one.full_name) for one in staff.people(field.role or "")]
    named = service.papers if field.kind == "requirements" else field.options
    return [(one.id, one.title) for one in named]


def sent(prefix: str = "") -> dict[str, list[str]]:
    """The form as sent; with a prefix, the fields that begin with it, it taken off."""
    given: Mapping[str, list[str]] = request.form.to_dict(flat=False)
    return {
        name.removeprefix(prefix): got for name, got in given.items() if name.startswith(prefix)
    }


def page_number() -> int:
    """The page asked for, from 1; a number too large for the database is the last page."""
    return min(max(1, request.args.get("hal", 1, int)), 10**6)
