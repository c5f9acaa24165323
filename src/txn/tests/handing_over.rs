//! Between the steps of a long operation others have the turn to write.
//!
//! What is waited for here is that somebody has come, and never a time: a step goes on when the store says that a thread or a task
//! waits for the turn.

use std::future::Future;
use std::pin::Pin;
use std::sync::mpsc::{Sender, channel};
use std::task::{Context, Wake, Waker};
use std::thread;

use super::*;
use crate::txn::start::Start;
use crate::txn::steps::Steps;

/// Steps of an operation. Without handing over, somebody else might by chance come between two of them; not between all.
const STEPS: usize = 30;

/// What happened, in order.
type Order = Mutex<Vec<&'static str>>;

/// An operation of [`STEPS`] steps, in each of which `arrive` is called.
struct Contended<'a, F> {
    order: &'a Order,
    left: usize,
    arrive: F,
}

impl<F: FnMut()> Steps for Contended<'_, F> {
    type Done = ();

    fn step(&mut self, writer: &mut Writer, _: Room) -> Result<()> {
        self.order.lock().push("step");
        writer.put(b"step", self.left.to_be_bytes())?;
        (self.arrive)();
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

/// Runs the steps on `core`; `arrive` has somebody begin to wait for the turn who notes "other" in `order`.
fn run(core: &Arc<Core>, order: &Order, arrive: impl FnMut()) {
    let mut steps = Contended { order, left: STEPS, arrive };
    AutoCommit::new(Arc::clone(core)).write_steps(op(), &mut steps).unwrap();
}

/// What somebody else writes, who notes it in `order`.
fn other(mut writer: Writer, order: &Order) -> Result<((), Writer)> {
    order.lock().push("other");
    writer.put(b"other", b"")?;
    Ok(((), writer))
}

/// Asserts that somebody else wrote between each two steps, in the order of what happened.
fn assert_in_turns(order: &Order) {
    let expected: Vec<_> = std::iter::repeat_n(["step", "other"], STEPS).flatten().collect();
    assert_eq!(*order.lock(), expected);
}

#[test]
fn a_thread_that_waits_for_the_turn_has_it_before_the_next_step_of_a_long_operation() {
    let (core, order) = (core(), Order::default());
    thread::scope(|threads| {
        run(&core, &order, || {
            threads.spawn(|| core.exclusive(|writer| other(writer, &order)).unwrap());
            while core.turns().waiting_threads() == 0 {
                thread::yield_now();
            }
        });
    });
    assert_in_turns(&order);
}

/// A task that goes to where tasks are run whenever it is woken.
struct Task {
    run: Mutex<Option<Pin<Box<dyn Future<Output = ()> + Send>>>>,
    queue: Sender<Arc<Task>>,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.queue.send(Arc::clone(&self)).unwrap();
    }
}

impl Task {
    fn poll(self: &Arc<Self>) {
        let waker = Waker::from(Arc::clone(self));
        let mut run = self.run.lock();
        if run.as_mut().is_some_and(|run| run.as_mut().poll(&mut Context::from_waker(&waker)).is_ready()) {
            *run = None;
        }
    }
}

#[test]
fn a_task_that_waits_for_the_turn_has_it_before_the_next_step_of_a_long_operation() {
    let (core, order) = (core(), Arc::new(Order::default()));
    core.turns().be_patient();
    let (queue, woken) = channel::<Arc<Task>>();
    let (done, polled) = channel();
    // Tasks run in a thread of their own, which has to be woken before it polls the one that has been.
    let runtime = thread::spawn(move || {
        for task in woken {
            task.poll();
            done.send(()).unwrap();
        }
    });
    run(&core, &order, || {
        let (of_task, order) = (Arc::clone(&core), Arc::clone(&order));
        let write = async move {
            let turn = of_task.turn().await.unwrap();
            let body = |start: Start| {
                let ((), writer) = other(start.writer(), &order)?;
                Ok::<_, Error>(((), of_task.commit(writer)))
            };
            of_task.attempt(turn, body).unwrap().settle().unwrap();
        };
        Arc::new(Task { run: Mutex::new(Some(Box::pin(write))), queue: queue.clone() }).wake();
        // Once it has been polled for the first time, it waits; what the polls before this one said is of older tasks.
        while core.turns().waiting_tasks() == 0 {
            polled.recv().unwrap();
        }
    });
    drop(queue);
    runtime.join().unwrap();
    assert_in_turns(&order);
}
