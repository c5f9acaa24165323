//! `system`: the node, and that it has no peers.

use std::net::{IpAddr, Ipv4Addr};

use super::shape::{Of, Seen, Shape, none};
use crate::error::Result;
use crate::wide_column::Uuid;
use crate::wide_column::schema::{keyspace, tables};
use crate::wide_column::value::CqlValue;

/// The version of Cassandra whose language this is.
const RELEASE: &str = "5.0.4";
/// The version of CQL.
const CQL_VERSION: &str = "3.4.7";
/// What clients tell this node from others by.
const HOST: Uuid = Uuid::from_u128(0x6c61_7264_6572_4000_8000_0000_0000_0001);

/// What the node is called by, and what decides where data goes.
pub(in crate::wide_column::cql::plan) const CLUSTER: &str = "larder";
pub(in crate::wide_column::cql::plan) const PARTITIONER: &str = "org.apache.cassandra.dht.Murmur3Partitioner";
pub(in crate::wide_column::cql::plan) const SNITCH: &str = "org.apache.cassandra.locator.SimpleSnitch";

pub(super) const SHAPES: &[Shape] = &[
    Shape {
        keyspace: "system",
        table: "local",
        clustering: 0,
        columns: &[
            ("key", Of::Text),
            ("bootstrapped", Of::Text),
            ("broadcast_address", Of::Inet),
            ("broadcast_port", Of::Int),
            ("cluster_name", Of::Text),
            ("cql_version", Of::Text),
            ("data_center", Of::Text),
            ("host_id", Of::Uuid),
            ("listen_address", Of::Inet),
            ("listen_port", Of::Int),
            ("native_protocol_version", Of::Text),
            ("partitioner", Of::Text),
            ("rack", Of::Text),
            ("release_version", Of::Text),
            ("rpc_address", Of::Inet),
            ("rpc_port", Of::Int),
            ("schema_version", Of::Uuid),
            ("tokens", Of::Set),
        ],
        rows: local,
    },
    Shape {
        keyspace: "system",
        table: "peers",
        clustering: 0,
        columns: &[
            ("peer", Of::Inet),
            ("data_center", Of::Text),
            ("host_id", Of::Uuid),
            ("preferred_ip", Of::Inet),
            ("rack", Of::Text),
            ("release_version", Of::Text),
            ("rpc_address", Of::Inet),
            ("schema_version", Of::Uuid),
            ("tokens", Of::Set),
        ],
        rows: none,
    },
    Shape {
        keyspace: "system",
        table: "peers_v2",
        clustering: 1,
        columns: &[
            ("peer", Of::Inet),
            ("peer_port", Of::Int),
            ("data_center", Of::Text),
            ("host_id", Of::Uuid),
            ("native_address", Of::Inet),
            ("native_port", Of::Int),
            ("preferred_ip", Of::Inet),
            ("preferred_port", Of::Int),
            ("rack", Of::Text),
            ("release_version", Of::Text),
            ("schema_version", Of::Uuid),
            ("tokens", Of::Set),
        ],
        rows: none,
    },
    Shape {
        keyspace: "system",
        table: "IndexInfo",
        clustering: 1,
        columns: &[("table_name", Of::Text), ("index_name", Of::Text), ("value", Of::Text)],
        rows: built_indexes,
    },
];

#[expect(clippy::unnecessary_wraps, reason = "as the rows of other tables are made")]
fn local(seen: &Seen<'_>) -> Result<Vec<Vec<CqlValue>>> {
    let here = CqlValue::Inet(IpAddr::V4(Ipv4Addr::LOCALHOST));
    // Another number for each state of the schema; within a transaction that has changed it there is none.
    let version = Uuid::from_u128(HOST.as_u128() ^ (u128::from(seen.view.epoch().unwrap_or(u64::MAX)) << 64));
    Ok(vec![vec![
        "local".into(),
        "COMPLETED".into(),
        here.clone(),
        CqlValue::Int(7_000),
        CLUSTER.into(),
        CQL_VERSION.into(),
        "datacenter1".into(),
        CqlValue::Uuid(HOST),
        here.clone(),
        CqlValue::Int(7_000),
        "5".into(),
        PARTITIONER.into(),
        "rack1".into(),
        RELEASE.into(),
        here,
        CqlValue::Int(9_042),
        CqlValue::Uuid(version),
        CqlValue::Set(vec!["0".into()]),
    ]])
}

/// The indexes that reads use, by the name of their keyspace.
fn built_indexes(seen: &Seen<'_>) -> Result<Vec<Vec<CqlValue>>> {
    let view = seen.view;
    let mut rows = Vec::new();
    for name in keyspace::list(view)?.into_keys() {
        for (_, table) in tables(view, &name)? {
            for index in table.record.indexes.iter().filter(|index| !index.is_building) {
                rows.push(vec![name.as_str().into(), index.name.as_str().into(), CqlValue::Null]);
            }
        }
    }
    Ok(rows)
}
