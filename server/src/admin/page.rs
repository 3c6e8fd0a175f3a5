//! The layout of all pages.

use axum::response::IntoResponse;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use maud::{DOCTYPE, Markup, html};

use crate::admin::form_token::{FORM_TOKEN, FormToken};

/// The pages in the navigation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Buckets,
    Sessions,
    Owners,
}

/// The message above the content of a page.
pub(super) enum Note {
    None,
    /// Reports what was done.
    Notice(String),
    /// Reports why nothing was done.
    Alert(String),
}

impl Section {
    const ALL: [Self; 3] = [Self::Buckets, Self::Sessions, Self::Owners];

    const fn path_and_title(self) -> (&'static str, &'static str) {
        match self {
            Self::Buckets => ("/admin", "Buckets"),
            Self::Sessions => ("/admin/sessions", "Sessions"),
            Self::Owners => ("/admin/owners", "Owners"),
        }
    }
}

impl Note {
    /// Returns an alert with an error message as a sentence.
    pub(super) fn alert(message: &str) -> Self {
        let mut chars = message.chars();
        let first = chars.next().map(char::to_uppercase);
        let sentence: String = first.into_iter().flatten().chain(chars).collect();
        Self::Alert(sentence + ".")
    }

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

/// Renders a page for a logged-in operator.
pub(super) fn section(
    section: Section,
    token: &FormToken,
    note: &Note,
    content: &Markup,
) -> Markup {
    let nav = html! {
        nav aria-label="Sections" {
            @for each in Section::ALL {
                @let (path, title) = each.path_and_title();
                a href=(path) aria-current=[(each == section).then_some("page")] { (title) }
            }
        }
        form method="post" action="/admin/logout" {
            (hidden(token))
            button.quiet { "Log out" }
        }
    };
    let (_, title) = section.path_and_title();
    document(title, &nav, &html! { (note.render()) (content) })
}

/// Renders a page without navigation.
pub(super) fn plain(title: &str, note: &Note, content: &Markup) -> Markup {
    let content = html! { div.narrow { (note.render()) (content) } };
    document(title, &html! {}, &content)
}

/// Renders the page of an error.
pub(super) fn error(status: StatusCode, message: &str) -> Markup {
    let title = status.canonical_reason().unwrap_or("Error");
    let content = html! {
        section.card { p { a href="/admin" { "Back to the overview" } } }
    };
    plain(title, &Note::alert(message), &content)
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
            }
            body {
                a.skip href="#main" { "Skip to content" }
                header { div.bar { span.brand { "sessiond" } (nav) } }
                main #main { h1 { (title) } (content) }
            }
        }
    }
}

/// Renders the hidden field with the form token.
pub(super) fn hidden(token: &FormToken) -> Markup {
    html! { input type="hidden" name=(FORM_TOKEN) value=(token.as_str()); }
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
