#!/usr/bin/env python3
"""How much of the time of a PyMongo program is the door's.

    cargo build --release --features cli
    pip install pymongo
    python3 benches/mongo.py target/release/larder

Inserts 100,000 documents with `insert_many` and reads them all with `find`, five times. For each, prints the median wall
time, the share of it in which the server's process computed (its user and system time), and the server's share of what
the two processes computed together, which neighbours on the machine do not change.
"""

import os
import re
import statistics
import subprocess
import sys
import time

from pymongo import MongoClient

DOCUMENTS = 100_000
ROUNDS = 5
TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def settle(pid):
    """Waits until the server computes nothing: what was dropped is removed after the reply, and is not the next insertion's."""
    before = None
    while before != (now := cpu_seconds(pid)):
        before = now
        time.sleep(0.2)


def measured(pid, action):
    cpu, own, wall = cpu_seconds(pid), time.process_time(), time.monotonic()
    action()
    return time.monotonic() - wall, cpu_seconds(pid) - cpu, time.process_time() - own


def main(larder):
    command = [larder, "serve", "--mongo", "127.0.0.1:0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        port = next(int(found[1]) for line in server.stdout if (found := re.search(r"127\.0\.0\.1:(\d+)", line)))
        events = MongoClient("127.0.0.1", port).bench.events
        kinds = ["page_view", "purchase", "sign_in"]
        costs = {"insert_many": [], "find": []}
        for _ in range(ROUNDS):
            events.drop()
            settle(server.pid)
            documents = [
                {"_id": n, "user": n % 100, "code": n * 7, "kind": kinds[n % 3], "path": f"/products/{n % 500}"}
                for n in range(DOCUMENTS)
            ]
            costs["insert_many"].append(measured(server.pid, lambda: events.insert_many(documents)))
            found = []
            costs["find"].append(measured(server.pid, lambda: found.extend(events.find())))
            assert len(found) == DOCUMENTS
        for name, measures in costs.items():
            wall = statistics.median(wall for wall, _, _ in measures)
            share = statistics.median(cpu / wall for wall, cpu, _ in measures)
            of_both = statistics.median(cpu / (cpu + own) for _, cpu, own in measures)
            print(f"{name} of {DOCUMENTS:,}: {wall:.2f} s, the door's share {share:.0%}, of both processes' work {of_both:.0%}")
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main(sys.argv[1])
