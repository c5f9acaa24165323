"""The metrics of a server, read by the parser of Prometheus's own client for Python."""

import sys
import urllib.request

from prometheus_client import parser

PORT = int(sys.argv[1])


def read(path):
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}{path}", timeout=10) as reply:
        return reply.status, reply.headers["Content-Type"], reply.read().decode()


status, kind, text = read("/metrics")
assert status == 200 and kind.startswith("text/plain; version=0.0.4"), kind
families = {family.name: family for family in parser.text_string_to_metric_families(text)}
requests = families["db_server_requests"]
assert requests.type == "counter" and requests.documentation, requests
[sample] = requests.samples
assert sample.name == "db_server_requests_total" and sample.value == 6, sample
assert sample.labels == {"db_system_name": "redis", "larder_model": "kv"}, sample
directions = {sample.labels["network_io_direction"] for sample in families["db_server_io_bytes"].samples}
assert directions == {"receive", "transmit"}

def by_command(family):
    return {sample.labels["db_operation_name"]: sample.value for sample in families[family].samples}


operations = by_command("db_server_operations")
assert operations == {"set": 1, "get": 1, "lpush": 1, "config|get": 1, "quit": 1}, operations
assert by_command("db_server_operation_errors") == {**dict.fromkeys(operations, 0), "lpush": 1}
assert by_command("db_server_operations_rejected") == {**dict.fromkeys(operations, 0), "get": 1}
durations = families["db_server_operation_duration_seconds"].samples
counts = {sample.labels["db_operation_name"]: sample.value for sample in durations if sample.name.endswith("_count")}
assert counts == operations, counts
assert all(sample.value > 0 for sample in durations if sample.name.endswith("_sum"))
assert families["larder_store_up"].samples[0].value == 1
assert families["larder_store_commits"].samples[0].value >= 1
assert families["larder_store_entries"].samples[0].value >= 1
assert families["process_resident_memory_bytes"].samples[0].value > 1 << 20
assert families["db_server_operation_duration_seconds"].type == "histogram"
assert read("/health") == (200, "text/plain; charset=utf-8", "ok\n")
print("works, with", len(families), "families")
