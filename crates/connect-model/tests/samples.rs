//! Real payloads: what is read and written again is what was there.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::unreadable_literal,
    reason = "a test"
)]

use std::{fs, path::PathBuf};

use connect_model::{
    Asset, AssetRequest, Installation, Listing, ListingRequest, Parameter, Schedule, Template, TierAccount,
    TierAccountRequest, TierConfigRequest, TierConfiguration, UsageFile,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// The folder of samples; none only on a machine that has no such folder and is not the gate.
fn samples() -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var_os("CI").is_none(), "the samples are missing: {}", folder.display());
    eprintln!("skipped: no samples at {}", folder.display());
    None
}

fn round_trip<T: DeserializeOwned + Serialize + Into<Value> + Clone>(sample: &Value, file: &str) {
    let object: T = serde_json::from_value(sample.clone()).unwrap_or_else(|error| panic!("{file}: {error}"));
    assert_eq!(&serde_json::to_value(&object).unwrap(), sample, "{file}, serialized");
    assert_eq!(&object.into(), sample, "{file}, as a value");
    let from_text: T = serde_json::from_str(&sample.to_string()).unwrap();
    assert_eq!(&serde_json::to_value(&from_text).unwrap(), sample, "{file}, from text");
}

#[test]
fn every_sample_of_these_types_goes_back_out_as_it_came() {
    type Check = fn(&Value, &str);
    // The longest prefix of a file's name decides.
    let types: [(&str, Check); 14] = [
        ("asset-request", round_trip::<AssetRequest>),
        ("asset", round_trip::<Asset>),
        ("tier-config-request", round_trip::<TierConfigRequest>),
        ("tier-config", round_trip::<TierConfiguration>),
        ("tier-account-request", round_trip::<TierAccountRequest>),
        ("tier-account", round_trip::<TierAccount>),
        ("parameter", round_trip::<Parameter>),
        ("template", round_trip::<Template>),
        ("listing-request", round_trip::<ListingRequest>),
        ("listing", round_trip::<Listing>),
        ("usage-file", round_trip::<UsageFile>),
        ("devops-installation", round_trip::<Installation>),
        ("devops-schedule", round_trip::<Schedule>),
        // The same members under one more type: what a type does not know must survive it.
        ("product", round_trip::<connect_model::Reference>),
    ];
    let Some(folder) = samples() else { return };
    let mut read = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let check = types
            .iter()
            .filter(|(prefix, _)| file.starts_with(prefix))
            .max_by_key(|(prefix, _)| prefix.len());
        let Some((_, check)) = check else { continue };
        match serde_json::from_slice(&fs::read(&path).unwrap()).unwrap() {
            Value::Array(list) => list.iter().for_each(|sample| check(sample, &file)),
            sample => check(&sample, &file),
        }
        read += 1;
    }
    assert!(read >= 60, "only {read} files of samples were read");
}

#[test]
fn a_real_request_is_read_as_people_read_it() {
    let Some(folder) = samples() else { return };
    let text = fs::read_to_string(folder.join("asset-request-purchase-pending.json")).unwrap();
    let request: AssetRequest = serde_json::from_str(&text).unwrap();
    assert_eq!(request.id, "PR-4405-9454-9305-001");
    assert_eq!(request.r#type, connect_model::RequestType::Purchase);
    assert_eq!(request.status, "pending");
    assert_eq!(request.value("tenantId"), Some("12345"));
    assert_eq!(request.configuration_param("templateId").and_then(Parameter::value), Some("TL-313-655-502"));
    assert_eq!(request.item("Free").unwrap().quantity.as_ref().unwrap().as_f64(), Some(15.0));
    assert_eq!(request.customer().unwrap().name.as_deref(), Some("Hintz - Grady"));
}
