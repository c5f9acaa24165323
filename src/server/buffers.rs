//! What a client has sent and was not run yet, and what is on its way to the client.

use crate::limits;

/// Bytes that are read at once, at least.
pub(crate) const READ_BYTES: usize = 16 << 10;

/// Room that is kept for what is to be written, in bytes.
const KEPT_BYTES: usize = 64 << 10;

/// From this length on room is made as it is needed, and not by doubling it, and a buffer that is cut gives its room back.
const LARGE_BYTES: usize = 1 << 20;

/// Both ways of a connection.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    pub(crate) input: Input,
    pub(crate) output: Output,
}

/// Bytes in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Input {
    bytes: Vec<u8>,
    /// How many of them were run.
    at: usize,
}

impl Input {
    /// What was not run yet.
    pub(crate) fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The memory that it takes, in bytes: room that was made for what is only announced takes none before that comes.
    pub(crate) fn capacity(&self) -> usize {
        self.bytes.capacity().min(2 * self.bytes.len().max(READ_BYTES))
    }

    /// Where what is read goes, when it is known that that many bytes of what was not run yet belong together; 0 when it is not.
    pub(crate) fn buffer(&mut self, wanted: usize) -> &mut Vec<u8> {
        let missing = (self.at + wanted).saturating_sub(self.bytes.len());
        if self.bytes.len() >= LARGE_BYTES && missing > 0 {
            // Doubled again and again it would be moved again and again, and be twice too large in the end. What is only announced
            // takes no memory before it comes.
            self.bytes.reserve_exact(missing + READ_BYTES);
        } else {
            self.bytes.reserve(READ_BYTES);
        }
        &mut self.bytes
    }

    /// Takes over bytes that came before all that are here.
    pub(crate) fn put_before(&mut self, earlier: Vec<u8>) {
        if !earlier.is_empty() {
            self.bytes.splice(self.at..self.at, earlier);
        }
    }

    /// Notes that the first `bytes` of the rest were run.
    pub(crate) fn consume(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes).min(self.bytes.len());
        if self.at == self.bytes.len() {
            self.bytes.clear();
            self.at = 0;
            if self.bytes.capacity() > 4 * READ_BYTES {
                self.bytes.shrink_to(READ_BYTES);
            }
        } else if self.at > self.bytes.len() / 2 {
            // Half of it at least goes, so that each byte is moved once on average.
            self.bytes.drain(..self.at);
            self.bytes.shrink_to(2 * self.bytes.len().max(READ_BYTES));
            self.at = 0;
        }
    }
}

/// What is on its way to a client.
///
/// # Invariants
/// 1. There are never more bytes that wait to be sent than the bound says: what would go beyond it is not written, and
///    [`Output::is_over`] says so until what was begun is taken back.
/// 2. What was sent stays until all is, so that a place in the bytes stays the same while a request runs.
#[derive(Debug)]
pub(crate) struct Output {
    bytes: Vec<u8>,
    /// How many of the bytes were sent.
    sent: usize,
    /// Bytes that may wait to be sent.
    most: usize,
    is_over: bool,
}

impl Default for Output {
    fn default() -> Self {
        Self { bytes: Vec::new(), sent: 0, most: limits::OUTPUT_BUFFER_BYTES_MAX, is_over: false }
    }
}

impl Output {
    /// The bytes so far, sent or not.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// What waits to be sent.
    pub(crate) fn waiting(&self) -> &[u8] {
        self.bytes.get(self.sent..).unwrap_or_default()
    }

    /// The bytes that there is room for.
    pub(crate) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Whether something was not written, for more would wait than may.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// How many bytes may wait.
    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// Sets how many bytes may wait from now on.
    #[cfg(test)]
    pub(crate) fn set_most(&mut self, most: usize) {
        self.most = most;
    }

    /// Writes bytes, unless more would wait than may. Behind what was not written nothing is: half a reply is not one.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.write_all([bytes]);
    }

    /// Writes all of `parts`, or none.
    pub(crate) fn write_all<const N: usize>(&mut self, parts: [&[u8]; N]) {
        if self.makes_room(parts.iter().map(|part| part.len()).sum()) {
            for part in parts {
                self.bytes.extend_from_slice(part);
            }
        }
    }

    /// Makes room for that many bytes, and returns whether they may be written.
    fn makes_room(&mut self, more: usize) -> bool {
        let len = self.bytes.len();
        if self.is_over || len - self.sent + more > self.most {
            self.is_over = true;
            return false;
        }
        if more > self.bytes.capacity() - len && len.max(more) > LARGE_BYTES {
            // Twice as much would be more than is needed on average, where it matters.
            self.bytes.reserve_exact(more.max(len / 4));
        }
        true
    }

    /// Notes that that many bytes more were sent. Not while a request runs: places change.
    pub(crate) fn note_sent(&mut self, bytes: usize) {
        self.sent += bytes;
        if self.sent >= self.bytes.len() {
            self.bytes.clear();
            self.sent = 0;
            if self.bytes.capacity() > KEPT_BYTES {
                self.bytes.shrink_to(KEPT_BYTES);
            }
        } else if self.sent > self.bytes.len() / 2 {
            // Half of it at least goes, so that each byte is moved once on average.
            self.bytes.drain(..self.sent);
            self.bytes.shrink_to(self.bytes.len().max(KEPT_BYTES) * 2);
            self.sent = 0;
        }
    }

    /// Drops what was written after the first `len` bytes.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.bytes.truncate(len.max(self.sent));
        self.is_over = false;
        if self.bytes.capacity() > LARGE_BYTES && self.bytes.capacity() / 4 > len {
            self.bytes.shrink_to((len * 2).max(KEPT_BYTES));
        }
    }

    /// Gives away what waits to be sent.
    pub(crate) fn take_waiting(&mut self) -> Vec<u8> {
        let sent = std::mem::take(&mut self.sent);
        self.bytes.drain(..sent);
        std::mem::take(&mut self.bytes)
    }

    /// Takes back what was given away and is still to be sent.
    pub(crate) fn put_back(&mut self, unsent: Vec<u8>) {
        if self.bytes.is_empty() {
            self.bytes = unsent;
        } else {
            self.bytes.splice(self.sent..self.sent, unsent);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_announced_gets_room_once_much_of_it_has_come() {
        let mut input = Input::default();
        input.buffer(100 << 20).extend_from_slice(b"$104857600");
        assert!(input.capacity() <= 2 * READ_BYTES, "not before");
        input.buffer(100 << 20).extend_from_slice(&vec![0; LARGE_BYTES]);
        let room = input.buffer(100 << 20).capacity();
        assert!(input.capacity() <= 4 << 20, "what is not there takes no memory");
        assert!((100 << 20..=(100 << 20) + READ_BYTES).contains(&room), "{room}");
        while input.len() < 100 << 20 {
            let more = (100 << 20) - input.len();
            input.buffer(100 << 20).extend_from_slice(&vec![0; more.min(7 << 20)]);
            assert_eq!(input.bytes.capacity(), room);
        }
    }

    #[test]
    fn what_was_run_goes_and_the_rest_stays() {
        let mut input = Input::default();
        let sent: Vec<u8> = (0..=255).cycle().take(100_000).collect();
        input.buffer(0).extend_from_slice(&sent);
        let mut run = 0;
        for bytes in [1, 10, 40_000, 30_000, 29_000] {
            input.consume(bytes);
            run += bytes;
            assert!(input.rest() == &sent[run..] && input.len() == sent.len() - run);
        }
        input.put_before(b"earlier".to_vec());
        assert!(input.rest().starts_with(b"earlier"));
        input.consume(usize::MAX);
        assert!(input.rest().is_empty() && input.capacity() <= 2 * READ_BYTES);
    }

    #[test]
    fn no_more_waits_than_may_and_what_was_begun_is_taken_back() {
        let mut output = Output::default();
        output.set_most(10);
        output.write(b"12345678");
        output.note_sent(4);
        output.write(b"9abcde");
        assert_eq!((output.waiting(), output.is_over()), (&b"56789abcde"[..], false));
        output.write_all([b"f", b"g"]);
        output.note_sent(1);
        output.write(b"h");
        assert!(output.is_over() && output.waiting().ends_with(b"e"), "behind what is missing nothing comes");
        let len = output.len();
        output.truncate(len);
        assert_eq!((output.waiting(), output.is_over()), (&b"6789abcde"[..], false));
        let given = output.take_waiting();
        output.write(b"new");
        output.put_back(given[4..].to_vec());
        assert_eq!(output.waiting(), b"abcdenew");
        // What was sent is not taken back.
        output.note_sent(2);
        output.truncate(0);
        assert_eq!(output.waiting(), b"");
    }
}
