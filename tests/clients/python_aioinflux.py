"""Python's aioinflux 0.9.0, whose parameters are all in the form body."""
import asyncio
import importlib.metadata

from aioinflux import InfluxDBClient, InfluxDBError, InfluxDBWriteError

from cases import DATABASE, HOST, PASSWORD, PORT, TOKEN, USER, case, equal, refused, stored, version

version(importlib.metadata.version("aioinflux"))


def with_client(use, user="any", password=TOKEN, db=DATABASE):
    """What the coroutine function `use` gives for a client."""
    async def run():
        async with InfluxDBClient(HOST, PORT, username=user, password=password, db=db) as client:
            return await use(client)
    return asyncio.run(run())


def values(answer):
    return answer["results"][0]["series"][0]["values"]


@case("write", "line protocol and a dictionary")
def _():
    async def use(client):
        equal(await client.write("cpu,host=a v=1.5 1000000000"), True)
        point = {"measurement": "cpu", "tags": {"host": "b"}, "time": 2000000000, "fields": {"v": 2.5, "n": 3}}
        equal(await client.write(point), True)
    with_client(use)
    equal(stored("SELECT host, n, v FROM cpu"), [[1, "a", None, 1.5], [2, "b", 3, 2.5]])


@case("query", "rows, with parameters in the body")
def _():
    equal(values(with_client(lambda client: client.query("SELECT v FROM cpu", epoch="s"))), [[1, 1.5], [2, 2.5]])


@case("query", "chunks")
def _():
    async def use(client):
        chunks = await client.query("SELECT v FROM cpu", chunked=True, chunk_size=1, epoch="ms")
        return [values(chunk) async for chunk in chunks]
    equal(with_client(use), [[[1000, 1.5]], [[2000, 2.5]]])


@case("query", "ping and the measurements")
def _():
    headers = {name.lower(): value for name, value in with_client(lambda client: client.ping()).items()}
    equal(headers["x-influxdb-build"], "Headwater")
    equal(values(with_client(lambda client: client.show_measurements())), [["cpu"]])


@case("error", "a syntax error and an unknown database")
def _():
    error = refused(InfluxDBError, lambda: with_client(lambda client: client.query("SELECT FROM cpu")))
    equal("error parsing query" in str(error), True)
    error = refused(InfluxDBError, lambda: with_client(lambda client: client.query("SELECT v FROM cpu"), db="nope"))
    equal("database not found: nope" in str(error), True)


@case("error", "a line that cannot be parsed")
def _():
    error = refused(InfluxDBWriteError, lambda: with_client(lambda client: client.write("m v=")))
    equal((error.status, "missing field value" in str(error)), (400, True))


@case("authentication", "a 1.x user and password")
def _():
    use = lambda client: client.query("SELECT v FROM cpu LIMIT 1", epoch="s")  # noqa: E731
    equal(values(with_client(use, USER, PASSWORD)), [[1, 1.5]])


@case("authentication", "a wrong password is refused")
def _():
    error = refused(InfluxDBWriteError, lambda: with_client(lambda client: client.write("m v=1"), password="wrong"))
    equal(error.status, 401)
