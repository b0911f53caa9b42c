"""What Flask costs alone: an answer to the same requests."""

import os

from flask import Flask, Response, request

ANSWER = b'{"hello": "world"}'

app = Flask("hello")
reading = Flask("reading")
_BYTES_A_BYTE = float(os.environ.get("HELLO_BYTES_A_BYTE", "1"))


@app.post("/estimate")
def _hello() -> Response:
    return Response(ANSWER, mimetype="application/json")


@reading.post("/estimate")
def _read() -> Response:
    """As many bytes as ree answers with."""
    body = request.get_data()
    return Response(b" " * round(len(body) * _BYTES_A_BYTE), mimetype="application/json")


@app.get("/ready")
@reading.get("/ready")
def _ready() -> Response:
    return Response(ANSWER, mimetype="application/json")
