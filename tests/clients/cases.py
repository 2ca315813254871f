"""What the Python scripts of this folder share: the server that `cargo xtask clients` names, and
cases, each printed as `ok KIND WHAT` or `not ok KIND WHAT: WHY`. KIND is write, query, error or
authentication."""
import base64
import json
import os
import urllib.parse
import urllib.request

URL = os.environ["HEADWATER_URL"]
HOST, PORT = URL.removeprefix("http://").rsplit(":", 1)
PORT = int(PORT)
ORG = os.environ["HEADWATER_ORG"]
# The operator token, one that may only read, and a 1.x user who may read and write.
TOKEN = os.environ["HEADWATER_TOKEN"]
READ_TOKEN = os.environ["HEADWATER_READ_TOKEN"]
USER, PASSWORD = os.environ["HEADWATER_USER"], os.environ["HEADWATER_PASSWORD"]
# An empty bucket and the database that is mapped to it, for this client alone.
DATABASE = os.environ["HEADWATER_DATABASE"]


def version(text):
    print(f"version {text}", flush=True)


def case(kind, what):
    """Runs the function below it at once."""
    def run(function):
        try:
            function()
            print(f"ok {kind} {what}", flush=True)
        except Exception as error:  # noqa: BLE001: whatever a client raises is a failed case
            print(f"not ok {kind} {what}: {type(error).__name__}: {error}".replace("\n", " "), flush=True)
    return run


def equal(got, expected):
    if got != expected:
        raise AssertionError(f"got {got!r}, expected {expected!r}")


def refused(error, function):
    """The exception of class `error` that `function` must raise."""
    try:
        function()
    except error as raised:
        return raised
    raise AssertionError(f"no {error.__name__} was raised")


def stored(statement):
    """What the database holds, asked without the client: `values` with times in seconds."""
    query = urllib.parse.urlencode({"db": DATABASE, "epoch": "s", "q": statement})
    request = urllib.request.Request(f"{URL}/query?{query}", headers={"Authorization": f"Token {TOKEN}"})
    with urllib.request.urlopen(request) as answer:
        result = json.load(answer)["results"][0]
    return result["series"][0]["values"] if "series" in result else []


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
