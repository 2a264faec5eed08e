"""The bare answer: what this server, Flask and the client of `tests.bench` cost by themselves."""

import os

from flask import Flask

from kiosk.settings import read
from views import server


def make() -> Flask:
    app = Flask(__name__)

    @app.route("/", methods=["GET", "POST"])
    def bare() -> bytes:
        return b"ok"

    return app


if __name__ == "__main__":
    settings = read(os.environ)
    server.run(settings, server.listen(settings), "tests.bench_bare:make")
