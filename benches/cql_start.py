"""How long it takes from starting `larder serve --cql` to the reply of the first prepared insert, again and again.

    cargo build --release --features cli --bin larder
    python3 benches/cql_start.py target/release/larder [TIMES]

Each time: the program starts on a free port with a store in memory; a client connects, and has replies to STARTUP, CREATE KEYSPACE,
CREATE TABLE, PREPARE and EXECUTE, in frames of version 4. Prints the median and the longest of all, in milliseconds.
"""

import socket
import statistics
import struct
import subprocess
import sys
import time

STARTUP, QUERY, PREPARE, EXECUTE = 0x01, 0x07, 0x09, 0x0A
ERROR = 0x00


def short(text):
    return struct.pack(">H", len(text)) + text


def long(text):
    return struct.pack(">I", len(text)) + text


def call(connection, opcode, body):
    connection.sendall(struct.pack(">BBhBI", 4, 0, 0, opcode, len(body)) + body)
    header = receive(connection, 9)
    _, _, _, reply, length = struct.unpack(">BBhBI", header)
    body = receive(connection, length)
    assert reply != ERROR, body
    return body


def receive(connection, length):
    found = b""
    while len(found) < length:
        part = connection.recv(length - len(found))
        assert part, "the door has closed the connection"
        found += part
    return found


def connected(port, process):
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except OSError:
            assert process.poll() is None, "it does not start"
            time.sleep(0.0002)


def once(program):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    start = time.perf_counter()
    command = [program, "serve", "--cql", f"127.0.0.1:{port}"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with connected(port, process) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            call(connection, STARTUP, struct.pack(">H", 1) + short(b"CQL_VERSION") + short(b"3.0.0"))
            one = struct.pack(">HB", 1, 0)
            replication = b"{'class': 'SimpleStrategy', 'replication_factor': 1}"
            call(connection, QUERY, long(b"CREATE KEYSPACE shop WITH replication = " + replication) + one)
            call(connection, QUERY, long(b"CREATE TABLE shop.users (id int PRIMARY KEY, name text)") + one)
            prepared = call(connection, PREPARE, long(b"INSERT INTO shop.users (id, name) VALUES (?, ?)"))
            (length,) = struct.unpack(">H", prepared[4:6])
            values = struct.pack(">HBH", 1, 1, 2) + long(struct.pack(">i", 7)) + long(b"Ann")
            call(connection, EXECUTE, short(prepared[6 : 6 + length]) + values)
            return (time.perf_counter() - start) * 1_000
    finally:
        process.terminate()
        process.wait()


def main():
    program, times = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 100
    taken = [once(program) for _ in range(times)]
    print(f"{times} times: median {statistics.median(taken):.1f} ms, longest {max(taken):.1f} ms")


main()
