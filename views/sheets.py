"""The template of many households: downloaded, filled in, uploaded, given back; and the export."""

import re
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

from kiosk import bundles, proposal_export, proposal_sheet, proposals
from kiosk.errors import Invalid, NotFound, Stale
from kiosk.proposal_uploads import Uploads
from views import web
from views.proposal_rooms import frame, service_asked, village_name

blueprint = Blueprint("sheets", __name__)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
KINDS = {"xlsx": XLSX, "csv": "text/csv"}


@blueprint.record_once
def _prepare(state: BlueprintSetupState) -> None:
    state.app.extensions["uploads"] = Uploads(state.app.extensions["loket"])


def uploads() -> Uploads:
    found: Uploads = current_app.extensions["uploads"]
    return found


@blueprint.get("/usulan/unggah")
@web.for_staff("propose", "supervise")
def page() -> str:
    return _page()


@blueprint.post("/usulan/unggah")
@web.for_staff("propose", "supervise")
def upload() -> Response:
    """Takes the file in and starts; how it goes is told on the page."""
    service, me, file = service_asked(), web.actor(), request.files.get("file")
    village = me.village or request.form.get("village", "")
    good = request.form.get("take") != "all"
    try:
        if file is None or not file.filename:
            raise Invalid({"file": "Pilih berkas template yang sudah diisi."})
        uploads().start(file.stream, service.id, village, good, me, web.now())
    except Invalid as fault:
        return make_response(_page(faults=fault.fields, given=request.form.to_dict()), 422)
    except Stale as late:
        return make_response(
            _page(faults={"file": late.message}, given=request.form.to_dict()), 409
        )
    return make_response(redirect(url_for("sheets.page", layanan=service.id), 303))


@blueprint.get("/usulan/unggah/progress")
@web.for_staff("propose", "supervise")
def progress() -> str | tuple[str, int]:
    last = uploads().last(web.actor())
    if last and web.unchanged(last.version):
        return "", 204
    return render_template("proposals/_upload.html", upload=last, service=service_asked())


@blueprint.get("/usulan/unggah/template.xlsx")
@web.for_staff("propose", "supervise")
def template() -> Response:
    service, village = service_asked(), web.actor().village or request.args.get("desa", "")
    if village not in proposals.villages(web.loket()):
        raise NotFound("Pilih desa atau kelurahan.")
    data = proposal_sheet.template(web.loket(), service, village)
    return _download(data, f"template-usulan-{village.split('/')[-1]}", "xlsx")


@blueprint.get("/usulan/unggah/dikembalikan.xlsx")
@web.for_staff("propose", "supervise")
def returned() -> Response:
    """The rows that are to be mended, with what is wrong."""
    data = uploads().returned(web.actor(), web.now())
    return _download(data, "usulan-perlu-diperbaiki", "xlsx")


@blueprint.get("/usulan/lembar/<int:sheet_id>/ekspor.<kind>")
@web.for_staff("propose", "supervise")
def export(sheet_id: int, kind: str) -> Response:
    """What a signed sheet holds, as it is uploaded in SIKS-NG."""
    if kind not in KINDS:
        raise NotFound("Bentuk berkas ini tidak ada.")
    loket, me = web.loket(), web.actor()
    number = bundles.read(loket, sheet_id, me).view.number
    data = proposal_export.export(loket, sheet_id, kind, me, web.now())
    return _download(data, f"usulan-{number}", kind)


def _download(data: bytes, name: str, kind: str) -> Response:
    response = make_response(data)
    response.mimetype = KINDS[kind]
    plain = re.sub(r"[^A-Za-z0-9.-]+", "-", name).strip("-.")
    response.headers["Content-Disposition"] = f'attachment; filename="{plain}.{kind}"'
    return response


def _page(**more: Any) -> str:
    villages = [(one, village_name(one)) for one in proposals.villages(web.loket())]
    context: dict[str, Any] = {
        "upload": uploads().last(web.actor()),
        "villages": villages,
        "max_mb": proposal_sheet.MOST_BYTES // 1_000_000,
        "given": {},
    }
    return render_template("proposals/upload.html", **frame(service_asked(), **(context | more)))
