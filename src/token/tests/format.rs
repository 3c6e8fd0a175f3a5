//! Both token formats as `Sessions` uses them.

use serde_json::{Map, json};

use super::forge::*;
use crate::token::{NewClaims, TokenError, TokenFormat};
use crate::{OpaqueTokens, SessionId, TokenRejection};

#[test]
fn a_jwt_takes_the_id_it_is_given() {
    let format = TokenFormat::from(keyring());
    let id = SessionId::parse(ID).unwrap();
    let (issued, token) = format
        .issue(&NewClaims::at(at(NOW)), || id.clone())
        .unwrap();
    assert_eq!(issued, id);
    let identified = format.identify(token.as_str(), at(NOW), false).unwrap();
    assert_eq!(*identified.id(), id);
    assert_eq!(identified.claims().unwrap().issued_at(), Some(at(NOW)));
}

#[test]
fn r10_exp_is_required_only_on_demand() {
    let format = TokenFormat::from(keyring());
    let bare = forge(HEADER, CLAIMS);
    let expiring = forge(HEADER, with_claims(r#""exp":1700000001"#));
    let refusal = |token: &str, required| format.identify(token, at(NOW), required).err();
    assert_eq!(refusal(&bare, false), None);
    assert_eq!(refusal(&bare, true), Some(TokenRejection::Claim));
    assert_eq!(refusal(&expiring, true), None);
}

#[test]
fn an_opaque_token_is_its_own_id_and_carries_no_claims() {
    let format = TokenFormat::from(OpaqueTokens::new());
    let unused = || unreachable!("opaque tokens draw their own id");
    let empty = Map::new();
    let claims = NewClaims::at(at(NOW))
        .subject("s")
        .expires_at(at(NOW))
        .custom(&empty);
    let (id, token) = format.issue(&claims, unused).unwrap();
    assert!(!id.as_str().contains(token.as_str()));
    let identified = format.identify(token.as_str(), at(-1), true).unwrap();
    assert_eq!(*identified.id(), id);
    assert!(identified.claims().is_none());
    let mut custom = Map::new();
    custom.insert("role".into(), json!("admin"));
    let refused = format.issue(&NewClaims::at(at(NOW)).custom(&custom), unused);
    assert_eq!(refused.unwrap_err(), TokenError::ClaimsUnsupported);
    let jwt = forge(HEADER, CLAIMS);
    assert_eq!(
        format.identify(&jwt, at(NOW), false).unwrap_err(),
        TokenRejection::Malformed
    );
}
