// ioredis as it comes, on the door at the port or unix socket in the first argument; the second, if there is one, is the certificate
// of a door that speaks TLS.
'use strict';

const assert = require('node:assert');
const fs = require('node:fs');
const Redis = require('ioredis');

const [, , door, certificate] = process.argv;
const place = door.startsWith('/') ? { path: door } : { port: Number(door) };
if (certificate) place.tls = { ca: fs.readFileSync(certificate) };
const connect = (options) => new Redis({ ...place, maxRetriesPerRequest: 1, ...options });

async function values(redis) {
  assert.strictEqual(await redis.set('name', 'ann'), 'OK');
  assert.strictEqual(await redis.get('name'), 'ann');
  assert.strictEqual(await redis.setex('cached', 3600, 'x'), 'OK');
  assert.ok((await redis.ttl('cached')) > 0);
  assert.strictEqual(await redis.hset('hash', { a: 1, b: 2 }), 2);
  assert.deepStrictEqual(await redis.hgetall('hash'), { a: '1', b: '2' });
  assert.deepStrictEqual(await redis.mget('name', 'none'), ['ann', null]);
  assert.ok(Buffer.from([0, 255, 13, 10]).equals((await redis.set('bytes', Buffer.from([0, 255, 13, 10])), await redis.getBuffer('bytes'))));
  await redis.zadd('board', 1, 'ann', 2.5, 'bob');
  assert.deepStrictEqual(await redis.zrevrange('board', 0, 0, 'WITHSCORES'), ['bob', '2.5']);
  await assert.rejects(redis.lpush('name', 'x'), /WRONGTYPE/);
}

async function pipelines(redis) {
  const replies = await redis.pipeline().incr('n').lpush('name', 'x').incr('n').exec();
  assert.deepStrictEqual([replies[0][1], replies[2][1]], [1, 2]);
  assert.match(replies[1][0].message, /WRONGTYPE/);
  assert.deepStrictEqual(await redis.multi().incr('n').get('n').exec(), [[null, 3], [null, '3']]);
  const many = await Promise.all(Array.from({ length: 2000 }, () => redis.incr('many')));
  assert.strictEqual(many[1999], 2000);
}

async function watching(redis, other) {
  await redis.set('stock', 1);
  await redis.watch('stock');
  await other.set('stock', 2);
  assert.strictEqual(await redis.multi().set('stock', 3).exec(), null);
}

async function channels(redis) {
  const subscriber = connect();
  const heard = new Promise((resolve) => subscriber.on('message', (channel, text) => resolve([channel, text])));
  assert.strictEqual(await subscriber.subscribe('orders'), 1);
  assert.strictEqual(await redis.publish('orders', 'one'), 1);
  assert.deepStrictEqual(await heard, ['orders', 'one']);
  subscriber.disconnect();
}

async function scanning(redis) {
  const found = [];
  for await (const keys of redis.scanStream({ match: 'boa*', count: 2 })) found.push(...keys);
  assert.deepStrictEqual([...new Set(found)], ['board']);
}

async function scripts(redis) {
  if ((await redis.command('INFO', 'eval'))[0] === null) return;
  redis.defineCommand('add', { numberOfKeys: 1, lua: 'return redis.call("INCRBY", KEYS[1], ARGV[1])' });
  assert.strictEqual(await redis.add('scripted', 5), 5);
}

async function main() {
  const redis = connect();
  const other = connect({ db: 0 });
  await redis.flushall();
  await values(redis);
  await pipelines(redis);
  await watching(redis, other);
  await channels(redis);
  await scanning(redis);
  await scripts(redis);
  await Promise.all([redis.quit(), other.quit()]);
  console.log('every part works, with ioredis', require('ioredis/package.json').version);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
