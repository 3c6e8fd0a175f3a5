//! The layout of all pages.

use axum::response::{IntoResponse, Redirect, Response};
use http::header::CONTENT_TYPE;
use maud::{DOCTYPE, Markup, html};

use crate::error::ApiError;
use crate::secret::Secret;

/// The name of the field that holds the form token, in forms and in the session.
pub(super) const FORM_TOKEN: &str = "form_token";

/// A page in the navigation: its path and its title.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Section(&'static str, &'static str);

/// The message above the content of a page.
pub(super) enum Note {
    None,
    /// Reports what was done.
    Notice(String),
    /// Reports why nothing was done.
    Alert(String),
}

/// Error of an admin page.
pub(super) enum PageError {
    /// Redirects to the login page.
    NotLoggedIn,
    /// Renders a page.
    Api(ApiError),
}

impl Section {
    pub(super) const OVERVIEW: Self = Self("/admin", "Overview");
    pub(super) const BUCKETS: Self = Self("/admin/buckets", "Buckets");
    pub(super) const SESSIONS: Self = Self("/admin/sessions", "Sessions");
    pub(super) const OWNERS: Self = Self("/admin/owners", "Owners");

    const ALL: [Self; 4] = [Self::OVERVIEW, Self::BUCKETS, Self::SESSIONS, Self::OWNERS];
}

impl Note {
    fn render(&self) -> Markup {
        html! {
            @match self {
                Self::None => {}
                Self::Notice(text) => { p.note role="status" { (text) } }
                Self::Alert(text) => { p.note.alert role="alert" { (text) } }
            }
        }
    }
}

impl<E: Into<ApiError>> From<E> for PageError {
    fn from(error: E) -> Self {
        Self::Api(error.into())
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let error = match self {
            Self::NotLoggedIn => return Redirect::to("/admin/login").into_response(),
            Self::Api(error) => error,
        };
        let title = error.status().canonical_reason().unwrap_or("Error");
        let content = html! {
            section.card { p { a href="/admin" { "Back to the overview" } } }
        };
        rejection(error, |note| plain(title, note, &content))
    }
}

/// Returns a page with the message of `error` as a sentence.
pub(super) fn rejection(error: ApiError, render: impl FnOnce(&Note) -> Markup) -> Response {
    let mut chars = error.message().chars();
    let first = chars.next().map(char::to_uppercase);
    let sentence: String = first.into_iter().flatten().chain(chars).collect();
    let page = render(&Note::Alert(sentence + "."));
    error.with_response(page.into_response())
}

/// Renders a page for a logged-in operator.
pub(super) fn section(section: Section, token: &Secret, note: &Note, content: &Markup) -> Markup {
    let log_out = html! { button.quiet { "Log out" } };
    let nav = html! {
        nav aria-label="Sections" {
            @for each in Section::ALL {
                a href=(each.0) aria-current=[(each == section).then_some("page")] { (each.1) }
            }
        }
        (post(token, "/admin/logout", &[], &log_out))
    };
    document(section.1, &nav, &html! { (note.render()) (content) })
}

/// Renders a page without navigation.
pub(super) fn plain(title: &str, note: &Note, content: &Markup) -> Markup {
    let content = html! { div.narrow { (note.render()) (content) } };
    document(title, &html! {}, &content)
}

fn document(title: &str, nav: &Markup, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                title { (title) " · sessiond" }
                link rel="stylesheet" href="/admin/style.css";
                script src="/admin/script.js" defer {}
            }
            body {
                a.skip href="#main" { "Skip to content" }
                header { div.bar { span.brand { "sessiond" } (nav) } }
                main #main tabindex="-1" { h1 { (title) } (content) }
            }
        }
    }
}

/// Renders the hidden field with the form token.
pub(super) fn hidden(token: &Secret) -> Markup {
    html! { input type="hidden" name=(FORM_TOKEN) value=(token.expose()); }
}

/// Renders a form of hidden fields with a button.
pub(super) fn post(token: &Secret, path: &str, fields: &[(&str, &str)], button: &Markup) -> Markup {
    html! {
        form method="post" action=(path) {
            (hidden(token))
            @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
            (button)
        }
    }
}

/// Renders a form that a second click confirms, without a script.
pub(super) fn confirmed(summary: &str, warning: &str, form: &Markup) -> Markup {
    html! {
        details.confirm {
            summary { (summary) }
            div { p { (warning) } (form) }
        }
    }
}

pub(super) async fn style() -> impl IntoResponse {
    let css = "text/css; charset=utf-8";
    ([(CONTENT_TYPE, css)], include_str!("style.css"))
}

pub(super) async fn script() -> impl IntoResponse {
    let javascript = "text/javascript; charset=utf-8";
    ([(CONTENT_TYPE, javascript)], include_str!("script.js"))
}
