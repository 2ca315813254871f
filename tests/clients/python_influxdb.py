"""Python's influxdb 5.3.2, its MessagePack default included."""
import importlib.metadata

from influxdb import InfluxDBClient
from influxdb.exceptions import InfluxDBClientError

from cases import DATABASE, HOST, PASSWORD, PORT, READ_TOKEN, TOKEN, USER, case, equal, refused, stored, version

version(importlib.metadata.version("influxdb"))


def connect(password=TOKEN, user="anyone", **options):
    return InfluxDBClient(HOST, PORT, user, password, DATABASE, **options)


client = connect()


@case("write", "no points at all")
def _():
    equal(client.write_points([]), True)


@case("write", "points of every type, and line protocol, in seconds")
def _():
    points = [
        {"measurement": "cpu", "tags": {"host": "a b", "dc": "x"}, "time": 1, "fields": {"v": 1.5, "n": 3, "s": 'q"x'}},
        {"measurement": "cpu", "tags": {"host": "c"}, "time": 2, "fields": {"v": 2.5, "on": True}},
    ]
    equal(client.write_points(points, time_precision="s"), True)
    equal(client.write_points(["mem used=7i 3"], time_precision="s", protocol="line"), True)
    equal(stored('SELECT dc, host, n, "on", s, v FROM cpu'),
          [[1, "x", "a b", 3, None, 'q"x', 1.5], [2, None, "c", None, True, None, 2.5]])


@case("write", "gzip")
def _():
    equal(connect(gzip=True).write_points(["packed v=1 1"], time_precision="s", protocol="line"), True)
    equal(stored("SELECT v FROM packed"), [[1, 1]])


@case("query", "bound parameters and epoch")
def _():
    result = client.query("SELECT v, n, s FROM cpu WHERE host = $h", bind_params={"h": "a b"}, epoch="s")
    equal(list(result.get_points()), [{"time": 1, "v": 1.5, "n": 3, "s": 'q"x'}])


@case("query", "MessagePack times, groups by tag")
def _():
    result = client.query("SELECT v FROM cpu")
    equal([p["time"] for p in result.get_points()], ["1970-01-01T00:00:01Z", "1970-01-01T00:00:02Z"])
    result = client.query("SELECT mean(v) FROM cpu GROUP BY host", epoch="ms")
    equal([(key[1], list(rows)) for key, rows in result.items()],
          [({"host": "a b"}, [{"time": 0, "mean": 1.5}]), ({"host": "c"}, [{"time": 0, "mean": 2.5}])])


@case("query", "chunks")
def _():
    # In JSON: this release cannot read more than one chunk of MessagePack from any server.
    chunks = connect(headers={"Accept": "application/json"}).query("SELECT v FROM cpu", chunked=True, chunk_size=1, epoch="s")
    equal([list(chunk.get_points()) for chunk in chunks], [[{"time": 1, "v": 1.5}], [{"time": 2, "v": 2.5}]])


@case("query", "lists of databases, measurements, series and policies")
def _():
    equal({"name": DATABASE} in client.get_list_database(), True)
    equal([m["name"] for m in client.get_list_measurements()], ["cpu", "mem", "packed"])
    equal(client.get_list_series(), ["cpu,dc=x,host=a\\ b", "cpu,host=c", "mem", "packed"])
    equal([p["name"] for p in client.get_list_retention_policies()], ["autogen"])


@case("query", "the version from a ping")
def _():
    equal(client.ping().startswith("2.9.1+headwater."), True)


@case("error", "a syntax error is a 400 with its reason")
def _():
    error = refused(InfluxDBClientError, lambda: client.query("SELECT FROM cpu"))
    equal((error.code, "error parsing query: found FROM" in error.content), (400, True))


@case("error", "an unknown database and a partial write")
def _():
    error = refused(InfluxDBClientError, lambda: client.write_points(["m v=1"], database="nope", protocol="line"))
    equal((error.code, 'database not found: \\"nope\\"' in error.content), (404, True))
    error = refused(InfluxDBClientError, lambda: client.write_points(['mem used="x" 3'], time_precision="s", protocol="line"))
    equal((error.code, "partial write: field type conflict" in error.content), (422, True))


@case("error", "CREATE DATABASE is refused in words")
def _():
    error = refused(InfluxDBClientError, lambda: client.create_database("other"))
    equal(error.content, "not implemented: CREATE DATABASE")


@case("authentication", "a 1.x user and password")
def _():
    equal(connect(PASSWORD, USER).query("SELECT used FROM mem", epoch="s").raw["series"][0]["values"], [[3, 7]])


@case("authentication", "a wrong token, and a token that may not write")
def _():
    equal(refused(InfluxDBClientError, connect("wrong").get_list_database).code, 401)
    reader = connect(READ_TOKEN)
    equal(refused(InfluxDBClientError, lambda: reader.write_points(["m v=1"], protocol="line")).code, 403)
