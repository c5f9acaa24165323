"""What a program written for Cassandra does with its driver, against a door. Says that it worked.

The arguments are a port, the version of the protocol to speak (`any` lets the driver find it out), and a name and a password if the door
asks for them.
"""

import logging
import ssl
import sys
import time
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID, uuid4

import cassandra
from cassandra import AlreadyExists, ConsistencyLevel, InvalidRequest
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable
from cassandra.policies import DCAwareRoundRobinPolicy, TokenAwarePolicy
from cassandra.protocol import SyntaxException
from cassandra.query import BatchStatement, BatchType, SimpleStatement
from cassandra.util import Date, Duration, Time

logging.disable(logging.WARNING)


def cluster(port, version, login=None, certificate=None):
    """A cluster of one node, with the policies that programs give."""
    options = {} if version == "any" else {"protocol_version": int(version)}
    if login:
        options["auth_provider"] = PlainTextAuthProvider(*login)
    if certificate:
        options["ssl_context"] = ssl.create_default_context(cafile=certificate)
        options["ssl_options"] = {"server_hostname": "localhost"}
    policy = TokenAwarePolicy(DCAwareRoundRobinPolicy(local_dc="datacenter1"))
    profiles = {EXEC_PROFILE_DEFAULT: ExecutionProfile(load_balancing_policy=policy)}
    return Cluster(["127.0.0.1"], port=port, execution_profiles=profiles, schema_event_refresh_window=0, **options)


def refused(error, run):
    """Runs what has to be refused, and returns the refusal."""
    try:
        run()
    except error as refusal:
        return refusal
    raise AssertionError(f"{error.__name__} was expected")


def connected(cluster, session):
    """What the driver knows of the cluster when it has connected."""
    metadata = cluster.metadata
    (host,) = metadata.all_hosts()
    assert (metadata.cluster_name, host.datacenter, host.rack) == ("larder", "datacenter1", "rack1"), host
    assert host.is_up and host.host_id and host.release_version.startswith("5."), host
    assert metadata.partitioner.endswith("Murmur3Partitioner") and metadata.token_map.ring
    assert {"system", "system_schema", "system_virtual_schema"} <= set(metadata.keyspaces), metadata.keyspaces.keys()
    assert "host_id" in metadata.keyspaces["system"].tables["local"].columns
    assert "type" in metadata.keyspaces["system_virtual_schema"].tables["columns"].columns
    row = session.execute("SELECT release_version FROM system.local").one()
    assert row.release_version == host.release_version


def schema(cluster, session):
    """Keyspaces, tables, types and indexes, and what the driver reads of them after each statement."""
    options = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
    session.execute(f"CREATE KEYSPACE shop WITH replication = {options}")
    session.execute(f"CREATE KEYSPACE IF NOT EXISTS shop WITH replication = {options}")
    there = refused(AlreadyExists, lambda: session.execute(f"CREATE KEYSPACE shop WITH replication = {options}"))
    assert there.keyspace == "shop", there
    session.set_keyspace("shop")
    session.execute(
        "CREATE TABLE events (day date, at timestamp, id uuid, kind text, amount decimal, tags set<text>, "
        "PRIMARY KEY ((day), at, id)) WITH CLUSTERING ORDER BY (at DESC, id ASC) AND comment = 'by day'"
    )
    table = cluster.metadata.keyspaces["shop"].tables["events"]
    assert [column.name for column in table.partition_key] == ["day"], table.partition_key
    assert [(column.name, column.is_reversed) for column in table.clustering_key] == [("at", True), ("id", False)]
    assert table.options["comment"] == "by day" and table.options["gc_grace_seconds"] == 864000, table.options
    # What the driver makes of the table defines it again.
    session.execute(table.as_cql_query().replace("shop.events", "shop.again"))
    again = cluster.metadata.keyspaces["shop"].tables["again"]
    assert again.as_cql_query() == table.as_cql_query().replace("shop.events", "shop.again")
    session.execute("ALTER TABLE events ADD note text")
    session.execute("CREATE INDEX by_kind ON events (kind)")
    table = cluster.metadata.keyspaces["shop"].tables["events"]
    assert table.columns["note"].cql_type == "text" and list(table.indexes) == ["by_kind"], table.indexes
    session.execute("DROP INDEX by_kind")
    session.execute("CREATE TYPE address (street text, zip int)")
    assert cluster.metadata.keyspaces["shop"].user_types["address"].field_names == ["street", "zip"]


def events(session):
    """Prepared inserts, a query by date in pages, newest first, and of a slice."""
    insert = session.prepare("INSERT INTO events (day, at, id, kind, amount, tags) VALUES (?, ?, ?, ?, ?, ?)")
    insert.consistency_level = ConsistencyLevel.QUORUM
    assert insert.routing_key_indexes == [0], insert.routing_key_indexes
    day, noon = date(2024, 2, 29), datetime(2024, 2, 29, 12)
    own = uuid4()
    for n in range(250):
        values = (day, noon + timedelta(seconds=n), own, "view" if n % 2 else "sale", Decimal(n) / 4, {"a", f"t{n}"})
        session.execute(insert, values)
    session.execute(insert, (date(2024, 3, 1), noon, own, "view", None, None))
    select = session.prepare("SELECT at, id, kind, amount, tags FROM events WHERE day = ?")
    select.fetch_size = 100
    result = session.execute(select, [day])
    assert result.has_more_pages and len(result.current_rows) == 100
    rows = list(result)
    assert [row.at for row in rows] == [noon + timedelta(seconds=249 - n) for n in range(250)], "newest first, once each"
    assert (rows[0].id, rows[0].amount, rows[0].tags) == (own, Decimal("62.25"), {"a", "t249"}), rows[0]
    # A page's state goes on where it was left, in another session too.
    first = session.execute(select, [day])
    later = session.execute(select, [day], paging_state=first.paging_state)
    assert later.current_rows[0].at == noon + timedelta(seconds=149)
    text = "SELECT count(*) AS n FROM events WHERE day = %s AND at >= %s AND at < %s"
    count = session.execute(text, (day, noon + timedelta(seconds=10), noon + timedelta(seconds=20))).one()
    assert count.n == 10, count
    oldest = session.execute("SELECT at FROM events WHERE day = '2024-02-29' ORDER BY at ASC LIMIT 1").one()
    assert oldest.at == noon
    several = SimpleStatement("SELECT day FROM events", fetch_size=7)
    assert len(list(session.execute(several))) == 251
    april = ((date(2024, 4, 1), noon + timedelta(seconds=n), own, "x", None, None) for n in range(300))
    for future in [session.execute_async(insert, values) for values in april]:
        future.result()
    assert session.execute("SELECT count(*) AS n FROM events WHERE day = '2024-04-01'").one().n == 300


def batches(session):
    """Statements together, prepared and not; counters."""
    session.execute("CREATE TABLE stock (item text PRIMARY KEY, n int, place frozen<address>)")
    insert = session.prepare("INSERT INTO stock (item, n) VALUES (?, ?)")
    batch = BatchStatement(consistency_level=ConsistencyLevel.ONE)
    batch.add(insert, ("nut", 1))
    batch.add(insert, ("bolt", 2))
    batch.add(SimpleStatement("INSERT INTO stock (item, n) VALUES (%s, %s)"), ("gear", 3))
    batch.add("UPDATE stock SET place = {street: 'High Street', zip: 12345} WHERE item = 'nut'")
    session.execute(batch)
    rows = {row.item: row for row in session.execute("SELECT * FROM stock")}
    assert {item: row.n for item, row in rows.items()} == {"nut": 1, "bolt": 2, "gear": 3}, rows
    assert (rows["nut"].place.street, rows["nut"].place.zip) == ("High Street", 12345), rows["nut"]
    unlogged = BatchStatement(batch_type=BatchType.UNLOGGED)
    unlogged.add("DELETE FROM stock WHERE item = 'gear'")
    session.execute(unlogged)
    session.execute("CREATE TABLE hits (page text PRIMARY KEY, n counter)")
    counters = BatchStatement(batch_type=BatchType.COUNTER)
    counters.add("UPDATE hits SET n = n + 2 WHERE page = 'home'")
    counters.add(session.prepare("UPDATE hits SET n = n + ? WHERE page = ?"), (3, "home"))
    session.execute(counters)
    assert session.execute("SELECT n FROM hits").one().n == 5


def conditions(session):
    """Lightweight transactions say whether they were applied, and what was there if not."""
    insert = session.prepare("INSERT INTO stock (item, n) VALUES (?, ?) IF NOT EXISTS")
    insert.serial_consistency_level = ConsistencyLevel.SERIAL
    assert session.execute(insert, ("cog", 1)).was_applied
    again = session.execute(insert, ("cog", 2))
    assert not again.was_applied and again.one().n == 1, again
    update = "UPDATE stock SET n = %s WHERE item = 'cog' IF n = %s"
    assert session.execute(update, (5, 1)).was_applied
    failed = session.execute(update, (6, 1))
    assert not failed.was_applied and failed.one().n == 5
    batch = BatchStatement()
    batch.add("UPDATE stock SET n = 7 WHERE item = 'cog' IF n = 5")
    assert session.execute(batch).was_applied
    assert session.execute("DELETE FROM stock WHERE item = 'cog' IF EXISTS").was_applied


def values(session):
    """Values of each type come back as they were sent; null, unset and names of values."""
    columns = {
        "a": ("ascii", "plain"),
        "b": ("bigint", -(2**63)),
        "c": ("blob", b"\0\xff"),
        "d": ("boolean", True),
        "e": ("double", 0.1),
        "f": ("inet", "10.0.0.1"),
        "g": ("list<int>", [3, 1, 2]),
        "h": ("map<text, bigint>", {"x": 1, "y": -1}),
        "i": ("smallint", -7),
        "j": ("text", "Grüße"),
        "k": ("timestamp", datetime(1969, 12, 31, 23, 59, 59, 999000)),
        "l": ("timeuuid", UUID("5b6962dd-3f90-11ef-8000-000000000001")),
        "m": ("tinyint", 127),
        "n": ("varint", 10**30),
        "o": ("tuple<int, text>", (1, "one")),
        "p": ("vector<float, 3>", [1.0, 0.5, -2.0]),
        "q": ("float", 0.25),
        "r": ("duration", Duration(14, 3, 10**9)),
        "s": ("time", Time("13:14:15.000000001")),
        "t": ("set<date>", {Date("2024-02-29"), Date("1969-12-31")}),
        "u": ("decimal", Decimal("-1.50")),
        "v": ("uuid", uuid4()),
        "w": ("frozen<map<int, frozen<list<text>>>>", {1: ["x", "y"], 2: []}),
    }
    defined = ", ".join(f"{name} {of}" for name, (of, _) in columns.items())
    session.execute(f"CREATE TABLE types (key int PRIMARY KEY, {defined})")
    names = ", ".join(columns)
    insert = session.prepare(f"INSERT INTO types (key, {names}) VALUES (?{', ?' * len(columns)})")
    session.execute(insert, [1, *(value for _, value in columns.values())])
    # What is left out of a dictionary is unset, and changes nothing; None takes a value away.
    session.execute(insert, {"key": 1, "a": None})
    row = session.execute("SELECT * FROM types WHERE key = %(key)s", {"key": 1}).one()
    for name, (of, value) in columns.items():
        assert getattr(row, name) == (None if name == "a" else value), (of, getattr(row, name))
    session.execute("INSERT INTO types (key, b) VALUES (2, 1) USING TTL 1000")
    assert 990 <= session.execute("SELECT ttl(b) AS left FROM types WHERE key = 2").one().left <= 1000
    several = session.prepare("SELECT key FROM types WHERE key IN ?")
    assert sorted(row.key for row in session.execute(several, [[1, 2, 3]])) == [1, 2]
    written = session.execute("SELECT writetime(b) AS at FROM types WHERE key = 2").one().at
    assert abs(datetime.fromtimestamp(written / 1e6, timezone.utc) - datetime.now(timezone.utc)) < timedelta(minutes=5)


def errors(session):
    """A mistake has its class."""
    refused(SyntaxException, lambda: session.execute("SELEKT * FROM stock"))
    missing = refused(InvalidRequest, lambda: session.execute("SELECT * FROM nowhere"))
    assert "nowhere" in str(missing), missing
    refused(InvalidRequest, lambda: session.execute("SELECT * FROM events WHERE kind = 'view'"))
    refused(AlreadyExists, lambda: session.execute("CREATE TABLE stock (x int PRIMARY KEY)"))


def changes(cluster, other):
    """What one client changes of the schema, another is told; a statement prepared before knows of the new columns."""
    with other:
        session = other.connect("shop")
        select = session.prepare("SELECT * FROM stock WHERE item = 'nut'")
        session.execute("ALTER TABLE stock ADD shelf int")
        session.execute("UPDATE stock SET shelf = 4 WHERE item = 'nut'")
        assert session.execute(select).one().shelf == 4
    until = time.monotonic() + 20
    while "shelf" not in cluster.metadata.keyspaces["shop"].tables["stock"].columns:
        assert time.monotonic() < until, "nobody told of the column"
        time.sleep(0.05)


def dropped(cluster, session):
    """All of it goes."""
    session.execute("TRUNCATE stock")
    assert session.execute("SELECT * FROM stock").one() is None
    session.execute("DROP TABLE stock")
    assert "stock" not in cluster.metadata.keyspaces["shop"].tables
    session.execute("DROP TYPE address")
    session.execute("DROP KEYSPACE shop")
    assert "shop" not in cluster.metadata.keyspaces


PORT, VERSION = int(sys.argv[1]), sys.argv[2]
LOGIN = sys.argv[3:5] if len(sys.argv) > 4 else None
CERTIFICATE = sys.argv[3] if len(sys.argv) == 4 else None

if LOGIN:
    for wrong in [None, (LOGIN[0], "wrong")]:
        with cluster(PORT, VERSION, wrong) as nobody:
            refused(NoHostAvailable, nobody.connect)

with cluster(PORT, VERSION, LOGIN, CERTIFICATE) as shop:
    session = shop.connect()
    connected(shop, session)
    schema(shop, session)
    events(session)
    batches(session)
    conditions(session)
    values(session)
    errors(session)
    changes(shop, cluster(PORT, VERSION, LOGIN, CERTIFICATE))
    dropped(shop, session)
    spoken = shop.protocol_version
assert VERSION in ("any", str(spoken)), spoken
print(f"works, with cassandra-driver {cassandra.__version__}, version {spoken} of the protocol")
