//! The layout of every page.

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderValue, StatusCode};
use maud::{DOCTYPE, Markup, html};

use crate::admin::form_token::{FORM_TOKEN, FormToken};

pub(super) const HTML: &str = "text/html; charset=utf-8";

/// The pages in the navigation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Buckets,
    Sessions,
    Owners,
}

/// The messages above the content of a page.
#[derive(Default)]
pub(super) struct Note<'a> {
    /// Reports what was done.
    pub(super) notice: Option<&'a str>,
    /// Reports what was not done, and why.
    pub(super) alert: Option<&'a str>,
}

impl Section {
    const ALL: [Self; 3] = [Self::Buckets, Self::Sessions, Self::Owners];

    const fn path(self) -> &'static str {
        match self {
            Self::Buckets => "/admin",
            Self::Sessions => "/admin/sessions",
            Self::Owners => "/admin/owners",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Buckets => "Buckets",
            Self::Sessions => "Sessions",
            Self::Owners => "Owners",
        }
    }
}

impl<'a> Note<'a> {
    pub(super) fn notice(notice: Option<&'a str>) -> Self {
        Self {
            notice,
            alert: None,
        }
    }

    pub(super) fn alert(alert: &'a str) -> Self {
        Self {
            notice: None,
            alert: Some(alert),
        }
    }
}

/// Renders a page for a logged-in operator.
pub(super) fn section(
    section: Section,
    token: &FormToken,
    note: &Note<'_>,
    content: &Markup,
) -> Markup {
    let nav = html! {
        nav aria-label="Sections" {
            @for each in Section::ALL {
                a href=(each.path()) aria-current=[(each == section).then_some("page")] {
                    (each.title())
                }
            }
        }
        form method="post" action="/admin/logout" {
            (hidden(token))
            button.quiet { "Log out" }
        }
    };
    document(section.title(), &nav, &html! { (notes(note)) (content) })
}

/// Renders a page without navigation.
pub(super) fn plain(title: &str, note: &Note<'_>, content: &Markup) -> Markup {
    let content = html! { div.narrow { (notes(note)) (content) } };
    document(title, &html! {}, &content)
}

/// Renders the page of an error.
pub(super) fn refusal(status: StatusCode, message: &str) -> Markup {
    let title = status.canonical_reason().unwrap_or("Refused");
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

fn notes(note: &Note<'_>) -> Markup {
    html! {
        @if let Some(notice) = note.notice { p.note role="status" { (notice) } }
        @if let Some(alert) = note.alert { p.note.alert role="alert" { (sentence(alert)) } }
    }
}

/// Turns an error message into a sentence.
fn sentence(message: &str) -> String {
    let mut chars = message.chars();
    let first = chars.next().map(char::to_uppercase);
    let mut sentence: String = first.into_iter().flatten().chain(chars).collect();
    if !sentence.ends_with('.') {
        sentence.push('.');
    }
    sentence
}

/// Renders the hidden field with the form token.
pub(super) fn hidden(token: &FormToken) -> Markup {
    html! { input type="hidden" name=(FORM_TOKEN) value=(token.as_str()); }
}

/// Renders a button that needs a second click, without a script.
pub(super) fn confirmed(summary: &str, warning: &str, form: &Markup) -> Markup {
    html! {
        details.confirm {
            summary { (summary) }
            div { p { (warning) } (form) }
        }
    }
}

pub(super) fn answer(status: StatusCode, page: Markup) -> Response {
    let html = HeaderValue::from_static(HTML);
    (status, [(CONTENT_TYPE, html)], page.into_string()).into_response()
}

/// Redirects with 303, so that a reload does not submit the form again.
pub(super) fn redirect(path: &'static str) -> Response {
    let path = HeaderValue::from_static(path);
    (StatusCode::SEE_OTHER, [(LOCATION, path)]).into_response()
}

pub(super) async fn to_overview() -> Response {
    redirect("/admin")
}

pub(super) async fn style() -> Response {
    let css = HeaderValue::from_static("text/css; charset=utf-8");
    ([(CONTENT_TYPE, css)], include_str!("style.css")).into_response()
}
