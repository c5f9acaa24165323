#!/bin/sh
# What somebody does with cqlsh, against a door. Says that it worked.
#
# The shell is $CQLSH; the arguments are the port of the door and a folder for files.
set -eu
PORT=$1
FILES=$2

cql() { HOME=$FILES "$CQLSH" 127.0.0.1 "$PORT" -e "$1" 2>"$FILES/errors"; }

# Runs statements that have nothing to show.
does() { cql "$1" >"$FILES/out" || { cat "$FILES/errors" >&2; exit 1; }; }

# Runs statements, whose output has to have a text.
finds() {
    out=$(cql "$2") || { cat "$FILES/errors" >&2; exit 1; }
    case $out in *"$1"*) ;; *) echo "$2: $out, where $1 was expected" >&2; exit 1 ;; esac
}

# Runs a statement that has to be refused, with a text.
refused() {
    if cql "$2" >"$FILES/out"; then echo "$2: was not refused" >&2; exit 1; fi
    grep -q "$1" "$FILES/errors" || { echo "$2:" >&2; cat "$FILES/errors" >&2; exit 1; }
}

finds '| Cassandra 5.' 'SHOW VERSION'
finds 'Connected to larder at 127.0.0.1' 'SHOW HOST'
does "CREATE KEYSPACE shell WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"
does "CREATE TABLE shell.t (p int, c int, v text, PRIMARY KEY (p, c)) WITH CLUSTERING ORDER BY (c DESC)"
does "USE shell; INSERT INTO t (p, c, v) VALUES (1, 1, 'one'); INSERT INTO t (p, c, v) VALUES (1, 2, 'two')"
does "BEGIN BATCH INSERT INTO shell.t (p, c) VALUES (2, 7); UPDATE shell.t SET v = 'x, \"y\"' WHERE p = 2 AND c = 7; APPLY BATCH"
finds ' p | c | v
---+---+-----
 1 | 2 | two
 1 | 1 | one

(2 rows)' 'SELECT * FROM shell.t WHERE p = 1'
finds 'False' "INSERT INTO shell.t (p, c, v) VALUES (1, 1, 'uno') IF NOT EXISTS"
finds '(3 rows)' 'PAGING 1; SELECT * FROM shell.t'
finds 'shell' "SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = 'shell'"
finds 'local' "SELECT table_name FROM system_schema.tables WHERE keyspace_name = 'system'"
finds 'host_id' 'SELECT host_id, tokens, rpc_address FROM system.local'
finds 'virtual' 'SELECT * FROM system_virtual_schema.tables'
refused 'SyntaxException' 'SELEKT'
finds 'shell' 'DESCRIBE KEYSPACES'
finds 'CREATE TABLE shell.t (
    p int,
    c int,
    v text,
    PRIMARY KEY (p, c)
) WITH CLUSTERING ORDER BY (c DESC)' 'DESCRIBE TABLE shell.t'
finds 'CREATE KEYSPACE shell WITH replication' 'DESCRIBE KEYSPACE shell'
finds 'Partitioner: Murmur3Partitioner' 'DESCRIBE CLUSTER'

# Rows to a file and back.
finds '3 rows exported' "COPY shell.t TO '$FILES/t.csv' WITH HEADER = true"
does 'TRUNCATE shell.t'
finds '(0 rows)' 'SELECT * FROM shell.t'
finds '3 rows imported' "COPY shell.t FROM '$FILES/t.csv' WITH HEADER = true"
finds 'x, "y"' 'SELECT v FROM shell.t WHERE p = 2'
finds '(3 rows)' 'SELECT * FROM shell.t'
does 'DROP KEYSPACE shell'
echo "works, with $("$CQLSH" --version)"
