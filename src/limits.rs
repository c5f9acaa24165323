//! Every bound of the store, with its unit in its name.
//!
//! Limits are checked before anything is written, and the error names the limit and what was found.

use crate::error::{Error, Result};

/// Longest record of the catalogue in bytes, as it is decoded.
pub const CATALOGUE_RECORD_BYTES_MAX: usize = 64 << 20;

/// Longest engine key in bytes: what the storage engines share.
pub const ENGINE_KEY_BYTES_MAX: usize = 65_535;

/// Largest engine value in bytes: of a keyspace a long key or field, what is at it, and what is kept beside them.
pub const ENGINE_VALUE_BYTES_MAX: usize = KEY_BYTES_MAX + STRING_BYTES_MAX + (1 << 10);

/// Largest commit in bytes, as a record of the log.
pub const COMMIT_BYTES_MAX: usize = 2 << 30;

/// Bytes that one change takes in a commit beside its key and value, at most.
pub const CHANGE_OVERHEAD_BYTES: usize = 8;

/// Bytes that a commit takes beside its changes, at most.
pub const COMMIT_OVERHEAD_BYTES: usize = 128;

/// Bytes of commits that wait in memory for the next write to the log; past it a commit waits for that write.
pub const COMMIT_GROUP_BYTES_MAX: usize = 16 << 20;

/// Attempts a transaction gets on an engine that can return a conflict, before the conflict is returned.
pub const TRANSACTION_ATTEMPTS_MAX: u32 = 32;

/// Keys an engine remembers on behalf of open optimistic transactions; past it the oldest of them conflict.
pub const CONFLICT_HISTORY_KEYS_MAX: usize = 1 << 20;

/// Deadlines one round of the expiry sweeper works off in one transaction, unless what they remove is more than a step of a job.
pub const SWEEP_BATCH_MAX: usize = 1_000;

/// Entries that are removed at once, in the transaction that drops what they belong to; of more, the removal is a job.
pub const REMOVED_AT_ONCE_MAX: usize = 64;

/// Entries that one commit of a job removes.
pub const JOB_STEP_ENTRIES_MAX: usize = 1_000;

/// Bytes of the entries that one commit of a job removes; it may be more by one entry.
pub const JOB_STEP_BYTES_MAX: usize = 4 << 20;

/// Documents that one step of a write of many looks at.
pub const BULK_STEP_DOCUMENTS_MAX: usize = 10_000;

/// Record ids that a write of many documents keeps of those that come in later steps.
pub const BULK_IDS_MAX: usize = 4 << 20;

/// Storage ids of one block: how many are given out for one entry that is written.
pub const STORAGE_ID_BLOCK: i64 = 1 << 16;

/// Ids of collections and tables of one block, likewise.
pub const CATALOGUE_ID_BLOCK: i64 = 1 << 6;

/// Microseconds by which the stored end of unique times is ahead of them: a store that is opened again goes on behind it.
pub const UNIQUE_TIME_LEASE_MICROS: i64 = 1_000_000;

/// Largest document in bytes.
pub const DOCUMENT_BYTES_MAX: usize = 16 << 20;

/// Largest document that a pipeline computes in bytes: what a stage adds to a document of the largest size may be a little more.
pub const DOCUMENT_COMPUTED_BYTES_MAX: usize = DOCUMENT_BYTES_MAX + (16 << 10);

/// Deepest nesting of a stored document in levels, itself being the first.
pub const DOCUMENT_STORED_DEPTH_MAX: usize = 180;

/// Deepest nesting in levels of any document: of a filter, an update, a stage, and of what they make.
pub const DOCUMENT_DEPTH_MAX: usize = 200;

/// Parts of a dotted path.
pub const PATH_PARTS_MAX: usize = 200;

/// Wrappers of a caller's own types, such as `Some`, that lie around one value without making a level of its document or item.
pub const SERIALIZED_WRAPPERS_MAX: usize = 1_000;

/// Indexes of one collection, `_id` included.
pub const COLLECTION_INDEXES_MAX: usize = 64;

/// Keys of one compound index.
pub const INDEX_KEYS_MAX: usize = 32;

/// Bytes of a field of an index key that the key has as they are; of a longer one it has that many, and a hash. With as
/// many fields as an index may have, the key still fits an engine.
pub const INDEX_COMPONENT_BYTES_MAX: usize = 1 << 10;

/// Separate ranges one query reads from an index; conditions that would make more are checked on the documents instead.
pub const INDEX_SCAN_RANGES_MAX: usize = 10_000;

/// Documents, and entries of an index, whose sizes are looked at to tell how large a collection is.
pub const STATS_SAMPLE_MAX: u64 = 10_000;

/// Deepest nesting of a MongoDB client's command in levels: that of the deepest document, and what is around it.
pub const MONGO_COMMAND_DEPTH_MAX: usize = DOCUMENT_DEPTH_MAX + 4;

/// Longest message of a MongoDB client in bytes.
pub const MONGO_MESSAGE_BYTES_MAX: usize = 48_000_000;

/// Bytes that a client may have sent beside the longest message.
pub const QUERY_BUFFER_SLACK_BYTES: usize = 1 << 20;

/// Writes in one command of a MongoDB client.
pub const MONGO_BATCH_WRITES_MAX: usize = 100_000;

/// Bytes of documents in one reply to a MongoDB client, unless a single document is longer.
pub const MONGO_BATCH_BYTES_MAX: usize = 16 << 20;

/// Collections for which a MongoDB door counts what clients do with them.
pub const MONGO_COUNTED_COLLECTIONS_MAX: usize = 10_000;

/// Indexes of one collection whose uses a MongoDB door counts.
pub const MONGO_COUNTED_INDEXES_MAX: usize = 256;

/// Longest command of a MongoDB client, in bytes, that is shown to those who ask what is running.
pub const MONGO_SHOWN_COMMAND_BYTES_MAX: usize = 1_000;

/// Bytes of replies that a MongoDB door keeps for writes that are sent again, over all sessions.
pub const MONGO_RETRY_BYTES_MAX: usize = 64 << 20;

/// Cursors that clients of a MongoDB door may have open.
pub const MONGO_CURSORS_MAX: usize = 100_000;

/// Seconds of the store's clock for which a cursor is kept open that nobody asks.
pub const MONGO_CURSOR_IDLE_SECONDS_MAX: i64 = 600;

/// Sessions of a MongoDB door.
pub const MONGO_SESSIONS_MAX: usize = 1_000_000;

/// Seconds of the store's clock for which a session is kept that nobody uses.
pub const MONGO_SESSION_IDLE_SECONDS_MAX: i64 = 1_800;

/// Milliseconds for which a MongoDB client may wait for news of the server.
pub const MONGO_AWAIT_MS_MAX: u64 = 600_000;

/// Longest name of a database of a MongoDB client in bytes.
pub const MONGO_DATABASE_NAME_BYTES_MAX: usize = 63;

/// Longest name of a database, collection, keyspace, table, index or column in bytes.
pub const NAME_BYTES_MAX: usize = 255;

/// Nulls an update puts into an array to reach a position past its end.
pub const ARRAY_PADDING_MAX: usize = 1_500_000;

/// Deepest nesting of pipelines in stages of pipelines.
pub const PIPELINE_NESTING_MAX: usize = 20;

/// Bytes that a capped collection holds, at most and at least.
pub const CAPPED_BYTES_MAX: i64 = 1 << 50;
/// See [`CAPPED_BYTES_MAX`].
pub const CAPPED_BYTES_MIN: i64 = 4_096;

/// Requests of MongoDB clients that wait for documents of capped collections at a time; more are replied to at once.
pub const MONGO_WAITING_MAX: usize = 4;

/// Milliseconds for which such a request waits, unless it says otherwise, and at most.
pub const MONGO_WAIT_MILLIS: u64 = 1_000;
/// See [`MONGO_WAIT_MILLIS`].
pub const MONGO_WAIT_MILLIS_MAX: u64 = 10_000;

/// Most views of which each shows the next.
pub const VIEW_DEPTH_MAX: usize = 20;

/// Longest pattern of a regular expression in bytes.
pub const REGEX_BYTES_MAX: usize = 32_764;

/// Regular expressions that one operation keeps compiled.
pub const REGEX_KEPT_MAX: usize = 64;

/// Deepest nesting of an expression in levels.
pub const EXPRESSION_DEPTH_MAX: usize = 100;

/// Steps that the expressions of one operation take together: elements that `$map`, `$reduce`, `$range` and their like go through.
pub const EXPRESSION_STEPS_MAX: u64 = 1_000_000_000;

/// Documents that an operation with a limit of time looks at before it reads the clock again.
pub const ROWS_BETWEEN_CLOCK_READINGS: u64 = 64;

/// Stages of one aggregation pipeline.
pub const PIPELINE_STAGES_MAX: usize = 1_000;

/// Bytes of a document of a pipeline with what was found for it in another collection, before a later stage makes it smaller.
pub const JOINED_BYTES_MAX: usize = 100 << 20;

/// Documents that one `$densify` makes.
pub const DENSIFY_DOCUMENTS_MAX: usize = 500_000;

/// Bytes a blocking sort or a group holds in memory.
pub const SORT_BYTES_MAX: usize = 100 << 20;

/// Bytes of a component that a key of the engine has as they are; of a longer one it has that many, and a hash.
pub const KEY_COMPONENT_BYTES_MAX: usize = 8 << 10;

/// Longest key of a keyspace in bytes.
pub const KEY_BYTES_MAX: usize = 512 << 20;

/// Longest member of a set or sorted set, and longest name of a field of a hash, in bytes.
pub const MEMBER_BYTES_MAX: usize = 512 << 20;

/// Longest pattern of keys in bytes.
pub const KEY_PATTERN_BYTES_MAX: usize = 16 << 10;

/// Longest name of a group of a stream, and of a consumer, in bytes.
pub const GROUP_NAME_BYTES_MAX: usize = 8 << 10;

/// Memory that a dump may take up while it is restored, in bytes: what it is compressed from counts, and so does each element.
pub const RESTORED_BYTES_MAX: usize = 1 << 30;

/// What [`Error::LimitExceeded`] calls [`STRING_BYTES_MAX`].
pub(crate) const STRING_BYTES: &str = "string bytes";

/// Largest string of a keyspace, and largest value of a list or of a field of a hash, in bytes.
pub const STRING_BYTES_MAX: usize = 512 << 20;

/// Longest name of a channel, and longest pattern of channels, in bytes.
pub const CHANNEL_BYTES_MAX: usize = 4 << 10;

/// Largest payload of a message in bytes.
pub const PAYLOAD_BYTES_MAX: usize = 64 << 20;

/// Bytes of the messages that one transaction publishes.
pub const TRANSACTION_MESSAGE_BYTES_MAX: usize = 512 << 20;

/// Messages a subscriber's queue holds unless it asks for another size.
pub const SUBSCRIBER_QUEUE_MESSAGES: usize = 65_536;

/// Bytes of messages a subscriber's queue holds unless it asks for another size.
pub const SUBSCRIBER_QUEUE_BYTES: usize = 64 << 20;

/// Bytes that a message is counted with beside those of its channel and payload.
pub const MESSAGE_OVERHEAD_BYTES: usize = 64;

/// Item size in bytes, attribute names and values together.
pub const ITEM_BYTES_MAX: usize = 400 << 10;

/// Deepest nesting of an item's lists and maps in levels.
pub const ITEM_DEPTH_MAX: usize = 31;

/// Partition key of an item in bytes.
pub const ITEM_PARTITION_KEY_BYTES_MAX: usize = 2_048;

/// Sort key of an item in bytes.
pub const ITEM_SORT_KEY_BYTES_MAX: usize = 1_024;

/// Longest attribute name of an item in bytes.
pub const ITEM_ATTRIBUTE_NAME_BYTES_MAX: usize = 65_535;

/// Attributes that one index of an item table projects by name.
pub const ITEM_INDEX_INCLUDED_ATTRIBUTES_MAX: usize = 20;

/// Attributes that the indexes of an item table project by name, all together.
pub const ITEM_INCLUDED_ATTRIBUTES_MAX: usize = 100;

/// An expression of a request to an item table, in bytes of its text.
pub const ITEM_EXPRESSION_BYTES_MAX: usize = 4_096;

/// Operators and functions of one expression.
pub const ITEM_EXPRESSION_OPERATORS_MAX: usize = 300;

/// Deepest nesting of an expression's parentheses, functions and negations in levels. An expression of the most operators
/// has no more.
pub const ITEM_EXPRESSION_DEPTH_MAX: usize = 305;

/// Operands of an expression's `IN`, without the first.
pub const ITEM_IN_OPERANDS_MAX: usize = 100;

/// A placeholder of an expression in bytes, its `#` or `:` included.
pub const ITEM_PLACEHOLDER_BYTES_MAX: usize = 255;

/// What the placeholders of a request stand for, all together, in bytes.
pub const ITEM_PLACEHOLDERS_BYTES_MAX: usize = 2 << 20;

/// A statement of `PartiQL` in bytes.
pub const ITEM_STATEMENT_BYTES_MAX: usize = 8_192;

/// Statements of one batch.
pub const ITEM_BATCH_STATEMENTS_MAX: usize = 25;

/// Deepest nesting of a statement's parentheses, functions, negations and values in levels.
pub const ITEM_STATEMENT_DEPTH_MAX: usize = 64;

/// Elements of a path into an item, its attribute included.
pub const ITEM_PATH_ELEMENTS_MAX: usize = 32;

/// Largest index of a list's element in a path.
pub const ITEM_LIST_INDEX_MAX: u32 = u32::MAX - 1;

/// Significant digits of an item's number.
pub const ITEM_NUMBER_DIGITS_MAX: usize = 38;

/// Global secondary indexes of an item table.
pub const ITEM_GLOBAL_INDEXES_MAX: usize = 20;

/// Requests of one batch write.
pub const ITEM_BATCH_WRITES_MAX: usize = 25;

/// Bytes of one batch write's items.
pub const ITEM_BATCH_BYTES_MAX: usize = 16 << 20;

/// Bytes one query reads before it returns a page.
pub const ITEM_PAGE_BYTES_MAX: usize = 1 << 20;

/// Local indexes of an item table.
pub const ITEM_LOCAL_INDEXES_MAX: usize = 5;

/// Items that one batch reads.
pub const ITEM_BATCH_READS_MAX: usize = 100;

/// Bytes of items that one batch returns; what is more comes back unprocessed.
pub const ITEM_BATCH_READ_BYTES_MAX: usize = 16 << 20;

/// Actions of a transaction on items.
pub const ITEM_TRANSACTION_ACTIONS_MAX: usize = 100;

/// Bytes of the items of a transaction.
pub const ITEM_TRANSACTION_BYTES_MAX: usize = 4 << 20;

/// Seconds for which the token of a transaction on items is remembered.
pub const ITEM_TRANSACTION_TOKEN_SECONDS: i64 = 600;

/// Segments of a scan.
pub const ITEM_SEGMENTS_MAX: i64 = 1_000_000;

/// Marks of an item table.
pub const ITEM_TAGS_MAX: usize = 50;

/// Streams, or shards of one, that a call returns.
pub const ITEM_STREAMS_LISTED_MAX: usize = 100;

/// Records of a stream that a call returns.
pub const ITEM_STREAM_RECORDS_MAX: usize = 1_000;

/// Seconds for which records of a stream are kept.
pub const ITEM_STREAM_KEPT_SECONDS: i64 = 24 * 3_600;

/// Names of item tables that a call returns.
pub const ITEM_TABLES_LISTED_MAX: usize = 100;

/// Items that are measured to estimate how large a table is.
pub const ITEM_SIZE_SAMPLE_MAX: u64 = 100;

/// Item tables whose definitions are kept decoded.
pub const ITEM_TABLES_KEPT_MAX: usize = 10_000;

/// Files that one import reads, as in the service.
pub const ITEM_IMPORT_FILES_MAX: usize = 50_000;

/// Bytes of a line of an import: more than the largest item can take with every byte written as an escape.
pub const ITEM_IMPORT_LINE_BYTES_MAX: usize = 4 << 20;

/// Columns of a wide-column table.
pub const WIDE_COLUMNS_MAX: usize = 1_000;

/// Largest value of a column in bytes.
pub const WIDE_VALUE_BYTES_MAX: usize = 64 << 20;

/// Longest name of a keyspace, table or column of a wide-column table in characters.
pub const WIDE_NAME_CHARS_MAX: usize = 48;

/// Partition key of a row in bytes, and each of its clustering columns.
pub const WIDE_KEY_BYTES_MAX: usize = 65_535;

/// Bytes that clustering columns have in a key of the engine, all together, each zero counted twice. Each column may
/// take of them its share of what those before it have left; of one that is longer, its first bytes are there, and what
/// differs only behind them cannot be distinguished in order.
pub const WIDE_CLUSTERING_KEY_BYTES_MAX: usize = 48_000;

/// Deepest nesting of a column's type in levels, a native type having one and `frozen` another.
pub const WIDE_TYPE_DEPTH_MAX: usize = 40;

/// Elements of a vector.
pub const WIDE_VECTOR_DIMENSION_MAX: u16 = 8_192;

/// Dead rows and cells that one read of a wide-column table passes before its result says so, unless the store was told otherwise
/// ([`Store::set_tombstone_thresholds`](crate::Store::set_tombstone_thresholds)).
pub const WIDE_TOMBSTONES_WARN: u64 = 1_000;

/// Dead rows and cells that one read of a wide-column table passes at most, unless the store was told otherwise.
pub const WIDE_TOMBSTONES_MAX: u64 = 100_000;

/// Longest time to live of a cell in seconds: 20 years.
pub const WIDE_TTL_SECONDS_MAX: u32 = 630_720_000;

/// Rows, or slices of a partition, that the values of one query name one by one.
pub const WIDE_IN_ROWS_MAX: usize = 65_535;

/// Bytes of the keys of rows that a query gathers from a range of an index, to bring them into the order of the table. Where there are
/// more, the whole table is read.
pub const WIDE_INDEX_GATHERED_BYTES_MAX: usize = 4 << 20;

/// Statements of one batch of wide-column writes.
pub const WIDE_BATCH_STATEMENTS_MAX: usize = 65_535;

/// Bytes of the name of a role of CQL.
pub const CQL_ROLE_NAME_BYTES_MAX: usize = 200;

/// Roles that were granted to one role of CQL.
pub const CQL_ROLES_GRANTED_MAX: usize = 1_000;

/// Iterations of a hash that is given for the password of a role of CQL.
pub const CQL_PASSWORD_ITERATIONS_MAX: u32 = 1_000_000;

/// Bytes of the password of a role of CQL.
pub const CQL_PASSWORD_BYTES_MAX: usize = 4 << 10;

/// Bytes of one statement of CQL.
pub const CQL_STATEMENT_BYTES_MAX: usize = 16 << 20;

/// Tokens of one statement of CQL: names, constants, signs. What lets a parser look at some of them twice counts so.
pub const CQL_TOKENS_MAX: usize = 1 << 20;

/// Levels of nesting of one statement of CQL, of terms, types and chains of operators.
pub const CQL_DEPTH_MAX: usize = 50;

/// Markers of one statement of CQL: what the protocol has numbers for.
pub const CQL_MARKERS_MAX: usize = 65_535;

/// Words of a request to the Redis door, as Redis counts them. What bounds them in truth is the memory that they take, which
/// counts as bytes of the request.
pub const REQUEST_WORDS_MAX: i64 = i32::MAX as i64;

/// Words of a request of a client that has not given a password yet.
pub const GUEST_REQUEST_WORDS_MAX: usize = 10;

/// Bytes of one word of a request of a client that has not given a password yet.
pub const GUEST_REQUEST_WORD_BYTES_MAX: usize = 16 << 10;

/// Bytes of one word of a request to the Redis door, unless the parameter `proto-max-bulk-len` says less.
pub const REQUEST_WORD_BYTES_MAX: usize = STRING_BYTES_MAX;

/// Bytes of the table that `LCS` fills.
pub const LCS_TABLE_BYTES_MAX: usize = 64 << 20;

/// Bytes of a line of text that is a request to the Redis door.
pub const REQUEST_LINE_BYTES_MAX: usize = 64 << 10;

/// Bytes of requests that one connection may have sent and the door has not run, unless the parameter
/// `client-query-buffer-limit` says otherwise; also of the commands that it has queued.
pub const QUERY_BUFFER_BYTES_MAX: usize = 1 << 30;

/// Commands that one connection may have queued.
pub const QUEUED_COMMANDS_MAX: usize = 4 << 20;

/// Bytes of replies to one connection that may wait to be sent, whatever the parameter `client-output-buffer-limit` says.
pub const OUTPUT_BUFFER_BYTES_MAX: usize = 1 << 30;

/// Bytes of replies that wait to be sent from which on no more requests of the connection are run, unless there is no more
/// room to keep them.
pub const OUTPUT_HELD_BYTES: usize = 16 << 20;

/// Bytes of replies after which a run of requests ends, so that they are sent.
pub const RUN_REPLY_BYTES: usize = 1 << 20;

/// Bytes that all connections of one door may take up together, unless the parameter `maxmemory-clients` says otherwise; the
/// largest are closed.
pub const CLIENTS_BYTES_MAX: usize = 2 << 30;

/// Bytes that are still read, and thrown away, of a connection that is closed because of what it sent: a client that goes on
/// sending would not see the error otherwise.
pub const LINGER_BYTES_MAX: usize = 512 << 20;

/// Milliseconds for which they are read.
pub const LINGER_MS_MAX: u64 = 10_000;

/// Connections that may wait to be let in.
pub const BACKLOG_MAX: u32 = 511;

/// Descriptors that an open store holds for its next files.
pub const ENGINE_FILES_HELD_BACK: usize = 16;

/// Open files that the doors leave to the engine and to the program: connections are let in only beyond them.
pub const FILES_HELD_BACK: usize = 64;

/// Bytes of requests that may wait for a Redis client that monitors; it is disconnected when there are more.
pub const MONITOR_OUTPUT_BYTES_MAX: usize = 32 << 20;

/// Requests of one connection that share a transaction.
pub const PIPELINE_REQUESTS_MAX: usize = 1_024;

/// Milliseconds for which a door that is closed waits for its last replies to be taken.
pub const CLOSING_MS_MAX: u64 = 5_000;

/// Clients of one door.
pub const CLIENTS_MAX: usize = 10_000;

/// Milliseconds that a client may take to begin TLS.
pub const TLS_HANDSHAKE_MS_MAX: u64 = 10_000;

/// Bytes of the body of a request of a `DynamoDB` client.
pub const DYNAMODB_REQUEST_BYTES_MAX: usize = 16 << 20;

/// Lists and maps of JSON in one another in such a request; each level of an item's values takes two. What lies deeper is
/// not kept, and refused as nested too deeply.
pub const DYNAMODB_JSON_DEPTH_MAX: usize = 100;

/// Milliseconds until a connection ends on which no request comes.
pub const DYNAMODB_IDLE_MS_MAX: u64 = 60_000;

/// Access keys that have a store of their own, when each is to have one.
pub const DYNAMODB_FORKS_MAX: usize = 1_000;

/// Bytes of the headers of one request of HTTP.
pub const HTTP_HEADER_BYTES_MAX: usize = 64 << 10;

/// Milliseconds that a client may take to send the headers of a request of HTTP.
pub const HTTP_HEADER_MS_MAX: u64 = 10_000;

/// Threads of one door that have connections.
pub const DOOR_THREADS_MAX: usize = 64;

/// Threads of one door that run commands beside those that have connections.
pub const POOL_THREADS_MAX: usize = 64;

/// Iterations that a client may be made to do for a password by SCRAM.
pub const SCRAM_ITERATIONS_MAX: u32 = 1_000_000;

/// Slots in which the use of keys is kept, for eviction: four bytes each.
pub const USAGE_SLOTS: usize = 1 << 22;

/// Users of one door.
pub const USERS_MAX: usize = 10_000;

/// Rules of one user: passwords, commands, keys and channels.
pub const USER_RULES_MAX: usize = 10_000;

/// Denials that a door may be asked to remember.
pub const DENIALS_MAX: usize = 10_000;

/// Entries that the slow log of a door may be asked to keep.
pub const SLOW_LOG_ENTRIES_MAX: usize = 1 << 20;

/// Bytes of the name of what was denied that are remembered.
pub const DENIAL_OBJECT_BYTES_MAX: usize = 1 << 10;

/// Codes of errors that the door counts separately.
pub const ERROR_CODES_MAX: usize = 128;

/// Heads of keys that are read to find out whose an element is that an error names.
pub const HEADS_READ_FOR_A_NAME_MAX: usize = 4096;

/// Deadlines that are read to find how many keys of a keyspace have one; of more it is estimated.
pub const DEADLINES_READ_MAX: usize = 10_000;

/// Scans of keys that may be under way at the door; the oldest is forgotten first.
pub const SCAN_CURSORS_MAX: usize = 16_384;

/// Instructions of one script; steps of the libraries' own loops count as instructions.
pub const SCRIPT_INSTRUCTIONS_MAX: u64 = 1 << 33;

/// Bytes that the interpreter may have in use: the script that runs, those that are kept compiled, and what libraries keep.
pub const SCRIPT_MEMORY_BYTES_MAX: usize = 256 << 20;

/// Seconds that one script may run for, whatever its instructions are. Other clients learn that the door is busy long
/// before.
pub const SCRIPT_SECONDS_MAX: u64 = 60;

/// Milliseconds that a script may still run for when the door is being closed.
pub const SCRIPT_CLOSING_MS_MAX: u64 = 1_000;

/// Milliseconds between two looks at what other clients send while a script runs for long.
pub const SCRIPT_WATCH_MS: u64 = 10;

/// Bytes that a client may send while a script runs for long and that are read before it ends.
pub const INTERIM_BYTES_MAX: usize = 64 << 10;

/// Scripts that are kept compiled; the one that came first is forgotten first.
pub const SCRIPTS_MAX: usize = 4_096;

/// Bytes of the scripts that are kept compiled.
pub const SCRIPTS_BYTES_MAX: usize = 32 << 20;

/// Bytes of one library of functions.
pub const LIBRARY_BYTES_MAX: usize = 1 << 20;

/// Milliseconds for which a library may run while it is loaded, as in Redis.
pub const LIBRARY_LOAD_MS_MAX: u64 = 500;

/// Bytes that libraries may keep between calls; when it is more, they are loaded again and begin without it.
pub const LIBRARIES_KEPT_BYTES_MAX: usize = 64 << 20;

/// Libraries of functions.
pub const LIBRARIES_MAX: usize = 1_024;

/// Levels of what a script returns.
pub const SCRIPT_REPLY_DEPTH_MAX: usize = 100;

/// Levels of a JSON text that a script reads or writes, unless it asks for another number.
pub const SCRIPT_JSON_DEPTH: u32 = 1_000;

/// Levels of a message in `MessagePack` that a script reads.
pub const SCRIPT_VALUE_DEPTH_MAX: usize = 128;

/// Levels of a table that a script writes in `MessagePack`; what is below is nil.
pub const MESSAGE_PACK_DEPTH_MAX: usize = 16;

/// Values that a script takes from one message in `MessagePack`.
pub const MESSAGE_PACK_VALUES_MAX: usize = 4_000;

/// Depth to which a script's pattern is tried.
pub const PATTERN_DEPTH_MAX: usize = 200;

/// Captures of a script's pattern.
pub const PATTERN_CAPTURES_MAX: usize = 32;

/// Words of a command that a script hands over one by one; more come in a table, for which Lua's stack has room.
pub const SCRIPT_WORDS_ON_STACK_MAX: usize = 4_000;

/// Values that `unpack` gives at once, and with them the arguments of one call, as in Redis.
pub const SCRIPT_UNPACK_MAX: u32 = 7_997;

/// Frames of a script's stack that are looked through for the line it is at.
pub const SCRIPT_FRAMES_MAX: usize = 64;

/// Bytes of a frame of the CQL door's protocol, behind its header. As in Cassandra 5.0 unless configured; the protocol has room for more.
pub const CQL_FRAME_BYTES_MAX: usize = 16 << 20;

/// Bytes that a segment of the CQL protocol has room for.
pub const CQL_SEGMENT_BYTES_MAX: usize = (1 << 17) - 1;

/// Bytes that a segment of the CQL protocol has before its content at most.
pub const CQL_SEGMENT_HEADER_BYTES_MAX: usize = 8;

/// Bytes that a client of the CQL door may have sent and that wait, or are run.
pub const CQL_INPUT_BYTES_MAX: usize = 64 << 20;

/// Requests of one connection of the CQL door that run, or wait for the disk. More of them wait to be run.
pub const CQL_REQUESTS_UNDER_WAY_MAX: usize = 256;

/// Bytes of the rows of one reply of the CQL door. Drivers read pages.
pub const CQL_REPLY_BYTES_MAX: usize = 256 << 20;

/// Statements that clients of a CQL door have prepared; those not used for longest are forgotten.
pub const CQL_PREPARED_MAX: usize = 10_000;

/// Bytes that the prepared statements of a CQL door take, by estimate; those not used for longest are forgotten.
pub const CQL_PREPARED_BYTES_MAX: usize = 64 << 20;

/// Changes of the schema that wait to be told to one client of the CQL door. A client that does not take them is disconnected.
pub const CQL_NEWS_MAX: usize = 10_000;

/// Refuses `found` when it is over `max`.
///
/// # Errors
/// [`Error::LimitExceeded`], naming `limit`, `max` and `found`.
pub(crate) fn check(limit: &'static str, max: usize, found: usize) -> Result<()> {
    if found > max {
        return Err(Error::LimitExceeded { limit, max: max as u64, found: found as u64 });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_the_largest_value_that_passes() {
        assert!(check("x bytes", 3, 3).is_ok());
        let error = check("x bytes", 3, 4).unwrap_err();
        assert!(matches!(error, Error::LimitExceeded { limit: "x bytes", max: 3, found: 4 }));
    }
}
