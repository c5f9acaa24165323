"""The loops of `benches/redis.rs` in scripts, beside redis-server, with each server in a process of its own.

    cargo build --release --features cli,lua --bin larder
    python3 benches/script_loops.py target/release/larder [other programs ...]

Prints the nanoseconds of processor time that each server takes for a turn, redis-server last, and how many times as long as
redis-server the others take: medians of seven rounds in turns. The client's time is in none of them.
"""

import os
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import time

ROUNDS = 7
TURNS = (1_500, 3_000, 6_000)
TEXT = r'"((?:[^"\\]|\\.)*)"'
SOURCE = pathlib.Path(__file__).with_name("redis.rs").read_text()
# Each is a name, what a turn needs that is there before, and a turn.
LOOPS = [loop for loop in re.findall(rf"\(\s*{TEXT},\s*{TEXT},\s*{TEXT},?\s*\)", SOURCE) if "redis.call" in loop[2]]


class Server:
    def __init__(self, command, port):
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while True:
            try:
                self.connection = socket.create_connection(("127.0.0.1", port))
                return
            except OSError:
                assert self.process.poll() is None, f"{command} does not start"
                time.sleep(0.1)

    def call(self, *words):
        words = [word.encode() for word in words]
        self.connection.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
        reply = b""
        while not reply.endswith(b"\r\n"):
            reply += self.connection.recv(4096)
        assert not reply.startswith(b"-"), reply

    def loop(self, body, turns):
        self.call("EVAL", f"local n = tonumber(ARGV[1]) for i = 1, n do {body} end", "0", str(turns))

    def processor_ns(self):
        time.sleep(0.02)  # its threads are at rest, or the figures are not up to date
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task")
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir())

    def turn_ns(self, fill, turn, turns):
        self.call("FLUSHALL")
        self.loop(fill, turns)
        before = self.processor_ns()
        self.loop(turn, turns)
        return (self.processor_ns() - before) / turns


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def main():
    servers = []
    try:
        for program in sys.argv[1:]:
            port = free_port()
            servers.append(Server([program, "serve", "--redis", f"127.0.0.1:{port}"], port))
        port = free_port()
        servers.append(Server(["redis-server", "--port", str(port), "--save", "", "--appendonly", "no"], port))
        for name, fill, turn in LOOPS:
            for turns in TURNS:
                rounds = [[server.turn_ns(fill, turn, turns) for server in servers] for _ in range(ROUNDS)]
                *ours, theirs = [statistics.median(figures) for figures in zip(*rounds)]
                ratios = ", ".join(f"{figure / theirs:.2f}" for figure in ours)
                figures = ", ".join(f"{figure:.0f}" for figure in [*ours, theirs])
                print(f"{name}, {turns} turns: {figures} ns; {ratios} times as long", flush=True)
    finally:
        for server in servers:
            server.process.kill()


main()
