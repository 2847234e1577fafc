//! Workbooks as Connect writes them: the template of a product, a file with what became of its rows, a chunk.

use rust_xlsxwriter::{Format, Workbook, Worksheet, XlsxError};
use serde_json::Value;

use super::check::COLUMNS;

/// What the platform adds to the columns of a row.
const ADDED: [&str; 8] = [
    "usage_record_id",
    "asset_id",
    "asset_external_id",
    "item_unit",
    "status",
    "error_details",
    "external_billing_id",
    "external_billing_note",
];
/// The longest text that a cell can hold, in characters.
const LONGEST: usize = 32_767;

/// The workbook that vendors fill in.
pub(crate) fn template(product: &Value) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let sheet = titled(&mut book, "instructions", &["tab", "definition"])?;
    for (row, (tab, definition)) in (1..).zip([
        ("records", "One row for each record of usage. This tab and the next are read."),
        ("categories", "The categories that the records name, if any."),
    ]) {
        sheet.write_string(row, 0, tab)?.write_string(row, 1, definition)?;
    }
    general(&mut book, &[("product_id", text(&product["id"])), ("product_name", text(&product["name"]))])?;
    titled(&mut book, "categories", &["category_id", "category_name", "category_description"])?;
    titled(&mut book, "records", &COLUMNS)?;
    book.save_to_buffer()
}

/// The records of a file, or of a chunk of it.
pub(crate) fn records(file: &Value, records: &[Value]) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    general(
        &mut book,
        &[
            ("report_name", text(&file["name"])),
            ("report_note", text(&file["note"])),
            ("report_id", text(&file["id"])),
            ("report_start_time_utc", text(&file["period"]["from"])),
            ("report_end_time_utc", text(&file["period"]["to"])),
            ("usage_schema", text(&file["schema"]).to_uppercase()),
            ("currency", text(&file["currency"])),
            ("product_id", text(&file["product"]["id"])),
            ("product_name", text(&file["product"]["name"])),
            ("marketplace_id", text(&file["marketplace"]["id"])),
            ("marketplace_name", text(&file["marketplace"]["name"])),
            ("vendor_account_id", text(&file["vendor"]["id"])),
            ("vendor_account_name", text(&file["vendor"]["name"])),
            ("distributor_account_id", text(&file["provider"]["id"])),
            ("distributor_account_name", text(&file["provider"]["name"])),
            ("distribution_contract_id", text(&file["contract"]["id"])),
            ("distribution_contract_name", text(&file["contract"]["name"])),
        ],
    )?;
    let columns: Vec<&str> = COLUMNS.into_iter().chain(ADDED).collect();
    let sheet = titled(&mut book, "records", &columns)?;
    for (row, record) in (1..).zip(records) {
        for (column, name) in (0..).zip(&columns) {
            match value(record, name) {
                Value::Null => {}
                Value::Number(number) => {
                    sheet.write_number(row, column, number.as_f64().unwrap_or_default())?;
                }
                other => {
                    sheet.write_string(row, column, text(other))?;
                }
            }
        }
    }
    book.save_to_buffer()
}

/// What of a record stands in a column.
fn value<'a>(record: &'a Value, column: &str) -> &'a Value {
    match column {
        "usage_record_id" => &record["id"],
        "item_search_criteria" | "item_search_value" | "asset_search_criteria" | "asset_search_value" => {
            &record["search"][column]
        }
        "quantity" => &record["usage"],
        "start_time_utc" => &record["start_date"],
        "end_time_utc" => &record["end_date"],
        "item_name" => &record["item"]["name"],
        "item_mpn" => &record["item"]["mpn"],
        "item_precision" => &record["item"]["precision"],
        "item_unit" => &record["item"]["unit"],
        "category_id" => &record["category"]["id"],
        "asset_recon_id" => &record["asset"]["recon_id"],
        "asset_id" => &record["asset"]["id"],
        "asset_external_id" => &record["asset"]["external_id"],
        other => &record[other],
    }
}

fn text(value: &Value) -> String {
    let text = value
        .as_str()
        .map_or_else(|| if value.is_null() { String::new() } else { value.to_string() }, str::to_owned);
    if text.len() > LONGEST { text.chars().take(LONGEST).collect() } else { text }
}

fn titled<'a>(book: &'a mut Workbook, name: &str, columns: &[&str]) -> Result<&'a mut Worksheet, XlsxError> {
    let bold = Format::new().set_bold();
    let sheet = book.add_worksheet().set_name(name)?;
    sheet.set_freeze_panes(1, 0)?;
    for (column, name) in (0..).zip(columns) {
        sheet.write_with_format(0, column, *name, &bold)?.set_column_width(column, 22)?;
    }
    Ok(sheet)
}

fn general(book: &mut Workbook, attributes: &[(&str, String)]) -> Result<(), XlsxError> {
    let sheet = titled(book, "general", &["#", "attribute_id", "attribute_value"])?;
    for (row, (name, value)) in (1..).zip(attributes) {
        sheet.write_number(row, 0, row)?.write_string(row, 1, *name)?.write_string(row, 2, value)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::sheet;
    use super::*;

    #[test]
    fn a_template_is_a_file_without_records() {
        let book = sheet::read(&template(&json!({"id": "PRD-1", "name": "Storage"})).unwrap()).unwrap();
        assert_eq!((book.records.rows().count(), book.categories.unwrap().rows().count()), (0, 0));
    }

    #[test]
    fn what_is_written_can_be_uploaded_again() {
        let record = json!({"id": "UR-1", "record_id": "r1", "usage": 1.5, "amount": null, "tier": 2,
            "search": {"item_search_criteria": "item.mpn", "item_search_value": "=1+1"}, "item": {"name": "x".repeat(40_000)},
            "start_date": "2026-01-01T00:00:00+00:00", "status": "invalid", "error_details": "tier: wrong"});
        let file = json!({"id": "UF-1", "schema": "qt"});
        let book = sheet::read(&records(&file, &[record]).unwrap()).unwrap();
        let row = book.records.rows().next().unwrap();
        let cells = [
            "usage_record_id",
            "record_id",
            "quantity",
            "amount",
            "tier",
            "item_search_value",
            "start_time_utc",
        ];
        assert_eq!(
            cells.map(|cell| row.get(cell)),
            ["UR-1", "r1", "1.5", "", "2", "=1+1", "2026-01-01T00:00:00+00:00"]
        );
        assert_eq!((row.get("error_details"), row.get("item_name").len()), ("tier: wrong", LONGEST));
    }
}
