//! The methods in the OpenAPI document: one path per method, with its arguments and its result.
#![expect(dead_code, reason = "only for the OpenAPI document")]

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::Value;
use utoipa::openapi::{ArrayBuilder, ObjectBuilder, OneOf, Ref, RefOr, Schema, Type};
use utoipa::{OpenApi, ToSchema};

use crate::rpc::openapi::Errors;
use crate::rpc::wire::CallErrorBody;

#[derive(OpenApi)]
#[openapi(paths(create, get, update, destroy, list, destroy_all, methods))]
pub(super) struct MethodDocs;

/// Stores a new session of a user, and returns its token.
#[utoipa::path(post, path = "/rpc/create", tag = "rpc", operation_id = "rpc_create",
    security((), ("rpc_secret" = [])),
    request_body = CreateCall,
    responses((status = 200, description = "The token.", body = CreateResult),
        Errors<CallErrorBody<'_>>))]
const fn create() {}

/// Returns fields of a session, and resets its time to live.
#[utoipa::path(post, path = "/rpc/get", tag = "rpc", operation_id = "rpc_get",
    security((), ("rpc_secret" = [])),
    request_body = GetCall,
    responses((status = 200, description = "The fields, or null if the session has ended.",
            body = GetResult),
        Errors<CallErrorBody<'_>>))]
const fn get() {}

/// Sets fields of a session, keeps all others, and resets its time to live.
#[utoipa::path(post, path = "/rpc/update", tag = "rpc", operation_id = "rpc_update",
    security((), ("rpc_secret" = [])),
    request_body = UpdateCall,
    responses((status = 200, description = "`OK`.", body = OkResult),
        Errors<CallErrorBody<'_>>))]
const fn update() {}

/// Ends a session.
#[utoipa::path(post, path = "/rpc/destroy", tag = "rpc", operation_id = "rpc_destroy",
    security((), ("rpc_secret" = [])),
    request_body = TokenCall,
    responses((status = 200, description = "`OK`.", body = OkResult),
        Errors<CallErrorBody<'_>>))]
const fn destroy() {}

/// Lists the sessions of a user.
///
/// Without `limit` and `cursor`, the result is a list of the sessions that were used last, at most
/// 1000 and about 4 MiB, oldest first. With one of them, it is a page: the session that was not used
/// for the longest time is the first one, and `cursor` gets the next page.
#[utoipa::path(post, path = "/rpc/getActiveSessions", tag = "rpc",
    operation_id = "rpc_get_active_sessions",
    security((), ("rpc_secret" = [])), request_body = ListCall,
    responses((status = 200, description = "The sessions.",
            body = ListResult),
        Errors<CallErrorBody<'_>>))]
const fn list() {}

/// Ends all sessions of a user, and returns their number.
#[utoipa::path(post, path = "/rpc/destroyAll", tag = "rpc", operation_id = "rpc_destroy_all",
    security((), ("rpc_secret" = [])),
    request_body = UserCall,
    responses((status = 200, description = "The number of sessions.", body = CountResult),
        Errors<CallErrorBody<'_>>))]
const fn destroy_all() {}

/// Lists all methods.
#[utoipa::path(post, path = "/rpc/methods", tag = "rpc", operation_id = "rpc_methods",
    security((), ("rpc_secret" = [])),
    responses((status = 200, description = "The methods.", body = MethodsResult),
        Errors<CallErrorBody<'_>>))]
const fn methods() {}

/// A call of a method with these arguments, as a JSON object or as a text that contains one.
struct MethodCall<A>(A);

// `utoipa::path` would resolve the arguments of a generic type itself.
type CreateCall = MethodCall<CreateArguments>;
type GetCall = MethodCall<GetArguments>;
type UpdateCall = MethodCall<UpdateArguments>;
type TokenCall = MethodCall<TokenArguments>;
type UserCall = MethodCall<UserArguments>;
type ListCall = MethodCall<ListArguments>;

impl<A: ToSchema> utoipa::PartialSchema for MethodCall<A> {
    fn schema() -> RefOr<Schema> {
        let description = "The arguments: a JSON object, or a string that contains one as JSON.";
        let arguments = OneOf::builder()
            .description(Some(description))
            .item(Ref::from_schema_name(A::name()))
            .item(ObjectBuilder::new().schema_type(Type::String));
        ObjectBuilder::new()
            .property("args", arguments)
            .required("args")
            .into()
    }
}

impl<A: ToSchema> ToSchema for MethodCall<A> {
    fn name() -> Cow<'static, str> {
        format!("{}Call", A::name().trim_end_matches("Arguments")).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((A::name().into(), A::schema()));
        A::schemas(schemas);
    }
}

/// The fields of a session, by name; their values are any JSON.
#[derive(ToSchema)]
#[schema(example = json!({ "cart": [17, 42] }))]
struct Fields(HashMap<String, Value>);

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
struct CreateArguments {
    session: Fields,
    /// The owner of the session: 1 to 512 bytes.
    #[schema(example = "jo")]
    user_id: String,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
struct GetArguments {
    token: String,
    #[schema(example = "v1")]
    session_version: String,
    #[schema(schema_with = keys, required = false)]
    keys: (),
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
struct UpdateArguments {
    token: String,
    #[schema(example = "v1")]
    session_version: String,
    session: Fields,
}

/// The session of a token.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
struct TokenArguments {
    token: String,
    #[schema(example = "v1")]
    session_version: String,
}

/// The sessions of a user.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
struct UserArguments {
    #[schema(example = "jo")]
    user_id: String,
    #[schema(example = "v1")]
    session_version: String,
}

/// The sessions of a user, or a page of them.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
struct ListArguments {
    #[schema(example = "jo")]
    user_id: String,
    #[schema(example = "v1")]
    session_version: String,
    /// The largest number of sessions of a page; 1000 if absent.
    #[schema(minimum = 1, maximum = 1000)]
    limit: Option<u64>,
    /// The `cursor` of the page before; absent for the first page.
    cursor: Option<String>,
}

#[derive(ToSchema)]
struct NewToken {
    /// The signed token, which names the session.
    token: String,
}

#[derive(ToSchema)]
struct CreateResult {
    result: NewToken,
}

#[derive(ToSchema)]
struct GetResult {
    #[schema(required)]
    result: Option<Fields>,
}

#[derive(ToSchema)]
struct OkResult {
    #[schema(example = "OK")]
    result: String,
}

#[derive(ToSchema)]
struct ListResult {
    result: Listed,
}

#[derive(ToSchema)]
#[serde(untagged)]
enum Listed {
    All(Vec<ListedSession>),
    Page(ListedPage),
}

/// A page of sessions.
#[derive(ToSchema)]
struct ListedPage {
    sessions: Vec<ListedSession>,
    /// Gets the next page; null if this is the last one.
    #[schema(required)]
    cursor: Option<String>,
}

#[derive(ToSchema)]
struct CountResult {
    result: u64,
}

#[derive(ToSchema)]
struct MethodsResult {
    result: Vec<MethodHelp>,
}

/// A session of a user; times in Unix seconds.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
struct ListedSession {
    #[schema(example = "v1_jo_1b4e28ba-2fa1-4d12-883f-0016d3cca427")]
    session_id: String,
    #[schema(required, example = 1_767_225_600)]
    created_at: Option<u64>,
    /// When the session expires if it is not used.
    #[schema(required, example = 1_767_225_600)]
    expires_at: Option<u64>,
    session: Fields,
}

#[derive(ToSchema)]
struct MethodHelp {
    #[schema(example = "create")]
    name: String,
    docs: String,
}

fn keys() -> Schema {
    let name = || ObjectBuilder::new().schema_type(Type::String);
    let description = "`*` for all fields, a name, or a list of names. No field if absent.";
    OneOf::builder()
        .description(Some(description))
        .item(name())
        .item(ArrayBuilder::new().items(name()))
        .into()
}
