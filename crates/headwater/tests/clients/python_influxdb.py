"""Drives Python's influxdb 5.3.2 (its MessagePack default included) against a server.

Usage: python_influxdb.py PORT TOKEN DATABASE
"""
import sys

from influxdb import InfluxDBClient
from influxdb.exceptions import InfluxDBClientError

port, token, database = int(sys.argv[1]), sys.argv[2], sys.argv[3]
client = InfluxDBClient("127.0.0.1", port, "anyone", token, database)


def equal(got, expected):
    assert got == expected, f"got {got!r}, expected {expected!r}"


assert client.ping().startswith("2."), client.ping()
assert client.write_points([]), "an empty write is accepted"
points = [
    {"measurement": "cpu", "tags": {"host": "a b", "dc": "x"}, "time": 1, "fields": {"v": 1.5, "n": 3, "s": 'q"x'}},
    {"measurement": "cpu", "tags": {"host": "c"}, "time": 2, "fields": {"v": 2.5, "on": True}},
]
assert client.write_points(points, time_precision="s")
assert client.write_points(["mem used=7i 3"], time_precision="s", protocol="line")
equal([d["name"] for d in client.get_list_database()], [database])
equal([m["name"] for m in client.get_list_measurements()], ["cpu", "mem"])

result = client.query("SELECT v, n, s FROM cpu WHERE host = $h", bind_params={"h": "a b"}, epoch="s")
equal(list(result.get_points()), [{"time": 1, "v": 1.5, "n": 3, "s": 'q"x'}])
result = client.query("SELECT v FROM cpu")
equal([p["time"] for p in result.get_points()], ["1970-01-01T00:00:01Z", "1970-01-01T00:00:02Z"])
result = client.query("SELECT mean(v) FROM cpu GROUP BY host", epoch="ms")
equal([(key[1], list(rows)) for key, rows in result.items()],
      [({"host": "a b"}, [{"time": 0, "mean": 1.5}]), ({"host": "c"}, [{"time": 0, "mean": 2.5}])])
equal(list(client.query("SELECT v FROM cpu", epoch="s").get_points(tags=None))[1], {"time": 2, "v": 2.5})
equal(client.get_list_series(), ["cpu,dc=x,host=a\\ b", "cpu,host=c", "mem"])

try:
    client.query("SELECT FROM cpu")
    raise AssertionError("a syntax error must be refused")
except InfluxDBClientError as error:
    equal(error.code, 400)
try:
    InfluxDBClient("127.0.0.1", port, "anyone", "wrong", database).query("SHOW DATABASES")
    raise AssertionError("a wrong token must be refused")
except InfluxDBClientError as error:
    equal(error.code, 401)
print("all checks passed")
