//! Serving those who wait with what others than the door's clients do to keys.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use crate::server::redis::frame::refusal::{PANICKED, text_of};
use crate::server::redis::run::command::OpenDoor;
use crate::server::redis::run::serve_blocked::serve;
use crate::server::redis::state::blocked::Answer;
use crate::server::settler::Settler;

/// Does so for ever.
pub(crate) async fn hear(door: Rc<OpenDoor>, settler: Settler) {
    loop {
        door.ears.heard.notified().await;
        let heads = door.ears.take();
        if let Err(error) = serve_blocked(&door, &settler, heads).await {
            tracing::error!(error, "clients that wait could not be served");
        }
    }
}

/// Serves those who wait for the keys at `heads`, to which something has happened, and sends their replies when it is
/// durable.
async fn serve_blocked(door: &OpenDoor, settler: &Settler, heads: Vec<Box<[u8]>>) -> Result<(), String> {
    let turn = door.store.turn().await.map_err(|error| text_of(&error))?;
    let served = catch_unwind(AssertUnwindSafe(|| {
        door.store.transaction_unsettled(turn, |transaction| {
            door.blocked.borrow_mut().rolled_back();
            serve(transaction, door, heads.clone());
            Ok(())
        })
    }));
    let pending = match served {
        Ok(Ok(((), pending))) => pending,
        failed => {
            // Those who wait go on waiting: there was no request that could be refused.
            door.blocked.borrow_mut().rolled_back();
            door.forget_uncommitted();
            return Err(failed.map_or(PANICKED.to_owned(), |outcome| {
                outcome.map_or_else(|error| text_of(&error), |_| String::new())
            }));
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
    let settled = settler.settle(&pending).await.map_err(|error| text_of(&error));
    match &settled {
        Ok(()) => answers.into_iter().for_each(Answer::send),
        Err(text) => {
            door.forget_uncommitted();
            for answer in answers {
                answer.fail(text);
            }
        }
    }
    settled
}
