//! Spare command buffers of each thread. Reuse saves two allocations for each command that is sent
//! alone.

use std::cell::RefCell;

use redis::Cmd;

/// The number of spare commands that each thread keeps.
const KEPT: usize = 4;
/// A command that held more bytes than this is freed, so that idle threads hold little memory.
const LARGEST: usize = 4 * 1024;

thread_local! {
    static SPARE: RefCell<Vec<Cmd>> = const { RefCell::new(Vec::new()) };
}

/// Returns an empty command: a spare one, or else a new one with capacity for `args` arguments of
/// `size` bytes in total.
pub(super) fn take(args: usize, size: usize) -> Cmd {
    let spare = SPARE.try_with(|spare| spare.borrow_mut().pop());
    let spare = spare.ok().flatten();
    spare.unwrap_or_else(|| Cmd::with_capacity(args, size))
}

/// Keeps the buffers of `command`, which held `size` bytes, for the next [`take`] of this thread.
pub(super) fn keep(command: &mut Cmd, size: usize) {
    if size > LARGEST {
        return;
    }
    // Fails only while the thread ends and its locals are gone. The buffers are then freed.
    let _ = SPARE.try_with(|spare| {
        let mut spare = spare.borrow_mut();
        if spare.len() < KEPT {
            command.clear();
            spare.push(command.take());
        }
    });
}
