"""The admin's pages: how the installation is, people, devices, the register."""

from typing import Any

from flask import (
    Blueprint,
    Response,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.blueprints import BlueprintSetupState

from kiosk import staff
from kiosk import standard as standards
from kiosk.errors import Invalid, LoketError, NotFound
from kiosk.imports import Imports
from views import web
from views.kiosk import qr
from views.machine import checked

blueprint = Blueprint("admin", __name__, url_prefix="/admin")
REASONS = {
    "nik_form": "NIK bukan 16 angka, atau tanggal dan nomor urutnya tidak mungkin",
    "nik_number": "NIK tersimpan sebagai bilangan, angka akhirnya dibulatkan",
    "kk_form": "Nomor KK bukan 16 angka",
    "kk_number": "Nomor KK tersimpan sebagai bilangan, angka akhirnya dibulatkan",
    "name_missing": "Nama kosong",
    "row_width": "Jumlah kolom tidak sama dengan baris judul",
    "duplicate": "Baris yang sama persis dengan baris lain",
    "conflict": "NIK sama dengan baris lain, isinya berbeda",
}


@blueprint.record_once
def _prepare(state: BlueprintSetupState) -> None:
    state.app.extensions["imports"] = Imports(state.app.extensions["loket"])


def imports() -> Imports:
    found: Imports = current_app.extensions["imports"]
    return found


@blueprint.get("")
@web.for_staff("admin")
def page() -> str:
    return render_template("admin/page.html", health=checked())


@blueprint.get("/standar")
@web.for_staff("admin")
def standard() -> str:
    """The published standard of each service beside what the system does."""
    profile = web.loket().profile
    beside = [standards.read(profile, service) for service in profile.services]
    return render_template("admin/standard.html", standards=beside)


# ── People ──


@blueprint.get("/petugas")
@web.for_staff("admin")
def people() -> str:
    return _people({}, {})


@blueprint.post("/petugas")
@web.for_staff("admin")
def add_person() -> Response:
    given = {
        part: request.form.get(part, "").strip()[:80]
        for part in ("name", "full_name", "role", "village")
    }
    password = request.form.get("password", "")[:200]
    try:
        staff.add_user(
            web.loket().profile, **given, password=password, now=web.now(), by=web.actor()
        )
    except Invalid as error:
        return make_response(_people(given, error.fields), 422)
    return make_response(redirect(url_for("admin.people"), 303))


def _people(given: dict[str, str], faults: dict[str, str]) -> str:
    return render_template("admin/people.html", people=staff.people(), given=given, faults=faults)


@blueprint.get("/petugas/<int:user_id>")
@web.for_staff("admin")
def person(user_id: int) -> str:
    return _person(user_id, {})


@blueprint.post("/petugas/<int:user_id>")
@web.for_staff("admin")
def change_person(user_id: int) -> Response:
    given = {part: request.form.get(part, "") for part in ("role", "village")}
    active, profile = request.form.get("active") == "1", web.loket().profile
    try:
        staff.change_user(profile, user_id, web.actor(), web.now(), active=active, **given)
    except Invalid as error:
        return make_response(_person(user_id, error.fields), 422)
    return make_response(redirect(url_for("admin.people"), 303))


@blueprint.post("/petugas/<int:user_id>/password")
@web.for_staff("admin")
def new_password(user_id: int) -> Response:
    password = request.form.get("password", "")[:200]
    try:
        staff.set_password(user_id, password, web.now(), web.actor())
    except Invalid as error:
        return make_response(_person(user_id, error.fields), 422)
    return make_response(redirect(url_for("admin.people"), 303))


@blueprint.post("/petugas/<int:user_id>/nik")
@web.for_staff("admin")
def person_nik(user_id: int) -> Response:
    """Note or, sent empty, forget the NIK under which BSrE knows this person."""
    nik = request.form.get("nik", "")[:40]
    try:
        staff.set_nik(web.loket(), user_id, nik, web.actor(), web.now())
    except Invalid as error:
        return make_response(_person(user_id, error.fields), 422)
    return make_response(redirect(url_for("admin.person", user_id=user_id), 303))


def _person(user_id: int, faults: dict[str, str]) -> str:
    found = next((user for user in staff.people() if user.id == user_id), None)
    if found is None:
        raise NotFound("Petugas ini tidak ada.")
    nik = staff.nik_of(web.loket(), user_id)
    shown = {"person": found, "nik": nik, "me": web.actor(), "faults": faults}
    return render_template("admin/person.html", **shown)


# ── Devices ──


@blueprint.get("/perangkat")
@web.for_staff("admin")
def devices() -> str:
    return _devices()


@blueprint.post("/perangkat")
@web.for_staff("admin")
def add_device() -> Response:
    """The enrolment address is in this answer alone: it is kept nowhere."""
    given = {part: request.form.get(part, "").strip()[:40] for part in ("name", "kind")}
    try:
        code = staff.add_device(**given, now=web.now(), by=web.actor())
    except Invalid as error:
        return make_response(_devices(given=given, faults=error.fields), 422)
    address = web.loket().base_url + url_for("machine.enrolment", code=code)
    return make_response(_devices(new=given | {"address": address, "qr": qr(address)}), 201)


@blueprint.post("/perangkat/<int:device_id>/revocations")
@web.for_staff("admin")
def revoke_device(device_id: int) -> Response:
    staff.revoke_device(device_id, web.actor(), web.now())
    return make_response(redirect(url_for("admin.devices"), 303))


def _devices(**shown: Any) -> str:
    shown = {"given": {}, "faults": {}, "new": None} | shown
    return render_template("admin/devices.html", devices=staff.devices(), **shown)


# ── The register ──


@blueprint.get("/register")
@web.for_staff("admin")
def register() -> str:
    return _register()


@blueprint.post("/register")
@web.for_staff("admin")
def import_register() -> Response:
    """Takes the export in and starts; how it goes is told on the page."""
    upload, as_of = request.files.get("file"), request.form.get("as_of", "")
    try:
        if upload is None:
            raise Invalid({"file": "Pilih berkas ekspor."})
        imports().start(upload.stream, upload.filename or "", as_of, web.actor(), web.now())
    except Invalid as error:
        return make_response(_register({"as_of": as_of}, error.fields), 422)
    return make_response(redirect(url_for("admin.register"), 303))


@blueprint.get("/register/progress")
@web.for_staff("admin")
def progress() -> Response:
    last = imports().last()
    if last and web.unchanged(last.version):
        return make_response("", 204)
    return make_response(render_template("admin/_import.html", **_import()))


@blueprint.post("/register/restorations")
@web.for_staff("admin")
def restore() -> Response:
    imports().go_back(web.actor(), web.now())
    return make_response(redirect(url_for("admin.register"), 303))


@blueprint.get("/register/rejects.csv")
@web.for_staff("admin")
def rejects() -> Response:
    last, path = imports().last(), imports().rejects
    if last is None or not path.exists():
        raise NotFound("Tidak ada baris yang ditolak pada impor terakhir.")
    response = Response(path.read_bytes(), mimetype="text/csv")
    name = f"baris-ditolak-{last.as_of}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _register(given: dict[str, str] | None = None, faults: dict[str, str] | None = None) -> str:
    most = current_app.config["MAX_CONTENT_LENGTH"] // 2**20
    shown = {"given": given or {}, "faults": faults or {}, "max_mb": most}
    return render_template("admin/register.html", **shown, **_import())


def _import() -> dict[str, Any]:
    try:
        snapshot = web.loket().register.snapshot()
    except LoketError:
        snapshot = None
    return {
        "last": imports().last(),
        "reasons": REASONS,
        "snapshot": snapshot,
        "stale": checked().register.stale,
        "today": web.loket().calendar.day_of(web.now()),
        "can_go_back": imports().can_go_back(),
    }
