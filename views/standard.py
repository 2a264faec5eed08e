"""The published service standard, for anybody: on a phone, on a desk, and on the office's wall."""

from flask import Blueprint, render_template

from views import web

blueprint = Blueprint("standard", __name__)


@blueprint.get("/standar")
@web.public
def page() -> str:
    """The six components of each service (PermenPANRB 15/2014) with the maklumat."""
    return render_template("standard/page.html", services=web.loket().profile.services)
