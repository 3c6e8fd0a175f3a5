//! The device of a session.

use std::sync::Arc;

use crate::record::Device;
use crate::session::handle::Session;

/// # Device of this session
impl Session {
    /// Returns the device: the one set on this handle, or else the one that is stored.
    #[must_use]
    pub fn device(&self) -> Option<Device> {
        let state = self.data_read();
        let device = match &state.device {
            Some(device) => Some(device),
            None => state.data.record.as_ref()?.meta.device.as_ref(),
        };
        let device = device.filter(|device| !device.is_empty());
        device.map(|device| Device::clone(device))
    }

    /// Sets the device, which lists of the user's sessions show.
    ///
    /// Takes effect with the next [`create`](Self::create), [`login`](Self::login),
    /// [`update`](Self::update) or [`rotate`](Self::rotate). `Device::default()` removes it.
    ///
    /// A name is cut at 128 characters and a user agent at 512 bytes, at a character boundary.
    /// Control characters, line separators and characters that change the direction of text are
    /// removed. The client still controls the rest of the text: escape it in pages.
    ///
    /// ```
    /// use jwt_redis_session::session::Device;
    /// # use jwt_redis_session::{Keyring, MemoryStore, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let keyring = Keyring::hs256("a secret of at least 32 random bytes")?;
    /// # let sessions = Sessions::builder(MemoryStore::new(), keyring).build()?;
    /// let session = sessions.new_session();
    /// session.set_device(Device {
    ///     name: Some("Jo's phone".to_owned()),
    ///     ..Device::default()
    /// });
    /// session.login("jo").await?;
    ///
    /// let entries = session.list().await?;
    /// assert!(entries[0].is_current());
    /// assert_eq!(entries[0].device(), session.device().as_ref());
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_device(&self, device: Device) {
        self.change().device = Some(Arc::new(device.bounded()));
    }
}
