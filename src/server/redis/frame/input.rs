//! What a client has sent and the door has not run yet.

/// Bytes that are read at once, at least.
pub(in crate::server::redis) const READ_BYTES: usize = 16 << 10;

/// Bytes of requests up to which the memory for them is doubled when it does not suffice.
const DOUBLED_BYTES_MAX: usize = 1 << 20;

/// Bytes in the order in which they came.
#[derive(Debug, Default)]
pub(in crate::server::redis) struct Input {
    bytes: Vec<u8>,
    /// How many of them were run.
    at: usize,
}

impl Input {
    /// What was not run yet.
    pub(in crate::server::redis) fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    pub(in crate::server::redis) fn len(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The memory that it takes, in bytes: room that was made for what is only announced takes none before that comes.
    pub(in crate::server::redis) fn capacity(&self) -> usize {
        self.bytes.capacity().min(2 * self.bytes.len().max(READ_BYTES))
    }

    /// Where what is read goes, when it is known that so many bytes of what was not run yet belong together; 0 when it is not.
    pub(in crate::server::redis) fn buffer(&mut self, wanted: usize) -> &mut Vec<u8> {
        let missing = (self.at + wanted).saturating_sub(self.bytes.len());
        if self.bytes.len() >= DOUBLED_BYTES_MAX && missing > 0 {
            // Doubled again and again it would be moved again and again, and be twice too large in the end. What is only announced
            // takes no memory before it comes.
            self.bytes.reserve_exact(missing + READ_BYTES);
        } else {
            self.bytes.reserve(READ_BYTES);
        }
        &mut self.bytes
    }

    /// Takes over bytes that came before all that are here.
    pub(in crate::server::redis) fn put_before(&mut self, earlier: Vec<u8>) {
        if !earlier.is_empty() {
            self.bytes.splice(self.at..self.at, earlier);
        }
    }

    /// Notes that the first `bytes` of the rest were run.
    pub(in crate::server::redis) fn consume(&mut self, bytes: usize) {
        self.at += bytes;
        if self.at >= self.bytes.len() {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_announced_gets_room_once_much_of_it_has_come() {
        let mut input = Input::default();
        input.buffer(100 << 20).extend_from_slice(b"$104857600");
        assert!(input.capacity() <= 2 * READ_BYTES, "not before");
        input.buffer(100 << 20).extend_from_slice(&vec![0; DOUBLED_BYTES_MAX]);
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
        input.consume(sent.len() - run);
        assert!(input.rest().is_empty() && input.capacity() <= 2 * READ_BYTES);
    }
}
