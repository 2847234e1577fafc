//! `cargo bench -p connect-model`
//!
//! How long it takes to read a request as Connect sends it, and to look something up in it. What it then holds of memory
//! is measured beside, in `memory.rs`, since counting takes time.

#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use std::{fs, hint::black_box, path::PathBuf};

use connect_model::{AssetRequest, TierConfigRequest};
use divan::Bencher;

fn main() {
    divan::main();
}

fn sample(file: &str) -> Vec<u8> {
    fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(file)).unwrap()
}

/// 8 KB: a purchase of one item, two parameters, three tiers.
const PURCHASE: &str = "asset-request-purchase-three-tiers.json";
/// 36 KB: a purchase of eighteen items with a parameter each, fourteen parameters, a long template.
const LARGE: &str = "asset-request-purchase-with-inquiry-template.json";
/// 11 KB: a request that holds two configurations.
const TIER_CONFIG: &str = "tier-config-request-t1-with-parent-t2.json";

#[divan::bench(args = [PURCHASE, LARGE])]
fn parse_and_look_up(bencher: Bencher<'_, '_>, file: &str) {
    let text = sample(file);
    bencher.bench_local(|| {
        let request: AssetRequest = serde_json::from_slice(black_box(&text)).unwrap();
        black_box(request.value("no such parameter").is_some());
        request
    });
}

#[divan::bench]
fn parse_tier_config_request(bencher: Bencher<'_, '_>) {
    let text = sample(TIER_CONFIG);
    bencher.bench_local(|| serde_json::from_slice::<TierConfigRequest>(black_box(&text)).unwrap());
}

/// The same without types, to compare with.
#[divan::bench(args = [PURCHASE, LARGE])]
fn parse_untyped(bencher: Bencher<'_, '_>, file: &str) {
    let text = sample(file);
    bencher.bench_local(|| serde_json::from_slice::<serde_json::Value>(black_box(&text)).unwrap());
}

#[divan::bench(args = [PURCHASE, LARGE])]
fn write(bencher: Bencher<'_, '_>, file: &str) {
    let request: AssetRequest = serde_json::from_slice(&sample(file)).unwrap();
    bencher.bench_local(|| serde_json::to_vec(black_box(&request)).unwrap());
}

#[divan::bench]
fn look_up(bencher: Bencher<'_, '_>) {
    let request: AssetRequest = serde_json::from_slice(&sample(LARGE)).unwrap();
    let last = request.asset.params.last().unwrap().id.clone();
    bencher.bench_local(|| black_box(&request).param(black_box(&last)).is_some());
}
