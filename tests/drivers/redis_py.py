"""The documented patterns, in redis-py as it comes: in RESP2, in RESP3, and from several threads.

The first argument is a port, or the path of a unix socket; the second, if there is one, the certificate of a door that speaks TLS.
"""

import sys
import threading
import time

import redis

PLACE = {"unix_socket_path": sys.argv[1]} if sys.argv[1].startswith("/") else {"port": int(sys.argv[1])}
if len(sys.argv) > 2:
    PLACE |= {"ssl": True, "ssl_ca_certs": sys.argv[2]}


def connect(protocol, **options):
    return redis.Redis(**PLACE, protocol=protocol, decode_responses=True, **options)


def cache(client):
    assert client.get("user:7") is None
    client.setex("user:7", 3600, "ann")
    assert client.get("user:7") == "ann"
    assert 0 < client.ttl("user:7") <= 3600
    client.set("short", "x", px=30)
    time.sleep(0.06)
    assert client.get("short") is None and client.ttl("short") == -2
    assert client.set("lock", "me", nx=True, ex=10) is True
    assert client.set("lock", "you", nx=True, ex=10) is None
    assert client.set("lock", "you", get=True) == "me"
    assert client.mset({"a": "1", "b": "2"}) and client.mget("a", "none", "b") == ["1", None, "2"]


def rate_limit(client):
    allowed = 0
    for _ in range(8):
        with client.pipeline() as pipeline:
            pipeline.incr("rate:7")
            pipeline.expire("rate:7", 60, nx=True)
            count, _ = pipeline.execute()
        allowed += count <= 5
    assert allowed == 5
    assert 0 < client.ttl("rate:7") <= 60


def leaderboard(client):
    client.zadd("board", {"ann": 10, "bob": 30, "eve": 20})
    assert client.zincrby("board", 25.5, "ann") == 35.5
    assert client.zrevrange("board", 0, 1, withscores=True) == [("ann", 35.5), ("bob", 30.0)] or client.zrevrange(
        "board", 0, 1, withscores=True
    ) == [["ann", 35.5], ["bob", 30.0]]
    assert client.zrevrank("board", "eve") == 2 and client.zscore("board", "none") is None
    assert client.zrangebyscore("board", 20, 31) == ["eve", "bob"]
    assert client.zcard("board") == 3 and client.zpopmax("board", 1)[0][0] == "ann"


def structures(client):
    assert client.hset("h", mapping={"name": "ann", "age": "41"}) == 2
    assert client.hgetall("h") == {"name": "ann", "age": "41"} and client.hincrby("h", "age", 1) == 42
    assert client.rpush("queue", "a", "b", "c") == 3 and client.lpop("queue") == "a"
    assert client.lrange("queue", 0, -1) == ["b", "c"]
    assert client.sadd("tags", "x", "y") == 2 and client.smembers("tags") == {"x", "y"}
    assert sorted(client.scan_iter("tag*", count=1)) == ["tags"]
    assert dict(client.hscan_iter("h")) == {"name": "ann", "age": "42"}
    assert client.type("tags") == "set" and client.exists("tags", "none") == 1


def transactions(client):
    client.set("stock", "3")
    with client.pipeline() as pipeline:
        pipeline.watch("stock")
        left = int(pipeline.get("stock"))
        client.set("stock", "2")
        pipeline.multi()
        pipeline.set("stock", left - 1)
        try:
            pipeline.execute()
            raise AssertionError("the key was changed")
        except redis.WatchError:
            pass

    def sell(pipeline):
        pipeline.multi()
        pipeline.decr("stock")

    assert client.transaction(sell, "stock") == [1]
    try:
        client.lpush("stock", "x")
        raise AssertionError("a string is no list")
    except redis.ResponseError as error:
        assert "WRONGTYPE" in str(error)


def channels(client, protocol):
    subscriber = client.pubsub()
    subscriber.subscribe("orders")
    subscriber.psubscribe("order*")
    for _ in range(2):
        assert subscriber.get_message(timeout=5)["type"] in ("subscribe", "psubscribe")
    assert client.publish("orders", "one") == 2
    kinds = sorted(subscriber.get_message(timeout=5)["type"] for _ in range(2))
    assert kinds == ["message", "pmessage"], kinds
    assert client.pubsub_numsub("orders")[0][1] == 1
    subscriber.unsubscribe("orders")
    subscriber.close()


def pool():
    shared = redis.Redis(**PLACE, max_connections=4).connection_pool
    clients = [redis.Redis(connection_pool=shared) for _ in range(4)]
    threads = [
        threading.Thread(target=lambda client=client: [client.incr("hits") for _ in range(100)]) for client in clients
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert int(clients[0].get("hits")) == 400


for protocol in (2, 3):
    client = connect(protocol)
    client.flushall()
    assert client.ping() and client.info()["redis_version"].startswith("7.2.")
    assert client.client_id() > 0 and client.config_get("maxmemory")["maxmemory"] == "0"
    cache(client)
    rate_limit(client)
    leaderboard(client)
    structures(client)
    transactions(client)
    channels(client, protocol)
pool()
redis.Redis(**PLACE).set("from-python", "hello")
print("every pattern works, with redis-py", redis.__version__)
