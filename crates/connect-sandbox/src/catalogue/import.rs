//! JSON that Connect's API gave: each object is told by its id and its members, and put where it belongs.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use tracing::warn;

use super::{BELOW, Catalogue, LISTS, complete::configuration_id, failed, file, id_of, text};
use crate::{
    SandboxError,
    conversations::{self, CONVERSATIONS},
};

/// Where an object belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    In(&'static str),
    /// In a list of a product.
    Below(&'static str),
    /// In its conversation.
    Message,
    /// Nowhere: the sandbox has its own, or none.
    Nowhere(&'static str),
}

/// An object of which only its file, or what else is imported, can tell the product.
struct Undecided {
    file: PathBuf,
    place: String,
    list: &'static str,
    object: Value,
}

/// What is imported, before it is added to what there is.
#[derive(Default)]
struct Import {
    found: Catalogue,
    undecided: Vec<Undecided>,
}

pub(super) fn import(catalogue: &mut Catalogue, path: &Path) -> Result<(), SandboxError> {
    let mut files = Vec::new();
    // The name of the folder may tell a product, even if it is given as ".".
    let path = path.canonicalize().map_err(|error| failed(path, error.to_string()))?;
    json_files(&path, &mut files)?;
    let mut import = Import::default();
    for file in files {
        import.read(&file, product_of_path(&path, &file).as_deref())?;
    }
    import.decide()?;
    import.index_conversations();
    for (collection, objects) in import.found.0 {
        for (id, object) in objects {
            catalogue.put(&collection, &id, object);
        }
    }
    Ok(())
}

/// The file itself, or the JSON files of a folder and of those below it, by name.
fn json_files(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), SandboxError> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let io = |error: std::io::Error| failed(path, error.to_string());
    let mut entries = Vec::new();
    for entry in fs::read_dir(path).map_err(io)? {
        let entry = entry.map_err(io)?;
        // A link to a folder could lead in circles.
        let is_folder = entry.file_type().map_err(io)?.is_dir();
        if is_folder || entry.path().extension() == Some(OsStr::new("json")) {
            entries.push(entry.path());
        }
    }
    entries.sort();
    entries.iter().try_for_each(|entry| json_files(entry, files))
}

/// The product whose id a name begins with.
fn product_of_name(name: &str) -> Option<String> {
    let digits = name.strip_prefix("PRD-")?;
    let end = digits.find(|sign: char| !sign.is_ascii_digit() && sign != '-').unwrap_or(digits.len());
    let groups: Vec<&str> = digits[..end].split('-').filter(|group| !group.is_empty()).take(3).collect();
    (!groups.is_empty()).then(|| format!("PRD-{}", groups.join("-")))
}

/// The product that the name of a file tells, or of the nearest folder, up to the one that is imported.
fn product_of_path(root: &Path, file: &Path) -> Option<String> {
    let names = file.ancestors().take_while(|path| path.starts_with(root)).filter_map(Path::file_name);
    names.filter_map(OsStr::to_str).find_map(product_of_name)
}

impl Import {
    fn read(&mut self, file: &Path, product: Option<&str>) -> Result<(), SandboxError> {
        let text = fs::read_to_string(file).map_err(|error| failed(file, error.to_string()))?;
        let json =
            serde_json::from_str(&text).map_err(|error| failed(file, format!("it is not JSON: {error}")))?;
        let place = |index: usize, object: &Value| match id_of(object) {
            Some(id) => format!("[{index}] ({id})"),
            None => format!("[{index}]"),
        };
        match json {
            Value::Object(members) if is_catalogue(&members) => {
                let catalogue = file::parse(&text).map_err(|wrong| failed(file, wrong.to_string()))?;
                for (collection, objects) in catalogue.0 {
                    self.found.0.entry(collection).or_default().extend(objects);
                }
                Ok(())
            }
            Value::Array(list) => list
                .into_iter()
                .enumerate()
                .try_for_each(|(index, object)| self.add(file, &place(index, &object), product, object)),
            object => {
                let place = id_of(&object).unwrap_or("the object").to_owned();
                self.add(file, &place, product, object)
            }
        }
    }

    fn add(
        &mut self,
        file: &Path,
        place: &str,
        product: Option<&str>,
        object: Value,
    ) -> Result<(), SandboxError> {
        let kind = kind_of(&object).map_err(|reason| failed(file, format!("{place}: {reason}")))?;
        match kind {
            Kind::In("products") => self.product(file, place, object),
            Kind::In(collection) => {
                self.put(collection, object);
                Ok(())
            }
            Kind::Message => {
                let conversation = &object["conversation"];
                let id = conversation.as_str().or(conversation["id"].as_str()).unwrap_or_default().to_owned();
                self.put(&conversations::messages(&id), object);
                Ok(())
            }
            Kind::Below(list) => {
                match product_of(list, &object).or(product.map(str::to_owned)) {
                    Some(product) => self.below(&product, list, object),
                    None => self.undecided.push(Undecided {
                        file: file.to_owned(),
                        place: place.to_owned(),
                        list,
                        object,
                    }),
                }
                Ok(())
            }
            Kind::Nowhere(what) => {
                warn!(file = %file.display(), object = place, "left out: {what}");
                Ok(())
            }
        }
    }

    /// A product, and what an export put into it.
    fn product(&mut self, file: &Path, place: &str, mut product: Value) -> Result<(), SandboxError> {
        let id = id_of(&product).unwrap_or_default().to_owned();
        for list in BELOW {
            let objects =
                product.as_object_mut().filter(|members| members.get(list).is_some_and(Value::is_array));
            let Some(Value::Array(objects)) = objects.and_then(|members| members.remove(list)) else {
                continue;
            };
            for (index, object) in objects.into_iter().enumerate() {
                let place = format!("{place}.{list}[{index}]");
                match kind_of(&object).map_err(|reason| failed(file, format!("{place}: {reason}")))? {
                    Kind::Below(own) if own == list => self.below(&id, list, object),
                    _ => return Err(failed(file, format!("{place}: it is none of {list}"))),
                }
            }
        }
        self.put("products", product);
        Ok(())
    }

    fn put(&mut self, collection: &str, object: Value) {
        let id = id_of(&object).unwrap_or_default().to_owned();
        self.found.put(collection, &id, object);
    }

    fn below(&mut self, product: &str, list: &str, mut object: Value) {
        if list == "configurations"
            && id_of(&object).is_none()
            && let Some(members) = object.as_object_mut()
        {
            let id = configuration_id(&Value::Object(members.clone()));
            members.insert("id".to_owned(), id.into());
        }
        self.put(&format!("products/{product}/{list}"), object);
    }

    /// Conversations are found by what they are about.
    fn index_conversations(&mut self) {
        let mut known: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for conversation in self.found.list(CONVERSATIONS) {
            let instance = text(conversation, "instance_id");
            if !instance.is_empty() {
                let ids = known.entry(instance.to_owned()).or_default();
                ids.extend(id_of(conversation).map(str::to_owned));
            }
        }
        for (instance, ids) in known {
            self.put(conversations::INSTANCES, json!({"id": instance, "conversations": ids}));
        }
    }

    /// Where the import is about one product, all of it is that one's.
    fn decide(&mut self) -> Result<(), SandboxError> {
        let products: BTreeSet<String> = self
            .found
            .0
            .keys()
            .filter_map(|collection| collection.strip_prefix("products/")?.split_once('/'))
            .map(|(product, _)| product.to_owned())
            .chain(self.found.list("products").filter_map(|product| id_of(product).map(str::to_owned)))
            .collect();
        let only = products.first().filter(|_| products.len() == 1).cloned();
        for Undecided { file, place, list, object } in std::mem::take(&mut self.undecided) {
            let Some(product) = &only else {
                let reason = format!(
                    "{place}: it is one of the {list} of a product, but does not say of which: put the file into a folder \
                     that is named after the product, such as PRD-100-200-300, or import it together with that product alone"
                );
                return Err(failed(&file, reason));
            };
            self.below(product, list, object);
        }
        Ok(())
    }
}

/// Whether an object is a catalogue rather than an object of Connect.
fn is_catalogue(members: &serde_json::Map<String, Value>) -> bool {
    let is_list = |name: &str| name == "products" || LISTS.iter().any(|(list, _)| *list == name);
    !members.contains_key("id")
        && members.iter().any(|(name, list)| is_list(name) && list.is_array())
        && members.values().all(Value::is_array)
}

/// The product that an object itself tells.
fn product_of(list: &str, object: &Value) -> Option<String> {
    let groups = |id: &str| {
        let digits: Vec<&str> = id.split('-').skip(1).collect();
        (digits.len() > 3).then(|| format!("PRD-{}", digits[..3].join("-")))
    };
    let named = || object["product"]["id"].as_str().map(str::to_owned);
    match list {
        "parameters" | "items" | "actions" => groups(text(object, "id")).or_else(named),
        "configurations" => groups(text(&object["item"], "id")).or_else(named),
        _ => named(),
    }
}

/// What an object is; why that can't be told is the error.
fn kind_of(object: &Value) -> Result<Kind, String> {
    if !object.is_object() {
        return Err("it is no object of Connect".to_owned());
    }
    let has = |name: &str| object.get(name).is_some();
    let Some(id) = id_of(object) else {
        if object["parameter"]["id"].is_string() {
            return Ok(Kind::Below("configurations"));
        }
        return Err(
            "it has no id, so it is nothing that Connect answers; what is sent to Connect can't be imported"
                .to_owned(),
        );
    };
    let groups = id.split('-').count() - 1;
    Ok(match id.split('-').next().unwrap_or_default() {
        "AS" => Kind::In("assets"),
        "PR" => Kind::In("requests"),
        "TC" => Kind::In("tier/configs"),
        "TCR" => Kind::In("tier/config-requests"),
        "TA" => Kind::In("tier/accounts"),
        "TAR" => Kind::In("tier/account-requests"),
        "PRD" if groups > 3 => Kind::Below("items"),
        "PRD" => Kind::In("products"),
        "PRM" => Kind::Below("parameters"),
        "TL" => Kind::Below("templates"),
        "ACT" => Kind::Below("actions"),
        "CT" => Kind::Below("connections"),
        "MP" => Kind::In("marketplaces"),
        "HB" => Kind::In("hubs"),
        "CRD" => Kind::In("contracts"),
        "VA" | "PA" => Kind::In("accounts"),
        "CAT" => Kind::In("categories"),
        "LST" => Kind::In("listings"),
        "LSTR" => Kind::In("listing-requests"),
        "UF" => Kind::In("usage/files"),
        "UR" if has("usagefile") => Kind::In("usage/records"),
        "UR" | "SU" => Kind::Nowhere("the sandbox has no users"),
        "BRP" | "BRV" => Kind::In("subscriptions/requests"),
        "CO" => Kind::In(CONVERSATIONS),
        "ME" => Kind::Message,
        "CA" => Kind::In("helpdesk/cases"),
        "WB" => Kind::In("notifications/webhooks"),
        "EIN" => Kind::In("installations"),
        "EFS" => Kind::In("schedules"),
        "SRVC" => Kind::Nowhere("the sandbox has its own service"),
        "ENV" | "INS" => Kind::Nowhere("the sandbox has its own environments"),
        "TQ" => Kind::Nowhere("the sandbox makes its own tasks"),
        "AGD" | "AGP" | "AGR" => Kind::Nowhere("the sandbox has no agreements"),
        // Ids of old payloads have other forms.
        _ if has("asset") && has("type") && has("status") => Kind::In("requests"),
        _ if has("tiers") && has("product") && has("items") => Kind::In("assets"),
        _ if has("usagefile") && has("binding") => Kind::In("usage/chunks"),
        _ if has("unit") && has("cumulative") => Kind::In("settings/units"),
        _ => return Err(format!("what {id} is can be told neither by its id nor by its members")),
    })
}
