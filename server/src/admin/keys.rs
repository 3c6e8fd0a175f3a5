//! The buckets that have an API key.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use jwt_redis_session::SessionError;
use maud::{Markup, html};

use crate::admin::form::Form;
use crate::admin::form_token::FormToken;
use crate::admin::operator::Operator;
use crate::admin::page::{self, Note, Section};
use crate::admin::refusal::Refusal;
use crate::admin::state::AdminState;
use crate::admin::submitted::Submitted;
use crate::admin::text;
use crate::buckets::{BucketName, KeyedBucket};
use crate::error::ApiError;
use crate::secret::Secret;

/// What a bucket may be called, for the browser to check while it is typed.
const NAME: &str = r"[A-Za-z0-9_\-]{1,64}";

/// The buckets, and a form to add one.
pub(super) async fn overview(
    State(state): State<Arc<AdminState>>,
    operator: Operator,
) -> Result<Response, Refusal> {
    let buckets = state.keys.list().await?;
    let notice = operator.take_notice().await;
    let note = Note::notice(notice.as_deref());
    let page = render(operator.form_token(), &note, &buckets);
    Ok(page::answer(StatusCode::OK, page))
}

/// Makes a key, and shows it this once.
pub(super) async fn create(
    State(state): State<Arc<AdminState>>,
    Submitted { operator, form }: Submitted,
) -> Result<Response, Refusal> {
    let Ok(bucket) = bucket(&form) else {
        let alert = "a bucket's name is 1 to 64 letters, digits, “_” or “-”, and not “settings”";
        return again(&state, &operator, StatusCode::BAD_REQUEST, alert).await;
    };
    let key = match state.keys.create(&bucket).await {
        Ok(key) => key,
        Err(SessionError::Taken) => {
            let alert = format!("the bucket “{}” has a key already", bucket.as_str());
            return again(&state, &operator, StatusCode::CONFLICT, &alert).await;
        }
        Err(error) => return Err(error.into()),
    };
    tracing::info!(
        bucket = bucket.as_str(),
        "an operator has created an API key"
    );
    let page = created(operator.form_token(), &bucket, &key);
    Ok(page::answer(StatusCode::CREATED, page))
}

/// Takes a key away.
pub(super) async fn delete(
    State(state): State<Arc<AdminState>>,
    Submitted { operator, form }: Submitted,
) -> Result<Response, Refusal> {
    let bucket = bucket(&form)?;
    let name = bucket.as_str();
    let notice = if state.keys.revoke(&bucket).await? {
        tracing::info!(bucket = name, "an operator has deleted an API key");
        format!("The key of “{name}” is deleted; whoever uses it is refused from now on.")
    } else {
        format!("“{name}” has no key any more.")
    };
    operator.notify(&notice).await;
    Ok(page::redirect("/admin"))
}

pub(super) fn bucket(form: &Form) -> Result<BucketName, ApiError> {
    BucketName::parse(form.field("bucket")?)
        .ok_or_else(|| ApiError::bad_request("there can be no bucket of this name"))
}

async fn again(
    state: &AdminState,
    operator: &Operator,
    status: StatusCode,
    alert: &str,
) -> Result<Response, Refusal> {
    let buckets = state.keys.list().await?;
    let page = render(operator.form_token(), &Note::alert(alert), &buckets);
    Ok(page::answer(status, page))
}

fn render(token: &FormToken, note: &Note<'_>, buckets: &[KeyedBucket]) -> Markup {
    let content = html! {
        section.card aria-labelledby="keyed" {
            h2 #keyed { "With an API key" }
            @if buckets.is_empty() {
                p.help { "No bucket has a key yet, so no client can use the buckets API." }
            } @else {
                (table(token, buckets))
            }
        }
        section.card aria-labelledby="new" {
            h2 #new { "New API key" }
            form.stack method="post" action="/admin/keys" {
                (page::hidden(token))
                (name_field(""))
                div { button { "Create key" } }
            }
        }
    };
    page::section(Section::Buckets, token, note, &content)
}

fn table(token: &FormToken, buckets: &[KeyedBucket]) -> Markup {
    html! {
        table {
            thead { tr {
                th scope="col" { "Bucket" }
                th scope="col" { "Key created" }
                th scope="col" { span.unseen { "Actions" } }
            } }
            tbody { @for KeyedBucket { bucket, created } in buckets { tr {
                th scope="row" { (bucket.as_str()) }
                td data-label="Key created" { (text::time(*created)) }
                td.act { (deletion(token, bucket)) }
            } } }
        }
    }
}

fn deletion(token: &FormToken, bucket: &BucketName) -> Markup {
    let name = bucket.as_str();
    let form = html! {
        form method="post" action="/admin/keys/delete" {
            (page::hidden(token))
            input type="hidden" name="bucket" value=(name);
            button.danger { "Delete the key of " (name) }
        }
    };
    page::confirmed(
        "Delete key…",
        "Every client that uses the key is refused at once. The sessions stay.",
        &form,
    )
}

fn created(token: &FormToken, bucket: &BucketName, key: &Secret) -> Markup {
    let content = html! {
        section.card aria-labelledby="key" {
            h2 #key { "The API key of " (bucket.as_str()) }
            p { "Copy it now. This page shows it once; afterwards it is told by "
                code { "GET /api-key/" (bucket.as_str()) } " with a master key." }
            output.secret aria-label="API key" { (key.expose()) }
            p { "Clients send it in the header " code { "X-SESSION-KEY" } "." }
            p { a href="/admin" { "Back to the buckets" } }
        }
    };
    let note = Note::notice(Some("The key is created."));
    page::section(Section::Buckets, token, &note, &content)
}

/// A field for the name of a bucket.
pub(super) fn name_field(value: &str) -> Markup {
    html! {
        div.field {
            label for="bucket" { "Bucket" }
            input #bucket name="bucket" value=(value) required maxlength="64" pattern=(NAME)
                autocomplete="off" autocapitalize="none" spellcheck="false"
                aria-describedby="bucket-help";
            p.help #bucket-help { "Letters, digits, “_” and “-”." }
        }
    }
}
