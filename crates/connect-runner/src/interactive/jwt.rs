//! Tokens: signed with HS256 and nothing else.

use jsonwebtoken::{Algorithm, DecodingKey, Validation, errors::ErrorKind};
use serde::de::DeserializeOwned;

/// How far two clocks may be apart, in seconds.
const LEEWAY: u64 = 30;

/// Why a token does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Invalid {
    /// It was signed with another secret, so perhaps it is another's.
    Signature,
    /// What is wrong with it, whatever the secret.
    Token(&'static str),
}

impl Invalid {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Signature => "the token is not signed with the secret",
            Self::Token(text) => text,
        }
    }
}

/// Who may have made a token, and for whom.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expected {
    pub(crate) issuer: Option<String>,
    pub(crate) audience: Option<String>,
}

/// The claims of a token, if it is signed with the secret and has not expired.
pub(crate) fn verify<T: DeserializeOwned>(
    token: &str,
    secret: &str,
    expected: &Expected,
) -> Result<T, Invalid> {
    // Named here, since a program in which two providers are compiled in has no default, and would panic.
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    let mut validation = Validation::new(Algorithm::HS256);
    validation.leeway = LEEWAY;
    validation.validate_nbf = true;
    let mut required = vec!["exp"];
    if let Some(issuer) = &expected.issuer {
        validation.set_issuer(&[issuer]);
        required.push("iss");
    }
    match &expected.audience {
        Some(audience) => {
            validation.set_audience(&[audience]);
            required.push("aud");
        }
        None => validation.validate_aud = false,
    }
    validation.set_required_spec_claims(&required);
    let key = DecodingKey::from_secret(secret.as_bytes());
    let decoded = jsonwebtoken::decode(token, &key, &validation);
    decoded.map(|token| token.claims).map_err(|error| match error.kind() {
        ErrorKind::InvalidSignature => Invalid::Signature,
        ErrorKind::ExpiredSignature => Invalid::Token("the token has expired"),
        ErrorKind::ImmatureSignature => Invalid::Token("the token is not valid yet"),
        ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName => {
            Invalid::Token("the token is not signed with HS256")
        }
        ErrorKind::MissingRequiredClaim(claim) if claim == "exp" => {
            Invalid::Token("the token does not say when it ends")
        }
        ErrorKind::MissingRequiredClaim(_) | ErrorKind::InvalidIssuer | ErrorKind::InvalidAudience => {
            Invalid::Token("the token is from another, or for another")
        }
        _ => Invalid::Token("the token can't be read"),
    })
}

/// Tokens for tests.
#[cfg(test)]
pub(crate) mod testing {
    use jsonwebtoken::{Algorithm, EncodingKey, Header};
    use serde_json::Value;

    pub(crate) fn now() -> u64 {
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
    }

    pub(crate) fn signed(algorithm: Algorithm, secret: &str, claims: &Value) -> String {
        let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
        let key = EncodingKey::from_secret(secret.as_bytes());
        jsonwebtoken::encode(&Header::new(algorithm), claims, &key).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use serde_json::{Value, json};

    use super::{
        testing::{now, signed},
        *,
    };

    fn check(token: &str) -> Result<Value, Invalid> {
        verify(token, "the secret", &Expected::default())
    }

    #[test]
    fn a_signed_token_that_has_not_ended_holds() {
        let claims = json!({"exp": now() + 60, "action_id": "sso"});
        assert_eq!(check(&signed(Algorithm::HS256, "the secret", &claims)), Ok(claims));
    }

    #[test]
    fn what_is_not_signed_with_the_secret_and_hs256_does_not_hold() {
        let claims = json!({"exp": now() + 60});
        assert_eq!(check(&signed(Algorithm::HS256, "another", &claims)), Err(Invalid::Signature));
        let other = Err(Invalid::Token("the token is not signed with HS256"));
        assert_eq!(check(&signed(Algorithm::HS512, "the secret", &claims)), other);
        // As if the secret were a public key, and without any signature.
        let good = signed(Algorithm::HS256, "the secret", &claims);
        let (_, rest) = good.split_once('.').unwrap();
        let (payload, _) = rest.split_once('.').unwrap();
        let with_header = |header: &Value, end: &str| {
            let header = URL_SAFE_NO_PAD.encode(header.to_string());
            check(&format!("{header}.{end}"))
        };
        assert_eq!(with_header(&json!({"alg": "RS256", "typ": "JWT"}), rest), other);
        assert_eq!(with_header(&json!({"alg": "HS384"}), rest), other);
        for none in ["none", "None", "NONE", ""] {
            let unsigned = with_header(&json!({"alg": none}), &format!("{payload}."));
            assert!(matches!(unsigned, Err(Invalid::Token(_))), "{none}: {unsigned:?}");
        }
        let changed = URL_SAFE_NO_PAD.encode(json!({"exp": now() + 3600}).to_string());
        let signature = good.rsplit_once('.').unwrap().1;
        let header = good.split_once('.').unwrap().0;
        assert_eq!(check(&format!("{header}.{changed}.{signature}")), Err(Invalid::Signature));
    }

    #[test]
    fn a_token_has_an_end_and_a_beginning() {
        let ends = |exp: Value| check(&signed(Algorithm::HS256, "the secret", &json!({"exp": exp})));
        assert_eq!(ends(json!(now() - 31)), Err(Invalid::Token("the token has expired")));
        assert!(ends(json!(now() - 20)).is_ok(), "clocks differ");
        assert!(matches!(ends(json!("tomorrow")), Err(Invalid::Token(_))));
        let endless = signed(Algorithm::HS256, "the secret", &json!({}));
        assert_eq!(check(&endless), Err(Invalid::Token("the token does not say when it ends")));
        let early = json!({"exp": now() + 600, "nbf": now() + 300});
        let early = check(&signed(Algorithm::HS256, "the secret", &early));
        assert_eq!(early, Err(Invalid::Token("the token is not valid yet")));
    }

    #[test]
    fn issuer_and_audience_are_wanted_where_they_are_named() {
        let expected = Expected { issuer: Some("shop".into()), audience: Some("us".into()) };
        let check = |claims: &Value| {
            verify::<Value>(&signed(Algorithm::HS256, "the secret", claims), "the secret", &expected)
        };
        assert!(check(&json!({"exp": now() + 9, "iss": "shop", "aud": "us"})).is_ok());
        assert!(check(&json!({"exp": now() + 9, "iss": "shop"})).is_err());
        assert!(check(&json!({"exp": now() + 9, "aud": "us"})).is_err());
        assert!(check(&json!({"exp": now() + 9, "iss": "shop", "aud": "them"})).is_err());
    }

    #[test]
    fn garbage_does_not_hold() {
        for token in ["", ".", "..", "a.b.c", "ä.ö.ü", &"a".repeat(100_000)] {
            assert!(matches!(check(token), Err(Invalid::Token(_))));
        }
    }
}
