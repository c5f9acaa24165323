//! One connection, as commands see it.

use bson::RawDocument;
use parking_lot::Mutex;

use crate::server::mongo::conversation::Conversation;
use crate::server::mongo::failure::{Failure, Result, code};

/// A connection. Its requests run one after the other, most often away from the thread that has its socket.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) id: i32,
    /// Where the client is, for `whatsmyuri`.
    pub(super) peer: String,
    /// The address at which it has reached the door, which it is told as the server's.
    pub(super) reached: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The client has told of itself, which it may do once.
    has_metadata: bool,
    app_name: Option<String>,
    user: Option<String>,
    /// A login that has begun.
    conversation: Option<Conversation>,
}

impl Client {
    pub(super) fn new(id: i32, peer: String, reached: String) -> Self {
        Self { id, peer, reached, state: Mutex::default() }
    }

    /// Keeps what the client tells of itself in its first handshake.
    ///
    /// # Errors
    /// Code 186 the second time.
    pub(super) fn set_metadata(&self, metadata: &RawDocument) -> Result<()> {
        let mut state = self.state.lock();
        if state.has_metadata {
            let message = "The client metadata document may only be sent in the first hello";
            return Err(Failure::new(code::CLIENT_METADATA_CANNOT_BE_MUTATED, message));
        }
        let application = metadata.get_document("application").ok();
        state.app_name = application.and_then(|application| application.get_str("name").ok()).map(str::to_owned);
        state.has_metadata = true;
        Ok(())
    }

    /// What the client's program calls itself.
    pub(super) fn app_name(&self) -> Option<String> {
        self.state.lock().app_name.clone()
    }

    /// As whom the client has logged in.
    pub(super) fn user(&self) -> Option<String> {
        self.state.lock().user.clone()
    }

    /// Keeps a login that has begun; a new one takes the place of another.
    pub(super) fn set_conversation(&self, conversation: Option<Conversation>) {
        self.state.lock().conversation = conversation;
    }

    /// Takes the login that has begun.
    pub(super) fn take_conversation(&self) -> Option<Conversation> {
        self.state.lock().conversation.take()
    }

    pub(super) fn set_user(&self, user: Option<String>) {
        self.state.lock().user = user;
    }
}

#[cfg(test)]
mod tests {
    use bson::rawdoc;

    use super::*;

    #[test]
    fn a_client_says_what_it_is_once() {
        let client = Client::new(1, "peer".to_owned(), "door".to_owned());
        let metadata = rawdoc! { "application": { "name": "shop" }, "driver": { "name": "d" } };
        client.set_metadata(&metadata).unwrap();
        assert_eq!(client.app_name().as_deref(), Some("shop"));
        assert_eq!(client.set_metadata(&metadata).unwrap_err().code, 186);
    }
}
