// What a program written for Cassandra does with its driver for Node.js, against a door. Says that it worked.
//
// The argument is a port.

"use strict";

const assert = require("node:assert");
const cassandra = require("cassandra-driver");
const { version } = require("cassandra-driver/package.json");

const { types } = cassandra;
const place = { contactPoints: [`127.0.0.1:${process.argv[2]}`], localDataCenter: "datacenter1" };

async function main() {
  const client = new cassandra.Client(place);
  await client.connect();
  const [host] = client.getState().getConnectedHosts();
  assert.strictEqual(host.datacenter, "datacenter1");
  await client.execute("CREATE KEYSPACE node WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
  await client.execute(
    "CREATE TABLE node.events (day date, at timestamp, id uuid, n bigint, tags map<text, int>, " +
      "PRIMARY KEY ((day), at, id)) WITH CLUSTERING ORDER BY (at DESC, id ASC)",
  );
  const insert = "INSERT INTO node.events (day, at, id, n, tags) VALUES (?, ?, ?, ?, ?)";
  const day = types.LocalDate.fromString("2024-02-29");
  const id = types.Uuid.random();
  const noon = Date.UTC(2024, 1, 29, 12);
  const values = (n) => [day, new Date(noon + n * 1000), id, types.Long.fromNumber(n), { n }];
  for (let n = 0; n < 30; n += 1) await client.execute(insert, values(n), { prepare: true });
  const queries = [30, 31, 32].map((n) => ({ query: insert, params: values(n) }));
  await client.batch(queries, { prepare: true });

  // Newest first, in pages.
  const select = "SELECT at, id, n, tags FROM node.events WHERE day = ?";
  const first = await client.execute(select, [day], { prepare: true, fetchSize: 10 });
  assert.strictEqual(first.rowLength, 10);
  const found = [];
  for await (const row of client.stream(select, [day], { prepare: true, fetchSize: 10, autoPage: true })) found.push(row);
  assert.deepStrictEqual(found.map((row) => row.n.toNumber()), Array.from({ length: 33 }, (_, n) => 32 - n));
  assert.strictEqual(found[0].at.getTime(), noon + 32_000);
  assert.ok(found[0].id.equals(id));
  assert.deepStrictEqual(found[0].tags, { n: 32 });

  // Conditions.
  await client.execute("CREATE TABLE node.stock (item text PRIMARY KEY, n int)");
  const add = "INSERT INTO node.stock (item, n) VALUES ('nut', 1) IF NOT EXISTS";
  assert.ok((await client.execute(add)).wasApplied());
  assert.ok(!(await client.execute(add)).wasApplied());

  // What the driver reads of a table when it is asked for.
  const table = await client.metadata.getTable("node", "events");
  assert.deepStrictEqual(table.partitionKeys.map((column) => column.name), ["day"]);
  assert.deepStrictEqual(table.clusteringKeys.map((column) => column.name), ["at", "id"]);
  assert.deepStrictEqual(table.clusteringOrder, ["DESC", "ASC"]);

  // A mistake has its code.
  await assert.rejects(client.execute("SELEKT"), { code: types.responseErrorCodes.syntaxError });
  await assert.rejects(client.execute("SELECT * FROM node.nothing"), { code: types.responseErrorCodes.invalid });
  await client.execute("DROP KEYSPACE node");
  await client.shutdown();
  console.log(`works, with cassandra-driver ${version}`);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
