"""Replays requests as a client sends them, which cannot be installed here, and compares whole answers.

Usage: recorded.py FILE

A file has a first line `version TEXT` and cases:

    ### KIND WHAT
    METHOD /PATH
      NAME=VALUE             a parameter of the URL, encoded here
    HEADER: VALUE

    BODY
    >>> STATUS CONTENT-TYPE
    HEADER: VALUE            an expected header

    BODY

$DATABASE, $TOKEN and $BASIC, $DENIED, $READER, $USER (Basic credentials) are filled in. A body that
is to be gzip is packed and sent in chunks. A MessagePack answer is compared as JSON.
"""
import datetime
import gzip
import http.client
import json
import re
import struct
import sys
import urllib.parse

import msgpack

from cases import DATABASE, HOST, PASSWORD, PORT, READ_TOKEN, TOKEN, USER, basic, case, equal, version

VARIABLES = {
    "$DATABASE": DATABASE,
    "$TOKEN": TOKEN,
    "$BASIC": basic("any", TOKEN),
    "$DENIED": basic("any", "wrong"),
    "$READER": basic("any", READ_TOKEN),
    "$USER": basic(USER, PASSWORD),
}


def headers_and_body(lines):
    """Up to an empty line, and after it."""
    end = lines.index("") if "" in lines else len(lines)
    return dict(line.split(": ", 1) for line in lines[:end]), "\n".join(lines[end + 1:])


class Recorded:
    def __init__(self, text):
        request, answer = text.rstrip("\n").split("\n>>> ")
        first, *lines = request.split("\n")
        self.method, self.target = first.split(" ")
        parameters = [tuple(line.strip().split("=", 1)) for line in lines if line.startswith("  ")]
        if parameters:
            self.target += "?" + urllib.parse.urlencode(parameters)
        self.headers, self.body = headers_and_body([line for line in lines if not line.startswith("  ")])
        first, *lines = answer.split("\n")
        self.status, _, self.content_type = first.partition(" ")
        self.expected_headers, self.expected_body = headers_and_body(lines)

    def send(self):
        connection = http.client.HTTPConnection(HOST, PORT, timeout=30)
        connection.putrequest(self.method, self.target, skip_accept_encoding=True)
        body = self.body.encode() or None
        packed = self.headers.get("Content-Encoding") == "gzip"
        for name, value in self.headers.items():
            connection.putheader(name, value)
        if packed:
            connection.putheader("Transfer-Encoding", "chunked")
            body = [gzip.compress(body)]
        else:
            connection.putheader("Content-Length", str(len(body or b"")))
        connection.endheaders(body, encode_chunked=packed)
        answer = connection.getresponse()
        return answer, answer.read()

    def check(self):
        answer, body = self.send()
        kind = answer.headers.get("Content-Type", "")
        if kind == "application/x-msgpack":
            equal(msgpack.unpackb(body, ext_hook=time), json.loads(self.expected_body))
        else:
            equal(body.decode().rstrip("\n"), self.expected_body)
        equal((str(answer.status), kind), (self.status, self.content_type))
        for name, value in self.expected_headers.items():
            equal((name, answer.headers.get(name)), (name, value))
        equal(answer.headers["X-Influxdb-Version"].startswith("2.9.1+headwater."), True)


def time(code, data):
    equal(code, 5)
    seconds, nanoseconds = struct.unpack(">qI", data)
    equal(nanoseconds, 0)
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def main(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for name, value in VARIABLES.items():
        text = text.replace(name, value)
    head, *recorded = re.split(r"^### ", text, flags=re.MULTILINE)
    version(head.split("\n")[0].removeprefix("version "))
    for text in recorded:
        title, request = text.split("\n", 1)
        kind, what = title.split(" ", 1)
        case(kind, what)(Recorded(request).check)


main(sys.argv[1])
