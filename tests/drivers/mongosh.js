// What somebody types into the shell: create, query, explain, drop. Run with the port's address; says that it worked.

function expect(found, wanted) {
  const shown = EJSON.stringify(found);
  if (shown !== EJSON.stringify(wanted)) throw new Error(`${shown} instead of ${EJSON.stringify(wanted)}`);
}

use("shop");
db.createCollection("events");
db.events.createIndex({ user: 1, at: -1 });
expect(db.events.insertOne({ _id: 1, user: 7, at: 5 }).acknowledged, true);
db.events.insertMany([{ _id: 2, user: 7, at: 9 }, { _id: 3, user: 8, at: 1 }]);
expect(db.events.find({ user: 7 }).sort({ at: -1 }).toArray().map((event) => event._id), [2, 1]);
expect(db.events.countDocuments(), 3);
expect(db.events.aggregate([{ $group: { _id: "$user", n: { $sum: 1 } } }, { $sort: { _id: 1 } }]).toArray(), [
  { _id: 7, n: 2 },
  { _id: 8, n: 1 },
]);
const plan = db.events.find({ user: 7 }).explain("executionStats");
expect(plan.queryPlanner.winningPlan.inputStage.indexName, "user_1_at_-1");
expect(Number(plan.executionStats.nReturned), 2);
expect(db.events.updateMany({ user: 7 }, { $inc: { at: 1 } }).modifiedCount, 2);
expect(db.events.stats().count, 3);
expect(db.events.getIndexes().length, 2);
try {
  db.events.insertOne({ _id: 1 });
  throw new Error("a duplicate was inserted");
} catch (error) {
  expect(error.code, 11000);
}
expect(db.getCollectionNames(), ["events"]);
expect(db.events.drop(), true);
expect(db.dropDatabase().ok, 1);
print("works, with mongosh " + version());
