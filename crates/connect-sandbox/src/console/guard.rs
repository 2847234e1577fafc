//! Who may use the console. It asks for no key, so a page of somebody else must not reach it through a browser of this
//! machine: not by a name that leads here (DNS rebinding), not by a form that is sent here, not in a frame.

use axum::{
    extract::Request,
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, ORIGIN, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
            X_FRAME_OPTIONS,
        },
    },
    middleware::Next,
    response::{IntoResponse, Response},
};

const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// `Referrer-Policy` is not `no-referrer`: browsers would then send no origin with the console's own forms.
const HEADERS: [(HeaderName, &str); 6] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_FRAME_OPTIONS, "DENY"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "same-origin"),
    (CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

pub(super) async fn guard(request: Request, next: Next) -> Response {
    let mut response = match refusal(request.method(), request.uri(), request.headers()) {
        Some(reason) => (StatusCode::FORBIDDEN, reason).into_response(),
        None => next.run(request).await,
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn refusal(method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<&'static str> {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(host) = text(&HOST).or_else(|| uri.authority().map(axum::http::uri::Authority::as_str)) else {
        return Some("The Host header is missing.");
    };
    if !is_own(host) {
        return Some("The console answers to localhost and to IP addresses alone.");
    }
    if matches!(*method, Method::GET | Method::HEAD) {
        return None;
    }
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    if site.is_some_and(|site| !matches!(site, b"same-origin" | b"none")) {
        return Some("Another site sent this form.");
    }
    // Every browser tells the origin of a form; what does not is to use REST.
    let origin = text(&ORIGIN).and_then(|origin| origin.split_once("://"));
    (!origin.is_some_and(|(_, from)| from.eq_ignore_ascii_case(host)))
        .then_some("The Origin header is missing, or is not the console's own.")
}

/// Whether a host is no name that somebody else could have led here.
fn is_own(host: &str) -> bool {
    let Ok(url) = url::Url::parse(&format!("http://{host}/")) else { return false };
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(_) | url::Host::Ipv6(_)) => true,
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(method: &Method, headers: &[(&'static str, &str)]) -> bool {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
            .collect();
        refusal(method, &Uri::from_static("/"), &headers).is_some()
    }

    #[test]
    fn a_name_that_leads_here_is_refused() {
        for host in ["localhost:80", "127.0.0.1:8080", "[::1]:8080", "192.168.0.7", "sandbox.localhost"] {
            assert!(!refused(&Method::GET, &[("host", host)]), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8080", "", "a b", "@"]
        {
            assert!(refused(&Method::GET, &[("host", host)]), "{host}");
        }
        assert!(refused(&Method::GET, &[]));
    }

    #[test]
    fn a_form_of_another_site_is_refused() {
        let host = ("host", "127.0.0.1:8080");
        let origin = ("origin", "http://127.0.0.1:8080");
        assert!(!refused(&Method::POST, &[host, origin]));
        assert!(!refused(&Method::POST, &[host, ("origin", "https://127.0.0.1:8080")]));
        assert!(!refused(&Method::POST, &[host, origin, ("sec-fetch-site", "same-origin")]));
        for wrong in [
            &[host] as &[_],
            &[host, ("origin", "null")],
            &[host, ("origin", "http://evil.example")],
            &[host, ("origin", "http://127.0.0.1:9999")],
            &[host, origin, ("sec-fetch-site", "cross-site")],
            &[host, origin, ("sec-fetch-site", "same-site")],
            &[("host", "evil.example"), ("origin", "http://evil.example")],
        ] {
            assert!(refused(&Method::POST, wrong), "{wrong:?}");
        }
    }
}
