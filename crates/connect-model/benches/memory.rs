//! `cargo bench -p connect-model --bench memory`
//!
//! How much memory a request holds once it is read: the row "max alloc". In a burst thousands of them wait at once.

#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use std::{fs, path::PathBuf};

use connect_model::{AssetRequest, TierConfigRequest};
use divan::{AllocProfiler, Bencher};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

fn sample(file: &str) -> Vec<u8> {
    fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(file)).unwrap()
}

#[divan::bench(args = ["asset-request-purchase-three-tiers.json", "asset-request-purchase-with-inquiry-template.json"])]
fn asset_request(bencher: Bencher<'_, '_>, file: &str) {
    let text = sample(file);
    bencher.bench_local(|| serde_json::from_slice::<AssetRequest>(&text).unwrap());
}

#[divan::bench(args = ["asset-request-purchase-three-tiers.json", "asset-request-purchase-with-inquiry-template.json"])]
fn untyped(bencher: Bencher<'_, '_>, file: &str) {
    let text = sample(file);
    bencher.bench_local(|| serde_json::from_slice::<serde_json::Value>(&text).unwrap());
}

#[divan::bench(args = ["tier-config-request-t1-with-parent-t2.json"])]
fn tier_config_request(bencher: Bencher<'_, '_>, file: &str) {
    let text = sample(file);
    bencher.bench_local(|| serde_json::from_slice::<TierConfigRequest>(&text).unwrap());
}
