//! Listings, usage, conversations and cases in the console, as a browser sees them.

use reqwest::{
    Client, StatusCode,
    multipart::{Form, Part},
};

use crate::{
    support::Rest,
    usage::{HEADER, PRODUCT, row, started},
};

const HOSTILE: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>";

#[tokio::test]
async fn all_of_it_is_done_by_hand_and_nothing_is_rendered_unescaped() {
    let sandbox = started().await;
    let rest = Rest(&sandbox);
    let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let origin = sandbox.url();
    let page = async |path: &str| {
        let answer = client.get(format!("{origin}{path}")).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let page = answer.text().await.unwrap();
        for harm in ["<script>", "<img", "\"'>", "onerror=alert(1)>"] {
            assert!(!page.contains(harm), "{harm} on {path}");
        }
        page
    };
    let post = async |path: &str, fields: &[(&str, &str)]| {
        let call = client.post(format!("{origin}{path}")).header("Origin", &origin);
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let answer =
            call.header("Content-Type", "application/x-www-form-urlencoded").body(body).send().await.unwrap();
        let to = answer.headers().get("Location").map(|to| to.to_str().unwrap().to_owned());
        to.unwrap_or_else(|| answer.status().to_string())
    };
    let at = post(
        "/usage",
        &[
            ("name", HOSTILE),
            ("product", PRODUCT),
            ("contract", "CRD-00000-00000-00001"),
            ("description", HOSTILE),
        ],
    )
    .await;
    assert!(at.starts_with("/usage/UF-"), "{at}");
    let id = at.strip_prefix("/usage/").unwrap().to_owned();
    let rows = format!("{HEADER}{}", row(HOSTILE.replace('"', "'").as_str(), "tenant-1", "1"));
    let form = Form::new().part("usage_file", Part::bytes(rows.into_bytes()).file_name("u.csv"));
    let sent = client
        .post(format!("{origin}{at}/upload"))
        .header("Origin", &origin)
        .multipart(form)
        .send()
        .await
        .unwrap();
    assert_eq!(sent.headers()["Location"], at.as_str());
    assert!(page(&at).await.contains("/media/"), "what was uploaded can be fetched");
    for (action, status) in [("submit", "pending"), ("accept", "accepted")] {
        assert_eq!(post(&format!("{at}/{action}"), &[("note", HOSTILE)]).await, at);
        assert_eq!(rest.get(&format!("usage/files/{id}")).await.1["status"], status);
        page(&at).await;
    }
    assert_eq!(post(&format!("{at}/submit"), &[]).await, "400 Bad Request");
    let record = rest.get(&format!("usage/records?eq(usagefile.id,{id})")).await.1[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(post(&format!("/usage-records/{record}/close"), &[("bill", "")]).await, "400 Bad Request");
    assert_eq!(post(&format!("/usage-records/{record}/close"), &[("bill", HOSTILE)]).await, at);
    assert_eq!(rest.get(&format!("usage/files/{id}")).await.1["status"], "closed");
    let chunk = rest.get("usage/chunks").await.1[0]["id"].as_str().unwrap().to_owned();
    let book = client.get(format!("{origin}/usage-chunks/{chunk}/download")).send().await.unwrap();
    assert!(book.bytes().await.unwrap().starts_with(b"PK"));

    let at =
        post("/listings", &[("type", "remove"), ("listing_id", "LST-000-000-001"), ("note", HOSTILE)]).await;
    assert!(at.starts_with("/listing-requests/LSTR-"), "{at}");
    for action in ["submit", "assign", "deploy", "complete"] {
        assert_eq!(post(&format!("{at}/{action}"), &[]).await, at, "{action}");
    }
    assert_eq!(rest.get("listings/LST-000-000-001").await.1["status"], "unlisted");
    let case = [
        ("subject", HOSTILE),
        ("description", HOSTILE),
        ("type", "technical"),
        ("priority", "2"),
        ("from", "vendor"),
    ];
    let of_case = post("/cases", &case).await;
    assert!(of_case.starts_with("/cases/CA-"), "{of_case}");
    assert_eq!(post(&format!("{of_case}/resolve"), &[]).await, of_case);
    assert_eq!(post(&format!("{of_case}/close"), &[("rating", "5"), ("feedback", HOSTILE)]).await, of_case);
    for (instance, of_instance) in [
        ("PR-1", "/requests/PR-1"),
        (&id, &format!("/usage/{id}")),
        (of_case.strip_prefix("/cases/").unwrap(), &of_case),
    ] {
        let path = format!("/conversations/{instance}");
        assert_eq!(
            post(&format!("{path}/say"), &[("text", HOSTILE), ("from", "vendor"), ("type", "private")]).await,
            of_instance
        );
        assert!(page(of_instance).await.contains("alert(1)"), "the message is there");
        assert_eq!(post(&format!("{path}/close"), &[]).await, of_instance);
    }
    for path in ["/usage", "/usage?status=closed", "/listings", &at, "/cases", "/cases?state=closed"] {
        page(path).await;
    }
    assert_eq!(post("/conversations/PR-9/say", &[("text", "x")]).await, "404 Not Found");
}
