"""Icinga 2's InfluxdbWriter and Influxdb2Writer: a real daemon that checks something each second
and writes what it found, over a new HTTP/1.0 connection each time. It never asks; the queries here
read back what it wrote."""
import os
import signal
import subprocess
import tempfile
import time

from cases import DATABASE, HOST, ORG, PASSWORD, PORT, TOKEN, USER, case, equal, stored, version

TEMPLATES = """
  flush_interval = 1s
  flush_threshold = 1
  enable_send_thresholds = true
  enable_send_metadata = true
  host_template = { measurement = "%(name)s_host"; tags = { hostname = "$host.name$" } }
  service_template = { measurement = "%(name)s"; tags = { hostname = "$host.name$"; service = "$service.name$" } }
"""
CONFIG = """
include <itl>
object CheckerComponent "checker" {}
object CheckCommand "constant" { command = [ "/bin/echo", "OK|load=1.5;2;3;0;10" ] }
object Host "h 1" { check_command = "constant"; check_interval = 1s }
object Service "s,a" { host_name = "h 1"; check_command = "constant"; check_interval = 1s }
"""


def writer(kind, name, settings):
    lines = [f'host = "{HOST}"', f"port = {PORT}", *settings, TEMPLATES % {"name": name}]
    return f'object {kind} "{name}" {{\n' + "\n".join(lines) + "}\n"


def v1_writer(name, database, *credentials):
    return writer("InfluxdbWriter", name, [f'database = "{database}"', *credentials])


def v2_writer(name, token):
    return writer("Influxdb2Writer", name, [
        f'organization = "{ORG}"', f'bucket = "{DATABASE}"', f'auth_token = "{token}"'])


def in_url(password, user="any"):
    return f'username = "{user}"\n  password = "{password}"'


def as_basic(password, user="any"):
    return f'basic_auth = {{ username = "{user}"; password = "{password}" }}'


WRITERS = [
    v1_writer("url", DATABASE, in_url(TOKEN)),
    v1_writer("basic", DATABASE, as_basic(TOKEN)),
    v1_writer("user", DATABASE, in_url(PASSWORD, USER)),
    v1_writer("unknown", "nope", in_url(TOKEN)),
    v1_writer("denied", DATABASE, in_url("wrong")),
    v2_writer("token", TOKEN),
]


def start(folder):
    config = os.path.join(folder, "icinga2.conf")
    with open(config, "w") as file:
        file.write(CONFIG + "".join(WRITERS))
    command = ["icinga2", "daemon", "-c", config]
    for name in ("DataDir", "LogDir", "CacheDir", "InitRunDir", "SpoolDir"):
        path = os.path.join(folder, name)
        os.mkdir(path)
        command += ["-D", f"{name}={path}"]
    user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    group = subprocess.run(["id", "-gn"], capture_output=True, text=True, check=True).stdout.strip()
    command += ["-D", f"RunAsUser={user}", "-D", f"RunAsGroup={group}"]
    log = open(os.path.join(folder, "log"), "w+")
    # A session of its own: the daemon's workers are ended with it.
    daemon = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
    return daemon, log.name


def eventually(what, holds, seconds=60):
    """What `holds` gives once it gives something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = holds()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(f"{what} did not happen within {seconds} s")


def run(log_path):
    def logged(*words):
        with open(log_path) as log:
            return any(all(word in line for word in words) for line in log)

    def wrote(writer):
        statement = f'''SELECT hostname, service, crit, max, min, value, warn FROM "{writer}" WHERE metric = 'load' LIMIT 1'''
        rows = eventually(f"a write of {writer}", lambda: stored(statement))
        equal(rows[0][1:], ["h 1", "s,a", 3, 10, 0, 1.5, 2])

    @case("write", "metrics with thresholds")
    def _():
        wrote("url")

    @case("write", "the state of a check, in 2.x mode")
    def _():
        wrote("token")
        rows = eventually("a state", lambda: stored("SELECT reachable, state FROM token WHERE metric = '' LIMIT 1"))
        equal(rows[0][1:], [True, 0])

    @case("query", "what was written")
    def _():
        counts = eventually("three writes", lambda: [row for row in stored("SELECT count(value) FROM url") if row[1] >= 3])
        equal(stored("SELECT mean(value) FROM url")[0][1], 1.5)
        equal(stored("SELECT distinct(value) FROM url"), [[0, 1.5]])
        equal(len(counts), 1)

    @case("error", "an unknown database is told in the daemon's log")
    def _():
        eventually("a warning", lambda: logged("InfluxdbWriter", "Not Found"))

    @case("authentication", "user and password in the URL and as Basic")
    def _():
        wrote("basic")
        wrote("user")

    @case("authentication", "a wrong password writes nothing and is told in the daemon's log")
    def _():
        eventually("a warning", lambda: logged("InfluxdbWriter", "Unauthorized"))
        equal(stored("SELECT * FROM denied"), [])


version(subprocess.run(["dpkg-query", "--show", "--showformat=${Version}", "icinga2-bin"], capture_output=True, text=True, check=True).stdout)
with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
    daemon, log_path = start(folder)
    try:
        run(log_path)
    finally:
        os.killpg(daemon.pid, signal.SIGKILL)
        daemon.wait()
