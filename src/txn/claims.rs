//! Work that a thread has taken on itself: whoever else would do it leaves it alone or waits.

use std::collections::BTreeSet;

use parking_lot::{Condvar, Mutex};

/// What is claimed, by name.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    names: Mutex<BTreeSet<Vec<u8>>>,
    changed: Condvar,
}

impl Claims {
    /// Claims `name`, or returns `None` when it is claimed.
    pub(crate) fn try_claim(&self, name: &[u8]) -> Option<Claim<'_>> {
        self.names.lock().insert(name.to_vec()).then(|| Claim { claims: self, name: name.to_vec() })
    }

    /// Claims `name` once it is free.
    pub(crate) fn claim(&self, name: &[u8]) -> Claim<'_> {
        let mut names = self.names.lock();
        while !names.insert(name.to_vec()) {
            self.changed.wait(&mut names);
        }
        Claim { claims: self, name: name.to_vec() }
    }

    /// Whether somebody has claimed `name`.
    pub(crate) fn is_claimed(&self, name: &[u8]) -> bool {
        let names = self.names.lock();
        !names.is_empty() && names.contains(name)
    }
}

/// A claim, given up when it is dropped, by a panic too.
#[derive(Debug)]
#[must_use = "a claim that is dropped is given up"]
pub(crate) struct Claim<'a> {
    claims: &'a Claims,
    name: Vec<u8>,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.claims.names.lock().remove(&self.name);
        self.claims.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_keeps_others_out_until_it_is_dropped() {
        let claims = Claims::default();
        let first = claims.try_claim(b"a").unwrap();
        assert!(claims.is_claimed(b"a") && !claims.is_claimed(b"b"));
        assert!(claims.try_claim(b"a").is_none() && claims.try_claim(b"b").is_some());
        std::thread::scope(|threads| {
            let waits = threads.spawn(|| drop(claims.claim(b"a")));
            drop(first);
            waits.join().unwrap();
        });
        assert!(!claims.is_claimed(b"a"));
    }
}
