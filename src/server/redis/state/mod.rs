//! What a door and its sessions keep.

pub(super) mod blocked;
pub(super) mod client;
pub(super) mod door;
pub(super) mod interim;
pub(super) mod latency;
pub(super) mod monitor;
pub(super) mod pause;
pub(super) mod scans;
pub(super) mod session;
