"""Instructions of the processor that single operations take, which do not depend on what else the machine does.

    cargo bench --no-run --bench instructions
    python3 benches/instructions.py target/release/deps/instructions-... [other programs ...] [-- NAME ...]

Runs each operation of `benches/instructions.rs` under `valgrind --tool=callgrind`, a few times and many times; what one takes is the
difference, divided by that of the counts, so that filling and starting drop out. Prints a table of Markdown, with each further
program beside the first.
"""

import re
import subprocess
import sys

# What takes long is done less often.
COUNTS = {"$group of 2,000 documents": (5, 25), "publish to 100, and receive": (50, 250)}
FEW, MANY = 500, 2_500


def counted(program, name, turns):
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, name, str(turns)]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    return int(re.search(r"Collected : (\d+)", run.stderr).group(1))


def main():
    arguments = sys.argv[1:]
    at = arguments.index("--") if "--" in arguments else len(arguments)
    programs, names = arguments[:at], arguments[at + 1 :]
    if not names:
        listed = subprocess.run([programs[-1], "list"], check=True, capture_output=True, text=True)
        names = listed.stdout.splitlines()
    others = len(programs) - 1
    print("| | counted |" + " counted | ratio |" * others)
    print("|---|---|" + "---|---|" * others)
    for name in names:
        few, many = COUNTS.get(name, (FEW, MANY))
        figures = [(counted(program, name, many) - counted(program, name, few)) / (many - few) for program in programs]
        first, *beside = figures
        cells = [f"{first:,.0f}"]
        for figure in beside:
            cells += [f"{figure:,.0f}", f"{figure / first:.3f}"]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


main()
