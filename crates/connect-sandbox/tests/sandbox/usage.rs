//! Usage files, from their upload to the closing of their records, over REST and in the console.

use connect_sandbox::Sandbox;
use reqwest::{
    Client, Method, StatusCode,
    multipart::{Form, Part},
};
use rust_xlsxwriter::Workbook;
use serde_json::{Value, json};

use crate::support::{ENVIRONMENT, Rest, Runner, purchase};

pub(crate) const PRODUCT: &str = "PRD-000-100-001";
pub(crate) const HEADER: &str = "record_id,record_note,item_search_criteria,item_search_value,amount,quantity,start_time_utc,\
                      end_time_utc,asset_search_criteria,asset_search_value,category_id\n";

/// An active asset with a tenant, of a hub.
fn asset(number: u32, hub: &str) -> Value {
    let mut request = purchase(&format!("PR-{number}"));
    request["status"] = json!("approved");
    request["asset"] = json!({"id": format!("AS-{number}"), "status": "active", "external_id": format!("E-{number}"),
        "product": {"id": PRODUCT}, "connection": {"id": "CT-1", "hub": {"id": hub, "name": hub}},
        "params": [{"id": "tenant_id", "value": format!("tenant-{number}")}]});
    request
}

pub(crate) async fn started() -> Sandbox {
    let requests = [asset(1, "HB-0000-0001"), asset(2, "HB-0000-0002")];
    Sandbox::builder().requests(requests).start().await.unwrap()
}

/// A row for an asset's tenant, with so much traffic.
pub(crate) fn row(id: &str, tenant: &str, quantity: &str) -> String {
    format!(
        "{id},,item.mpn,NW-TRAFFIC,,{quantity},2026-01-01 00:00:00,2026-01-31 23:59:59,parameter.tenant_id,{tenant},traffic\n"
    )
}

async fn draft(rest: &Rest<'_>) -> String {
    let body = json!({"name": "January", "product": {"id": PRODUCT}, "contract": {"id": "CRD-00000-00000-00001"},
        "period": {"from": "2026-01-01", "to": "2026-01-31"}, "description": "All", "external_id": "X-1"});
    let (status, file) = rest.post("usage/files", body).await;
    assert_eq!((status, &file["status"]), (StatusCode::CREATED, &json!("draft")), "{file}");
    file["id"].as_str().unwrap().to_owned()
}

async fn send(
    sandbox: &Sandbox,
    key: &str,
    path: &str,
    field: &'static str,
    file: Vec<u8>,
    name: &str,
) -> (StatusCode, Value) {
    let form = Form::new().text("other", "x").part(field, Part::bytes(file).file_name(name.to_owned()));
    let call = Client::new().post(format!("{}/public/v1/{path}", sandbox.url())).header("Authorization", key);
    let answer = call.multipart(form).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap_or_default())
}

async fn upload(sandbox: &Sandbox, id: &str, file: impl Into<Vec<u8>>) -> (StatusCode, Value) {
    let path = format!("usage/files/{id}/upload");
    send(sandbox, sandbox.api_key(), &path, "usage_file", file.into(), "usage.csv").await
}

/// A file of three records, as far as it is accepted.
async fn accepted(sandbox: &Sandbox) -> (String, Value) {
    let rest = Rest(sandbox);
    let id = draft(&rest).await;
    let rows =
        [row("r1", "tenant-1", "1.5"), row("r2", "tenant-1", "2"), row("r3", "tenant-2", "4")].concat();
    let (_, file) = upload(sandbox, &id, format!("{HEADER}{rows}")).await;
    assert_eq!(file["status"], "ready", "{file}");
    assert_eq!(rest.post(&format!("usage/files/{id}/submit"), json!(null)).await.1["status"], "pending");
    let body = json!({"acceptance_note": "All is right"});
    let (_, file) = rest.order(&format!("usage/files/{id}/accept"), body).await;
    assert_eq!((&file["status"], &file["acceptance_note"]), (&json!("accepted"), &json!("All is right")));
    (id, file)
}

fn ids(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

fn counts(file: &Value) -> [u64; 5] {
    ["uploaded", "validated", "pending", "accepted", "closed"]
        .map(|counter| file["stats"][counter].as_u64().unwrap())
}

#[tokio::test]
async fn a_file_is_read_submitted_accepted_and_closed() {
    let sandbox = started().await;
    let rest = Rest(&sandbox);
    let id = draft(&rest).await;
    let (_, file, _) = rest.get(&format!("usage/files/{id}")).await;
    assert_eq!(
        (&file["schema"], &file["currency"], &file["marketplace"]["id"]),
        (&json!("qt"), &json!("EUR"), &json!("MP-00001"))
    );
    assert!(file["usage_file_uri"].is_null(), "nothing is uploaded yet");
    let rows = [row("r1", "tenant-1", "1.5"), row("r2", "tenant-2", "2")].concat();
    let (status, file) = upload(&sandbox, &id, format!("{HEADER}{rows}")).await;
    assert_eq!(
        (status, &file["status"], counts(&file)),
        (StatusCode::OK, &json!("ready"), [2, 2, 0, 0, 0]),
        "{file}"
    );
    let (_, records, range) = rest.get(&format!("usage/records?eq(usagefile.id,{id})")).await;
    assert_eq!(range, "items 0-1/2");
    let record = &records[0];
    assert!(record["id"].as_str().unwrap().starts_with("UR-"), "{record}");
    assert_eq!(
        (
            &record["asset"]["id"],
            &record["item"]["mpn"],
            &record["usage"],
            &record["status"],
            &record["start_date"]
        ),
        (
            &json!("AS-1"),
            &json!("NW-TRAFFIC"),
            &json!(1.5),
            &json!("valid"),
            &json!("2026-01-01T00:00:00+00:00")
        )
    );
    assert_eq!(rest.get(&format!("usage/files/{id}/categories")).await.1[0]["id"], "traffic");
    let (_, file) = rest.post(&format!("usage/files/{id}/submit"), json!(null)).await;
    assert_eq!((&file["status"], counts(&file)), (&json!("pending"), [2, 0, 2, 0, 0]));
    let (_, file) = rest.order(&format!("usage/files/{id}/accept"), json!({})).await;
    assert_eq!((&file["status"], counts(&file)), (&json!("accepted"), [2, 0, 0, 2, 0]));
    let (_, chunks, _) = rest.get(&format!("usage/chunks?eq(usagefile.id,{id})")).await;
    let bound: Vec<_> =
        chunks.as_array().unwrap().iter().map(|own| (&own["status"], &own["binding"])).collect();
    let first = json!({"hub": {"id": "HB-0000-0001", "name": "HB-0000-0001"}, "external_id": "1"});
    let second = json!({"hub": {"id": "HB-0000-0002", "name": "HB-0000-0002"}, "external_id": "10001"});
    assert_eq!(bound, [(&json!("ready"), &first), (&json!("ready"), &second)]);
    let (_, file) = rest.order(&format!("usage/files/{id}/close"), json!(null)).await;
    assert_eq!(
        (&file["status"], counts(&file), &file["records"]["closed"]),
        (&json!("closed"), [2, 0, 0, 0, 2], &json!(2))
    );
    assert_eq!(
        rest.get(&format!("usage/records?eq(usagefile.id,{id})&eq(status,closed)&limit=0")).await.2,
        "items 0-0/2"
    );
    assert_eq!(rest.get("usage/chunks?eq(status,closed)&limit=0").await.2, "items 0-0/2");
}

#[tokio::test]
async fn rows_that_are_wrong_are_counted_and_told() {
    let sandbox = started().await;
    let rest = Rest(&sandbox);
    let id = draft(&rest).await;
    let rows =
        [row("r1", "tenant-1", "1.5"), row("r2", "tenant-9", "many"), row("r1", "tenant-2", "2")].concat();
    let (status, file) = upload(&sandbox, &id, format!("{HEADER}{rows}")).await;
    assert_eq!((status, &file["status"]), (StatusCode::OK, &json!("invalid")));
    assert_eq!(
        (counts(&file), &file["records"]),
        ([3, 0, 0, 0, 0], &json!({"valid": 1, "invalid": 2, "closed": 0}))
    );
    assert_eq!(
        file["error_detail"],
        "2 of 3 records are invalid. Row 3: asset_search_value: The product has no asset with parameter.tenant_id \
         \"tenant-9\". quantity: A valid number is required."
    );
    let (_, records, _) = rest.get(&format!("usage/records?eq(usagefile.id,{id})&eq(status,invalid)")).await;
    assert_eq!(records[1]["error_details"], "record_id: \"r1\" is there twice.");
    // What became of it can be fetched without a key, mended and sent again.
    let link = file["processed_file_uri"].as_str().unwrap();
    let answer = Client::new().get(link).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let processed = answer.bytes().await.unwrap().to_vec();
    let (_, again) = send(
        &sandbox,
        sandbox.api_key(),
        &format!("usage/files/{id}/upload"),
        "usage_file",
        processed,
        "p.xlsx",
    )
    .await;
    assert_eq!(
        (&again["status"], counts(&again)[0]),
        (&json!("invalid"), 3),
        "its rows are as wrong as before"
    );
    let uploaded = again["usage_file_uri"].as_str().unwrap();
    assert!(Client::new().get(uploaded).send().await.unwrap().bytes().await.unwrap().starts_with(b"PK"));
    assert_eq!(
        Client::new().get(uploaded.replace("/media/", "/media/x")).send().await.unwrap().status(),
        StatusCode::NOT_FOUND
    );

    let (_, mended) = upload(&sandbox, &id, format!("{HEADER}{}", row("r1", "tenant-1", "1.5"))).await;
    assert_eq!(
        (&mended["status"], &mended["error_detail"], counts(&mended)),
        (&json!("ready"), &Value::Null, [1, 1, 0, 0, 0])
    );
    assert_eq!(
        rest.get(&format!("usage/records?eq(usagefile.id,{id})&limit=0")).await.2,
        "items 0-0/1",
        "in place of the others"
    );
    for (file, error) in [
        ("", "usage_file: The submitted file is empty."),
        (HEADER, "The file has no records."),
        ("\u{0}\u{1}", "The file has no records."),
        ("PK\u{3}\u{4}", "The file is not a workbook (XLSX): "),
    ] {
        let (_, answer) = upload(&sandbox, &id, file).await;
        let told = answer["error_detail"].as_str().or(answer["errors"][0].as_str()).unwrap().to_owned();
        assert!(told.starts_with(error), "{told}");
    }
}

#[tokio::test]
async fn a_workbook_as_connects_libraries_write_it_is_read() {
    let sandbox = started().await;
    let rest = Rest(&sandbox);
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("usage_records").unwrap();
    let columns = [
        "record_id",
        "item_search_criteria",
        "item_search_value",
        "quantity",
        "start_time_utc",
        "end_time_utc",
        "asset_search_criteria",
        "asset_search_value",
        "tier",
        "region",
    ];
    for (column, name) in (0..).zip(columns) {
        sheet.write(0, column, name).unwrap();
    }
    let cells = [
        "r1",
        "item.local_id",
        "PRD_000_100_001_0006",
        "",
        "2026-01-01 00:00:00",
        "2026-01-31 00:00:00",
        "asset.id",
        "AS-2",
        "",
        "eu",
    ];
    for (column, cell) in (0..).zip(cells).filter(|(_, cell)| !cell.is_empty()) {
        sheet.write(1, column, cell).unwrap();
    }
    sheet.write(1, 3, 7).unwrap().write(1, 8, 2).unwrap();
    let id = draft(&rest).await;
    let (_, file) = upload(&sandbox, &id, book.save_to_buffer().unwrap()).await;
    assert_eq!(file["status"], "ready", "{file}");
    let record = rest.get(&format!("usage/records?eq(usagefile.id,{id})")).await.1[0].clone();
    assert_eq!(
        (&record["usage"], &record["tier"], &record["asset_id"]),
        (&json!(7.0), &json!(2), &json!("AS-2"))
    );
    assert_eq!(record["params"], json!([{"parameter_name": "region", "parameter_value": "eu"}]));
    let (_, template, _) = rest.get(&format!("usage/products/{PRODUCT}/template")).await;
    let answer = Client::new().get(template["template_link"].as_str().unwrap()).send().await.unwrap();
    assert!(answer.headers()["content-type"].to_str().unwrap().contains("spreadsheetml"));
    let (_, empty) = upload(&sandbox, &id, answer.bytes().await.unwrap()).await;
    assert_eq!(empty["error_detail"], "The file has no records.");
    assert_eq!(rest.get("usage/products/PRD-9/template").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn every_wrong_transition_of_a_file_is_refused() {
    let sandbox = started().await;
    let rest = Rest(&sandbox);
    let id = draft(&rest).await;
    let refused = async |by_vendor: bool, actions: &[&str]| {
        for action in actions {
            let path = format!("usage/files/{id}/{action}");
            let (status, answer) = match (*action, by_vendor) {
                ("upload", _) => upload(&sandbox, &id, HEADER).await,
                ("reconciliation", _) => {
                    send(&sandbox, sandbox.distributor_key(), &path, "recon_file", b"x".to_vec(), "r.csv")
                        .await
                }
                ("approve-all", _) => {
                    let (status, answer, _) =
                        rest.call_as(sandbox.distributor_key(), Method::PUT, &path, None).await;
                    (status, answer)
                }
                (_, true) => rest.post(&path, json!({})).await,
                (_, false) => rest.order(&path, json!({})).await,
            };
            assert_eq!(
                (status, &answer["error_code"]),
                (StatusCode::BAD_REQUEST, &json!("VAL_001")),
                "{action}: {answer}"
            );
            assert!(answer["errors"][0].as_str().unwrap().starts_with("Only "), "{answer}");
        }
    };
    refused(true, &["submit", "reprocess"]).await;
    refused(false, &["accept", "reject", "close", "approve-all", "reconciliation"]).await;
    upload(&sandbox, &id, format!("{HEADER}{}", row("r1", "tenant-1", "1"))).await;
    refused(true, &["reprocess"]).await;
    refused(false, &["accept", "reject", "close", "approve-all", "reconciliation"]).await;
    for (action, key) in [("submit", sandbox.distributor_key()), ("delete", sandbox.distributor_key())] {
        let (status, ..) = rest.call_as(key, Method::POST, &format!("usage/files/{id}/{action}"), None).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{action} is the vendor's");
    }
    rest.post(&format!("usage/files/{id}/submit"), json!(null)).await;
    refused(true, &["upload", "submit", "reprocess", "delete"]).await;
    refused(false, &["close", "reconciliation"]).await;
    assert_eq!(rest.put(&format!("usage/files/{id}"), json!({"note": "n"})).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(rest.post(&format!("usage/files/{id}/accept"), json!({})).await.0, StatusCode::FORBIDDEN);
    let (_, rejected) =
        rest.order(&format!("usage/files/{id}/reject"), json!({"rejection_note": "Too much"})).await;
    assert_eq!((&rejected["status"], &rejected["rejection_note"]), (&json!("rejected"), &json!("Too much")));
    let record = rest.get(&format!("usage/records?eq(usagefile.id,{id})")).await.1[0].clone();
    assert_eq!(record["status"], "rejected");
    let (_, deleted) = rest.post(&format!("usage/files/{id}/delete"), json!(null)).await;
    assert_eq!(deleted["status"], "deleted");
    assert_eq!(rest.get(&format!("usage/records?eq(usagefile.id,{id})&limit=0")).await.2, "items 0-0/0");
    refused(true, &["upload", "submit", "reprocess", "delete"]).await;
    assert_eq!(rest.post(&format!("usage/files/{id}/dance"), json!({})).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn records_are_approved_and_rejected_one_by_one() {
    let sandbox = started().await;
    let rest = Rest(&sandbox);
    let put = async |id: &str, status: &str| {
        let path = format!("usage/records/{id}");
        let (code, answer, _) = rest
            .call_as(sandbox.distributor_key(), Method::PUT, &path, Some(json!({"status": status})))
            .await;
        (code, answer)
    };
    let id = draft(&rest).await;
    let rows = [row("r1", "tenant-1", "1.5"), row("r2", "tenant-1", "2")].concat();
    upload(&sandbox, &id, format!("{HEADER}{rows}")).await;
    let records = ids(&rest.get(&format!("usage/records?eq(usagefile.id,{id})")).await.1);
    let text = "status: Only records of pending usage files can be approved and rejected.";
    assert_eq!(put(&records[0], "rejected").await.1["errors"][0], text);
    rest.post(&format!("usage/files/{id}/submit"), json!(null)).await;
    assert_eq!(put(&records[0], "rejected").await.1["status"], "rejected");
    assert_eq!(put(&records[0], "dance").await.1["errors"][0], "status: \"dance\" is not a valid choice.");
    assert_eq!(
        rest.put(&format!("usage/records/{}", records[0]), json!({"status": "approved"})).await.0,
        StatusCode::FORBIDDEN
    );
    let (_, file) = rest.order(&format!("usage/files/{id}/accept"), json!({})).await;
    assert_eq!(counts(&file), [2, 0, 0, 1, 0], "what was rejected is not accepted");
    assert_eq!(rest.get("usage/chunks").await.1[0]["stats"]["uploaded"], 1);
    let other = draft(&rest).await;
    upload(&sandbox, &other, format!("{HEADER}{rows}")).await;
    rest.post(&format!("usage/files/{other}/submit"), json!(null)).await;
    let records = ids(&rest.get(&format!("usage/records?eq(usagefile.id,{other})")).await.1);
    put(&records[1], "rejected").await;
    let path = format!("usage/files/{other}/approve-all");
    let (_, file, _) = rest.call_as(sandbox.distributor_key(), Method::PUT, &path, None).await;
    assert_eq!((&file["status"], counts(&file)), (&json!("accepted"), [2, 0, 0, 2, 0]));
}

#[tokio::test]
async fn records_and_chunks_are_closed_and_with_the_last_their_file() {
    let sandbox = started().await;
    let rest = Rest(&sandbox);
    let (id, _) = accepted(&sandbox).await;
    let records = ids(&rest.get(&format!("usage/records?eq(usagefile.id,{id})")).await.1);
    let bill = json!({"external_billing_id": "B-1", "external_billing_note": "January"});
    let (status, error) = rest.order(&format!("usage/records/{}/close", records[0]), json!({})).await;
    assert_eq!(
        (status, &error["errors"][0]),
        (StatusCode::BAD_REQUEST, &json!("external_billing_id: This field is required."))
    );
    let entries =
        json!([{"id": records[0], "external_billing_id": "B-1"}, {"id": "UR-9"}, 7, {"id": records[1]}]);
    assert_eq!(rest.post("usage/records/close-records", entries.clone()).await.0, StatusCode::FORBIDDEN);
    let (status, told) = rest.order("usage/records/close-records", entries).await;
    assert_eq!(status, StatusCode::PARTIAL_CONTENT);
    assert_eq!(told[0], json!({"id": records[0], "status": "closed"}));
    assert_eq!(
        (&told[1]["error_codes"], &told[1]["error_details"]),
        (&json!("CNCT_001"), &json!("Not found."))
    );
    assert_eq!((&told[3]["status"], &told[3]["error_codes"]), (&json!("approved"), &json!("VAL_001")));
    let (_, file, _) = rest.get(&format!("usage/files/{id}")).await;
    assert_eq!((&file["status"], counts(&file)), (&json!("accepted"), [3, 0, 0, 2, 1]));
    let (_, again) = rest.order(&format!("usage/records/{}/close", records[0]), bill.clone()).await;
    assert_eq!(again["errors"][0], "Only approved usage records can be closed.");

    let chunks = rest.get("usage/chunks").await.1;
    assert_eq!((&chunks[0]["outdated"], &chunks[1]["outdated"]), (&json!(true), &json!(false)));
    let first = format!("usage/chunks/{}", chunks[0]["id"].as_str().unwrap());
    let (_, fresh) = rest.order(&format!("{first}/regenerate"), json!(null)).await;
    assert_eq!((&fresh["outdated"], &fresh["status"]), (&json!(false), &json!("ready")));
    let (_, named, _) = rest
        .call_as(sandbox.distributor_key(), Method::PUT, &first, Some(json!({"external_id": "C-1"})))
        .await;
    assert_eq!(named["external_id"], "C-1");
    let call = Client::new().get(format!("{}/public/v1/{first}/download", sandbox.url()));
    let book = call.header("Authorization", sandbox.distributor_key()).send().await.unwrap();
    assert!(book.headers()["content-disposition"].to_str().unwrap().ends_with(".xlsx\""));
    assert!(book.bytes().await.unwrap().starts_with(b"PK"));
    let (_, closed) = rest.order(&format!("{first}/close"), bill.clone()).await;
    assert_eq!((&closed["status"], &closed["stats"]["closed"]), (&json!("closed"), &json!(2)));
    assert_eq!(
        rest.order(&format!("{first}/close"), bill.clone()).await.1["errors"][0],
        "Only ready usage file chunks can be closed."
    );
    assert_eq!(
        rest.get(&format!("usage/records/{}", records[1])).await.1["external_billing_note"],
        "January"
    );
    assert_eq!(rest.get(&format!("usage/files/{id}")).await.1["status"], "accepted");

    let (_, last) = rest.order(&format!("usage/records/{}/close", records[2]), bill).await;
    assert_eq!(last["status"], "closed");
    let (_, file, _) = rest.get(&format!("usage/files/{id}")).await;
    assert_eq!((&file["status"], counts(&file)), (&json!("closed"), [3, 0, 0, 0, 3]));
    assert_eq!(rest.get("usage/chunks?eq(status,closed)&limit=0").await.2, "items 0-0/2");
}

#[tokio::test]
async fn a_distributors_file_reconciles() {
    let sandbox = started().await;
    let (id, _) = accepted(&sandbox).await;
    let path = format!("usage/files/{id}/reconciliation");
    let reconcile = async |file: &str| {
        send(&sandbox, sandbox.distributor_key(), &path, "recon_file", file.as_bytes().to_vec(), "recon.csv")
            .await
    };
    for (file, error) in [
        ("record_id,external_billing_id\nr9,B-1\n", "recon_file: Row 2: The file has no such record."),
        (
            "record_id,external_billing_id\nr1,\n",
            "recon_file: Row 2: external_billing_id: This field is required.",
        ),
        ("record_id,external_billing_id\n", "recon_file: It has no records."),
    ] {
        let (status, answer) = reconcile(file).await;
        assert_eq!((status, &answer["errors"][0]), (StatusCode::BAD_REQUEST, &json!(error)));
    }
    let (_, file) = reconcile("record_id,external_billing_id\nr1,B-1\nr2,B-2\n").await;
    assert_eq!((&file["status"], counts(&file)), (&json!("accepted"), [3, 0, 0, 1, 2]));
    assert!(file["reconciliation_file_uri"].is_string());
    let (_, file) = reconcile("record_id,external_billing_id\nr3,B-3\n").await;
    assert_eq!((&file["status"], counts(&file)), (&json!("closed"), [3, 0, 0, 0, 3]));
}

#[tokio::test]
async fn what_is_no_usage_file_is_told() {
    let sandbox = Sandbox::builder().upload_limit(100_000).start().await.unwrap();
    let rest = Rest(&sandbox);
    let contract = json!({"id": "CRD-00000-00000-00001"});
    for (body, text) in [
        (json!({}), "product.id: This field is required."),
        (json!({"product": {"id": "PRD-9"}}), "product.id: Invalid pk \"PRD-9\" - object does not exist."),
        (json!({"product": {"id": PRODUCT}}), "contract.id: This field is required."),
        (
            json!({"product": {"id": PRODUCT}, "contract": contract, "name": "x".repeat(101)}),
            "name: Ensure this field has no more than 100 characters.",
        ),
        (
            json!({"product": {"id": PRODUCT}, "contract": contract, "period": {"from": "soon"}}),
            "period.from: Date has wrong format. Use one of these formats instead: YYYY-MM-DD.",
        ),
        (
            json!({"product": {"id": PRODUCT}, "contract": contract, "period": {"from": "2026-02-01", "to": "2026-01-01"}}),
            "period.to: It is before period.from.",
        ),
    ] {
        let (status, error) = rest.post("usage/files", body).await;
        assert_eq!((status, &error["errors"][0]), (StatusCode::BAD_REQUEST, &json!(text)));
    }
    assert_eq!(rest.order("usage/files", json!({})).await.0, StatusCode::FORBIDDEN);
    let id = draft(&rest).await;
    let (_, changed) =
        rest.put(&format!("usage/files/{id}"), json!({"note": "mine", "status": "closed"})).await;
    assert_eq!((&changed["note"], &changed["status"]), (&json!("mine"), &json!("draft")));
    let (status, error) = upload(&sandbox, &id, vec![b'x'; 100_001]).await;
    assert_eq!(
        (status, &error["errors"][0]),
        (StatusCode::PAYLOAD_TOO_LARGE, &json!("The body is larger than 100000 bytes."))
    );
    let (_, error) =
        send(&sandbox, sandbox.api_key(), &format!("usage/files/{id}/upload"), "file", b"x".to_vec(), "x")
            .await;
    assert_eq!(error["errors"][0], "usage_file: No file was submitted.");
    let (_, error) = rest.post(&format!("usage/files/{id}/upload"), json!({"usage_file": "x"})).await;
    assert!(
        error["errors"][0].as_str().unwrap().starts_with("usage_file: The form can't be read: "),
        "{error}"
    );
    assert_eq!(rest.get(&format!("usage/files/{id}")).await.1["status"], "draft", "nothing of it was taken");
    let (_, preview) = rest
        .post("usage/files", json!({"product": {"id": PRODUCT}, "contract": {"id": "CRD-00000-00000-00000"}}))
        .await;
    assert_eq!(preview["environment"], "preview");
}

#[tokio::test]
async fn a_runner_gets_files_and_chunks() {
    let sandbox = started().await;
    let mut runner = Runner(
        Runner::open(&sandbox, &format!("{ENVIRONMENT}/SIN-1"), "background", sandbox.api_key())
            .await
            .unwrap(),
    );
    runner
        .send(&json!({"version": 2, "message_type": "setup_request", "data": {"event_subscriptions": {
            "usage_file_request_processing": ["pending"], "part_usage_file_request_processing": ["ready"]}}}))
        .await;
    let (id, _) = accepted(&sandbox).await;
    let mut told = Vec::new();
    for _ in 0..3 {
        let task = runner.task().await;
        let input = &task["data"]["input"];
        told.push(format!(
            "{} {}",
            input["event_type"].as_str().unwrap(),
            input["object_id"].as_str().unwrap()
        ));
        runner.answer(task, json!({"result": "success"})).await;
    }
    told.sort();
    let stem = id.replacen("UF", "UFC", 1);
    assert_eq!(
        told,
        [
            format!("part_usage_file_request_processing {stem}-0001"),
            format!("part_usage_file_request_processing {stem}-0002"),
            format!("usage_file_request_processing {id}"),
        ]
    );
}
