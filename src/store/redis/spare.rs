//! Reuses the buffers of commands: two allocations saved for each command that travels alone.

use std::cell::RefCell;

use redis::Cmd;

/// The number of commands that each thread keeps.
const KEPT: usize = 4;
/// Buffers that held more bytes are not kept.
const LARGEST: usize = 4 * 1024;

thread_local! {
    static SPARE: RefCell<Vec<Cmd>> = const { RefCell::new(Vec::new()) };
}

/// Returns an empty command with capacity for `args` arguments of `size` bytes in all.
pub(super) fn take(args: usize, size: usize) -> Cmd {
    let spare = SPARE.try_with(|spare| spare.borrow_mut().pop());
    let spare = spare.ok().flatten();
    spare.unwrap_or_else(|| Cmd::with_capacity(args, size))
}

/// Keeps the buffers of a command that held `size` bytes.
pub(super) fn keep(command: &mut Cmd, size: usize) {
    if size > LARGEST {
        return;
    }
    // Fails while the thread ends, when nothing is kept any more.
    let _ = SPARE.try_with(|spare| {
        let mut spare = spare.borrow_mut();
        if spare.len() < KEPT {
            command.clear();
            spare.push(command.take());
        }
    });
}
