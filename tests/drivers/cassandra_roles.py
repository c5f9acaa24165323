"""What administrators do with Cassandra's driver, against a door that has a user. Says that it worked.

The arguments are a port, and the name and the password of the user.
"""

import logging
import sys

import cassandra
from cassandra import Unauthorized
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import Cluster, NoHostAvailable
from cassandra.query import BatchStatement

logging.disable(logging.WARNING)


def cluster(name, password):
    return Cluster(["127.0.0.1"], port=PORT, auth_provider=PlainTextAuthProvider(name, password), protocol_version=5)


def refused(error, run):
    """Runs what has to be refused, and returns the refusal."""
    try:
        run()
    except error as refusal:
        return refusal
    raise AssertionError(f"{error.__name__} was expected")


def listed(session, statement):
    """What a `LIST` returns, as tuples."""
    return [tuple(row) for row in session.execute(statement)]


PORT, NAME, PASSWORD = int(sys.argv[1]), sys.argv[2], sys.argv[3]

with cluster(NAME, PASSWORD) as owner:
    session = owner.connect()
    options = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
    session.execute(f"CREATE KEYSPACE shop WITH replication = {options}")
    session.execute("CREATE TABLE shop.stock (item text PRIMARY KEY, n int)")
    session.execute("CREATE ROLE readers")
    session.execute("CREATE ROLE clerk WITH PASSWORD = 'pw' AND LOGIN = true")
    session.execute("GRANT readers TO clerk")
    assert "system_auth" in owner.metadata.keyspaces, owner.metadata.keyspaces.keys()

    with cluster("clerk", "pw") as shop:
        # The driver reads the tables of the system, whatever the role may do.
        clerk = shop.connect()
        assert "stock" in shop.metadata.keyspaces["shop"].tables
        select = clerk.prepare("SELECT n FROM shop.stock WHERE item = ?")
        insert = clerk.prepare("INSERT INTO shop.stock (item, n) VALUES (?, ?)")
        why = refused(Unauthorized, lambda: clerk.execute(select, ["nut"]))
        assert "User clerk has no SELECT permission on <table shop.stock> or any of its parents" in str(why), why
        session.execute("GRANT SELECT ON KEYSPACE shop TO readers")
        session.execute("GRANT MODIFY ON shop.stock TO clerk")
        clerk.execute(insert, ("nut", 3))
        batch = BatchStatement()
        batch.add(insert, ("bolt", 4))
        clerk.execute(batch)
        assert clerk.execute(select, ["nut"]).one().n == 3
        refused(Unauthorized, lambda: clerk.execute("CREATE TABLE shop.more (x int PRIMARY KEY)"))
        refused(Unauthorized, lambda: clerk.execute("CREATE ROLE other"))
        refused(Unauthorized, lambda: clerk.execute("LIST ALL PERMISSIONS"))
        own = [
            ("clerk", "clerk", "<table shop.stock>", "MODIFY"),
            ("readers", "readers", "<keyspace shop>", "SELECT"),
        ]
        assert listed(clerk, "LIST ALL PERMISSIONS OF clerk") == own
        again = session.execute("GRANT SELECT ON KEYSPACE shop TO readers")
        warnings = again.response_future.warnings
        assert warnings == ["Role 'readers' was already granted SELECT on <keyspace shop>"], warnings
        session.execute("REVOKE readers FROM clerk")
        refused(Unauthorized, lambda: clerk.execute(select, ["nut"]))
        session.execute("REVOKE MODIFY ON shop.stock FROM clerk")
        refused(Unauthorized, lambda: clerk.execute(batch))
        clerk.execute("ALTER ROLE clerk WITH PASSWORD = 'new'")

    roles = [(role, is_super, login) for role, is_super, login, *_ in listed(session, "LIST ROLES")]
    assert roles == sorted([(NAME, True, True), ("clerk", False, True), ("readers", False, False)]), roles
    names = [(name, is_super) for name, is_super, *_ in listed(session, "LIST USERS")]
    assert names == sorted([(NAME, True), ("clerk", False)]), names
    hashes = {row.salted_hash for row in session.execute("SELECT * FROM system_auth.roles")}
    assert hashes == {None}, hashes
    for wrong in ["pw", "", "other"]:
        with cluster("clerk", wrong) as nobody:
            refused(NoHostAvailable, nobody.connect)
    with cluster("clerk", "new") as shop:
        shop.connect()
    session.execute("DROP ROLE clerk")
    with cluster("clerk", "new") as nobody:
        refused(NoHostAvailable, nobody.connect)
    session.execute("DROP ROLE readers")
    session.execute("DROP KEYSPACE shop")

print(f"works, with cassandra-driver {cassandra.__version__}")
