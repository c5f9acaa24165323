//! Between the steps of a long operation others have the turn to write.
//!
//! Who waits here is a task whose waker polls it at once, on the thread that wakes it: it has come before the next step can begin,
//! without any timing.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Wake, Waker};

use super::*;
use crate::txn::steps::Steps;

/// A task that runs whenever it is woken, where it is woken.
struct Impatient(Mutex<Option<Pin<Box<dyn Future<Output = ()> + Send>>>>);

impl Impatient {
    fn start(task: impl Future<Output = ()> + Send + 'static) {
        Arc::new(Self(Mutex::new(Some(Box::pin(task))))).wake();
    }
}

impl Wake for Impatient {
    fn wake(self: Arc<Self>) {
        let waker = Waker::from(Arc::clone(&self));
        let mut task = self.0.lock();
        if task.as_mut().is_some_and(|task| task.as_mut().poll(&mut Context::from_waker(&waker)).is_ready()) {
            *task = None;
        }
    }
}

/// An operation of `left` steps, during each of which somebody else begins to wait for the turn.
struct Contended {
    core: Arc<Core>,
    left: u32,
    order: Arc<Mutex<Vec<&'static str>>>,
}

impl Steps for Contended {
    type Done = ();

    fn step(&mut self, writer: &mut Writer, _: Room) -> Result<()> {
        self.order.lock().push("step");
        writer.put(b"step", self.left.to_be_bytes())?;
        let (core, order) = (Arc::clone(&self.core), Arc::clone(&self.order));
        let other = async move {
            let turn = core.turn().await.unwrap();
            let write = |mut writer: Writer| {
                order.lock().push("other");
                writer.put(b"other", b"")?;
                Ok::<_, Error>(((), writer))
            };
            core.attempt(turn, write).unwrap().settle().unwrap();
        };
        // Elsewhere, for this thread has the turn.
        std::thread::scope(|threads| threads.spawn(|| Impatient::start(other)).join().unwrap());
        Ok(())
    }

    fn committed(&mut self, (): ()) -> Result<bool> {
        self.left -= 1;
        Ok(self.left > 0)
    }

    fn shorten(&mut self) -> bool {
        false
    }

    fn count(&self) -> u64 {
        0
    }
}

#[test]
fn who_waits_for_the_turn_has_it_before_the_next_step_of_a_long_operation() {
    let core = core();
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut steps = Contended { core: Arc::clone(&core), left: 3, order: Arc::clone(&order) };
    AutoCommit::new(core).write_steps(op(), &mut steps).unwrap();
    assert_eq!(*order.lock(), ["step", "other", "step", "other", "step", "other"]);
}
