"""What a graphical client asks a server for, in its order. Takes the port, and says that it worked."""

import sys

import pymongo
from pymongo import MongoClient

with MongoClient("127.0.0.1", int(sys.argv[1]), serverSelectionTimeoutMS=10_000, appname="graphical") as client:
    admin, shop = client.admin, client.shop
    shop.orders.insert_many({"n": n, "kind": n % 5} for n in range(1_000))
    shop.orders.create_index("kind")
    status = admin.command("connectionStatus", showPrivileges=True)
    assert status["authInfo"]["authenticatedUsers"] == [], status
    assert admin.command("hostInfo")["system"]["numCores"] > 0
    assert "parsed" in admin.command("getCmdLineOpts")
    assert admin.command("buildInfo")["versionArray"][0] == 7
    assert "featureCompatibilityVersion" in admin.command("getParameter", featureCompatibilityVersion=1)
    databases = admin.command("listDatabases")["databases"]
    assert [(one["name"], one["empty"]) for one in databases] == [("shop", False)], databases
    assert databases[0]["sizeOnDisk"] > 30_000, databases
    collections = shop.command("listCollections")["cursor"]["firstBatch"]
    assert [one["name"] for one in collections] == ["orders"], collections
    stats = shop.command("dbStats")
    assert stats["objects"] == 1_000 and stats["indexes"] == 2, stats
    of_one = next(shop.orders.aggregate([{"$collStats": {"storageStats": {}}}]))["storageStats"]
    assert of_one["count"] == 1_000 and of_one["size"] == of_one["avgObjSize"] * 1_000, of_one
    assert list(shop.orders.find({"kind": 1}).limit(3))
    used = {one["name"]: one["accesses"]["ops"] for one in shop.orders.aggregate([{"$indexStats": {}}])}
    assert used["kind_1"] == 1 and used["_id_"] == 0, used
    assert len(list(shop.orders.aggregate([{"$sample": {"size": 20}}]))) == 20
    query = {"find": "orders", "filter": {"kind": 1}}
    for verbosity in ["queryPlanner", "executionStats", "allPlansExecution"]:
        plan = shop.command("explain", query, verbosity=verbosity)
        assert plan["queryPlanner"]["winningPlan"]["inputStage"]["stage"] == "IXSCAN", plan
    pipeline = {"aggregate": "orders", "pipeline": [{"$group": {"_id": "$kind"}}], "cursor": {}}
    assert len(shop.command("explain", pipeline)["stages"]) == 2
    top = admin.command("top")["totals"]["shop.orders"]
    assert top["insert"]["count"] == 1 and top["queries"]["count"] == 1, top
    running = next(admin.aggregate([{"$currentOp": {"allUsers": False}}]))
    assert running["appName"] == "graphical" and running["command"]["aggregate"] == 1, running
    assert admin.command("currentOp")["inprog"][0]["op"] == "command"
    server = admin.command("serverStatus")
    assert server["connections"]["current"] >= 1 and server["opcounters"]["insert"] == 1, server
    assert shop.command("validate", "orders")["valid"]
    client.drop_database("shop")
print(f"works, with PyMongo {pymongo.version}")
