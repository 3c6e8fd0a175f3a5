//! API keys of buckets.

use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use jwt_redis_session::SessionError;
use maud::{Markup, html};
use serde::Deserialize;

use crate::admin::form::Submitted;
use crate::admin::operator::Operator;
use crate::admin::page::{self, Note, PageError, Section};
use crate::admin::text;
use crate::buckets::{BucketName, KeyedBucket};
use crate::error::ApiError;
use crate::secret::Secret;

/// The pattern of bucket names, for the browser.
const NAME: &str = r"[A-Za-z0-9_\-]{1,64}";

#[derive(Deserialize)]
pub(super) struct BucketForm {
    bucket: String,
}

/// Lists the buckets that have a key.
pub(super) async fn list(operator: Operator) -> Result<Markup, PageError> {
    let buckets = operator.state.keys.list().await?;
    // After everything that may fail: an error page does not show the notice.
    let note = operator.take_note().await;
    Ok(render(&operator.form_token, &note, &buckets))
}

/// Creates a key and shows it once.
pub(super) async fn create(
    Submitted { operator, form }: Submitted<BucketForm>,
) -> Result<Response, PageError> {
    let token = &operator.form_token;
    let error = match BucketName::parse(&form.bucket) {
        Some(bucket) => match operator.state.keys.create(&bucket).await {
            Ok(key) => {
                let name = bucket.as_str();
                tracing::info!(bucket = name, "an operator has created an API key");
                let page = created(token, name, &key);
                return Ok((StatusCode::CREATED, page).into_response());
            }
            Err(SessionError::Taken) => ApiError::new(
                StatusCode::CONFLICT,
                format!("the bucket “{}” already has a key", bucket.as_str()),
            ),
            Err(error) => return Err(error.into()),
        },
        None => ApiError::bad_request(
            "a bucket name is 1 to 64 letters, digits, “_” or “-”, and not “settings”",
        ),
    };
    let buckets = operator.state.keys.list().await?;
    Ok(page::rejection(error, |note| render(token, note, &buckets)))
}

/// Deletes a key.
pub(super) async fn delete(
    Submitted { operator, form }: Submitted<BucketForm>,
) -> Result<Redirect, PageError> {
    let bucket = BucketName::parse(&form.bucket)
        .ok_or_else(|| ApiError::bad_request("this is not a valid bucket name"))?;
    let name = bucket.as_str();
    let notice = if operator.state.keys.revoke(&bucket).await? {
        tracing::info!(bucket = name, "an operator has deleted an API key");
        format!("The key of “{name}” has been deleted. Requests with it are now rejected.")
    } else {
        format!("“{name}” has no key.")
    };
    operator.notify(&notice).await;
    Ok(Redirect::to("/admin/buckets"))
}

fn render(token: &Secret, note: &Note, buckets: &[KeyedBucket]) -> Markup {
    let content = html! {
        section.card aria-labelledby="keyed" {
            h2 #keyed { "With an API key" }
            @if buckets.is_empty() {
                p.help { "No bucket has a key, so no client can use the buckets API." }
            } @else {
                (table(token, buckets))
            }
        }
        section.card aria-labelledby="new" {
            h2 #new { "New API key" }
            form.stack method="post" action="/admin/keys" {
                (page::hidden(token))
                (name_field(&html! { "Bucket" }, "Letters, digits, “_” and “-”.", true))
                div { button { "Create key" } }
            }
        }
    };
    page::section(Section::BUCKETS, token, note, &content)
}

fn table(token: &Secret, buckets: &[KeyedBucket]) -> Markup {
    html! {
        table {
            thead { tr {
                th scope="col" { "Bucket" }
                th scope="col" { "Key created" }
                th scope="col" { span.unseen { "Actions" } }
            } }
            tbody { @for (bucket, created) in buckets { tr {
                th scope="row" { (bucket.as_str()) }
                td data-label="Key created" { (text::time(*created)) }
                td.act { (deletion(token, bucket.as_str())) }
            } } }
        }
    }
}

fn deletion(token: &Secret, name: &str) -> Markup {
    let button = html! { button.danger { "Delete the key of " (name) } };
    let form = page::post(token, "/admin/keys/delete", &[("bucket", name)], &button);
    let warning =
        "Requests with this key will be rejected. The sessions of the bucket are not deleted.";
    page::confirmed("Delete key…", warning, &form)
}

fn created(token: &Secret, name: &str, key: &Secret) -> Markup {
    let content = html! {
        section.card aria-labelledby="key" {
            h2 #key { "The API key of " (name) }
            p { "Copy it now: this page shows it only once. Later, "
                code { "GET /api-key/" (name) } " with a master key returns it." }
            div.copied {
                output.secret aria-label="API key" data-copy="the API key" { (key.expose()) }
            }
            p { "Clients send it in the header " code { "X-SESSION-KEY" } "." }
            p { a href="/admin/buckets" { "Back to the buckets" } }
        }
    };
    let note = Note::Notice("The key has been created.".to_owned());
    page::section(Section::BUCKETS, token, &note, &content)
}

/// Renders a field for the name of a bucket.
pub(super) fn name_field(label: &Markup, help: &str, required: bool) -> Markup {
    html! {
        div.field {
            label for="bucket" { (label) }
            input #bucket name="bucket" required[required] maxlength="64" pattern=(NAME)
                autocomplete="off" autocapitalize="none" spellcheck="false"
                aria-describedby="bucket-help" autofocus[required];
            p.help #bucket-help { (help) }
        }
    }
}
