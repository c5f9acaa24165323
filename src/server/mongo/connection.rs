//! The bytes of one client: whole messages in, replies out, one after the other.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::server::mongo::client::Client;
use crate::server::mongo::door::Door;
use crate::server::mongo::run::{self, Next};
use crate::server::mongo::wire::{self, Malformed};

/// Bytes that are read at once.
const READ_BYTES: usize = 64 << 10;

/// Serves a client until it goes, or sends what is no message.
pub(super) async fn serve(door: Arc<Door>, client: Arc<Client>, mut stream: TcpStream) {
    let mut input = Vec::new();
    loop {
        match next_message(&mut input) {
            Ok(Some(message)) => match answer(&door, &client, message).await {
                Ok(Some(reply)) => {
                    if stream.write_all(&reply).await.is_err() {
                        return;
                    }
                }
                Ok(None) => return,
                Err(error) => return tracing::warn!(client = client.id, %error, "a client is disconnected"),
            },
            Ok(None) => {
                input.reserve(READ_BYTES);
                match stream.read_buf(&mut input).await {
                    Ok(bytes) if bytes > 0 => {}
                    _ => return,
                }
            }
            Err(error) => return tracing::warn!(client = client.id, %error, "a client is disconnected"),
        }
    }
}

/// Takes the first message out of `input`, if all of it is there.
fn next_message(input: &mut Vec<u8>) -> Result<Option<Vec<u8>>, Malformed> {
    let Some(length) = wire::length(input)?.filter(|length| input.len() >= *length) else { return Ok(None) };
    let rest = input.split_off(length);
    Ok(Some(std::mem::replace(input, rest)))
}

/// Runs one message on the pool; `None` when the connection is to end without a reply.
async fn answer(door: &Arc<Door>, client: &Arc<Client>, message: Vec<u8>) -> Result<Option<Vec<u8>>, Malformed> {
    let message = Arc::new(message);
    let mut has_waited = false;
    loop {
        let (door, client, bytes) = (Arc::clone(door), Arc::clone(client), Arc::clone(&message));
        let run = move || {
            let mut output = Vec::new();
            run::run(&door, &client, &bytes, has_waited, &mut output).map(|next| (next, output))
        };
        let Ok(outcome) = tokio::task::spawn_blocking(run).await else { return Ok(None) };
        match outcome? {
            (Next::End, _) => return Ok(None),
            (Next::WaitFor(time), _) => {
                tokio::time::sleep(time).await;
                has_waited = true;
            }
            (Next::GoOn(None), output) => return Ok(Some(output)),
            (Next::GoOn(Some(commit)), mut output) => {
                if let Err(error) = commit.await {
                    output.clear();
                    run::refuse_commit(&message, error, &mut output)?;
                }
                return Ok(Some(output));
            }
        }
    }
}
