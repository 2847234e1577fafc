//! What a row of a usage file says, and what is wrong with it.
//!
//! Source of the columns: Connect's page "Usage File Format", and the libraries that write such files. Which of them a
//! schema requires no source says.

use std::collections::BTreeSet;

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde_json::{Value, json};

use super::sheet::Row;
use crate::api_error::ApiError;

/// The columns of the sheet of records, in the order of the template.
pub(crate) const COLUMNS: [&str; 16] = [
    "record_id",
    "record_note",
    "item_search_criteria",
    "item_search_value",
    "amount",
    "quantity",
    "start_time_utc",
    "end_time_utc",
    "asset_search_criteria",
    "asset_search_value",
    "item_name",
    "item_mpn",
    "item_precision",
    "category_id",
    "asset_recon_id",
    "tier",
];

const ITEM_CRITERIA: [(&str, &str); 4] =
    [("item.mpn", "mpn"), ("item.local_id", "local_id"), ("item.id", "id"), ("item.global_id", "id")];

/// What the rows of a file are looked up in.
pub(crate) trait Known {
    /// The items of the product.
    fn items(&self) -> &[Value];
    /// The assets of the product that a criterion finds: `id`, `external_id`, `external_uid`, or `parameter.NAME`.
    fn assets(&mut self, criterion: &str, value: &str) -> Result<Vec<Value>, ApiError>;
}

/// What all rows of a file share.
#[derive(Debug)]
pub(crate) struct Checker<'a> {
    /// `qt`, `tr`, `pr` or `cr`.
    schema: &'a str,
    /// The categories there are, where the file says so.
    categories: Option<BTreeSet<String>>,
    seen: BTreeSet<String>,
}

/// A row as a usage record, without an id.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) record: Value,
    pub(crate) errors: Vec<String>,
}

impl<'a> Checker<'a> {
    pub(crate) fn new(schema: &'a str, categories: Option<BTreeSet<String>>) -> Self {
        Self { schema, categories, seen: BTreeSet::new() }
    }

    pub(crate) fn check(&mut self, row: Row<'_>, known: &mut impl Known) -> Result<Checked, ApiError> {
        let mut errors = Vec::new();
        let own = row.get("record_id");
        if !own.is_empty() && !self.seen.insert(own.to_owned()) {
            errors.push(format!("record_id: \"{own}\" is there twice."));
        }
        let item = note(item(row, known.items()), &mut errors);
        let asset = note(asset(row, known)?, &mut errors);
        let by_amount = matches!(self.schema, "pr" | "cr");
        let quantity = note(number(row, "quantity", !by_amount), &mut errors).flatten();
        let amount = note(number(row, "amount", by_amount), &mut errors).flatten();
        if let (Some(quantity), Some(item)) = (quantity, &item) {
            errors.extend(too_exact(quantity, item));
        }
        let start = note(time(row, "start_time_utc"), &mut errors);
        let end = note(time(row, "end_time_utc"), &mut errors);
        if let (Some(start), Some(end)) = (start, end)
            && start > end
        {
            errors.push("end_time_utc: It is before start_time_utc.".to_owned());
        }
        let tier = match row.get("tier") {
            "" => Value::Null,
            text => text.parse::<u32>().map_or_else(
                |_| {
                    errors.push("tier: A valid integer is required.".to_owned());
                    Value::Null
                },
                Value::from,
            ),
        };
        let category = row.get("category_id");
        if let Some(categories) = &self.categories
            && !category.is_empty()
            && !categories.contains(category)
        {
            errors.push(format!("category_id: The sheet of categories has no \"{category}\"."));
        }
        let params: Vec<Value> = row
            .cells()
            .filter(|(column, cell)| !column.is_empty() && !cell.is_empty() && !COLUMNS.contains(column))
            .map(|(column, cell)| json!({"parameter_name": column, "parameter_value": cell}))
            .collect();
        let moment =
            |time: Option<Timestamp>| time.map(|time| time.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string());
        let (item, asset) = (item.unwrap_or_default(), asset.unwrap_or_default());
        let record = json!({
            "record_id": own, "record_note": row.get("record_note"), "row": row.number,
            "search": {"item_search_criteria": row.get("item_search_criteria"),
                "item_search_value": row.get("item_search_value"),
                "asset_search_criteria": row.get("asset_search_criteria"),
                "asset_search_value": row.get("asset_search_value")},
            "start_date": moment(start), "end_date": moment(end),
            "item": item, "item_id": item["id"], "resource_local_id": item["local_id"],
            "asset": {"id": asset["id"], "external_id": asset["external_id"], "external_uid": asset["external_uid"],
                "recon_id": row.get("asset_recon_id")},
            "asset_id": asset["id"], "asset_external_id": asset["external_id"],
            "asset_external_uid": asset["external_uid"], "hub": asset["connection"]["hub"],
            "category": {"id": category, "name": category}, "tier": tier,
            "amount": amount, "multiplier": 1, "usage": quantity.unwrap_or(0.0), "params": params,
            "status": if errors.is_empty() { "valid" } else { "invalid" },
            "error_details": errors.join(" "),
        });
        Ok(Checked { record, errors })
    }
}

/// What was found out, or a note of what was wrong.
fn note<T>(found: Result<T, String>, errors: &mut Vec<String>) -> Option<T> {
    found.map_err(|error| errors.push(error)).ok()
}

fn item(row: Row<'_>, items: &[Value]) -> Result<Value, String> {
    let (criteria, wanted) = (row.get("item_search_criteria"), row.get("item_search_value"));
    let key = ITEM_CRITERIA.iter().find(|(own, _)| *own == criteria).map(|(_, key)| *key);
    let key = key.ok_or_else(|| {
        let all = ITEM_CRITERIA.map(|(own, _)| own).join(", ");
        format!("item_search_criteria: \"{criteria}\" is none of {all}.")
    })?;
    let found = items.iter().find(|item| !wanted.is_empty() && item[key] == wanted);
    let item = found
        .ok_or_else(|| format!("item_search_value: The product has no item with {criteria} \"{wanted}\"."))?;
    Ok(json!({"id": item["id"], "local_id": item["local_id"], "mpn": item["mpn"], "name": item["name"],
        "unit": item["unit"]["title"], "precision": item["precision"], "type": item["type"]}))
}

fn asset(row: Row<'_>, known: &mut impl Known) -> Result<Result<Value, String>, ApiError> {
    let (criteria, wanted) = (row.get("asset_search_criteria"), row.get("asset_search_value"));
    let criterion = match criteria.strip_prefix("asset.") {
        Some(own @ ("id" | "external_id" | "external_uid")) => own,
        _ if criteria.starts_with("parameter.") => criteria,
        _ => {
            return Ok(Err(format!(
                "asset_search_criteria: \"{criteria}\" is none of asset.id, asset.external_id, asset.external_uid, \
                 parameter.NAME."
            )));
        }
    };
    if wanted.is_empty() {
        return Ok(Err("asset_search_value: This field may not be blank.".to_owned()));
    }
    let mut found = known.assets(criterion, wanted)?;
    Ok(match (found.pop(), found.len()) {
        (Some(asset), 0) => Ok(asset),
        (None, _) => {
            Err(format!("asset_search_value: The product has no asset with {criteria} \"{wanted}\"."))
        }
        (Some(_), _) => {
            Err(format!("asset_search_value: The product has several assets with {criteria} \"{wanted}\"."))
        }
    })
}

fn number(row: Row<'_>, column: &str, required: bool) -> Result<Option<f64>, String> {
    let text = row.get(column);
    if text.is_empty() && !required {
        return Ok(None);
    }
    let number = text.parse().ok().filter(|number: &f64| number.is_finite());
    number.map(Some).ok_or_else(|| format!("{column}: A valid number is required."))
}

/// What is wrong with a quantity that has more decimals than its item allows.
fn too_exact(quantity: f64, item: &Value) -> Option<String> {
    let precision = item["precision"].as_str()?;
    let allowed: usize = match precision {
        "integer" => 0,
        other => other.strip_prefix("decimal(")?.strip_suffix(')')?.parse().ok()?,
    };
    // The shortest text of a number has no decimals more than were given.
    let text = quantity.to_string();
    let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    (decimals > allowed).then(|| format!("quantity: The precision of the item is {precision}."))
}

/// A time in UTC: with a zone only where that is UTC.
fn time(row: Row<'_>, column: &str) -> Result<Timestamp, String> {
    let text = row.get(column);
    let without_zone = || TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok();
    let with_zone = || {
        let is_utc = text.ends_with(['Z', 'z']) || text.ends_with("+00:00");
        text.parse::<Timestamp>().ok().filter(|_| is_utc)
    };
    let found = if has_zone(text) { with_zone() } else { without_zone() };
    found.ok_or_else(|| format!("{column}: A time in UTC is required, as in 2026-01-31 13:05:00."))
}

/// Whether a text names a zone after its time.
fn has_zone(text: &str) -> bool {
    text.split_once(['T', 't', ' ']).is_some_and(|(_, time)| time.contains(['Z', 'z', '+', '-']))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Shelf {
        items: Vec<Value>,
        assets: Vec<Value>,
    }

    impl Known for Shelf {
        fn items(&self) -> &[Value] {
            &self.items
        }

        fn assets(&mut self, criterion: &str, value: &str) -> Result<Vec<Value>, ApiError> {
            let is_it = |asset: &&Value| match criterion.strip_prefix("parameter.") {
                Some(name) => asset["params"][0]["id"] == name && asset["params"][0]["value"] == value,
                None => asset[criterion] == value,
            };
            Ok(self.assets.iter().filter(is_it).cloned().collect())
        }
    }

    fn shelf() -> Shelf {
        let asset = |id: &str, tenant: &str| {
            json!({"id": id, "external_id": format!("e-{id}"), "params": [{"id": "tenant", "value": tenant}],
                "connection": {"hub": {"id": "HB-1"}}})
        };
        Shelf {
            items: vec![
                json!({"id": "PRD-1-1", "local_id": "gb", "mpn": "MPN-1", "name": "Storage", "precision": "decimal(2)",
                    "unit": {"title": "GB"}, "type": "ppu"}),
                json!({"id": "PRD-1-2", "local_id": "seats", "mpn": "MPN-2", "precision": "integer"}),
            ],
            assets: vec![asset("AS-1", "a"), asset("AS-2", "b"), asset("AS-3", "b")],
        }
    }

    /// Checks a row, made of a right one by what is changed.
    fn checked(schema: &str, changes: &[(&str, &str)]) -> Checked {
        let mut cells = vec![
            ("record_id", "r1"),
            ("item_search_criteria", "item.mpn"),
            ("item_search_value", "MPN-1"),
            ("quantity", "1.25"),
            ("start_time_utc", "2026-01-01 00:00:00"),
            ("end_time_utc", "2026-01-31"),
            ("asset_search_criteria", "parameter.tenant"),
            ("asset_search_value", "a"),
        ];
        cells.retain(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
        cells.extend(changes);
        let (header, row): (Vec<&str>, Vec<&str>) = cells.into_iter().unzip();
        let file = format!("{}\n{}\n", header.join(","), row.join(","));
        let book = super::super::sheet::read(file.as_bytes()).unwrap();
        let mut checker = Checker::new(schema, Some(BTreeSet::from(["compute".to_owned()])));
        checker.check(book.records.rows().next().unwrap(), &mut shelf()).unwrap()
    }

    #[test]
    fn a_right_row_is_a_record_as_connect_has_it() {
        let changes = [("category_id", "compute"), ("tier", "2"), ("asset_recon_id", "77"), ("region", "eu")];
        let Checked { record, errors } = checked("qt", &changes);
        assert!(errors.is_empty(), "{errors:?}");
        let expected = json!({"record_id": "r1", "record_note": "", "row": 2,
            "search": {"item_search_criteria": "item.mpn", "item_search_value": "MPN-1",
                "asset_search_criteria": "parameter.tenant", "asset_search_value": "a"},
            "start_date": "2026-01-01T00:00:00+00:00", "end_date": "2026-01-31T00:00:00+00:00",
            "item": {"id": "PRD-1-1", "local_id": "gb", "mpn": "MPN-1", "name": "Storage", "unit": "GB",
                "precision": "decimal(2)", "type": "ppu"},
            "item_id": "PRD-1-1", "resource_local_id": "gb",
            "asset": {"id": "AS-1", "external_id": "e-AS-1", "external_uid": null, "recon_id": "77"},
            "asset_id": "AS-1", "asset_external_id": "e-AS-1", "asset_external_uid": null, "hub": {"id": "HB-1"},
            "category": {"id": "compute", "name": "compute"}, "tier": 2, "amount": null, "multiplier": 1,
            "usage": 1.25, "params": [{"parameter_name": "region", "parameter_value": "eu"}],
            "status": "valid", "error_details": ""});
        assert_eq!(record, expected);
    }

    #[test]
    fn what_is_wrong_is_told_by_column() {
        for (changes, expected) in [
            (
                &[("item_search_criteria", "mpn")] as &[_],
                "item_search_criteria: \"mpn\" is none of item.mpn,",
            ),
            (
                &[("item_search_value", "MPN-9")],
                "item_search_value: The product has no item with item.mpn \"MPN-9\".",
            ),
            (&[("item_search_value", "")], "item_search_value: The product has no item with item.mpn \"\"."),
            (&[("asset_search_criteria", "asset")], "asset_search_criteria: \"asset\" is none of asset.id,"),
            (&[("asset_search_value", "")], "asset_search_value: This field may not be blank."),
            (
                &[("asset_search_value", "z")],
                "asset_search_value: The product has no asset with parameter.tenant",
            ),
            (&[("asset_search_value", "b")], "asset_search_value: The product has several assets with"),
            (&[("quantity", "")], "quantity: A valid number is required."),
            (&[("quantity", "many")], "quantity: A valid number is required."),
            (&[("quantity", "NaN")], "quantity: A valid number is required."),
            (&[("quantity", "1e999")], "quantity: A valid number is required."),
            (&[("quantity", "1.255")], "quantity: The precision of the item is decimal(2)."),
            (
                &[("quantity", "1.5"), ("item_search_value", "MPN-2")],
                "quantity: The precision of the item is integer.",
            ),
            (&[("amount", "dear")], "amount: A valid number is required."),
            (
                &[("start_time_utc", "")],
                "start_time_utc: A time in UTC is required, as in 2026-01-31 13:05:00.",
            ),
            (&[("end_time_utc", "2026-01-31T00:00:00+02:00")], "end_time_utc: A time in UTC is required"),
            (&[("end_time_utc", "31.12.2026")], "end_time_utc: A time in UTC is required"),
            (&[("end_time_utc", "2025-12-31")], "end_time_utc: It is before start_time_utc."),
            (&[("tier", "first")], "tier: A valid integer is required."),
            (&[("category_id", "storage")], "category_id: The sheet of categories has no \"storage\"."),
        ] {
            let Checked { record, errors } = checked("qt", changes);
            assert!(
                matches!(errors.as_slice(), [error] if error.starts_with(expected)),
                "{changes:?}: {errors:?}"
            );
            assert_eq!((&record["status"], &record["error_details"]), (&json!("invalid"), &json!(errors[0])));
        }
    }

    #[test]
    fn the_schema_says_whether_quantities_or_amounts_are_needed() {
        let without_quantity = [("quantity", ""), ("amount", "9.99")];
        for (schema, is_right) in [("qt", false), ("tr", false), ("pr", true), ("cr", true)] {
            assert_eq!(checked(schema, &without_quantity).errors.is_empty(), is_right, "{schema}");
            assert_eq!(checked(schema, &[]).errors.is_empty(), !is_right, "{schema}");
        }
        assert_eq!(checked("pr", &without_quantity).record["amount"], 9.99);
    }

    #[test]
    fn times_are_utc_with_or_without_saying_so() {
        for (text, is_one) in [
            ("2026-01-31 13:05:00", true),
            ("2026-01-31T13:05:00Z", true),
            ("2026-01-31T13:05:00+00:00", true),
            ("2026-01-31", true),
            ("2026-01-31T13:05:00-05:00", false),
            ("2026-02-30", false),
            ("soon", false),
        ] {
            assert_eq!(checked("qt", &[("end_time_utc", text)]).errors.is_empty(), is_one, "{text}");
        }
    }

    #[test]
    fn a_record_is_there_once() {
        let file = b"record_id\nr1\nr1\n";
        let book = super::super::sheet::read(file).unwrap();
        let mut checker = Checker::new("qt", None);
        let told: Vec<bool> = book
            .records
            .rows()
            .map(|row| checker.check(row, &mut shelf()).unwrap().errors)
            .map(|errors| errors.contains(&"record_id: \"r1\" is there twice.".to_owned()))
            .collect();
        assert_eq!(told, [false, true]);
    }
}
