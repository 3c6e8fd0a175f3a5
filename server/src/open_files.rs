//! The limit of open files, which bounds the number of connections.

/// Open files that are no client connections: those to the store, sockets that listen, the log,
/// and the connections for operators.
const RESERVED: usize = 256;

/// Returns how many of `wanted` client connections can be open at a time.
///
/// Raises the soft limit of open files as far as that needs and the hard limit allows. Without a
/// reserve, clients could take the last file, and a lost connection to Redis could not be replaced.
pub(crate) fn connections(wanted: usize) -> usize {
    let needed = u64::try_from(wanted.saturating_add(RESERVED)).unwrap_or(u64::MAX);
    // If the limit cannot be read, accepting fails and is tried again.
    let limit = rlimit::increase_nofile_limit(needed).unwrap_or(needed);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    wanted.min(limit.saturating_sub(RESERVED).max(limit / 2))
}
