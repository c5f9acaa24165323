//! What drivers are told of the server: a replica set of one member, or a server that stands alone.
//!
//! Drivers refuse sessions, transactions and change streams on a server that stands alone, so that the replica set is the rule.
//!
//! # Source
//! MongoDB manual, `hello`.

use bson::oid::ObjectId;
use bson::{RawDocumentBuf, Timestamp as ClusterTimestamp, rawdoc};
use parking_lot::Mutex;

use crate::clock::Timestamp;

/// The name of the replica set.
pub(super) const SET_NAME: &str = "larder";

/// As what a door shows itself, from its opening to its end.
#[derive(Debug)]
pub(super) struct Topology {
    is_standalone: bool,
    /// Of this opening of the door: a client that sees another asks anew.
    process_id: ObjectId,
    election_id: ObjectId,
    time: Mutex<ClusterTimestamp>,
}

impl Topology {
    /// The topology of a door that is opened at `now`; `process_id` is another for each opening.
    pub(super) fn new(is_standalone: bool, process_id: ObjectId, now: Timestamp) -> Self {
        let mut election = [0; 12];
        // As servers make it: the greatest time, and the term.
        election.iter_mut().take(4).zip([0x7f, 0xff, 0xff, 0xff]).for_each(|(byte, new)| *byte = new);
        if let Some(term) = election.last_mut() {
            *term = 1;
        }
        let time = Mutex::new(ClusterTimestamp { time: seconds(now), increment: 1 });
        Self { is_standalone, process_id, election_id: ObjectId::from_bytes(election), time }
    }

    /// Whether drivers see a server that stands alone.
    pub(super) fn is_standalone(&self) -> bool {
        self.is_standalone
    }

    /// The version of the topology, which never changes while the door is open.
    pub(super) fn version(&self) -> RawDocumentBuf {
        rawdoc! { "processId": self.process_id, "counter": 0_i64 }
    }

    /// Whether a client that knows the version `known` has nothing to learn.
    pub(super) fn is_known(&self, known: &bson::RawDocument) -> bool {
        known.get("processId").ok().flatten().and_then(bson::RawBsonRef::as_object_id) == Some(self.process_id)
    }

    /// The cluster's time of the newest write.
    pub(super) fn time(&self) -> ClusterTimestamp {
        *self.time.lock()
    }

    /// Moves the cluster's time on, for a write at `now`.
    pub(super) fn tick(&self, now: Timestamp) -> ClusterTimestamp {
        let mut time = self.time.lock();
        let now = seconds(now);
        *time = if now > time.time {
            ClusterTimestamp { time: now, increment: 1 }
        } else {
            ClusterTimestamp { time: time.time, increment: time.increment.saturating_add(1) }
        };
        *time
    }

    /// The fields of a reply to `hello` that a member of a replica set has; `me` is the address by which the client has come.
    pub(super) fn member(&self, me: &str, now: Timestamp) -> RawDocumentBuf {
        if self.is_standalone {
            return RawDocumentBuf::new();
        }
        let written = self.time();
        let op_time = rawdoc! { "ts": written, "t": 1_i64 };
        let date = bson::DateTime::from_millis(i64::from(written.time).saturating_mul(1_000).min(now.as_millis()));
        rawdoc! {
            "hosts": [me],
            "setName": SET_NAME,
            "setVersion": 1,
            "secondary": false,
            "primary": me,
            "me": me,
            "electionId": self.election_id,
            "lastWrite": {
                "opTime": op_time.clone(),
                "lastWriteDate": date,
                "majorityOpTime": op_time,
                "majorityWriteDate": date,
            },
        }
    }
}

fn seconds(now: Timestamp) -> u32 {
    u32::try_from(now.as_seconds().max(0)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_the_cluster_goes_on_with_every_write() {
        let topology = Topology::new(false, ObjectId::from_bytes([1; 12]), Timestamp::from_seconds(10));
        let begin = topology.time();
        let same_second = topology.tick(Timestamp::from_seconds(10));
        let set_back = topology.tick(Timestamp::from_seconds(5));
        let later = topology.tick(Timestamp::from_seconds(11));
        assert!(begin < same_second && same_second < set_back && set_back < later);
        assert_eq!((later.time, later.increment), (11, 1));
    }

    #[test]
    fn a_client_that_knows_the_version_has_nothing_to_learn() {
        let topology = Topology::new(true, ObjectId::from_bytes([1; 12]), Timestamp::from_seconds(10));
        assert!(topology.is_known(&topology.version()));
        assert!(!topology.is_known(&rawdoc! { "processId": ObjectId::from_bytes([2; 12]), "counter": 0_i64 }));
        assert!(topology.member("localhost:1", Timestamp::from_seconds(10)).is_empty(), "it stands alone");
    }
}
