//! Hearing what happens to keys, whoever does it: for clients that wait.

use std::collections::BTreeSet;

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::kv::Bell;

/// The keys that something has happened to since somebody asked.
///
/// Given to the store as a bell, it is rung by whatever commits; a task waits for [`Ears::heard`] and takes them.
#[derive(Debug, Default)]
pub(crate) struct Ears {
    heads: Mutex<BTreeSet<Vec<u8>>>,
    pub(crate) heard: Notify,
}

impl Bell for Ears {
    fn ring(&self, head: &[u8]) {
        self.heads.lock().insert(head.to_vec());
        self.heard.notify_one();
    }
}

impl Ears {
    /// Takes the keys that something happened to.
    pub(crate) fn take(&self) -> Vec<Box<[u8]>> {
        std::mem::take(&mut *self.heads.lock()).into_iter().map(Vec::into_boxed_slice).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::store::Store;

    #[test]
    fn a_key_is_heard_of_once_however_often_it_is_written() {
        let (store, ears) = (Store::in_memory(), Arc::new(Ears::default()));
        let bell = store.add_bell(Arc::clone(&ears) as Arc<dyn Bell>);
        store.kv().set("a", "1").unwrap();
        store.kv().set("a", "2").unwrap();
        assert_eq!(ears.take().len(), 1);
        assert!(ears.take().is_empty());
        store.remove_bell(bell);
        store.kv().set("b", "1").unwrap();
        assert!(ears.take().is_empty());
    }
}
