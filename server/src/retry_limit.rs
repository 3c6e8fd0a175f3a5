//! How often to write again when others write at the same time.

/// How often the core, which tries 16 times itself, is asked.
const ROUNDS: usize = 64;

/// Counts how often a write that met others is begun again.
///
/// A try fails only because another write did not, so the last round is lost only to about a
/// thousand others that all came first.
pub(crate) struct RetryLimit(usize);

impl RetryLimit {
    pub(crate) const fn new() -> Self {
        Self(1)
    }

    /// Whether there is another round; begins it if so.
    pub(crate) const fn another(&mut self) -> bool {
        self.0 += 1;
        self.0 <= ROUNDS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_an_end() {
        let mut retries = RetryLimit::new();
        let others = (0..2 * ROUNDS).filter(|_| retries.another());
        assert_eq!(others.count(), ROUNDS - 1);
    }
}
