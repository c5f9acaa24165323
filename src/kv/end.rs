//! The two ends of what is kept in order.

use crate::engine::Direction;

/// One of the two ends of a list or a sorted set.
///
/// # Examples
/// ```
/// use larder::kv::End;
/// let kv = larder::Store::in_memory().kv();
/// kv.list("queue").push(End::Back, ["a", "b"])?;
/// assert_eq!(kv.list("queue").pop(End::Front)?.as_deref(), Some(&b"a"[..]));
/// kv.sorted_set("board").add("ann", 1.0)?;
/// kv.sorted_set("board").add("bob", 2.0)?;
/// assert_eq!(kv.sorted_set("board").pop(End::Back)?, Some((b"bob".to_vec(), 2.0)));
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// Where index and rank 0 are: Redis's left, and the lowest score.
    Front,
    /// Where index and rank -1 are: Redis's right, and the highest score.
    Back,
}

impl End {
    /// The direction that starts from this end.
    pub(super) fn inwards(self) -> Direction {
        match self {
            Self::Front => Direction::Forward,
            Self::Back => Direction::Backward,
        }
    }
}
