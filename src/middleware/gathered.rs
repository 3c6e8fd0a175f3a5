//! Buffer for a body that arrives in chunks. `sessiond` compiles this file too.

use std::mem;

use bytes::Bytes;

/// The least number of bytes by which the buffer grows.
const MIN_GROWTH: usize = 4096;

/// The data received so far, in one piece.
///
/// A list of chunks, as `BodyExt::collect` keeps it, would let a client that sends single bytes use
/// dozens of times the limit in memory. This uses at most 2.25 times the data, and a constant.
#[derive(Default)]
pub(crate) struct Gathered {
    /// The only chunk so far. Most bodies have one, which is not copied.
    only: Bytes,
    /// Two and more chunks.
    joined: Vec<u8>,
}

impl Gathered {
    pub(crate) fn len(&self) -> usize {
        self.only.len() + self.joined.len()
    }

    pub(crate) fn push(&mut self, chunk: Bytes) {
        if chunk.is_empty() {
            return;
        }
        if self.len() == 0 {
            self.only = chunk;
            return;
        }
        let added = self.only.len() + chunk.len();
        if self.joined.capacity() - self.joined.len() < added {
            // By default a vector doubles, and while it is copied both of its buffers exist: three
            // times the data.
            let growth = MIN_GROWTH.max(self.joined.len() / 4);
            self.joined.reserve_exact(growth.max(added));
        }
        self.joined.extend_from_slice(&mem::take(&mut self.only));
        self.joined.extend_from_slice(&chunk);
    }

    pub(crate) fn into_bytes(self) -> Bytes {
        if self.joined.is_empty() {
            self.only
        } else {
            self.joined.into()
        }
    }
}
