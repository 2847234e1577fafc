//! `cargo bench -p connect-model`

#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use connect_model::rql::{Query, R, Rql};
use divan::black_box;

fn main() {
    divan::main();
}

/// What an extension asks for: its product's open requests of the last days.
fn filter(product: &str) -> Rql {
    R::field("asset.product.id").eq(product)
        & R::field("status").is_in(["pending", "approved"])
        & R::field("created").ge("2024-01-02T03:04:05+00:00")
        & (R::field("type").eq("purchase") | R::field("type").eq("change"))
        & !R::field("asset.external_id").eq("a, b")
}

#[divan::bench]
fn build_and_print() -> String {
    filter(black_box("PRD-000-000-000")).to_string()
}

#[divan::bench]
fn build_and_print_one_comparison() -> String {
    R::field("id").eq(black_box("PR-1")).to_string()
}

#[divan::bench]
fn parse(bencher: divan::Bencher<'_, '_>) {
    let text = filter("PRD-000-000-000").to_string();
    bencher.bench(|| Rql::parse(black_box(&text)).unwrap());
}

#[divan::bench]
fn parse_query() -> Query {
    Query::parse(black_box(
        "in(status,(pending,approved))&ordering(-created)&limit=100&offset=0&search=red%20car",
    ))
    .unwrap()
}

#[divan::bench]
fn matches(bencher: divan::Bencher<'_, '_>) {
    let filter = filter("PRD-000-000-000");
    let request = serde_json::json!({"id": "PR-1", "status": "pending", "created": "2024-03-01T00:00:00+00:00",
        "type": "purchase", "asset": {"external_id": "x", "product": {"id": "PRD-000-000-000"}}});
    bencher.bench(|| assert!(filter.matches(black_box(&request))));
}
