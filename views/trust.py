"""What this office publishes of its keys and of the offices it trusts, and the admin's page."""

from typing import Any

from flask import Blueprint, Response, jsonify, make_response, render_template

from kiosk import key_acts, key_file, trust, trust_acts
from views import web

blueprint = Blueprint("trust", __name__)
HOUR_S, QUARTER_S, DAY_S = 3600, 900, 86_400


def _open(response: Response, seconds: int) -> Response:
    """For programs of any origin: all of it is public, and none of it depends on who asks."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cache-Control"] = f"public, max-age={seconds}"
    return response


@blueprint.get(trust.KEYS_PATH)
@web.public
def keys() -> Response:
    """All public seal keys that ever were, for whoever verifies by themselves."""
    return _open(jsonify(trust.own(web.loket())), HOUR_S)


@blueprint.get(trust.OFFICES_PATH)
@web.public
def offices() -> Response:
    """Every office that is believed here, with its status list: enough to verify offline."""
    told: dict[str, Any] = {
        "format": trust.OFFICES_FORMAT,
        "made_at": web.now(),
        "offices": trust.offline(web.loket(), web.now()),
    }
    return _open(jsonify(told), QUARTER_S)


@blueprint.get(trust.LIST_PATH)
@web.public
def federation() -> Response:
    """The signed list of offices, where this office coordinates; else 404."""
    response = make_response(trust_acts.published(web.loket()))
    response.mimetype = "application/jwt"
    return _open(response, QUARTER_S)


@blueprint.get("/admin/kunci")
@web.for_staff("admin")
def page() -> str:
    """What there is; what changes it is done on the server, by command."""
    own = trust.own(web.loket())
    return render_template(
        "trust/page.html",
        keys=key_acts.overview(web.loket(), web.now()),
        own=key_file.grouped(key_file.fingerprint(own)),
        address=own["address"] + trust.KEYS_PATH,
        listed=trust_acts.listed(),
        grouped=key_file.grouped,
        old_s=DAY_S,
    )
