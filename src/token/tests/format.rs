//! Both token formats as `Sessions` uses them.

use serde_json::{Map, json};

use super::forge::*;
use crate::token::{NewClaims, TokenError, TokenFormat};
use crate::{OpaqueTokens, TokenRejection};

#[test]
fn exp_is_required_only_on_demand() {
    let format = TokenFormat::from(keyring());
    let bare = forge(HEADER, CLAIMS);
    let expiring = forge(HEADER, with_claims(r#""exp":1700000001"#));
    let rejection = |token: &str, required| format.identify(token, at(NOW), required).err();
    assert_eq!(rejection(&bare, false), None);
    assert_eq!(rejection(&bare, true), Some(TokenRejection::Claim));
    assert_eq!(rejection(&expiring, true), None);
}

#[test]
fn opaque_token_carries_no_claims() {
    let format = TokenFormat::from(OpaqueTokens::new());
    let unused = || unreachable!("the id is the hash of the token");
    let empty = Map::new();
    let claims = NewClaims::at(at(NOW)).subject("s").expires_at(at(NOW));
    let (id, token) = format.issue(&claims.custom(&empty), unused).unwrap();
    assert!(!id.as_str().contains(token.as_str()));
    let identified = format.identify(token.as_str(), at(-1), true).unwrap();
    assert_eq!(*identified.id(), id);
    assert!(identified.claims().is_none());
    let custom = Map::from_iter([("role".into(), json!("admin"))]);
    let error = format.issue(&claims.custom(&custom), unused).unwrap_err();
    assert_eq!(error, TokenError::ClaimsUnsupported);
    let jwt = format.identify(&forge(HEADER, CLAIMS), at(NOW), false);
    assert_eq!(jwt.unwrap_err(), TokenRejection::Malformed);
}
