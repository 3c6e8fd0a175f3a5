//! The routes that are measured, and the session that they use.

/// A route that is measured.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// Its name in the output.
    pub name: &'static str,
    /// What it does.
    pub title: &'static str,
    pub method: &'static str,
    pub path: &'static str,
}

/// All of them.
pub const ROUTES: [Route; 3] = [
    Route::new("read", "Read a field", "GET", "/field"),
    Route::new("update", "Change a field and save", "POST", "/update"),
    Route::new("none", "Do not use the session", "GET", "/none"),
];

impl Route {
    const fn new(
        name: &'static str,
        title: &'static str,
        method: &'static str,
        path: &'static str,
    ) -> Self {
        Self {
            name,
            title,
            method,
            path,
        }
    }
}

/// Returns the paths that a `POST` to `/login` is followed by: then a session has about 300 bytes.
#[must_use]
pub fn filling() -> [String; 2] {
    [
        "/set?k=a&v=dark".to_owned(),
        format!("/set?k=b&v={}", "x".repeat(240)),
    ]
}

/// Returns the header with what a login gave to the client: its cookies, or the token in its body.
#[must_use]
pub fn credential(cookies: &[&str], token: &str) -> (&'static str, String) {
    let pairs = cookies.iter().filter_map(|cookie| cookie.split(';').next());
    match pairs.collect::<Vec<_>>().join("; ") {
        none if none.is_empty() => ("authorization", format!("Bearer {token}")),
        pairs => ("cookie", pairs),
    }
}
