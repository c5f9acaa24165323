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
assert sample.name == "db_server_requests_total" and sample.value == 2, sample
assert sample.labels == {"db_system_name": "redis", "larder_model": "kv"}, sample
directions = {sample.labels["network_io_direction"] for sample in families["db_server_io_bytes"].samples}
assert directions == {"receive", "transmit"}
assert families["larder_store_up"].samples[0].value == 1
assert families["larder_store_commits"].samples[0].value >= 1
assert families["larder_store_entries"].samples[0].value >= 1
assert families["process_resident_memory_bytes"].samples[0].value > 1 << 20
assert families["db_server_operation_duration_seconds"].type == "histogram"
assert read("/health") == (200, "text/plain; charset=utf-8", "ok\n")
print("works, with", len(families), "families")
