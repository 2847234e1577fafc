//! Items in orders: how much of them, and what assets say of them.

use serde_json::{Value, json};

use super::offer::period;

/// As much as is used.
const UNLIMITED: &str = "unlimited";

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

pub(super) fn is_ppu(item: &Value) -> bool {
    text(item, "type").eq_ignore_ascii_case("ppu")
}

/// A quantity as payloads have it now: a text of a number that is not negative, or `unlimited`.
pub(super) fn quantity(value: &Value) -> Option<String> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let is_one =
        text == UNLIMITED || text.parse().is_ok_and(|number: f64| number.is_finite() && number >= 0.0);
    is_one.then_some(text)
}

/// How much of an item of the catalogue is ordered; what is wrong with it is the error.
pub(super) fn checked(value: &Value, item: &Value) -> Result<String, String> {
    let given = match value {
        // It is used as it comes.
        Value::Null if is_ppu(item) => UNLIMITED.to_owned(),
        Value::Null => return Err("This field is required.".to_owned()),
        value => quantity(value).ok_or("A valid number is required.")?,
    };
    if given == UNLIMITED {
        return if is_ppu(item) { Ok(given) } else { Err("A valid number is required.".to_owned()) };
    }
    let (whole, fraction) = given.split_once('.').unwrap_or((&given, ""));
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) {
        return Err("A valid number is required.".to_owned());
    }
    let precision = text(item, "precision").to_ascii_lowercase();
    let places = precision.strip_prefix("decimal(").and_then(|rest| rest.strip_suffix(')'));
    match places.and_then(|places| places.parse::<usize>().ok()).unwrap_or_default() {
        0 if !fraction.is_empty() => Err("A valid integer is required.".to_owned()),
        places if fraction.len() > places => {
            Err(format!("Ensure that there are no more than {places} decimal places."))
        }
        _ => Ok(given),
    }
}

/// Whether nothing of it is ordered.
pub(super) fn is_none(quantity: &str) -> bool {
    quantity.bytes().all(|byte| matches!(byte, b'0' | b'.'))
}

/// An item of the catalogue as assets have it.
pub(super) fn ordered(item: &Value, quantity: &str) -> Value {
    let local = item["local_id"].as_str().map_or_else(|| text(item, "id").replace('-', "_"), str::to_owned);
    let name = item.get("display_name").or(item.get("name")).unwrap_or(&item["mpn"]);
    let kind = if is_ppu(item) { "PPU" } else { "Reservation" };
    let unit = &item["unit"];
    let unit = unit["title"].as_str().or(unit["name"].as_str()).or(unit["id"].as_str()).unwrap_or("Units");
    json!({"id": local, "global_id": item["id"], "mpn": item["mpn"], "old_quantity": "0", "quantity": quantity,
        "type": unit, "display_name": name, "period": period(text(item, "period")), "item_type": kind})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_as_precise_as_the_item() {
        let item = |kind: &str, precision: &str| json!({"type": kind, "precision": precision});
        let seat = item("reservation", "integer");
        let storage = item("reservation", "decimal(2)");
        let traffic = item("PPU", "Decimal(4)");
        for (item, value, expected) in [
            (&seat, json!(5), Ok("5")),
            (&seat, json!("5"), Ok("5")),
            (&seat, json!("0"), Ok("0")),
            (&storage, json!("1.25"), Ok("1.25")),
            (&storage, json!(0.5), Ok("0.5")),
            (&traffic, json!(null), Ok("unlimited")),
            (&traffic, json!("unlimited"), Ok("unlimited")),
            (&traffic, json!("0.0001"), Ok("0.0001")),
            (&seat, json!("1.5"), Err("A valid integer is required.")),
            (&seat, json!(null), Err("This field is required.")),
            (&seat, json!("unlimited"), Err("A valid number is required.")),
            (&seat, json!("-1"), Err("A valid number is required.")),
            (&seat, json!("+1"), Err("A valid number is required.")),
            (&seat, json!("1e3"), Err("A valid number is required.")),
            (&seat, json!(true), Err("A valid number is required.")),
            (&seat, json!("inf"), Err("A valid number is required.")),
            (&storage, json!("1.255"), Err("Ensure that there are no more than 2 decimal places.")),
            (&storage, json!(".5"), Err("A valid number is required.")),
        ] {
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(checked(&value, item), expected, "{value} of {item}");
        }
        assert!(is_none("0") && is_none("0.00") && !is_none("0.01") && !is_none("unlimited"));
    }

    #[test]
    fn an_item_is_shown_as_assets_have_it() {
        let item = json!({"id": "PRD-1-2-3-0001", "mpn": "M", "name": "N", "type": "ppu", "period": "monthly",
            "unit": {"id": "gb", "title": "Gb"}});
        let expected = json!({"id": "PRD_1_2_3_0001", "global_id": "PRD-1-2-3-0001", "mpn": "M", "old_quantity": "0",
            "quantity": "unlimited", "type": "Gb", "display_name": "N", "period": "Monthly", "item_type": "PPU"});
        assert_eq!(ordered(&item, "unlimited"), expected);
    }
}
