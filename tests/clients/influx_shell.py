"""Debian's `influx` shell of InfluxDB 1.6.7."""
import subprocess
import tempfile

from cases import DATABASE, HOST, PASSWORD, PORT, TOKEN, USER, case, equal, stored, version


def influx(*args, token=TOKEN, user="any", stdin=None):
    command = ["influx", "-host", HOST, "-port", str(PORT), "-username", user, "-password", token, *args]
    done = subprocess.run(command, capture_output=True, text=True, input=stdin, check=False)
    return done.returncode, done.stdout, done.stderr


def fails(reason, outcome):
    equal(outcome, (1, f"ERR: {reason}\n", f"{reason}\n"))


def answer(statement, *args):
    code, out, err = influx("-database", DATABASE, *args, "-execute", statement)
    equal((code, err), (0, ""))
    return out


version(subprocess.run(["influx", "-version"], capture_output=True, text=True, check=True).stdout.split()[-1].partition("~")[0])


@case("write", "INSERT with escapes and text")
def _():
    answer('INSERT cpu,host=a\\ b value=1.5,text="x y" 1000000000')
    answer("INSERT cpu,host=c value=2 2000000000")
    equal(stored("SELECT host, text, value FROM cpu"), [[1, "a b", "x y", 1.5], [2, "c", None, 2]])


@case("write", "-import of a file")
def _():
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(f"# DML\n# CONTEXT-DATABASE: {DATABASE}\n# CONTEXT-RETENTION-POLICY: autogen\nimported v=1i 1\nimported v=2i 2\n")
        file.flush()
        code, out, err = influx("-import", "-path", file.name, "-precision", "s")
    equal((code, "Processed 2 inserts" in out, "Failed 0 inserts" in out, err), (0, True, True, ""))
    equal(stored("SELECT v FROM imported"), [[1, 1], [2, 2]])


@case("query", "rows as CSV")
def _():
    equal(answer("SELECT * FROM cpu", "-format", "csv"),
          "name,time,host,text,value\ncpu,1000000000,a b,x y,1.5\ncpu,2000000000,c,,2\n")


@case("query", "columns, measurements and databases")
def _():
    equal(answer("SHOW MEASUREMENTS"), "name: measurements\nname\n----\ncpu\nimported\n")
    equal(DATABASE in influx("-execute", "SHOW DATABASES")[1].splitlines(), True)


@case("query", "times as RFC 3339, groups by tag")
def _():
    equal(answer("SELECT mean(value) FROM cpu GROUP BY host", "-precision", "rfc3339", "-format", "csv"),
          "name,tags,time,mean\ncpu,host=a b,1970-01-01T00:00:00Z,1.5\n"
          "name,tags,time,mean\ncpu,host=c,1970-01-01T00:00:00Z,2\n")


@case("query", "a statement from a pipe, as JSON")
def _():
    code, out, err = influx("-database", DATABASE, "-format", "json", stdin="SELECT v FROM imported LIMIT 1\n")
    equal((code, out, err), (0, '{"results":[{"series":[{"name":"imported","columns":["time","v"],"values":[[1000000000,1]]}]}]}\n', ""))


@case("error", "a syntax error, in 1.x's words")
def _():
    fails("error parsing query: found FROM, expected identifier, string, number, bool at line 1, char 8",
          influx("-database", DATABASE, "-execute", "SELECT FROM cpu"))


@case("error", "an unknown database")
def _():
    fails("database not found: nope", influx("-database", "nope", "-execute", "SELECT * FROM cpu"))


@case("authentication", "a 1.x user and password")
def _():
    code, out, _err = influx("-database", DATABASE, "-format", "csv", "-execute", "SELECT v FROM imported LIMIT 1",
                             user=USER, token=PASSWORD)
    equal((code, out), (0, "name,time,v\nimported,1000000000,1\n"))


@case("authentication", "a wrong password is refused")
def _():
    fails("authorization failed", influx("-database", DATABASE, "-execute", "SELECT v FROM imported", token="wrong"))
