#!/usr/bin/env python3
"""How much of the time of a program with cassandra-driver is the door's.

    cargo build --release --features cli
    pip install cassandra-driver
    python3 benches/cql_driver.py target/release/larder

Inserts 50,000 rows by a prepared statement, 100 at once, reads them all in pages of 5,000, and 5,000 of them one by one, five times.
For each, prints the median wall time, the share of it in which the server's process computed (its user and system time), and the
server's share of what the two processes computed together, which neighbours on the machine do not change.
"""

import os
import re
import statistics
import subprocess
import sys
import time

from cassandra.cluster import Cluster
from cassandra.concurrent import execute_concurrent_with_args

ROWS = 50_000
POINTS = 5_000
ROUNDS = 5
TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def measured(pid, action):
    cpu, own, wall = cpu_seconds(pid), time.process_time(), time.monotonic()
    action()
    return time.monotonic() - wall, cpu_seconds(pid) - cpu, time.process_time() - own


def measure(session, pid):
    session.execute("CREATE KEYSPACE bench WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
    session.set_keyspace("bench")
    session.execute("CREATE TABLE events (day int, at int, id text, kind text, n int, PRIMARY KEY (day, at))")
    insert = session.prepare("INSERT INTO events (day, at, id, kind, n) VALUES (?, ?, ?, ?, ?)")
    point = session.prepare("SELECT id, kind, n FROM events WHERE day = ? AND at = ?")
    rows = [(n // 100, n, f"{n:08}", "view", n) for n in range(ROWS)]
    costs = {"prepared inserts": [], "rows in pages": [], "selects by the whole key": []}
    for _ in range(ROUNDS):
        session.execute("TRUNCATE events")

        def inserts():
            execute_concurrent_with_args(session, insert, rows, concurrency=100)

        def pages():
            assert sum(1 for _ in session.execute("SELECT * FROM events")) == ROWS

        def points():
            for n in range(POINTS):
                assert session.execute(point, (n // 100, n)).one().n == n

        for name, action in zip(costs, (inserts, pages, points)):
            costs[name].append(measured(pid, action))
    for (name, measures), count in zip(costs.items(), (ROWS, ROWS, POINTS)):
        wall = statistics.median(wall for wall, _, _ in measures)
        share = statistics.median(cpu / wall for wall, cpu, _ in measures)
        of_both = statistics.median(cpu / (cpu + own) for _, cpu, own in measures)
        print(f"{count:,} {name}: {wall:.2f} s, the door's share {share:.0%}, of both processes' work {of_both:.0%}")


def main(larder):
    command = [larder, "serve", "--cql", "127.0.0.1:0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        port = next(int(found[1]) for line in server.stdout if (found := re.search(r"127\.0\.0\.1:(\d+)", line)))
        cluster = Cluster(["127.0.0.1"], port=port)
        measure(cluster.connect(), server.pid)
        cluster.shutdown()
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main(sys.argv[1])
