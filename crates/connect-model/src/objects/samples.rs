//! Real payloads: what is read and written again is what was there, and what a type names is read into it.

use std::{collections::BTreeSet, fs, path::PathBuf};

use proptest::prelude::*;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::*;
use crate::field::Field;

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

/// What objects of a sample keep in `extra`: path, type, whether that type names it, value.
type Leftover = (String, String, bool, Value);

fn check<T>(sample: &Value, file: &str) -> Vec<Leftover>
where
    T: DeserializeOwned + Serialize + Field,
{
    let object: T = serde_json::from_value(sample.clone()).unwrap_or_else(|error| panic!("{file}: {error}"));
    assert_eq!(&serde_json::to_value(&object).unwrap(), sample, "{file}, serialized");
    assert_eq!(&object.to_value(), sample, "{file}, as a value");
    let from_text: T = serde_json::from_str(&sample.to_string()).unwrap();
    assert_eq!(&serde_json::to_value(&from_text).unwrap(), sample, "{file}, from text");
    let mut leftovers = Vec::new();
    object.leftovers("", &mut |path, name, named, value| {
        leftovers.push((path.to_owned(), name.to_owned(), named, value.clone()));
    });
    leftovers
}

/// A description of the API, not an object of it: any JSON.
fn description(sample: &Value, _: &str) -> Vec<Leftover> {
    assert!(sample.is_object());
    Vec::new()
}

type Check = fn(&Value, &str) -> Vec<Leftover>;

/// The type of the samples in a file; the longest prefix of its name decides.
const TYPES: &[(&str, Check)] = &[
    ("accounts", check::<Account>),
    ("asset", check::<Asset>),
    ("asset-request", check::<AssetRequest>),
    ("billing-request", check::<BillingRequest>),
    ("categories", check::<Category>),
    ("contract", check::<Contract>),
    ("conversation", check::<Conversation>),
    ("conversation-message", check::<ConversationMessage>),
    ("devops-environment", check::<devops::Environment>),
    ("devops-installation", check::<Installation>),
    ("devops-schedule", check::<Schedule>),
    ("devops-service", check::<devops::Service>),
    ("devops-task", check::<devops::Task>),
    ("devops-variable", check::<devops::Variable>),
    ("error", check::<ErrorBody>),
    ("helpdesk-case", check::<Case>),
    ("listing", check::<Listing>),
    ("listing-request", check::<ListingRequest>),
    ("marketplace", check::<Marketplace>),
    ("openapi", description),
    ("parameter", check::<ParameterDefinition>),
    ("product-action-link", check::<ActionLink>),
    ("product-actions", check::<Action>),
    ("product-configurations", check::<ConfigurationValue>),
    ("product-connections", check::<Connection>),
    ("product-items", check::<ProductItem>),
    ("product-published", check::<Product>),
    ("subscription-asset", check::<Asset>),
    ("template", check::<Template>),
    ("tier-account", check::<TierAccount>),
    ("tier-account-request", check::<TierAccountRequest>),
    ("tier-config", check::<TierConfiguration>),
    ("tier-config-request", check::<TierConfigRequest>),
    ("units", check::<Unit>),
    ("usage-file", check::<UsageFile>),
    ("usage-records", check::<UsageRecord>),
    ("users", check::<User>),
    ("webhook-definitions", check::<devops::Webhook>),
];

/// Every sample of every file: its file, the check of its type, and itself.
fn all_samples() -> Option<Vec<(String, Check, Value)>> {
    let mut all = Vec::new();
    let mut files = 0;
    for entry in fs::read_dir(samples()?).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let types = TYPES.iter().filter(|(prefix, _)| file.starts_with(prefix));
        let Some((_, check)) = types.max_by_key(|(prefix, _)| prefix.len()) else {
            panic!("no type for the samples in {file}");
        };
        let content: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let list = if let Value::Array(list) = content { list } else { vec![content] };
        all.extend(list.into_iter().map(|sample| (file.clone(), *check, sample)));
        files += 1;
    }
    assert!(files >= 110, "only {files} files of samples were read");
    Some(all)
}

/// What the types kept aside of every sample, each with its file.
fn leftovers_of_all() -> Option<Vec<(String, Leftover)>> {
    let leftovers = all_samples()?.into_iter().flat_map(|(file, check, sample)| {
        check(&sample, &file).into_iter().map(move |leftover| (file.clone(), leftover))
    });
    Some(leftovers.collect())
}

/// A member without a value says nothing that a type could hold.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn member_of(path: &str) -> &str {
    path.rsplit('.').next().unwrap()
}

#[test]
fn every_sample_goes_back_out_as_it_came_and_fills_its_type() {
    // Forms of old answers that the members don't hold: `"True"`, a number. Methods read them.
    let old_forms = [
        "AssetRequest.answered",
        "Constraints.reconciliation",
        "Constraints.required",
        "Constraints.unique",
        "TierAccount.external_id",
    ];
    let Some(leftovers) = leftovers_of_all() else { return };
    let missed: BTreeSet<String> = leftovers
        .iter()
        .filter(|(_, (_, _, named, value))| *named && !is_empty(value))
        .map(|(_, (path, name, _, _))| format!("{name}.{}", member_of(path)))
        .collect();
    assert_eq!(missed, old_forms.map(str::to_owned).into(), "members that should be in their types");
}

#[test]
fn every_member_that_the_specification_names_is_in_its_type() {
    // What old answers and bodies say beside what the specification names.
    let beside = [
        "Item.description",
        "Item.limit",
        "Item.name",
        "Parameter.hint",
        "Parameter.placeholder",
        "Parameter.reconciliation",
        "ProductItem.depth",
        "ProductItem.ui_visibility",
        "Service.product",
        "UsageFile.created_at",
        "UsageFile.created_by",
        "UsageFile.error_details",
        "UsageFile.submitted_at",
        "UsageFile.submitted_by",
        "UsageFile.uploaded_at",
        "UsageFile.uploaded_by",
    ];
    let Some(leftovers) = leftovers_of_all() else { return };
    let unnamed: BTreeSet<String> = leftovers
        .iter()
        .filter(|(_, (_, _, named, _))| !named)
        .map(|(_, (path, name, _, _))| format!("{name}.{}", member_of(path)))
        .collect();
    assert_eq!(unnamed, beside.map(str::to_owned).into());
}

/// Adds members to each object of a sample, where no member has that name.
fn sow(value: &mut Value, members: &[(String, Value)]) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(|value| sow(value, members)),
        Value::Object(object) => {
            object.values_mut().for_each(|value| sow(value, members));
            for (name, value) in members {
                object.entry(name).or_insert_with(|| value.clone());
            }
        }
        _ => {}
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9).prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(".{0,6}", inner, 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn unknown_members_are_kept_everywhere(
        at in any::<prop::sample::Index>(),
        members in prop::collection::vec(("x-.{0,6}", any_json()), 1..4),
    ) {
        let samples = ALL.get_or_init(all_samples);
        let Some(samples) = samples else { return Ok(()) };
        let (file, check, mut sample) = at.get(samples).clone();
        sow(&mut sample, &members);
        let leftovers = check(&sample, &file);
        for (name, _) in &members {
            let path = format!(".{name}");
            let found = leftovers.iter().any(|(at, _, named, _)| *at == path && !named);
            prop_assert!(found || file.starts_with("openapi"), "{} in {}", name, file);
        }
    }

    #[test]
    fn values_of_another_kind_are_kept(
        at in any::<prop::sample::Index>(),
        which in any::<prop::sample::Index>(),
        value in any_json(),
    ) {
        let Some(samples) = ALL.get_or_init(all_samples) else { return Ok(()) };
        let (file, check, mut sample) = at.get(samples).clone();
        let mut pointers = Vec::new();
        pointers_of(&sample, "", &mut pointers);
        if !file.starts_with("openapi") && !pointers.is_empty() {
            let pointer = which.get(&pointers[..]);
            *sample.pointer_mut(pointer).unwrap() = value;
        }
        check(&sample, &file);
    }
}

static ALL: std::sync::OnceLock<Option<Vec<(String, Check, Value)>>> = std::sync::OnceLock::new();

/// The pointers of all values below an object or a list.
fn pointers_of(value: &Value, path: &str, found: &mut Vec<String>) {
    let mut add = |name: &str, value: &Value| {
        let path = format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"));
        pointers_of(value, &path, found);
        found.push(path);
    };
    match value {
        Value::Array(list) => list.iter().enumerate().for_each(|(at, value)| add(&at.to_string(), value)),
        Value::Object(members) => members.iter().for_each(|(name, value)| add(name, value)),
        _ => {}
    }
}
