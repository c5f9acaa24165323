"""Instructions of the processor that the Redis door takes for one request, which do not depend on what else the machine does.

    cargo build --release --features cli,lua --bin larder
    python3 benches/door_instructions.py target/release/larder [other programs ...] [-- SET "SET random" PUBLISH ...]

Each program serves a store in memory under `valgrind --tool=callgrind`; `redis-benchmark -c 50` sends requests to one key, or to
100,000 keys or members at random. A request costs the difference of a long and a short run, divided by that of their lengths, so that connecting and starting drop out: the
fewest of some runs of each. Prints a table of Markdown, with each further program beside the first.
"""

import glob
import os
import re
import socket
import subprocess
import sys
import tempfile
import time

SHORT, LONG, ROUNDS = 4_000, 16_000, 2

# What is there before, by requests of redis-benchmark's, and what is measured. Whatever is popped is there often enough.
FILL = ["-n", "200000", "-P", "64"]
COMMANDS = {
    "SET": (None, "SET key:1 VXK"),
    "GET": ("SET key:1 VXK", "GET key:1"),
    "INCR": (None, "INCR counter:1"),
    "LPUSH": (None, "LPUSH mylist VXK"),
    "RPUSH": (None, "RPUSH mylist VXK"),
    "LPOP": ("RPUSH mylist VXK", "LPOP mylist"),
    "RPOP": ("RPUSH mylist VXK", "RPOP mylist"),
    "SADD": (None, "SADD myset element:1"),
    "HSET": (None, "HSET myhash element:1 VXK"),
    "SPOP": ("SADD myset element:__rand_int__", "SPOP myset"),
    "ZADD": (None, "ZADD myzset 1 element:1"),
    "ZPOPMIN": ("ZADD myzset 1 element:__rand_int__", "ZPOPMIN myzset"),
    "LRANGE_100": ("RPUSH mylist VXK", "LRANGE mylist 0 99"),
    "MSET": (None, "MSET " + " ".join(f"key:{n} VXK" for n in range(10))),
    "PUBLISH": (None, "PUBLISH channel VXK"),
    "SET random": ("SET key:__rand_int__ VXK", "SET key:__rand_int__ VXK"),
    "GET random": ("SET key:__rand_int__ VXK", "GET key:__rand_int__"),
    "INCR random": ("INCR counter:__rand_int__", "INCR counter:__rand_int__"),
    "LPUSH random": ("LPUSH list:__rand_int__ VXK", "LPUSH list:__rand_int__ VXK"),
    "LPOP random": ("RPUSH list:__rand_int__ VXK", "LPOP list:__rand_int__"),
    "SADD random": ("SADD set:__rand_int__ member", "SADD set:__rand_int__ another"),
    "HSET random": ("HSET hash:__rand_int__ field VXK", "HSET hash:__rand_int__ field VXK"),
    "ZADD random": ("ZADD myzset 1 element:__rand_int__", "ZADD myzset 2 element:__rand_int__"),
    "MSET random": (None, "MSET " + " ".join(["key:__rand_int__ VXK"] * 10)),
}


def call(port, *words):
    request = b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word.encode()) for word in words)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(request)
        assert connection.recv(100) == b"+OK\r\n"


def bench(port, command, *options):
    subprocess.run(
        ["redis-benchmark", "-p", str(port), "-c", "50", "-q", *options, *command.split()],
        check=True,
        stdout=subprocess.DEVNULL,
    )


def spread(sent, measured):
    """How many keys or members `sent` draws from: as many as `measured` meets, or so many that few are sent twice."""
    if "__rand_int__" not in sent:
        return []
    return ["-r", "100000" if "__rand_int__" in measured else "1000000"]


class Server:
    def __init__(self, program, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.out = os.path.join(folder, "counted")
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={self.out}", program, "serve"]
        options = ["--redis", f"127.0.0.1:{self.port}"]
        self.process = subprocess.Popen(command + options, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self.port)).close()
            except OSError:
                assert self.process.poll() is None, f"{program} does not start"
                time.sleep(0.2)

    def counted(self):
        """Instructions since this was last asked."""
        dump = ["callgrind_control", "--dump", str(self.process.pid)]
        subprocess.run(dump, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        total = 0
        for name in glob.glob(self.out + ".*"):
            with open(name) as file:
                total += sum(int(line.split()[1]) for line in file if re.match(r"totals: ", line))
            os.remove(name)
        return total

    def request(self, name, pipeline):
        fill, command = COMMANDS[name]
        call(self.port, "FLUSHALL")
        if fill:
            bench(self.port, fill, *FILL, *spread(fill, command))
        fewest = {SHORT: [], LONG: []}
        self.counted()
        for _ in range(ROUNDS):
            for requests in fewest:
                bench(self.port, command, "-n", str(requests), "-P", str(pipeline), *spread(command, command))
                fewest[requests].append(self.counted())
        return (min(fewest[LONG]) - min(fewest[SHORT])) / (LONG - SHORT)


def measure(program, names):
    with tempfile.TemporaryDirectory() as folder:
        server = Server(program, folder)
        try:
            for name in names:
                for pipeline in 1, 16:
                    yield (name, pipeline), server.request(name, pipeline)
        finally:
            server.process.terminate()
            server.process.wait()


def main():
    arguments = sys.argv[1:]
    at = arguments.index("--") if "--" in arguments else len(arguments)
    programs, names = arguments[:at], arguments[at + 1 :] or list(COMMANDS)
    measured = [dict(measure(program, names)) for program in programs]
    print("| | " + " | ".join(f"`-P {pipeline}`" + " |" * (2 * len(programs) - 2) for pipeline in (1, 16)) + " |")
    print("|---|" + "---|" * (2 * (2 * len(programs) - 1)))
    for name in names:
        cells = []
        for pipeline in 1, 16:
            first, *others = [figures[name, pipeline] for figures in measured]
            cells.append(f"{first:,.0f}")
            for other in others:
                cells += [f"{other:,.0f}", f"{other / first:.3f}"]
        print(f"| `{name}` | " + " | ".join(cells) + " |", flush=True)


main()
