//! What hashes, sets and sorted sets have in common: a head that is there as long as there are elements.

use crate::encoding::long;
use crate::engine::KeyRange;
use crate::error::Result;
use crate::kv::layout::{Elements, KeyBytes};
use crate::kv::record::{Head, Kind};
use crate::kv::{KeyEvents, Kv, entry, event};
use crate::limits;
use crate::txn::{Scope, View, WriteScope, Writer};

/// The collection of one kind at one key. It need not exist.
#[derive(Clone, Debug)]
pub(super) struct Collection<S> {
    kv: Kv<S>,
    key: KeyBytes,
    kind: Kind,
}

impl<S: Scope> Collection<S> {
    pub(super) fn new(kv: Kv<S>, key: &[u8], kind: Kind) -> Self {
        Self { kv, key: key.into(), kind }
    }

    /// What `body` makes of the elements; `None` when there is no collection.
    pub(super) fn read<R>(
        &self,
        verb: &'static str,
        body: impl FnOnce(&View, &Elements) -> Result<R>,
    ) -> Result<Option<R>> {
        self.kv.read(verb, &self.key, |view, key| {
            let found = entry::look(view, key, |head, _| {
                head.expect(self.kind, key)?;
                head.require_elements()
            })?;
            found.map(|elements| body(view, &elements)).transpose()
        })
    }

    /// The keyspace, and the key in it.
    pub(super) fn place(&self) -> (&Kv<S>, &[u8]) {
        (&self.kv, &self.key)
    }

    /// Whether there is no collection.
    pub(super) fn is_empty(&self, verb: &'static str) -> Result<bool> {
        Ok(self.read(verb, |_, _| Ok(()))?.is_none())
    }
}

impl<S: WriteScope> Collection<S> {
    /// Runs an operation that may make the collection larger.
    pub(super) fn write<R>(&self, verb: &'static str, mut body: impl FnMut(&mut Held<'_>) -> Result<R>) -> Result<R> {
        self.kv.write(verb, &self.key, |writer, key| body(&mut Held::claim(writer, key, self.kind)?))
    }

    /// Runs an operation that makes nothing larger.
    pub(super) fn free<R>(&self, verb: &'static str, mut body: impl FnMut(&mut Held<'_>) -> Result<R>) -> Result<R> {
        self.kv.free(verb, &self.key, |writer, key| body(&mut Held::claim(writer, key, self.kind)?))
    }
}

/// A collection that is being changed.
pub(super) struct Held<'a> {
    pub(super) writer: &'a mut Writer,
    pub(super) elements: Elements,
    key: &'a [u8],
    kind: Kind,
    /// `None` while there is no collection.
    head: Option<Head>,
}

impl<'a> Held<'a> {
    /// The collection of `kind` whose head is kept at `key`.
    pub(super) fn claim(writer: &'a mut Writer, key: &'a [u8], kind: Kind) -> Result<Self> {
        let head = entry::claim(writer, key, |head, _| head.expect(kind, key).map(|()| head))?;
        let elements = entry::elements(writer, head)?;
        Ok(Self { writer, elements, key, kind, head })
    }

    pub(super) fn exists(&self) -> bool {
        self.head.is_some()
    }

    /// What is kept for a member or field.
    pub(super) fn get(&self, member: &[u8]) -> Result<Option<Vec<u8>>> {
        // Without a head there is nothing to look for.
        if !self.exists() {
            return Ok(None);
        }
        get(self.writer, &self.elements, member)
    }

    /// Puts a member or field.
    pub(super) fn put_member(&mut self, member: &[u8], value: &[u8]) -> Result<()> {
        let element = self.elements.member(member);
        self.put(element, &long::value(member, value))
    }

    /// Puts where a member stands in the order.
    pub(super) fn put_position(&mut self, score: f64, member: &[u8]) -> Result<()> {
        let element = self.elements.position(score, member);
        self.put(element, &long::value(member, &[]))
    }

    /// Puts an element, and makes the collection when it is the first.
    fn put(&mut self, element: impl AsRef<[u8]>, value: &[u8]) -> Result<()> {
        if self.head.is_none() {
            let head = Head::collection(self.kind, None, &self.elements);
            entry::create(self.writer, self.key, head, &[])?;
            self.head = Some(head);
        }
        self.writer.put(element, value)
    }

    /// Publishes that `name` happened to the collection.
    pub(super) fn tell(&mut self, name: &'static str) {
        let class = match self.kind {
            Kind::Hash => KeyEvents::HASHES,
            Kind::List => KeyEvents::LISTS,
            Kind::Set => KeyEvents::SETS,
            Kind::SortedSet => KeyEvents::SORTED_SETS,
            Kind::Stream => KeyEvents::STREAMS,
            Kind::String => KeyEvents::STRINGS,
        };
        event::tell(self.writer, class, name, self.key);
    }

    /// Removes the collection if `range`, where all its elements are, has none left.
    pub(super) fn remove_if_empty(&mut self, range: &KeyRange) -> Result<()> {
        if let Some(head) = self.head
            && self.writer.is_empty(range)?
        {
            entry::remove_head(self.writer, self.key, head);
            event::tell(self.writer, KeyEvents::GENERIC, "del", self.key);
            self.head = None;
        }
        Ok(())
    }
}

/// What is kept for a member or field.
pub(super) fn get(view: &View, elements: &Elements, member: &[u8]) -> Result<Option<Vec<u8>>> {
    let found = view.get(&elements.member(member))?;
    found.map(|value| Ok(long::own(member, &value)?.to_vec())).transpose()
}

/// Refuses a member, or the name of a field, that is too long.
pub(super) fn check_member(what: &'static str, member: &[u8]) -> Result<()> {
    limits::check(what, limits::MEMBER_BYTES_MAX, member.len())
}
