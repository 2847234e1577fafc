//! Usage files: made, uploaded and submitted by vendors, accepted or rejected, and closed by distributors.
//!
//! Source: Connect's workflow of usage files. What its counters count is told from the files that it gave.

use std::collections::{BTreeSet, HashMap};

use base64::{Engine, engine::general_purpose::STANDARD};
use connect_model::rql::R;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::{
    check::{Checked, Checker, Known},
    chunks, records,
    sheet::{self, Book},
};
use crate::{
    api_error::ApiError,
    fulfillment::set,
    role::Role,
    store::ASSETS,
    transitions::{self, CONTRACTS, USAGE_FILES, USAGE_RECORDS, note},
    who::{self, referred, text, wrong},
    world::World,
};

/// The contract of what is tried and not sold.
const PREVIEW: &str = "CRD-00000-00000-00000";
/// The longest text that says what is wrong with a file, in characters.
const LONGEST_ERROR: usize = 200;

/// A file that somebody sent.
#[derive(Debug)]
pub(crate) struct Upload<'a> {
    pub(crate) name: &'a str,
    pub(crate) content: &'a [u8],
}

/// Which of a usage file's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// What the vendor uploaded.
    Uploaded,
    /// What became of its rows.
    Processed,
    /// What the distributor closed records by.
    Reconciliation,
}

impl Part {
    pub(crate) const ALL: [Self; 3] = [Self::Uploaded, Self::Processed, Self::Reconciliation];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Uploaded => "uploaded",
            Self::Processed => "processed",
            Self::Reconciliation => "reconciliation",
        }
    }

    /// The member of a usage file that says where it is.
    pub(crate) fn member(self) -> &'static str {
        match self {
            Self::Uploaded => "usage_file_uri",
            Self::Processed => "processed_file_uri",
            Self::Reconciliation => "reconciliation_file_uri",
        }
    }

    /// What such a file of a usage file is called.
    pub(crate) fn file_name(self, own: &str) -> String {
        match self {
            Self::Processed => format!("{own}-PROCESSED.xlsx"),
            Self::Uploaded | Self::Reconciliation => own.to_owned(),
        }
    }

    /// Where such files are kept, by the ids of the usage files.
    pub(crate) fn collection(self) -> &'static str {
        match self {
            Self::Uploaded | Self::Processed => "usage/files/uploaded",
            Self::Reconciliation => "usage/files/reconciliation",
        }
    }
}

/// Creates a usage file, for a product and a contract.
pub(crate) fn create(world: &mut World<'_>, body: &Value) -> Result<Value, ApiError> {
    world.only(Role::Vendor)?;
    let name = text(body, "name", 100)?;
    let product = referred(world, "products", body, "/product/id")?;
    let is_preview = body.pointer("/contract/id").is_some_and(|id| id == PREVIEW);
    let contract = if is_preview {
        json!({"id": PREVIEW, "name": "Preview"})
    } else {
        referred(world, CONTRACTS, body, "/contract/id")?
    };
    let period = period(body)?;
    let marketplace = contract["marketplace"]["id"].as_str();
    let marketplace = marketplace.map(|id| world.find("marketplaces", id)).transpose()?.flatten();
    let marketplace = marketplace.unwrap_or_else(|| contract["marketplace"].clone());
    let currency = match text(body, "currency", 20)? {
        Value::Null => marketplace["currency"].clone(),
        given => given,
    };
    let schema = product["capabilities"]["ppu"]["schema"].as_str().unwrap_or("QT").to_lowercase();
    let party = |member: &str, role: Role| match &contract[member] {
        Value::Object(_) => Ok(who::reference(&contract[member])),
        _ => who::account(world, role),
    };
    let (vendor, provider) = (party("owner", Role::Vendor)?, party("issuer", Role::Distributor)?);
    let (now, by) = (world.now(), who::user(world.role()));
    let month = world.time().strftime("UF-%Y-%m").to_string();
    let mut file = json!({
        "id": who::new_id(world, USAGE_FILES, &month, &[4, 4])?, "name": name, "status": "draft",
        "description": text(body, "description", 200)?, "note": text(body, "note", 200)?,
        "external_id": text(body, "external_id", 200)?, "schema": schema, "currency": currency, "period": period,
        "environment": if is_preview { "preview" } else { "production" },
        "product": who::reference(&product), "contract": who::reference(&contract),
        "marketplace": who::reference(&marketplace), "vendor": vendor, "provider": provider,
        "error_detail": null, "acceptance_note": null, "rejection_note": null,
        "stats": {"uploaded": 0, "validated": 0, "pending": 0, "accepted": 0, "closed": 0, "billed": 0},
        "records": {"valid": 0, "invalid": 0, "closed": 0},
    });
    note(&mut file, "created", &now, &by);
    world.put(USAGE_FILES, &file)?;
    Ok(file)
}

fn period(body: &Value) -> Result<Value, ApiError> {
    let Some(period) = body.get("period").filter(|period| !period.is_null()) else { return Ok(Value::Null) };
    let date = |member: &str| -> Result<Option<Date>, ApiError> {
        let Some(date) = period.get(member).filter(|date| !date.is_null()) else { return Ok(None) };
        let date = date.as_str().and_then(|date| date.parse().ok());
        let error = "Date has wrong format. Use one of these formats instead: YYYY-MM-DD.";
        date.map(Some).ok_or_else(|| wrong(&format!("period.{member}"), error))
    };
    let (from, to) = (date("from")?, date("to")?);
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        return Err(wrong("period.to", "It is before period.from."));
    }
    Ok(json!({"from": from.map(|date| date.to_string()), "to": to.map(|date| date.to_string())}))
}

/// Changes what a file says of itself, before it is submitted.
pub(crate) fn change(world: &mut World<'_>, own: &str, body: &Value) -> Result<Value, ApiError> {
    world.only(Role::Vendor)?;
    let mut file = world.get(USAGE_FILES, own)?;
    if !matches!(file["status"].as_str(), Some("draft" | "invalid" | "ready" | "rejected")) {
        let text = "Only draft, invalid, ready and rejected usage files can be updated.";
        return Err(ApiError::bad("VAL_001", text));
    }
    for (member, longest) in [("description", 200), ("note", 200), ("external_id", 200), ("currency", 20)] {
        if body.get(member).is_some() {
            set(&mut file, member, text(body, member, longest)?);
        }
    }
    if body.get("period").is_some() {
        set(&mut file, "period", period(body)?);
    }
    let (now, by) = (world.now(), who::user(world.role()));
    note(&mut file, "updated", &now, &by);
    world.put(USAGE_FILES, &file)?;
    Ok(file)
}

/// Takes a file of a vendor; what was there before is in its place.
pub(crate) fn upload(world: &mut World<'_>, own: &str, sent: &Upload<'_>) -> Result<Value, ApiError> {
    let file = transitions::act(world, USAGE_FILES, own, "upload", &Value::Null)?;
    keep(world, own, Part::Uploaded, sent)?;
    Ok(file)
}

fn keep(world: &mut World<'_>, own: &str, part: Part, sent: &Upload<'_>) -> Result<(), ApiError> {
    let content = STANDARD.encode(sent.content);
    world.put(part.collection(), json!({"id": own, "name": sent.name, "content": content}))
}

/// What was uploaded, and its name.
pub(crate) fn kept(world: &World<'_>, own: &str, part: Part) -> Result<(String, Vec<u8>), ApiError> {
    let kept = world.get(part.collection(), own)?;
    let content = STANDARD.decode(kept["content"].as_str().unwrap_or_default());
    let content = content.map_err(|_| ApiError::not_found())?;
    Ok((kept["name"].as_str().unwrap_or_default().to_owned(), content))
}

/// The platform begins to look at what was uploaded.
pub(crate) fn begin(world: &mut World<'_>, own: &str) -> Result<Value, ApiError> {
    world.update(USAGE_FILES, own, |file| {
        set(file, "status", "processing");
        Ok(())
    })
}

/// Makes records of what was uploaded, or says why that can't be: the file is ready then, or invalid.
pub(crate) fn process(
    world: &mut World<'_>,
    own: &str,
    book: Result<Book, String>,
) -> Result<Value, ApiError> {
    let mut file = world.get(USAGE_FILES, own)?;
    records::remove(world, &file)?;
    let mut told = Told::default();
    let mut valid = 0;
    let mut total = 0;
    match book {
        Err(error) => told.add(error),
        Ok(book) => {
            let categories = categories(world, own, &book)?;
            let schema = file["schema"].as_str().unwrap_or_default().to_owned();
            let mut checker = Checker::new(&schema, categories);
            let product = file["product"]["id"].as_str().unwrap_or_default();
            let mut shelf = Shelf::of(world, product)?;
            let mut made = Vec::new();
            for row in book.records.rows() {
                let Checked { record, errors } = checker.check(row, &mut shelf)?;
                if errors.is_empty() {
                    valid += 1;
                } else {
                    told.add(format!("Row {}: {}", row.number, errors.join(" ")));
                }
                made.push(record);
            }
            total = made.len();
            if total == 0 {
                told.add("The file has no records.".to_owned());
            }
            for (number, mut record) in (1..).zip(made) {
                records::complete(&mut record, &file, number);
                world.put(USAGE_RECORDS, record)?;
            }
        }
    }
    let is_valid = told.count == 0;
    set(&mut file, "status", if is_valid { "ready" } else { "invalid" });
    set(&mut file, "error_detail", told.text(total, total - valid));
    set(&mut file, "records", json!({"valid": valid, "invalid": total - valid, "closed": 0}));
    let validated = if is_valid { valid } else { 0 };
    set(
        &mut file,
        "stats",
        json!({"uploaded": total, "validated": validated, "pending": 0, "accepted": 0, "closed": 0, "billed": 0}),
    );
    world.put(USAGE_FILES, &file)?;
    Ok(file)
}

/// What was wrong with a file, as much of it as is told.
#[derive(Default)]
struct Told {
    count: usize,
    first: String,
}

impl Told {
    fn add(&mut self, error: String) {
        if self.count == 0 {
            self.first = error;
        }
        self.count += 1;
    }

    fn text(self, records: usize, invalid: usize) -> Value {
        if self.count == 0 {
            return Value::Null;
        }
        let text = match invalid {
            0 => self.first,
            _ => format!("{invalid} of {records} records are invalid. {}", self.first),
        };
        if text.chars().count() <= LONGEST_ERROR {
            return text.into();
        }
        let cut: String = text.chars().take(LONGEST_ERROR - 1).collect();
        format!("{cut}…").into()
    }
}

/// Where the categories of a file are.
pub(crate) fn categories_of(own: &str) -> String {
    format!("{USAGE_FILES}/{own}/categories")
}

/// Takes over the categories of a file; their ids are the answer, where it has a sheet of them.
fn categories(world: &mut World<'_>, own: &str, book: &Book) -> Result<Option<BTreeSet<String>>, ApiError> {
    let collection = categories_of(own);
    for known in world.list(&collection)? {
        world.remove(&collection, known["id"].as_str().unwrap_or_default())?;
    }
    let mut ids = BTreeSet::new();
    let mut add = |id: &str, name: &str, description: &str| {
        if id.is_empty() || !ids.insert(id.to_owned()) {
            return Ok(());
        }
        let name = if name.is_empty() { id } else { name };
        world.put(&collection, json!({"id": id, "name": name, "description": description}))
    };
    if let Some(sheet) = &book.categories {
        for row in sheet.rows() {
            add(row.get("category_id"), row.get("category_name"), row.get("category_description"))?;
        }
        return Ok(Some(ids));
    }
    // A file without that sheet has the categories that its records name.
    for row in book.records.rows() {
        add(row.get("category_id"), "", "")?;
    }
    Ok(None)
}

/// The items and assets of a product.
struct Shelf<'a, 'w> {
    world: &'a World<'w>,
    product: String,
    items: Vec<Value>,
    /// Read when a criterion needs all of them.
    assets: Option<Vec<Value>>,
    /// Which of them have which value, by criterion: files have many rows.
    indexes: HashMap<String, HashMap<String, Vec<usize>>>,
}

impl<'a, 'w> Shelf<'a, 'w> {
    fn of(world: &'a World<'w>, product: &str) -> Result<Self, ApiError> {
        let items = world.list(&format!("products/{product}/items"))?;
        Ok(Self { world, product: product.to_owned(), items, assets: None, indexes: HashMap::new() })
    }
}

impl Known for Shelf<'_, '_> {
    fn items(&self) -> &[Value] {
        &self.items
    }

    fn assets(&mut self, criterion: &str, value: &str) -> Result<Vec<Value>, ApiError> {
        if criterion == "id" {
            let asset = self.world.find(ASSETS, value)?;
            return Ok(asset
                .into_iter()
                .filter(|asset| asset["product"]["id"] == self.product.as_str())
                .collect());
        }
        if self.assets.is_none() {
            let of_product = R::field("product.id").eq(self.product.as_str());
            self.assets = Some(self.world.matching(ASSETS, &of_product)?);
        }
        let all = self.assets.as_deref().unwrap_or_default();
        let index = self.indexes.entry(criterion.to_owned()).or_insert_with(|| index(all, criterion));
        let found = index.get(value).into_iter().flatten();
        Ok(found.filter_map(|place| all.get(*place)).cloned().collect())
    }
}

/// Where the assets are that have each value.
fn index(assets: &[Value], criterion: &str) -> HashMap<String, Vec<usize>> {
    let mut index: HashMap<String, Vec<usize>> = HashMap::new();
    for (place, asset) in assets.iter().enumerate() {
        let value = match criterion.strip_prefix("parameter.") {
            Some(name) => {
                let mut params = asset["params"].as_array().into_iter().flatten();
                params.find(|param| param["id"] == name).map_or(&Value::Null, |param| &param["value"])
            }
            None => &asset[criterion],
        };
        if let Some(value) = value.as_str() {
            index.entry(value.to_owned()).or_default().push(place);
        }
    }
    index
}

/// Does something with a file, and with its records and chunks what follows.
pub(crate) fn act(world: &mut World<'_>, own: &str, action: &str, body: &Value) -> Result<Value, ApiError> {
    for member in ["acceptance_note", "rejection_note"] {
        text(body, member, 200)?;
    }
    let mut file = transitions::act(world, USAGE_FILES, own, action, body)?;
    match action {
        "submit" => move_count(&mut file, "validated", "pending", None),
        "accept" | "approve-all" => {
            let from: &[&str] = if action == "accept" { &["valid"] } else { &["valid", "rejected"] };
            records::enter(world, &file, from, "approved")?;
            let approved = chunks::make(world, &file)?;
            move_count(&mut file, "pending", "accepted", Some(approved));
        }
        "reject" => {
            records::enter(world, &file, &["valid", "approved"], "rejected")?;
            move_count(&mut file, "pending", "validated", None);
        }
        "close" => {
            let closed = records::enter(world, &file, &["approved"], "closed")?;
            chunks::close_all(world, &file)?;
            count_closed(&mut file, closed);
        }
        "delete" => {
            records::remove(world, &file)?;
            for part in Part::ALL {
                world.remove(part.collection(), own)?;
            }
        }
        _ => {}
    }
    world.put(USAGE_FILES, &file)?;
    Ok(file)
}

fn count(file: &Value, counter: &str) -> u64 {
    file["stats"][counter].as_u64().unwrap_or_default()
}

/// Moves all of one counter to another, or so many as are known.
fn move_count(file: &mut Value, from: &str, to: &str, known: Option<usize>) {
    let moved = known.map_or_else(|| count(file, from), |known| known as u64);
    if let Some(stats) = file.get_mut("stats") {
        set(stats, from, 0);
        set(stats, to, moved);
    }
}

/// Counts records of a file that were closed.
pub(super) fn count_closed(file: &mut Value, closed: usize) {
    let closed = closed as u64;
    let accepted = count(file, "accepted").saturating_sub(closed);
    let (all, billed) = (count(file, "closed") + closed, count(file, "billed") + closed);
    if let Some(stats) = file.get_mut("stats") {
        set(stats, "accepted", accepted);
        set(stats, "closed", all);
        set(stats, "billed", billed);
    }
    if let Some(records) = file.get_mut("records") {
        set(records, "closed", all);
    }
}

/// Whether all that was accepted of a file is closed.
pub(super) fn is_done(file: &Value) -> bool {
    file["status"] == "accepted" && count(file, "accepted") == 0 && count(file, "closed") > 0
}

/// Closes records by a distributor's file, and the usage file itself once none is left.
pub(crate) fn reconcile(world: &mut World<'_>, own: &str, sent: &Upload<'_>) -> Result<Value, ApiError> {
    world.only(Role::Distributor)?;
    let file = world.get(USAGE_FILES, own)?;
    if file["status"] != "accepted" {
        return Err(ApiError::bad("VAL_001", "Only accepted usage files can be reconciled."));
    }
    let book = sheet::read(sent.content).map_err(|error| wrong("recon_file", &error))?;
    let known = records::of(world, &file)?;
    let mut errors = Vec::new();
    let mut bills = Vec::new();
    for row in book.records.rows() {
        let (id, vendors) = (row.get("usage_record_id"), row.get("record_id"));
        let is_it = |record: &&Value| match id {
            "" => !vendors.is_empty() && (record["record_id"] == vendors || record["id"] == vendors),
            id => record["id"] == id,
        };
        match known.iter().find(is_it) {
            Some(record) => bills.push((record, row)),
            None => errors.push(format!("recon_file: Row {}: The file has no such record.", row.number)),
        }
    }
    if bills.is_empty() && errors.is_empty() {
        errors.push("recon_file: It has no records.".to_owned());
    }
    if !errors.is_empty() {
        errors.truncate(20);
        return Err(ApiError { errors, ..ApiError::bad("VAL_001", "") });
    }
    let mut closed = Vec::new();
    for (record, row) in bills {
        let bill = json!({"external_billing_id": row.get("external_billing_id"),
            "external_billing_note": row.get("external_billing_note")});
        let id = record["id"].as_str().unwrap_or_default();
        let told = |error: ApiError| {
            let errors = error.errors.iter().map(|text| format!("recon_file: Row {}: {text}", row.number));
            ApiError { errors: errors.collect(), ..error }
        };
        closed.push(transitions::act(world, USAGE_RECORDS, id, "close", &bill).map_err(told)?);
    }
    keep(world, own, Part::Reconciliation, sent)?;
    records::closed(world, &closed)?;
    let (now, by) = (world.now(), who::user(world.role()));
    world.update(USAGE_FILES, own, |file| {
        note(file, "reconciled", &now, &by);
        Ok(())
    })
}

/// Which of a file's files there are.
pub(crate) fn parts(file: &Value) -> impl Iterator<Item = Part> {
    let status = file["status"].as_str().unwrap_or_default();
    // A file that was imported says itself where its files are.
    let is_there = move |part: &Part| match part {
        _ if status == "deleted" || file[part.member()].is_string() => false,
        Part::Uploaded => file["events"]["uploaded"].is_object(),
        // Until it was looked at, nothing became of its rows.
        Part::Processed => {
            file["events"]["uploaded"].is_object() && !matches!(status, "uploading" | "processing")
        }
        Part::Reconciliation => file["events"]["reconciled"].is_object(),
    };
    Part::ALL.into_iter().filter(is_there)
}
