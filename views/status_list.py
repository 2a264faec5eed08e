"""The signed status list, for whoever verifies many letters or without a network."""

from hashlib import sha256

from flask import Blueprint, Response, make_response, request

from kiosk import status_list
from views import web

blueprint = Blueprint("status_list", __name__)


@blueprint.get(status_list.PATH)
@web.public
def newest() -> Response:
    """The list as it is now; who has it already is told so (304)."""
    token = status_list.token(web.loket(), web.now())
    response = make_response(token)
    response.mimetype = status_list.MEDIA
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cache-Control"] = "public, no-cache"
    response.set_etag(sha256(token.encode()).hexdigest()[:32])
    response.make_conditional(request)
    return response
