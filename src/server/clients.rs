//! Who is connected to one thread of a door, and how each of them is told to go.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::ops::Deref;
use std::rc::Rc;
use std::task::{Poll, Waker};

use crate::clock::Timestamp;
use crate::server::stream::{Peer, Socket, WeakSocket};

/// Whether a client is to go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Going {
    #[default]
    No,
    /// When what has begun is answered.
    AfterReplies,
    /// At once, whatever the client does.
    AtOnce,
}

/// A client that is connected. `M` is what the door keeps for it beside that, and reached as if it were this.
#[derive(Debug)]
pub(crate) struct Client<M> {
    /// Different from those of all other clients of the door.
    pub(crate) id: u64,
    pub(crate) peer: Peer,
    /// The door's end of the connection, where it has a number.
    pub(crate) local: Option<SocketAddr>,
    /// The number that the system has for the socket; -1 where there is none.
    pub(crate) socket_number: i32,
    pub(crate) since: Timestamp,
    /// The connection, for who looks at it while its task cannot run.
    pub(crate) socket: WeakSocket,
    /// Whether it is closed when all together take up too much.
    pub(crate) is_evictable: Cell<bool>,
    /// What it takes up, in bytes.
    bytes: Cell<usize>,
    going: Cell<Going>,
    /// Of the connection's task, which alone waits for that.
    waker: RefCell<Option<Waker>>,
    more: M,
}

impl<M> Deref for Client<M> {
    type Target = M;

    fn deref(&self) -> &M {
        &self.more
    }
}

impl<M> Client<M> {
    /// Ends the connection when what has begun is answered.
    pub(crate) fn end(&self) {
        self.go(Going::AfterReplies);
    }

    /// Ends it at once, whatever the client does.
    pub(crate) fn cut_off(&self) {
        self.go(Going::AtOnce);
    }

    fn go(&self, going: Going) {
        self.going.set(self.going.get().max(going));
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Waits until the client is to go sooner than by `known`, for the connection's task. Every turn of the connection's loop asks.
    pub(crate) fn goes(&self, known: Going) -> impl Future<Output = Going> + '_ {
        poll_fn(move |context| {
            let going = self.going.get();
            if going > known {
                return Poll::Ready(going);
            }
            let mut waker = self.waker.borrow_mut();
            if !waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
                *waker = Some(context.waker().clone());
            }
            Poll::Pending
        })
    }

    /// Waits until the connection is to end, at once or when what has begun is answered. For its task.
    pub(crate) async fn ended(&self) {
        self.goes(Going::No).await;
    }

    /// Waits until the connection is to end at once. For its task.
    pub(crate) async fn was_cut_off(&self) {
        self.goes(Going::AfterReplies).await;
    }

    /// What it takes up, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.get()
    }
}

/// The clients of one thread.
pub(crate) struct Clients<M> {
    by_id: RefCell<BTreeMap<u64, Rc<Client<M>>>>,
    /// What they take up together, in bytes.
    bytes: Cell<usize>,
    /// How many were closed because all took up too much.
    evicted: Cell<u64>,
}

impl<M> fmt::Debug for Clients<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clients").field("count", &self.len()).field("bytes", &self.bytes.get()).finish_non_exhaustive()
    }
}

impl<M> Default for Clients<M> {
    fn default() -> Self {
        Self { by_id: RefCell::default(), bytes: Cell::default(), evicted: Cell::default() }
    }
}

impl<M> Clients<M> {
    /// Adds a client, which is one until the guard is dropped.
    pub(crate) fn admit(
        self: &Rc<Self>,
        (id, peer, since): (u64, Peer, Timestamp),
        socket: &Socket,
        more: M,
    ) -> Admitted<M> {
        let client = Rc::new(Client {
            id,
            peer,
            local: socket.local(),
            socket_number: socket.number(),
            since,
            socket: socket.downgrade(),
            is_evictable: Cell::new(true),
            bytes: Cell::default(),
            going: Cell::default(),
            waker: RefCell::default(),
            more,
        });
        self.by_id.borrow_mut().insert(id, Rc::clone(&client));
        Admitted { clients: Rc::clone(self), client }
    }

    pub(crate) fn get(&self, id: u64) -> Option<Rc<Client<M>>> {
        self.by_id.borrow().get(&id).cloned()
    }

    /// All, in the order in which they came.
    pub(crate) fn all(&self) -> Vec<Rc<Client<M>>> {
        self.by_id.borrow().values().cloned().collect()
    }

    /// Looks at each, in the order in which they came, while none comes or goes.
    pub(crate) fn for_each(&self, mut look: impl FnMut(&Client<M>)) {
        self.by_id.borrow().values().for_each(|client| look(client));
    }

    pub(crate) fn len(&self) -> usize {
        self.by_id.borrow().len()
    }

    /// What all take up, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.get()
    }

    /// How many were closed because all together took up too much.
    pub(crate) fn evicted(&self) -> u64 {
        self.evicted.get()
    }

    /// Ends all connections when what each has begun is answered.
    pub(crate) fn end_all(&self) {
        self.for_each(Client::end);
    }

    /// Has what other clients have sent run first.
    pub(crate) async fn let_others_run(&self) {
        if self.len() > 1 {
            tokio::task::yield_now().await;
        }
    }

    /// Notes what a connection takes up now, in bytes, and cuts off the largest while all take up more than `most`.
    pub(crate) fn note_bytes(&self, client: &Client<M>, bytes: usize, most: usize) {
        let all = self.bytes.get() - client.bytes.replace(bytes) + bytes;
        self.bytes.set(all);
        if all > most {
            self.evict(most);
        }
    }

    fn evict(&self, most: usize) {
        let clients = self.by_id.borrow();
        while self.bytes.get() > most {
            let evictable = clients.values().filter(|client| client.is_evictable.get() && client.bytes() > 0);
            let Some(client) = evictable.max_by_key(|client| client.bytes()) else { return };
            let bytes = client.bytes.replace(0);
            tracing::error!(client = client.id, address = %client.peer, bytes, limit = most, "a client is closed to make room");
            self.bytes.set(self.bytes.get() - bytes);
            self.evicted.set(self.evicted.get() + 1);
            client.cut_off();
        }
    }
}

/// A client that is connected for as long as this is there.
#[derive(Debug)]
pub(crate) struct Admitted<M> {
    clients: Rc<Clients<M>>,
    pub(crate) client: Rc<Client<M>>,
}

impl<M> Drop for Admitted<M> {
    fn drop(&mut self) {
        let bytes = self.client.bytes.replace(0);
        self.clients.bytes.set(self.clients.bytes.get() - bytes);
        self.clients.by_id.borrow_mut().remove(&self.client.id);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::{Context, Wake};

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicU32);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn who_is_to_go_stays_so_and_a_task_that_waits_for_it_is_woken() {
        let clients = Rc::new(Clients::default());
        let admitted = clients.admit((1, Peer::Unix, Timestamp::from_micros(0)), &Socket::pipe(1).0, ());
        let client = &admitted.client;
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut context = Context::from_waker(&waker);
        let mut goes = |known| std::pin::pin!(client.goes(known)).poll(&mut context);
        let count = || woken.0.load(Ordering::Relaxed);
        assert_eq!((goes(Going::No), goes(Going::AfterReplies)), (Poll::Pending, Poll::Pending));
        client.end();
        assert_eq!((goes(Going::No), goes(Going::AfterReplies)), (Poll::Ready(Going::AfterReplies), Poll::Pending));
        assert_eq!(count(), 1);
        client.cut_off();
        client.end();
        assert_eq!(
            (goes(Going::No), goes(Going::AfterReplies)),
            (Poll::Ready(Going::AtOnce), Poll::Ready(Going::AtOnce))
        );
        assert_eq!((count(), goes(Going::AtOnce)), (2, Poll::Pending));
    }

    #[test]
    fn the_largest_client_goes_when_all_take_up_too_much() {
        let clients = Rc::new(Clients::default());
        let admit = |id| clients.admit((id, Peer::Unix, Timestamp::from_micros(0)), &Socket::pipe(1).0, id);
        let admitted = [admit(1), admit(2), admit(3)];
        assert_eq!((**admitted[1].client, clients.len()), (2, 3));
        admitted[2].client.is_evictable.set(false);
        for (admitted, bytes) in admitted.iter().zip([10, 20, 30]) {
            clients.note_bytes(&admitted.client, bytes, 60);
        }
        assert_eq!((clients.bytes(), clients.evicted()), (60, 0));
        clients.note_bytes(&admitted[0].client, 11, 60);
        assert_eq!((clients.bytes(), clients.evicted(), admitted[1].client.bytes()), (41, 1, 0));
        let is_cut = |client: &Client<u64>| {
            let mut cut = std::pin::pin!(client.was_cut_off());
            cut.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())).is_ready()
        };
        assert_eq!(admitted.each_ref().map(|admitted| is_cut(&admitted.client)), [false, true, false]);
        clients.end_all();
        assert_eq!(admitted.each_ref().map(|admitted| is_cut(&admitted.client)), [false, true, false]);
        drop(admitted);
        assert_eq!((clients.bytes(), clients.len()), (0, 0));
    }
}
