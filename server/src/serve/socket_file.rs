//! The file of a Unix socket.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The file of a Unix socket, removed when dropped.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    identity: Identity,
}

/// Device, inode and time of creation: another process may have replaced the file in the meantime,
/// and file systems use the inode of a removed file for the next one.
type Identity = (u64, u64, SystemTime);

impl SocketFile {
    /// Listens on `path`. Replaces a socket that a process left behind.
    pub(super) fn bind(path: &Path, mode: u32) -> io::Result<(UnixListener, Self)> {
        let listener = match UnixListener::bind(path) {
            Err(error) if error.kind() == ErrorKind::AddrInUse && is_abandoned(path) => {
                fs::remove_file(path)?;
                UnixListener::bind(path)?
            }
            bound => bound?,
        };
        fs::set_permissions(path, Permissions::from_mode(mode))?;
        let path = path.to_owned();
        let identity = identity(&path)?;
        Ok((listener, Self { path, identity }))
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|identity| identity == self.identity) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> io::Result<Identity> {
    let file = fs::symlink_metadata(path)?;
    // Nothing modifies a socket after its creation.
    Ok((file.dev(), file.ino(), file.modified()?))
}

/// Returns whether the file is a socket on which no process listens.
fn is_abandoned(path: &Path) -> bool {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket());
    let refuses = |error: io::Error| error.kind() == ErrorKind::ConnectionRefused;
    is_socket && UnixStream::connect(path).is_err_and(refuses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_a_successor_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("s.sock");
        // Shutdown closes the socket first. The successor's file may get the same inode.
        let (socket, file) = SocketFile::bind(&path, 0o600).expect("bind");
        drop(socket);
        let _successor = SocketFile::bind(&path, 0o600).expect("bind");
        drop(file);
        assert!(UnixStream::connect(&path).is_ok());
    }
}
