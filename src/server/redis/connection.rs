//! One client: what it sends is read, run and answered; what is published for it is sent.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use crate::channel::{Message, RecvError, Subscriber};
use crate::limits;
use crate::server::redis::blocked::{self, Answer};
use crate::server::redis::door::{Client, Door, Seen};
use crate::server::redis::execute;
use crate::server::redis::monitor::Outbox;
use crate::server::redis::reply::{Protocol, Reply};
use crate::server::redis::session::{Session, Wait};
use crate::server::redis::settler::Settler;
use crate::txn::Pending;

/// Bytes that are read at once, at least.
const READ_BYTES: usize = 16 << 10;

/// Why a connection ends.
enum End {
    /// The client has gone, or its socket has.
    Gone,
    /// What was written is sent first.
    AfterReplies,
}

/// One client's connection.
pub(super) struct Connection {
    pub(super) stream: TcpStream,
    pub(super) door: Rc<Door>,
    pub(super) client: Rc<Client>,
    pub(super) session: Session,
    pub(super) settler: Settler,
}

impl Connection {
    /// Serves the client until either side ends it.
    pub(super) async fn serve(mut self) {
        let (mut received, mut reply) = (Vec::new(), Reply::default());
        loop {
            let end = self.step(&mut received, &mut reply).await.err();
            if matches!(end, Some(End::Gone)) {
                return;
            }
            self.settler.flush_if_late();
            // Clients that are written to together wake up once.
            self.door.let_others_run().await;
            self.door.meter.written_bytes.add(reply.len());
            let is_sent = tokio::select! {
                biased;
                written = self.stream.write_all(reply.bytes()) => written.is_ok(),
                () = self.client.cut.notified() => false,
            };
            if !is_sent || end.is_some() {
                return;
            }
            reply.clear();
        }
    }

    /// Waits for something to do, and does it.
    async fn step(&mut self, received: &mut Vec<u8>, reply: &mut Reply) -> Result<(), End> {
        reply.protocol = self.session.protocol;
        let (has_subscriptions, is_monitor) = (self.session.subscriber.is_some(), self.session.outbox.is_some());
        received.reserve(READ_BYTES);
        let (is_waiting, is_paused) = (self.session.blocked.is_some(), self.session.is_paused);
        let (mut message, mut answer, mut is_told, mut goes_on) = (None, None, false, false);
        // As in Redis it counts for those who send commands, and not for those who wait or listen.
        let idle_seconds = self.door.parameters.idle_seconds.get();
        let may_idle = idle_seconds == 0 || has_subscriptions || is_waiting || is_monitor || is_paused;
        tokio::select! {
            biased;
            () = self.client.kill.notified() => return Err(End::Gone),
            read = self.stream.read_buf(received) => match read {
                Ok(0) | Err(_) => return Err(End::Gone),
                Ok(bytes) => self.door.meter.read_bytes.add(bytes),
            },
            next = next_message(self.session.subscriber.as_ref()), if has_subscriptions => message = Some(next),
            next = next_answer(self.session.blocked.as_mut()), if is_waiting => answer = Some(next),
            () = next_requests(self.session.outbox.as_deref()), if is_monitor => is_told = true,
            () = self.door.pause.changes(), if is_paused => goes_on = true,
            () = sleep(idle_seconds), if !may_idle => return Err(End::Gone),
        }
        if is_told {
            let outbox = self.session.outbox.as_ref();
            let told = outbox.map_or(Some(Vec::new()), |outbox| outbox.take());
            reply.raw(&told.ok_or(End::Gone)?);
            return Ok(());
        }
        if goes_on {
            self.session.is_paused = false;
        }
        match (message, answer) {
            (Some(message), _) => self.deliver(message, reply),
            (None, Some(answer)) => {
                self.stop_waiting(answer, reply).await;
                self.answer(received, reply).await
            }
            // What comes now is run when the waiting is over.
            (None, None)
                if (is_waiting || self.session.is_paused) && received.len() > limits::QUERY_BUFFER_BYTES_MAX =>
            {
                Err(End::Gone)
            }
            (None, None) if is_waiting || self.session.is_paused => Ok(()),
            (None, None) => self.answer(received, reply).await,
        }
    }

    /// Writes the reply to the command that waited; without an answer its time is over.
    async fn stop_waiting(&mut self, answer: Option<Vec<u8>>, reply: &mut Reply) {
        let Some(wait) = self.session.blocked.take() else { return };
        let was_waiting = self.door.blocked.borrow_mut().remove(wait.place);
        self.door.blocked.borrow_mut().listen(&self.door.store, &self.door.ears);
        match answer {
            Some(answer) if !answer.is_empty() => reply.raw(&answer),
            None if !was_waiting => {
                // Something was found just now, and is about to be durable.
                match wait.answered.await {
                    Ok(answer) => reply.raw(&answer),
                    Err(_) => reply.error("ERR what was found could not be committed"),
                }
            }
            _ => reply.raw(&wait.nil),
        }
    }

    /// Runs the requests that are there.
    async fn answer(&mut self, received: &mut Vec<u8>, reply: &mut Reply) -> Result<(), End> {
        let mut consumed = 0;
        let mut end = None;
        loop {
            let rest = received.get(consumed..).unwrap_or_default();
            let outcome = catch_unwind(AssertUnwindSafe(|| execute::run(&self.door, &mut self.session, rest, reply)));
            let run = match outcome {
                Ok(Ok(run)) => run,
                Ok(Err(error)) => {
                    reply.error(&format!("ERR {error}"));
                    end = Some(End::AfterReplies);
                    break;
                }
                Err(_) => {
                    // What it was doing was rolled back; the state of the connection cannot be trusted.
                    execute::forget_places(&self.door, &mut self.session);
                    reply.error("ERR internal error: the command panicked");
                    end = Some(End::AfterReplies);
                    break;
                }
            };
            consumed += run.consumed;
            let sent_before = reply.len();
            if let Err(text) = settle(&self.settler, &run.pending).await {
                // Nothing that was not made durable may be told.
                reply.truncate(sent_before.min(reply.len()));
                reply.clear();
                reply.error(&text);
                end = Some(End::AfterReplies);
                break;
            }
            run.answers.into_iter().for_each(Answer::send);
            if let Some(broken) = run.broken {
                reply.error(&format!("ERR Protocol error: {}", broken.0));
                end = Some(End::AfterReplies);
                break;
            }
            if self.session.is_closing {
                end = Some(End::AfterReplies);
                break;
            }
            if reply.len() > limits::OUTPUT_BUFFER_BYTES_MAX {
                return Err(End::Gone);
            }
            if !run.goes_on {
                break;
            }
        }
        received.drain(..consumed);
        received.shrink_to(READ_BYTES.max(received.len()));
        if received.len() > limits::QUERY_BUFFER_BYTES_MAX {
            return Err(End::Gone);
        }
        let received = (received.len(), received.capacity().saturating_sub(received.len()));
        let seen = Seen::of(&self.session, self.door.store.now());
        self.client.seen.set(Seen { received, reply_bytes: reply.capacity(), ..seen });
        end.map_or(Ok(()), Err)
    }

    /// Writes a message that was published, and those that wait behind it.
    fn deliver(&self, first: Result<Message, RecvError>, reply: &mut Reply) -> Result<(), End> {
        let mut next = Some(first);
        while let Some(message) = next {
            // Like Redis at its limit for output, the door parts with a client that does not keep up (SEM: KV-PUB-4).
            let Ok(message) = message else { return Err(End::Gone) };
            write_message(reply, &message);
            next = self.session.subscriber.as_ref().and_then(|subscriber| subscriber.try_recv().transpose());
            if reply.len() > READ_BYTES * 4 {
                // The rest comes after these have been sent; the one that was taken goes with them.
                if let Some(message) = next {
                    write_message(reply, &message.map_err(|_| End::Gone)?);
                }
                break;
            }
        }
        Ok(())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.door.clients.borrow_mut().remove(&self.session.id);
        self.door.monitors.remove(self.session.id);
        if let Some(wait) = &self.session.blocked {
            let mut blocked = self.door.blocked.borrow_mut();
            blocked.remove(wait.place);
            blocked.listen(&self.door.store, &self.door.ears);
        }
    }
}

/// Waits until what was run is durable.
async fn settle(settler: &Settler, pending: &Pending) -> Result<(), String> {
    if pending.is_durable() {
        return pending.settle().map_err(|error| format!("ERR {error}"));
    }
    let (settled, outcome) = oneshot::channel();
    settler.send(pending.clone(), settled);
    match outcome.await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(text)) => Err(text),
        Err(_) => Err("ERR the door is closing".to_owned()),
    }
}

/// Serves those who wait for the keys at `heads`, to which something has happened, and answers them when it is durable.
pub(super) async fn serve_blocked(door: &Door, settler: &Settler, heads: Vec<Box<[u8]>>) -> Result<(), String> {
    let served = catch_unwind(AssertUnwindSafe(|| {
        door.store.transaction_unsettled(|transaction| {
            door.blocked.borrow_mut().rolled_back();
            blocked::serve(transaction, door, heads.clone());
            Ok(())
        })
    }));
    let pending = match served {
        Ok(Ok(((), pending))) => pending,
        failed => {
            door.blocked.borrow_mut().rolled_back();
            return Err(failed.map_or("a command panicked".to_owned(), |outcome| format!("{outcome:?}")));
        }
    };
    let answers = {
        let mut blocked = door.blocked.borrow_mut();
        blocked.listen(&door.store, &door.ears);
        blocked.committed()
    };
    if answers.is_empty() {
        return Ok(());
    }
    settle(settler, &pending).await?;
    answers.into_iter().for_each(Answer::send);
    Ok(())
}

/// The reply to a client that waits; `None` at the end of its time.
async fn next_answer(wait: Option<&mut Wait>) -> Option<Vec<u8>> {
    let Some(wait) = wait else { return std::future::pending().await };
    let answered = &mut wait.answered;
    match wait.deadline {
        None => answered.await.ok(),
        Some(deadline) => tokio::time::timeout_at(deadline, answered).await.ok()?.ok(),
    }
}

/// Looks at the clock only when it is waited for.
async fn sleep(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

async fn next_message(subscriber: Option<&Subscriber>) -> Result<Message, RecvError> {
    match subscriber {
        Some(subscriber) => subscriber.recv_async().await,
        None => std::future::pending().await,
    }
}

/// Waits until there is something for a client that monitors.
async fn next_requests(outbox: Option<&Outbox>) {
    match outbox {
        Some(outbox) => outbox.ready.notified().await,
        None => std::future::pending().await,
    }
}

fn write_message(reply: &mut Reply, message: &Message) {
    debug_assert!(matches!(reply.protocol, Protocol::Resp2 | Protocol::Resp3));
    match message.pattern() {
        None => {
            reply.push(3);
            reply.bulk(if message.is_sharded() { "smessage" } else { "message" });
        }
        Some(pattern) => {
            reply.push(4);
            reply.bulk("pmessage");
            reply.bulk(pattern);
        }
    }
    reply.bulk(message.channel());
    reply.bulk(message.payload());
}
