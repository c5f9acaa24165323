#!/usr/bin/env python3
"""Writes the table of a service's members from the service's own model.

    python3 generate.py service-2.json > dynamodb.txt

The model is `service-2.json`, or `service-2.json.gz`, of the package `botocore`, folder `botocore/data/dynamodb/2012-08-10`
or `botocore/data/dynamodbstreams/2012-08-10`. Only facts are taken from it: the names of operations, what their requests
are made of, and which lengths, numbers, texts and values the members may have. `mod.rs` says how the lines are read.
"""

import gzip
import json
import sys


def read(path):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path) as file:
        return json.load(file)


def bounds(shape):
    least, most = shape.get("min", ""), shape.get("max", "")
    return f" {least}..{most}" if (least, most) != ("", "") else ""


def line(name, shape):
    kind = shape["type"]
    if kind == "structure":
        required = shape.get("required", [])
        members = [
            f" {member}{'!' if member in required else ''}:{inner['shape']}"
            for member, inner in shape["members"].items()
        ]
        return f"structure {name}{''.join(members)}"
    if kind == "list":
        return f"list {name} {shape['member']['shape']}{bounds(shape)}"
    if kind == "map":
        return f"map {name} {shape['key']['shape']} {shape['value']['shape']}{bounds(shape)}"
    if kind == "string":
        values = "".join(f" ={value}" for value in shape.get("enum", []))
        pattern = f" /{shape['pattern']}" if "pattern" in shape else ""
        return f"string {name}{bounds(shape)}{values}{pattern}"
    return f"{kind} {name}{bounds(shape)}"


def inner_shapes(shape):
    yield from (member["shape"] for member in shape.get("members", {}).values())
    for place in ("member", "key", "value"):
        if place in shape:
            yield shape[place]["shape"]


def main(path):
    model = read(path)
    shapes, metadata = model["shapes"], model["metadata"]
    lines, waiting, seen = [], [], set()
    for name, operation in sorted(model["operations"].items()):
        request = operation.get("input", {}).get("shape")
        lines.append(f"operation {name}{' ' + request if request else ''}")
        waiting.append(request)
    while waiting:
        name = waiting.pop()
        if name is None or name in seen:
            continue
        seen.add(name)
        waiting.extend(inner_shapes(shapes[name]))
    print(f"# What requests of {metadata['serviceFullName']} may hold. Written by generate.py; do not edit.")
    print(f"target {metadata['targetPrefix']}")
    print("\n".join(lines + [line(name, shapes[name]) for name in sorted(seen)]))


if __name__ == "__main__":
    main(sys.argv[1])
