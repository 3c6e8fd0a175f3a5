//! Writes the lines of the log, many at a time.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// For how long lines are collected before they are written together.
const PAUSE: Duration = Duration::from_millis(20);

/// How much may wait to be written, in bytes; lines beyond that are lost.
const MOST: usize = 1 << 20;

/// Collects lines, which a thread of its own writes.
///
/// To write each line by itself would cost a request more than the rest of it, and whoever reads
/// the log slowly would hold up the service. So lines are up to 20 ms late; if more than 1 MiB of
/// them waits, further ones are lost, and how many is said once there is room again.
#[derive(Clone)]
pub(crate) struct LogWriter(Arc<Shared>);

/// Keeps the log being written; what is left is written when it is dropped.
pub(crate) struct LogGuard {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    lines: Vec<u8>,
    lost: usize,
    closed: bool,
}

impl LogWriter {
    /// Starts a thread that writes to `sink`.
    pub(crate) fn to(sink: impl Write + Send + 'static) -> io::Result<(Self, LogGuard)> {
        let shared = Arc::new(Shared {
            waiting: Mutex::default(),
            changed: Condvar::new(),
        });
        let writer = Self(Arc::clone(&shared));
        let work = move |shared: &Shared| shared.write_to(sink);
        let thread = thread::Builder::new().name("log".to_owned()).spawn({
            let shared = Arc::clone(&shared);
            move || work(&shared)
        })?;
        let thread = Some(thread);
        Ok((writer, LogGuard { shared, thread }))
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, line: &[u8]) {
        let mut waiting = self.lock();
        if waiting.lines.len() + line.len() > MOST {
            waiting.lost += 1;
            return;
        }
        let first = waiting.lines.is_empty();
        waiting.lines.extend_from_slice(line);
        drop(waiting);
        if first {
            self.changed.notify_one();
        }
    }

    fn write_to(&self, mut sink: impl Write) {
        let mut batch = Vec::new();
        loop {
            let (lost, closed) = self.take(&mut batch);
            // Nobody can be told that the log cannot be written.
            let _ = sink.write_all(&batch);
            if lost > 0 {
                let _ = writeln!(sink, "{lost} lines of the log were lost");
            }
            let _ = sink.flush();
            if closed {
                return;
            }
        }
    }

    /// Waits for lines, and a little longer for more, and takes them.
    fn take(&self, batch: &mut Vec<u8>) -> (usize, bool) {
        batch.clear();
        let empty = |waiting: &mut Waiting| waiting.lines.is_empty() && !waiting.closed;
        let waiting = self.changed.wait_while(self.lock(), empty);
        let mut waiting = waiting.unwrap_or_else(PoisonError::into_inner);
        if !waiting.closed {
            let open = |waiting: &mut Waiting| !waiting.closed;
            let later = self.changed.wait_timeout_while(waiting, PAUSE, open);
            waiting = later.unwrap_or_else(PoisonError::into_inner).0;
        }
        std::mem::swap(batch, &mut waiting.lines);
        (std::mem::take(&mut waiting.lost), waiting.closed)
    }
}

impl Write for &LogWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.add(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogWriter {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// A sink that hands over what it is given, and waits for leave to go on.
    struct Gate {
        written: mpsc::Sender<Vec<u8>>,
        leave: mpsc::Receiver<()>,
    }

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.written.send(bytes.to_vec());
            let _ = self.leave.recv();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn gate() -> (
        LogWriter,
        LogGuard,
        mpsc::Receiver<Vec<u8>>,
        mpsc::Sender<()>,
    ) {
        let (written, seen) = mpsc::channel();
        let (go_on, leave) = mpsc::channel();
        let (writer, guard) = LogWriter::to(Gate { written, leave }).unwrap();
        (writer, guard, seen, go_on)
    }

    #[test]
    fn lines_are_written_in_order_and_together_and_the_last_ones_at_the_end() {
        let (writer, guard, seen, go_on) = gate();
        for line in [&b"one\n"[..], b"two\n"] {
            (&writer).write_all(line).unwrap();
        }
        assert_eq!(seen.recv().unwrap(), b"one\ntwo\n");
        go_on.send(()).unwrap();
        (&writer).write_all(b"three\n").unwrap();
        drop(go_on);
        drop(guard);
        assert_eq!(seen.recv().unwrap(), b"three\n");
    }

    #[test]
    fn a_log_that_nobody_reads_holds_nobody_up_and_says_what_is_lost() {
        let (writer, guard, seen, go_on) = gate();
        (&writer).write_all(b"first\n").unwrap();
        assert_eq!(seen.recv().unwrap(), b"first\n");
        let line = [b'x'; 1024];
        for _ in 0..(MOST / line.len() + 3) {
            (&writer).write_all(&line).unwrap();
        }
        drop(go_on);
        assert_eq!(seen.recv().unwrap().len(), MOST);
        drop(guard);
        let rest: Vec<u8> = seen.iter().flatten().collect();
        assert_eq!(rest, b"3 lines of the log were lost\n");
    }
}
