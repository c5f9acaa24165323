#!/bin/sh
# What an administrator and a role do with cqlsh, against a door with the user `ann`, whose password is `secret`. Says that it worked.
#
# The shell is $CQLSH; the arguments are the port of the door and a folder for files.
set -eu
PORT=$1
FILES=$2

# Runs statements as somebody: a name, a password, the statements.
cql() { HOME=$FILES "$CQLSH" -u "$1" -p "$2" 127.0.0.1 "$PORT" -e "$3" 2>"$FILES/errors"; }

# Statements of `ann`, with an output that has to have a text.
finds() {
    out=$(cql ann secret "$2") || { cat "$FILES/errors" >&2; exit 1; }
    case $out in *"$1"*) ;; *) echo "$2: $out, where $1 was expected" >&2; exit 1 ;; esac
}

# Somebody's statement that has to be refused, with a text.
refused() {
    if cql "$2" "$3" "$4" >"$FILES/out"; then echo "$4: was not refused" >&2; exit 1; fi
    grep -q "$1" "$FILES/errors" || { echo "$4:" >&2; cat "$FILES/errors" >&2; exit 1; }
}

finds '' "CREATE ROLE clerk WITH PASSWORD = 'pw' AND LOGIN = true"
finds '   ann |  True |  True |' 'LIST ROLES'
finds ' clerk | False |  True |' 'LIST ROLES'
finds '' "CREATE KEYSPACE shell WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"
finds '' 'CREATE TABLE shell.t (p int PRIMARY KEY)'
refused 'code=2100 \[Unauthorized\].*no SELECT permission on <table shell.t>' clerk pw 'SELECT * FROM shell.t'
finds '' 'GRANT SELECT ON shell.t TO clerk'
cql clerk pw 'SELECT * FROM shell.t; DESCRIBE TABLE shell.t' >"$FILES/out" || { cat "$FILES/errors" >&2; exit 1; }
finds '<table shell.t> |' 'LIST ALL PERMISSIONS OF clerk'
refused 'code=0100 \[Bad credentials\]' clerk wrong 'SELECT key FROM system.local'
finds '' 'DROP ROLE clerk'
refused 'code=0100 \[Bad credentials\]' clerk pw 'SELECT key FROM system.local'
echo "works, with $("$CQLSH" --version)"
