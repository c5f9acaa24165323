"""The patterns that applications are written in, with redis-py as it comes, against the program."""

import json
import sys
import threading
import time
from datetime import timedelta

import redis

PORT = int(sys.argv[1])
pool = redis.ConnectionPool(port=PORT, max_connections=20, decode_responses=True, socket_timeout=20)
r = redis.Redis(connection_pool=pool)
loads = 0


def get_user_profile(user_id):
    global loads
    cache_key = f"user:{user_id}:profile"
    cached = r.get(cache_key)
    if cached:
        return json.loads(cached)
    loads += 1
    profile = {"id": user_id, "name": "Ann Müller"}
    r.setex(cache_key, timedelta(hours=1), json.dumps(profile))
    return profile


def check_rate_limit(user_id, limit=100, window=60):
    key = f"rate:{user_id}:{int(time.time()) // window}"
    current = r.incr(key)
    if current == 1:
        r.expire(key, window)
    return current <= limit


def subscribe_events(channel, ready):
    pubsub = r.pubsub()
    pubsub.subscribe(channel)
    for message in pubsub.listen():
        if message["type"] == "subscribe":
            ready.set()
        if message["type"] == "message":
            yield json.loads(message["data"])


# A cache that is filled on a miss.
assert get_user_profile("7") == get_user_profile("7") and loads == 1
assert 3590 <= r.ttl("user:7:profile") <= 3600

# A rate limit. A window may end between two calls, and then the next one's count begins.
assert sum(check_rate_limit("7", limit=5, window=3600) for _ in range(8)) in range(5, 9)
assert all(0 < r.ttl(key) <= 3600 for key in r.scan_iter("rate:7:*"))

# A leaderboard.
for user, score in {"ann": 10, "bob": 30.5, "eve": 20}.items():
    r.zadd("leaderboard:daily", {user: score})
r.zadd("leaderboard:daily", {"ann": 40})
assert [tuple(row) for row in r.zrevrange("leaderboard:daily", 0, 1, withscores=True)] == [("ann", 40.0), ("bob", 30.5)]

# Events from one thread to another.
ready, heard = threading.Event(), []


def listen():
    for event in subscribe_events("events", ready):
        heard.append(event)
        if len(heard) == 100:
            return


listener = threading.Thread(target=listen, daemon=True)
listener.start()
assert ready.wait(20)
for number in range(100):
    r.publish("events", json.dumps({"number": number}))
listener.join(20)
assert heard == [{"number": number} for number in range(100)]

# Threads that share a pool.
threads = [threading.Thread(target=lambda: [r.incr("hits") for _ in range(100)]) for _ in range(10)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert r.get("hits") == "1000"
print("every pattern works, with redis-py", redis.__version__)
