//! The Redis door without sockets, threads or time, for tests of what becomes of a store under it.
//!
//! Everything that a connection does with bytes is the door's own code; only the socket is replaced by a pipe, and the
//! thread that waits for the disk by whoever drives the door. So the same bytes in the same order always lead to the
//! same calls of the disk. Commands that wait for a time wait by the clock of the system, and are no use here.

use std::rc::Rc;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::runtime::Runtime;
use tokio::task::LocalSet;

use crate::server::door::Service;
use crate::server::metrics::Metrics;
use crate::server::redis::run::hearing::hear;
use crate::server::redis::{RedisOptions, RedisThread, door_alone};
use crate::server::settler::Settler;
use crate::server::stream::{Peer, Socket};
use crate::store::Store;

/// Bytes that a pipe holds, each way.
const PIPE_BYTES: usize = 64 << 10;

/// Turns in which nothing happens until nothing more is expected.
const QUIET_TURNS: u32 = 16;

/// A door that is driven by hand.
///
/// # Examples
/// ```
/// use larder::{Store, server::redis::{RedisOptions, testing::ManualDoor}};
/// let mut door = ManualDoor::new(&Store::in_memory(), &RedisOptions::default().seed(7))?;
/// let client = door.connect();
/// door.send(client, b"SET k v\r\nGET k\r\n");
/// assert_eq!(door.receive(client), b"+OK\r\n$1\r\nv\r\n");
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct ManualDoor {
    // Dropped in this order: tasks hold the door, and need the runtime.
    tasks: LocalSet,
    clients: Vec<Option<DuplexStream>>,
    service: Rc<RedisThread>,
    runtime: Runtime,
}

impl std::fmt::Debug for ManualDoor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ManualDoor").field("clients", &self.clients.len()).finish_non_exhaustive()
    }
}

impl ManualDoor {
    /// Opens a door to `store`.
    ///
    /// # Errors
    /// What the system says when it gives nothing to wait with.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, server::redis::{RedisOptions, testing::ManualDoor}};
    /// let door = ManualDoor::new(&Store::in_memory(), &RedisOptions::default())?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new(store: &Store, options: &RedisOptions) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let door = Rc::new(door_alone(store.clone(), options));
        let (tasks, settler) = (LocalSet::new(), Settler::without_thread());
        tasks.spawn_local(hear(Rc::clone(&door), settler.clone()));
        let service = Rc::new(RedisThread { door, settler });
        Ok(Self { tasks, clients: Vec::new(), service, runtime })
    }

    /// Lets a client in, and returns its number.
    ///
    /// # Examples
    /// See [`ManualDoor`].
    pub fn connect(&mut self) -> usize {
        let (socket, theirs) = Socket::pipe(PIPE_BYTES);
        let (service, door) = (Rc::clone(&self.service), &self.service.door);
        let (id, peer) = (door.meter.connections.next(), Peer::Tcp(([127, 0, 0, 1], 0).into()));
        let admitted = door.clients.admit((id, peer, door.store.now()), &socket, service.welcome(id, peer));
        self.tasks.spawn_local(async move {
            // A client until its task ends.
            let admitted = admitted;
            service.serve(Rc::clone(&admitted.client), socket).await;
        });
        self.clients.push(Some(theirs));
        self.clients.len() - 1
    }

    /// Sends bytes of a client, as far as the door takes them; they are run by [`ManualDoor::run`]. A client that is
    /// gone sends nothing.
    ///
    /// # Examples
    /// See [`ManualDoor`].
    pub fn send(&mut self, client: usize, bytes: &[u8]) {
        let Some(Some(pipe)) = self.clients.get_mut(client) else { return };
        // A door that has ended the connection takes nothing.
        let sent = self.runtime.block_on(self.tasks.run_until(pipe.write_all(bytes)));
        drop(sent);
    }

    /// Runs everything that was sent, as far as it can be run.
    ///
    /// # Examples
    /// See [`ManualDoor`].
    pub fn run(&mut self) {
        let service = Rc::clone(&self.service);
        self.runtime.block_on(self.tasks.run_until(async move {
            let (mut quiet, mut before) = (0, Metrics::default());
            while quiet < QUIET_TURNS {
                tokio::task::yield_now().await;
                let now = service.door.meter.read();
                quiet = if now == before { quiet + 1 } else { 0 };
                before = now;
                if quiet == QUIET_TURNS && service.settler.flush() {
                    quiet = 0;
                }
            }
        }));
    }

    /// Runs everything, and returns what a client was sent since it was last asked.
    ///
    /// # Examples
    /// See [`ManualDoor`].
    pub fn receive(&mut self, client: usize) -> Vec<u8> {
        let mut received = Vec::new();
        loop {
            self.run();
            let Some(Some(pipe)) = self.clients.get_mut(client) else { return received };
            let before = received.len();
            let read = self.runtime.block_on(self.tasks.run_until(async {
                tokio::select! {
                    biased;
                    read = pipe.read_buf(&mut received) => Some(read),
                    () = std::future::ready(()) => None,
                }
            }));
            match read {
                Some(Ok(1..)) => {}
                Some(_) => {
                    // The door has ended the connection.
                    self.hang_up(client);
                    return received;
                }
                None => return received,
            }
            debug_assert!(received.len() > before);
        }
    }

    /// Whether a client is connected, as far as it has noticed.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, server::redis::{RedisOptions, testing::ManualDoor}};
    /// let mut door = ManualDoor::new(&Store::in_memory(), &RedisOptions::default())?;
    /// let client = door.connect();
    /// door.send(client, b"QUIT\r\n");
    /// assert_eq!(door.receive(client), b"+OK\r\n");
    /// assert!(!door.is_connected(client));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn is_connected(&self, client: usize) -> bool {
        self.clients.get(client).is_some_and(Option::is_some)
    }

    /// Disconnects a client without a word.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, server::redis::{RedisOptions, testing::ManualDoor}};
    /// let mut door = ManualDoor::new(&Store::in_memory(), &RedisOptions::default())?;
    /// let client = door.connect();
    /// door.hang_up(client);
    /// assert!(!door.is_connected(client));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn hang_up(&mut self, client: usize) {
        if let Some(pipe) = self.clients.get_mut(client) {
            *pipe = None;
        }
    }
}
