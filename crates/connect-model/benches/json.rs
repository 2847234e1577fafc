//! `cargo bench -p connect-model`
//!
//! How long it takes to read a request as Connect sends it and to look something up in it, and how much memory the
//! request then holds.

#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use std::{fs, hint::black_box, path::PathBuf};

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

/// A purchase with parameters, items with parameters, three tiers and a configuration.
const PURCHASE: &str = "asset-request-purchase-three-tiers.json";
/// The smallest request there is among the samples that is complete.
const CHANGE: &str = "asset-request-change-pending.json";
/// A request that holds two configurations.
const TIER_CONFIG: &str = "tier-config-request-t1-with-parent-t2.json";

#[divan::bench(args = [PURCHASE, CHANGE])]
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
#[divan::bench(args = [PURCHASE, CHANGE])]
fn parse_untyped(bencher: Bencher<'_, '_>, file: &str) {
    let text = sample(file);
    bencher.bench_local(|| serde_json::from_slice::<serde_json::Value>(black_box(&text)).unwrap());
}

#[divan::bench(args = [PURCHASE, CHANGE])]
fn write(bencher: Bencher<'_, '_>, file: &str) {
    let request: AssetRequest = serde_json::from_slice(&sample(file)).unwrap();
    bencher.bench_local(|| serde_json::to_vec(black_box(&request)).unwrap());
}

#[divan::bench]
fn look_up(bencher: Bencher<'_, '_>) {
    let request: AssetRequest = serde_json::from_slice(&sample(PURCHASE)).unwrap();
    let last = request.asset.params.last().unwrap().id.clone();
    bencher.bench_local(|| black_box(&request).param(black_box(&last)).is_some());
}
