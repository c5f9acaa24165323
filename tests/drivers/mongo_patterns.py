"""What a program written for MongoDB does with its driver, against a door. Says that it worked.

The first argument is a port or a connection string; the second, if there is one, the certificate of a door that speaks TLS.
"""

import sys

import pymongo
from pymongo import ASCENDING, DESCENDING, InsertOne, MongoClient, ReturnDocument, UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError, OperationFailure

PLACE = {"host": "127.0.0.1", "port": int(sys.argv[1])} if sys.argv[1].isdigit() else {"host": sys.argv[1]}
if len(sys.argv) > 2:
    PLACE["tlsCAFile"] = sys.argv[2]


def quick_start(db):
    """Two indexes, an insert that answers False for a duplicate, and an aggregation."""
    events = db.events
    events.create_index([("user_id", ASCENDING), ("timestamp", DESCENDING)])
    events.create_index("event_id", unique=True)

    def insert(event):
        try:
            events.insert_one(event)
            return True
        except DuplicateKeyError as error:
            assert error.details["keyPattern"] == {"event_id": 1}, error.details
            return False

    assert insert({"event_id": "a", "user_id": 1, "timestamp": 1, "amount": 5.0})
    assert not insert({"event_id": "a", "user_id": 2})
    events.insert_many({"event_id": f"e{n}", "user_id": n % 10, "timestamp": n, "amount": n * 0.5} for n in range(1000))
    totals = list(
        events.aggregate(
            [
                {"$match": {"user_id": {"$lt": 3}}},
                {"$group": {"_id": "$user_id", "total": {"$sum": "$amount"}}},
                {"$sort": {"total": -1}},
                {"$limit": 2},
            ]
        )
    )
    assert [row["_id"] for row in totals] == [2, 1], totals
    newest = [event["timestamp"] for event in events.find({"user_id": 5}).sort("timestamp", -1).limit(3)]
    assert newest == [995, 985, 975], newest


def cursors(db):
    """A result of many batches is read as it was when the query began."""
    db.numbers.insert_many({"n": n} for n in range(5000))
    found = db.numbers.find().batch_size(100)
    first = next(found)
    db.numbers.delete_many({})
    assert first["n"] == 0 and sum(1 for _ in found) == 4999
    assert db.numbers.count_documents({}) == 0


def writes(db):
    """Updates, upserts, bulk writes, and documents that are changed and returned."""
    stock = db.stock
    done = stock.update_one({"_id": "nut"}, {"$inc": {"n": 2}}, upsert=True)
    assert done.upserted_id == "nut" and done.matched_count == 0
    assert stock.update_one({"_id": "nut"}, {"$push": {"log": {"$each": [1, 2], "$slice": -1}}}).modified_count == 1
    assert stock.find_one({"_id": "nut"}) == {"_id": "nut", "n": 2, "log": [2]}
    after = stock.find_one_and_update({"_id": "nut"}, {"$mul": {"n": 3}}, return_document=ReturnDocument.AFTER)
    assert after["n"] == 6, after
    assert stock.find_one_and_delete({"_id": "none"}) is None
    try:
        stock.bulk_write([InsertOne({"_id": "bolt"}), InsertOne({"_id": "nut"}), UpdateOne({}, {"$set": {"a": 1}})], ordered=False)
        raise AssertionError("the second insert is a duplicate")
    except BulkWriteError as error:
        assert error.details["nInserted"] == 1 and error.details["nModified"] == 1, error.details
        assert [write["index"] for write in error.details["writeErrors"]] == [1], error.details
    assert sorted(stock.distinct("_id")) == ["bolt", "nut"]


def crud(db):
    """Replacements, removals, projections, hints, variables, natural order."""
    things = db.things
    things.insert_many([{"_id": n, "n": n, "tags": ["a", "b"] if n % 2 else []} for n in range(10)])
    assert things.replace_one({"_id": 1}, {"n": 100}).modified_count == 1
    assert things.find_one({"_id": 1}) == {"_id": 1, "n": 100}
    assert things.replace_one({"_id": 50}, {"n": 50}, upsert=True).upserted_id == 50
    assert things.update_many({"n": {"$gte": 50}}, {"$set": {"large": True}}).modified_count == 2
    changed = things.update_one({"_id": 3}, {"$set": {"tags.$[t]": "c"}}, array_filters=[{"t": "b"}])
    assert changed.modified_count == 1 and things.find_one({"_id": 3})["tags"] == ["a", "c"]
    assert things.find_one({"_id": 2}, {"n": 1, "_id": 0}) == {"n": 2}
    things.create_index("n")
    assert [one["_id"] for one in things.find({}, hint="n_1").limit(3)] == [0, 2, 3]
    assert [one["_id"] for one in things.find().sort("$natural", -1).limit(2)] == [50, 9]
    assert things.count_documents({"n": {"$lt": 5}}, hint=[("n", 1)]) == 4
    assert things.estimated_document_count() == 11
    wanted = things.find({"$expr": {"$eq": ["$n", "$$wanted"]}}, let={"wanted": 7})
    assert [one["_id"] for one in wanted] == [7]
    assert things.delete_many({"$expr": {"$gt": ["$n", "$$most"]}}, let={"most": 8}).deleted_count == 3
    first = things.find_one_and_update({}, [{"$set": {"seen": True}}], sort=[("n", 1)], projection={"_id": 1})
    assert first == {"_id": 0}
    before = things.find_one_and_replace({"_id": 7}, {"n": -7}, return_document=ReturnDocument.BEFORE)
    assert before["n"] == 7 and things.find_one_and_delete({}, sort=[("n", 1)]) == {"_id": 7, "n": -7}
    totals = things.aggregate([{"$match": {"n": {"$gt": "$$x"}}}, {"$count": "n"}], let={"x": 1}, hint="n_1")
    assert list(totals) == []
    assert things.find({"n": 2}).explain()["queryPlanner"]["winningPlan"]["stage"] == "FETCH"


def keys(db):
    """Bounds of keys of an index, and keys instead of documents; an index is listed as it was asked for."""
    db.keys.create_index([("a", 1), ("b", -1)], background=True)
    assert db.keys.index_information()["a_1_b_-1"]["background"] is True
    db.keys.insert_many({"_id": n, "a": n // 3, "b": n % 3} for n in range(9))
    by_both = db.keys.find().hint("a_1_b_-1")
    assert [one["_id"] for one in by_both.clone().min([("a", 1), ("b", 1)]).max([("a", 2), ("b", 1)])] == [4, 3, 8]
    backwards = by_both.clone().max([("a", 1), ("b", 1)]).sort([("a", -1), ("b", 1)]).limit(2)
    assert [one["_id"] for one in backwards] == [5, 0]
    assert list(db.keys.find({"a": 2, "b": 1}, return_key=True)) == [{"a": 2, "b": 1}]
    assert list(db.keys.find({"a": 2}, hint=[("$natural", 1)], return_key=True)) == [{}, {}, {}]
    assert db.keys.find_one({"a": 2, "b": 1}, show_record_id=True)["$recordId"] == 8
    for query, code in [
        (db.keys.find(hint=[("$natural", 1)]).min([("a", 1)]), 291),
        (by_both.clone().min([("b", 1), ("a", 1)]), 51174),
        (by_both.clone().min([("a", 1), ("b", 1)]).max([("a", 1), ("b", 1)]), 51175),
        (by_both.clone().min([("a", 1), ("b", 1)]).max([("a", 2)]), 51176),
    ]:
        try:
            list(query)
            raise AssertionError(f"code {code} was expected")
        except OperationFailure as error:
            assert error.code == code, error


def duplicates(db):
    """A unique index refuses what is there, whatever the write is."""
    db.people.create_index([("name", 1), ("born", 1)], unique=True)
    db.people.insert_many([{"_id": 1, "name": "Ann", "born": 1990}, {"_id": 2, "name": "Bob", "born": 1990}])
    for write in [
        lambda: db.people.insert_one({"name": "Ann", "born": 1990.0}),
        lambda: db.people.update_one({"_id": 2}, {"$set": {"name": "Ann"}}),
        lambda: db.people.replace_one({"_id": 2}, {"name": "Ann", "born": 1990}),
        lambda: db.people.find_one_and_update({"_id": 2}, {"$set": {"name": "Ann"}}),
        lambda: db.people.update_one({"name": "Ann", "born": 1990, "x": 1}, {"$set": {"y": 1}}, upsert=True),
    ]:
        try:
            write()
            raise AssertionError("a duplicate was written")
        except DuplicateKeyError as error:
            assert error.code == 11000 and error.details["keyPattern"] == {"name": 1, "born": 1}, error.details
    try:
        db.people.insert_many([{"name": "Cid"}, {"_id": 1}, {"_id": 2}, {"name": "Dee"}], ordered=False)
        raise AssertionError("two are duplicates")
    except BulkWriteError as error:
        assert error.details["nInserted"] == 2, error.details
        assert [write["index"] for write in error.details["writeErrors"]] == [1, 2], error.details
    assert db.people.count_documents({}) == 4


def closed_cursors(client, db):
    """A cursor that is closed is not open on the server; one that somebody kills is an error of the next batch."""
    db.many.insert_many({"n": n} for n in range(300))
    with db.many.find(batch_size=10) as found:
        next(found)
        assert found.alive
    opened = db.command("find", "many", batchSize=2)["cursor"]["id"]
    assert db.command("killCursors", "many", cursors=[opened])["cursorsKilled"] == [opened]
    try:
        db.command("getMore", opened, collection="many")
        raise AssertionError("the cursor is not there")
    except OperationFailure as error:
        assert error.code == 43, error
    with client.start_session() as session:
        within = db.many.find(batch_size=10, session=session)
        assert sum(1 for _ in within) == 300
    raw = list(db.many.find_raw_batches(batch_size=100))
    assert len(raw) >= 3, len(raw)


def errors(db):
    """A mistake has the server's code."""
    for run, code in [
        (lambda: db.command("nosuch"), 59),
        (lambda: db.command("find", "c", nosuch=1), 40415),
        (lambda: db.command("find", "c", filter="x"), 14),
        (lambda: list(db.c.find({"a": {"$in": 1}})), 2),
        (lambda: db.c.insert_one({"_id": [1]}), 53),
    ]:
        try:
            run()
            raise AssertionError(f"code {code} was expected")
        except OperationFailure as error:
            assert error.code == code, error
        except pymongo.errors.WriteError as error:
            assert error.code == code, error


def sessions(client, db):
    """A session goes over several requests."""
    with client.start_session() as session:
        db.events.find_one({}, session=session)
    hello = client.admin.command("hello")
    assert hello["isWritablePrimary"], hello
    assert set(client.list_database_names()) == {"shop"}
    db.events.rename("happenings")
    assert "happenings" in db.list_collection_names() and "events" not in db.list_collection_names()
    client.drop_database("shop")
    assert client.list_database_names() == []


def user_of(place):
    """Whoever may do something: a user, where the server asks for one."""
    with MongoClient(**place, serverSelectionTimeoutMS=10_000) as client:
        try:
            client.shop.command("listCollections")
            assert client.admin.command("hello")["setName"] == "larder"
            return {}
        except OperationFailure as error:
            assert error.code == 13, error
    for password in ["wrong", "secret"]:
        user = {"username": "ann", "password": password}
        with MongoClient(**place, **user) as client:
            try:
                client.shop.command("listCollections")
                return user
            except OperationFailure as error:
                assert password == "wrong" and error.code == 18, error
    raise AssertionError("nobody may do anything")


with MongoClient(**PLACE, serverSelectionTimeoutMS=10_000, **user_of(PLACE)) as client:
    shop = client.shop
    quick_start(shop)
    cursors(shop)
    writes(shop)
    crud(shop)
    keys(shop)
    duplicates(shop)
    closed_cursors(client, shop)
    errors(shop)
    sessions(client, shop)
print(f"works, with PyMongo {pymongo.version}")
