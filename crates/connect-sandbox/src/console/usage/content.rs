//! What is on the page of a usage file.

use maud::{Markup, html};
use serde_json::Value;

use super::super::{
    act::{Panels, Refused},
    api,
    parts::{chip, errors, first, json as shown, named, nothing, quantity, row, text, time_of},
};
use crate::transitions::{self, USAGE_CHUNKS, USAGE_FILES, USAGE_RECORDS};

/// A usage file, and what there is of it.
pub(super) struct Shown<'a> {
    pub(super) file: &'a Value,
    pub(super) records: &'a [Value],
    /// The links to other pages of records.
    pub(super) pages: Markup,
    pub(super) chunks: &'a [Value],
    pub(super) steps: Markup,
    pub(super) said: Markup,
}

impl Shown<'_> {
    pub(super) fn content(&self, refused: &Refused) -> Markup {
        let (file, id) = (self.file, text(self.file, "/id"));
        html! {
            p.crumbs { a href="/usage" { "Usage" } }
            div.head #head data-live {
                h1 { (first([text(file, "/name"), "Usage file"])) " " code { (id) } }
                (chip(text(file, "/status")))
                p.sub { (first([text(file, "/product/name"), text(file, "/product/id")]))
                    " on " (first([text(file, "/marketplace/name"), text(file, "/contract/id")])) }
                @for member in ["/error_detail", "/rejection_note", "/acceptance_note"] {
                    @if !text(file, member).is_empty() { p.message { (text(file, member)) } }
                }
            }
            (errors(&refused.texts))
            div.actions #actions data-live { (self.actions(refused)) }
            // Wide tables: beside something else their buttons would be out of sight.
            div.stack.wide {
                section #records data-live { h2 { "Records" } (self.records()) (self.pages) }
                @if !self.chunks.is_empty() { section #chunks data-live { h2 { "Chunks" } (self.chunks()) } }
            }
            div.columns {
                div.facts-column {
                    section aria-labelledby="timeline-title" {
                        h2 #timeline-title { "Timeline" }
                        div #timeline data-live { (self.steps) }
                    }
                    (self.said)
                }
                section #facts data-live { h2 { "Details" } (self.facts()) }
            }
        }
    }

    fn actions(&self, refused: &Refused) -> Markup {
        let path = format!("/usage/{}", api::segment(text(self.file, "/id")));
        let panels = Panels { path: path.clone(), params: &[], templates: &[], scope: "", refused };
        let fields = |action: &str| match action {
            "accept" | "reject" => panels.text(action, "note", "Note"),
            _ => nothing(),
        };
        let status = text(self.file, "/status");
        let can_be_uploaded = transitions::actions(USAGE_FILES, status).any(|action| action == "upload");
        html! {
            @if can_be_uploaded {
                details.action.plain data-key="action-upload" open[refused.action == "upload"] {
                    summary { "Upload" }
                    form method="post" action={ (path) "/upload" } enctype="multipart/form-data" {
                        label { span { "Workbook (XLSX) or CSV file" } input type="file" name="usage_file" accept=".xlsx,.csv" required; }
                        button.primary { "Upload" }
                    }
                }
            }
            (panels.transitions(USAGE_FILES, status, fields))
        }
    }

    fn records(&self) -> Markup {
        html! {
            @if self.records.is_empty() { p.quiet { "None." } } @else {
                div.scroll {
                    table {
                        thead { tr { th.number scope="col" { "Row" } th scope="col" { "Record" } th scope="col" { "Status" }
                            th scope="col" { "Item" } th scope="col" { "Asset" } th.number scope="col" { "Usage" }
                            th.number scope="col" { "Amount" } th scope="col" { span.hidden { "Actions" } } } }
                        tbody { @for record in self.records { (self.record(record)) } }
                    }
                }
            }
        }
    }

    fn record(&self, record: &Value) -> Markup {
        let (id, status) = (text(record, "/id"), text(record, "/status"));
        let path = format!("/usage-records/{}", api::segment(id));
        let waits = text(self.file, "/status") == "pending";
        html! {
            tr data-row {
                td.number.quiet { (record["row"].as_u64().unwrap_or_default()) }
                td { (named(text(record, "/record_id"), id))
                    @if !text(record, "/error_details").is_empty() { p.error { (text(record, "/error_details")) } } }
                td { (chip(status)) }
                td { (first([text(record, "/item/name"), text(record, "/item/mpn"), text(record, "/search/item_search_value")])) }
                td { @if text(record, "/asset/id").is_empty() { code.quiet { (text(record, "/search/asset_search_value")) } }
                    @else { a href={ "/assets/" (api::segment(text(record, "/asset/id"))) } { code { (text(record, "/asset/id")) } } } }
                td.number { (quantity(&record["usage"])) }
                td.number { (quantity(&record["amount"])) }
                td {
                    div.actions {
                        @for action in transitions::actions(USAGE_RECORDS, status) {
                            @match action {
                                "close" => (closing(&path, id)),
                                action if waits => form.inline method="post" action={ (path) "/" (action) } {
                                    @let name = if action == "approved" { "Approve" } else { "Reject" };
                                    button aria-label={ (name) " " (id) } { (name) }
                                },
                                _ => {}
                            }
                        }
                    }
                }
            }
        }
    }

    fn chunks(&self) -> Markup {
        html! {
            div.scroll {
                table {
                    thead { tr { th scope="col" { "Chunk" } th scope="col" { "Status" } th scope="col" { "Hub" }
                        th.number scope="col" { "Records" } th.number scope="col" { "Closed" } th scope="col" { span.hidden { "Actions" } } } }
                    tbody { @for chunk in self.chunks { (chunk_row(chunk)) } }
                }
            }
        }
    }

    fn facts(&self) -> Markup {
        let file = self.file;
        let of = |pointer: &str| {
            let object = file.pointer(pointer).unwrap_or(&Value::Null);
            let (name, id) = (text(object, "/name"), text(object, "/id"));
            if id.is_empty() && name.is_empty() { nothing() } else { named(name, id) }
        };
        let plain = |pointer: &str| html! { (text(file, pointer)) };
        let counted =
            |group: &str, counter: &str| html! { (file[group][counter].as_u64().unwrap_or_default()) };
        let parts = [
            ("usage_file_uri", "What was uploaded"),
            ("processed_file_uri", "What became of it"),
            ("reconciliation_file_uri", "Reconciliation"),
        ];
        html! {
            dl.facts {
                (row("Product", &of("/product")))
                (row("Contract", &of("/contract")))
                (row("Marketplace", &of("/marketplace")))
                (row("Vendor", &of("/vendor")))
                (row("Distributor", &of("/provider")))
                (row("Schema", &plain("/schema")))
                (row("Currency", &plain("/currency")))
                (row("From", &plain("/period/from")))
                (row("To", &plain("/period/to")))
                (row("External id", &plain("/external_id")))
                (row("Description", &plain("/description")))
                (row("Note", &plain("/note")))
                (row("Valid records", &counted("records", "valid")))
                (row("Invalid records", &counted("records", "invalid")))
                (row("Closed records", &counted("records", "closed")))
                (row("Created", &time_of(text(file, "/events/created/at"))))
                @for (member, words) in parts {
                    // The sandbox's own addresses alone: a file that was imported may have any.
                    @let address = text(file, &format!("/{member}"));
                    @if address.starts_with(crate::rest::MEDIA) { (row(words, &html! { a href=(address) { "Download" } })) }
                }
            }
            details data-key="json" { summary { "JSON" } (shown(file.clone())) }
        }
    }
}

fn chunk_row(chunk: &Value) -> Markup {
    let (id, status) = (text(chunk, "/id"), text(chunk, "/status"));
    let path = format!("/usage-chunks/{}", api::segment(id));
    html! {
        tr data-row {
            td { a href={ (path) "/download" } { code { (id) } } }
            td { (chip(status)) @if chunk["outdated"] == true { " " (chip("outdated")) } }
            td { (first([text(chunk, "/binding/hub/name"), text(chunk, "/binding/hub/id"), "–"])) }
            td.number { (chunk["stats"]["uploaded"].as_u64().unwrap_or_default()) }
            td.number { (chunk["stats"]["closed"].as_u64().unwrap_or_default()) }
            td {
                div.actions {
                    @for action in transitions::actions(USAGE_CHUNKS, status) {
                        @if action == "close" { (closing(&path, id)) } @else {
                            form.inline method="post" action={ (path) "/" (action) } { button aria-label={ "Regenerate " (id) } { "Regenerate" } }
                        }
                    }
                }
            }
        }
    }
}

/// A button that closes a record or a chunk, which was billed.
fn closing(path: &str, id: &str) -> Markup {
    html! {
        details.action.plain data-key={ "close-" (id) } {
            summary aria-label={ "Close " (id) } { "Close" }
            form method="post" action={ (path) "/close" } novalidate {
                label { span { "Billing id" } input name="bill" autocomplete="off"; }
                label { span { "Billing note" } input name="note" autocomplete="off"; }
                button.primary { "Close" }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const HOSTILE: &str = "\"><script>alert(1)</script>";

    /// The page of a file in a status, with a record and a chunk in theirs.
    fn page(status: &str, of_record: &str, of_chunk: &str) -> String {
        let about = json!({"id": HOSTILE, "name": HOSTILE});
        let file = json!({"id": HOSTILE, "name": HOSTILE, "status": status, "error_detail": HOSTILE, "description": HOSTILE,
            "product": about, "contract": about, "marketplace": about, "vendor": about, "provider": about,
            "schema": HOSTILE, "period": {"from": HOSTILE}, "usage_file_uri": "/media/t/usage/files/UF-1/uploaded",
            "processed_file_uri": "javascript:alert(1)"});
        let record = json!({"id": HOSTILE, "record_id": HOSTILE, "status": of_record, "item": about, "asset": about,
            "usage": HOSTILE, "amount": null, "error_details": HOSTILE});
        let chunk = json!({"id": HOSTILE, "status": of_chunk, "outdated": true, "binding": {"hub": about}});
        let shown = Shown {
            file: &file,
            records: &[record],
            pages: nothing(),
            chunks: &[chunk],
            steps: nothing(),
            said: nothing(),
        };
        let mut refused = Refused::default();
        refused.texts.push(HOSTILE.to_owned());
        let page = shown.content(&refused).0;
        assert!(!page.contains("<script") && !page.contains("href=\"javascript"), "{page}");
        assert!(page.contains("href=\"/media/t/usage/files/UF-1/uploaded\""));
        page
    }

    fn buttons(page: &str) -> Vec<&str> {
        page.split("action=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next()?.rsplit_once('/').map(|(_, action)| action))
            .collect()
    }

    #[test]
    fn a_file_and_its_parts_have_the_buttons_of_their_status() {
        for (statuses, expected) in [
            (("draft", "valid", "closed"), &["upload", "delete"] as &[_]),
            (("pending", "valid", "closed"), &["accept", "approve-all", "reject", "approved", "rejected"]),
            (("accepted", "approved", "ready"), &["close", "close", "close", "regenerate"]),
            (("closed", "closed", "closed"), &[]),
        ] {
            let (file, record, chunk) = statuses;
            assert_eq!(buttons(&page(file, record, chunk)), expected, "{statuses:?}");
        }
    }
}
