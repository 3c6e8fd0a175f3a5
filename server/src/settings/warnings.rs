//! Warnings about valid settings that are unsuitable for production.

use crate::open_files;
use crate::settings::Settings;

impl Settings {
    /// Returns the warnings of a start and of `check-config`.
    pub(crate) fn warnings(&self) -> Vec<&'static str> {
        let has_no_master_key = self.buckets.enabled && self.buckets.master_keys.is_empty();
        let all = [
            (
                self.store.redis.is_none() && self.store.file.is_none(),
                "sessions are kept in memory and end with this process; set store.redis or \
                 store.file to keep them",
            ),
            (
                self.tokens.secret.is_none(),
                "tokens.secret is not set: tokens end with this process; set it to keep them valid",
            ),
            (
                open_files::connections(self.http.max_connections) < self.http.max_connections,
                "the limit of open files is too low for http.max_connections, so fewer \
                 connections are served; raise it (LimitNOFILE= of systemd, ulimit -n) or lower \
                 http.max_connections",
            ),
            (
                has_no_master_key,
                "buckets.master_keys is not set: no bucket can get an API key",
            ),
        ];
        let warnings = all.into_iter().filter(|(applies, _)| *applies);
        warnings.map(|(_, warning)| warning).collect()
    }
}
