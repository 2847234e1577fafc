//! Tokens of product actions and custom events: HS256, as Connect's.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde_json::Value;

use crate::api_error::ApiError;

/// How far two clocks may be apart, in seconds.
const LEEWAY: u64 = 30;

/// Signs what a token says.
pub(crate) fn sign(secret: &str, payload: &Value) -> Result<String, ApiError> {
    provide();
    let key = EncodingKey::from_secret(secret.as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), payload, &key)
        .map_err(|error| ApiError::bad("VAL_001", format!("The token can't be signed: {error}.")))
}

/// What a token says, if it is signed by the secret and its time is not over.
pub(crate) fn verify(secret: &str, token: &str) -> Result<Value, ApiError> {
    provide();
    let mut validation = Validation::new(Algorithm::HS256);
    validation.leeway = LEEWAY;
    validation.validate_nbf = true;
    validation.validate_aud = false;
    // Whoever can choose an empty secret can sign all.
    if secret.is_empty() {
        return Err(ApiError::unauthorized());
    }
    let key = DecodingKey::from_secret(secret.as_bytes());
    let decoded = jsonwebtoken::decode::<Value>(token, &key, &validation);
    decoded.map(|token| token.claims).map_err(|error| ApiError {
        errors: vec![format!("API request is unauthorized: {error}.")],
        ..ApiError::unauthorized()
    })
}

/// A program in which two providers are compiled in has no default, and would panic.
fn provide() {
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_token_holds_for_its_secret_and_its_time() {
        let in_seconds =
            |seconds: i64| json!({"exp": Timestamp::now().as_second() + seconds, "action_id": "sso"});
        let token = sign("s3cr3t", &in_seconds(60)).unwrap();
        assert_eq!(verify("s3cr3t", &token).unwrap()["action_id"], "sso");
        for (secret, token) in [
            ("other", token.clone()),
            ("", sign("", &in_seconds(60)).unwrap()),
            ("s3cr3t", sign("s3cr3t", &in_seconds(-60)).unwrap()),
            ("s3cr3t", sign("s3cr3t", &json!({"action_id": "sso"})).unwrap()),
            ("s3cr3t", format!("{token}x")),
            ("s3cr3t", "a.b.c".to_owned()),
            ("s3cr3t", String::new()),
        ] {
            assert_eq!(verify(secret, &token).unwrap_err().code, "AUTH_001", "{token}");
        }
    }
}
