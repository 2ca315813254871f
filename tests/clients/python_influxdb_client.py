"""Python's influxdb-client 1.50: the 2.x client, which writes and manages; it reads Flux, which is
not offered, so queries go to `/query` through its own transport."""
import importlib.metadata

from influxdb_client import BucketRetentionRules, InfluxDBClient, Permission, PermissionResource, Point, WritePrecision
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException

from cases import DATABASE, ORG, READ_TOKEN, TOKEN, URL, case, equal, refused, stored, version

version(importlib.metadata.version("influxdb-client"))


def connect(token=TOKEN, **options):
    return InfluxDBClient(URL, token, org=ORG, **options)


client = connect()
writer = client.write_api(write_options=SYNCHRONOUS)


def write(record, target=writer, bucket=DATABASE, **options):
    target.write(bucket=bucket, record=record, **options)


def query(statement, through=client):
    parameters = [("db", DATABASE), ("epoch", "s"), ("q", statement)]
    answer = through.api_client.call_api("/query", "GET", query_params=parameters, response_type="object")
    return (answer[0] if isinstance(answer, tuple) else answer)["results"]


@case("write", "a point, line protocol and dictionaries")
def _():
    write(Point("cpu").tag("host", "a b").field("v", 1.5).field("n", 3).time(1, WritePrecision.S), write_precision=WritePrecision.S)
    write("cpu,host=c v=2.5 2", write_precision=WritePrecision.S)
    write([{"measurement": "mem", "fields": {"used": 7}, "time": 3}], write_precision=WritePrecision.S)
    equal(stored("SELECT host, n, v FROM cpu"), [[1, "a b", 3, 1.5], [2, "c", None, 2.5]])


@case("write", "batches in the background, packed with gzip")
def _():
    with connect(enable_gzip=True) as packing, packing.write_api() as batching:
        write([f"batch v={i} {i}" for i in range(1, 1501)], batching, write_precision=WritePrecision.S)
    equal(stored("SELECT count(v), sum(v) FROM batch"), [[0, 1500, 1125750]])


@case("write", "deletion by predicate")
def _():
    write("gone,host=a v=1 1\ngone,host=b v=2 1", write_precision=WritePrecision.S)
    client.delete_api().delete("1970-01-01T00:00:00Z", "1970-01-02T00:00:00Z", '_measurement="gone" AND host="a"', bucket=DATABASE)
    equal(stored("SELECT host, v FROM gone"), [[1, "b", 2]])


@case("query", "InfluxQL through the client's transport")
def _():
    equal(query("SELECT v FROM cpu"), [{"statement_id": 0, "series": [
        {"name": "cpu", "columns": ["time", "v"], "values": [[1, 1.5], [2, 2.5]]}]}])


@case("query", "ping, health, ready and version")
def _():
    equal(client.ping(), True)
    equal((client.health().status, client.ready().status), ("pass", "ready"))
    equal(client.version().startswith("2.9.1+headwater."), True)


@case("query", "organizations, users and buckets, made and found")
def _():
    organization = client.organizations_api().find_organizations(org=ORG)[0]
    equal(organization.name, ORG)
    equal(client.users_api().me().name, "admin")
    buckets = client.buckets_api()
    made = buckets.create_bucket(bucket_name="from-python", org=ORG, retention_rules=BucketRetentionRules(type="expire", every_seconds=86400))
    equal(buckets.find_bucket_by_name("from-python").id, made.id)
    made.description = "changed"
    equal(buckets.update_bucket(made).description, "changed")
    buckets.delete_bucket(made)
    equal(buckets.find_bucket_by_name("from-python"), None)


@case("error", "a line that cannot be parsed")
def _():
    error = refused(ApiException, lambda: write("m v="))
    equal((error.status, error.message), (400, "unable to parse 'm v=': missing field value"))


@case("error", "an unknown bucket")
def _():
    error = refused(ApiException, lambda: write("m v=1", bucket="nope"))
    equal((error.status, error.message), (404, 'bucket "nope" not found'))


@case("error", "Flux is refused in words")
def _():
    error = refused(ApiException, lambda: client.query_api().query("buckets()"))
    equal((error.status, error.message), (501, "Flux is not supported; send InfluxQL to /query"))


@case("authentication", "a token made by the client, with its rights alone")
def _():
    organization = client.organizations_api().find_organizations(org=ORG)[0].id
    bucket = client.buckets_api().find_bucket_by_name(DATABASE).id
    resource = PermissionResource(type="buckets", id=bucket, org_id=organization)
    made = client.authorizations_api().create_authorization(org_id=organization, permissions=[Permission("write", resource)])
    with connect(made.token) as other:
        write("own v=1 1", other.write_api(write_options=SYNCHRONOUS), write_precision=WritePrecision.S)
        equal(query("SELECT v FROM own", other), [{"statement_id": 0, "error": f"database not found: {DATABASE}"}])
    client.authorizations_api().delete_authorization(made)
    equal(stored("SELECT v FROM own"), [[1, 1]])


@case("authentication", "a wrong token, and a token that may not write")
def _():
    for token, status in (("wrong", 401), (READ_TOKEN, 403)):
        with connect(token) as other:
            equal(refused(ApiException, lambda: write("m v=1", other.write_api(write_options=SYNCHRONOUS))).status, status)


client.close()
