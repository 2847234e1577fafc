//! Billing requests, which say what a period of a subscription is billed for, and the billing view of an asset.
//!
//! Source: Connect's Open API, `/subscriptions`.

use connect_model::rql::{R, Rql};
use jiff::{Span, Timestamp, ToSpan, tz::TimeZone};
use serde_json::{Value, json};

use crate::{
    api_error::ApiError,
    fulfillment::set,
    role::Role,
    store::ASSETS,
    transitions::note,
    who::{self, choice, needed, wrong},
    world::World,
};

pub(crate) const BILLING_REQUESTS: &str = "subscriptions/requests";
const PERIODS: [&str; 7] = ["monthly", "yearly", "years_2", "years_3", "years_4", "years_5", "years_6"];
/// The two sides that bill a subscription.
const SIDES: [(&str, Role); 2] = [("vendor", Role::Vendor), ("provider", Role::Distributor)];

/// Creates a billing request of the vendor or of the distributor.
pub(crate) fn create(world: &mut World<'_>, body: &Value) -> Result<Value, ApiError> {
    let kind = match body.get("type") {
        None | Some(Value::Null) if world.role() == Role::Distributor => "provider",
        None | Some(Value::Null) => "vendor",
        Some(_) => choice(body, "type", &["vendor", "provider"])?,
    };
    world.only(if kind == "vendor" { Role::Vendor } else { Role::Distributor })?;
    let mut asset = asset(world, body)?;
    let period = json!({"from": time(body, "period_from")?, "to": time(body, "period_to")?,
        "delta": delta(body)?, "uom": choice(body, "period_uom", &PERIODS)?});
    let of = asset["id"].as_str().unwrap_or_default().to_owned();
    let others = of_asset(world, &of, kind)?;
    let items = items(body, &asset, others.len() + 1)?;
    let attributes = attributes(world.role(), &json!({}), &body["attributes"])?;
    let own = id(&of, kind, others.len() as u64 + 1);
    let billing = billing(world, &asset);
    if let Some(members) = asset.as_object_mut() {
        members.remove("items");
    }
    set(&mut asset, "billing", billing);
    let (now, by) = (world.now(), who::user(world.role()));
    let mut request = json!({"id": own, "type": kind, "asset": asset, "items": items, "attributes": attributes,
        "period": period});
    note(&mut request, "created", &now, &by);
    world.put(BILLING_REQUESTS, &request)?;
    Ok(request)
}

fn asset(world: &World<'_>, body: &Value) -> Result<Value, ApiError> {
    if body["asset_id"].is_string() {
        return who::referred(world, ASSETS, body, "/asset_id");
    }
    let uid = body["asset_external_uid"].as_str().filter(|uid| !uid.is_empty());
    let uid = uid.ok_or_else(|| wrong("asset_id", "This field or asset_external_uid is required."))?;
    let found = world.matching(ASSETS, &R::field("external_uid").eq(uid))?.pop();
    found.ok_or_else(|| wrong("asset_external_uid", "There is no such asset."))
}

fn time<'a>(body: &'a Value, member: &str) -> Result<&'a str, ApiError> {
    let time = needed(body, &format!("/{member}"))?;
    if crate::schedule::time(time).is_some() {
        return Ok(time);
    }
    Err(wrong(
        member,
        "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].",
    ))
}

fn delta(body: &Value) -> Result<f64, ApiError> {
    let delta = &body["period_delta"];
    let number = delta.as_f64().or_else(|| delta.as_str()?.parse().ok());
    let number = number.filter(|number| number.is_finite() && *number >= 0.0);
    number.ok_or_else(|| wrong("period_delta", "A valid number is required."))
}

/// The items that are billed: of the asset, with how often that was before.
fn items(body: &Value, asset: &Value, cycle: usize) -> Result<Vec<Value>, ApiError> {
    let named = body["items"].as_array().ok_or_else(|| wrong("items", "Expected a list of items."))?;
    let mut items = Vec::new();
    for item in named {
        let is_it = |known: &&Value| {
            ["id", "global_id", "mpn"].into_iter().any(|key| item[key].is_string() && item[key] == known[key])
        };
        let known = asset["items"].as_array().into_iter().flatten().find(is_it);
        let mut known = known.ok_or_else(|| wrong("items", "The asset has no such item."))?.clone();
        let quantity = item.get("quantity").unwrap_or(&known["quantity"]);
        let quantity = quantity.as_f64().or_else(|| quantity.as_str()?.parse().ok());
        if let Some(members) = known.as_object_mut() {
            members.retain(|member, _| !matches!(member.as_str(), "old_quantity" | "params"));
        }
        set(&mut known, "quantity", quantity);
        set(&mut known, "billing", json!({"cycle_number": cycle}));
        items.push(known);
    }
    if items.is_empty() { Err(wrong("items", "This list may not be empty.")) } else { Ok(items) }
}

/// What both sides note at a request, each for itself.
fn attributes(role: Role, known: &Value, given: &Value) -> Result<Value, ApiError> {
    let mut attributes = if known.is_object() { known.clone() } else { json!({}) };
    for (side, own) in SIDES {
        match given.get(side) {
            None => {}
            Some(_) if !role.is(own) => return Err(ApiError::forbidden()),
            Some(noted @ Value::Object(_)) => set(&mut attributes, side, noted.clone()),
            Some(_) => return Err(wrong(side, "Invalid data. Expected a dictionary.")),
        }
    }
    Ok(attributes)
}

/// Changes what a side notes at a request; the attributes are the answer.
pub(crate) fn change(world: &mut World<'_>, own: &str, body: &Value) -> Result<Value, ApiError> {
    let mut request = world.get(BILLING_REQUESTS, own)?;
    let attributes = attributes(world.role(), &request["attributes"], body)?;
    set(&mut request, "attributes", attributes.clone());
    let (now, by) = (world.now(), who::user(world.role()));
    note(&mut request, "updated", &now, &by);
    world.put(BILLING_REQUESTS, request)?;
    Ok(attributes)
}

/// The id of a billing request: the digits of the asset, and which of its side it is.
fn id(asset: &str, kind: &str, number: u64) -> String {
    let stem = asset.replacen("AS", if kind == "vendor" { "BRV" } else { "BRP" }, 1);
    who::id(&stem, &[4], number)
}

fn of_asset(world: &World<'_>, asset: &str, kind: &str) -> Result<Vec<Value>, ApiError> {
    let own = Rql::all([R::field("asset.id").eq(asset), R::field("type").eq(kind)]);
    world.matching(BILLING_REQUESTS, &own)
}

/// An asset as it is billed.
pub(crate) fn view(world: &World<'_>, id: &str) -> Result<Value, ApiError> {
    let mut asset = world.get(ASSETS, id)?;
    let mut billing = billing(world, &asset);
    let mut stats = json!({});
    for (side, _) in SIDES {
        let requests = of_asset(world, id, side)?;
        if let Some(last) = requests.last() {
            let last = json!({"id": last["id"], "type": side, "period": last["period"]});
            set(&mut stats, side, json!({"last_request": last, "count": requests.len()}));
        }
    }
    set(&mut billing, "stats", stats);
    set(&mut asset, "billing", billing);
    Ok(asset)
}

/// How often an asset is billed, and when next: what was agreed on at its approval, or else by the period of its items.
fn billing(world: &World<'_>, asset: &Value) -> Value {
    let known = if asset["billing"].is_object() { asset["billing"].clone() } else { json!({}) };
    let items = asset["items"].as_array().into_iter().flatten();
    let period = items.filter_map(|item| item["period"].as_str()).map(str::to_lowercase);
    let Some(uom) = period.into_iter().find(|period| PERIODS.contains(&period.as_str())) else {
        return known;
    };
    let mut billing = json!({"period": {"delta": 1.0, "uom": uom}});
    let start = asset["events"]["created"]["at"].as_str().and_then(crate::schedule::time);
    if let Some(start) = start.and_then(|start| Some((start, next(start, span(&uom), world.time())?))) {
        let (start, next) = (start.0.to_zoned_datetime(TimeZone::UTC), start.1);
        let anniversary = if uom == "monthly" {
            json!({"day": start.day()})
        } else {
            json!({"day": start.day(), "month": start.month()})
        };
        set(&mut billing, "next_date", crate::world::written(next));
        set(&mut billing, "anniversary", anniversary);
    }
    for (member, value) in known.as_object().into_iter().flatten() {
        set(&mut billing, member, value.clone());
    }
    billing
}

fn span(uom: &str) -> Span {
    match uom {
        "monthly" => 1.month(),
        "yearly" => 1.year(),
        years => years.strip_prefix("years_").and_then(|years| years.parse().ok()).unwrap_or(1_i64).years(),
    }
}

/// The first whole number of periods after a start that is not over yet.
fn next(start: Timestamp, period: Span, now: Timestamp) -> Option<Timestamp> {
    let start = start.to_zoned_datetime(TimeZone::UTC);
    // A thousand months or years are more than any subscription lasts.
    (1..=1_000_i64).find_map(|count| {
        let next = start.checked_add(period.checked_mul(count).ok()?).ok()?.timestamp();
        (next > now).then_some(next)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_next_date_is_a_whole_number_of_periods_away() {
        for (uom, now, expected) in [
            ("monthly", "2026-01-31T00:00:00Z", "2026-02-28T12:00:00Z"),
            ("monthly", "2026-03-01T00:00:00Z", "2026-03-31T12:00:00Z"),
            ("yearly", "2026-03-01T00:00:00Z", "2027-01-31T12:00:00Z"),
            ("years_3", "2029-01-31T12:00:00Z", "2032-01-31T12:00:00Z"),
        ] {
            assert_eq!(
                next(at("2026-01-31T12:00:00Z"), span(uom), at(now)),
                Some(at(expected)),
                "{uom} {now}"
            );
        }
        assert_eq!(next(at("2026-01-31T12:00:00Z"), span("monthly"), at("9000-01-01T00:00:00Z")), None);
    }

    #[test]
    fn each_side_notes_for_itself() {
        let known = json!({"vendor": {"a": 1}});
        let given = json!({"provider": {"b": 2}, "other": 7});
        let both = json!({"vendor": {"a": 1}, "provider": {"b": 2}});
        assert_eq!(attributes(Role::Distributor, &known, &given).unwrap(), both);
        assert_eq!(attributes(Role::Vendor, &known, &given).unwrap_err().code, "AUTH_002");
        assert_eq!(attributes(Role::Vendor, &known, &json!({"vendor": 7})).unwrap_err().code, "VAL_001");
    }

    #[test]
    fn items_are_those_of_the_asset() {
        let asset = json!({"items": [{"id": "SKU_A", "mpn": "A", "quantity": "50", "old_quantity": "0", "params": []}]});
        let body = json!({"items": [{"id": "SKU_A"}]});
        let expected = json!([{"id": "SKU_A", "mpn": "A", "quantity": 50.0, "billing": {"cycle_number": 3}}]);
        assert_eq!(json!(items(&body, &asset, 3).unwrap()), expected);
        for wrong in
            [json!({}), json!({"items": []}), json!({"items": [{"id": "SKU_B"}]}), json!({"items": [7]})]
        {
            assert_eq!(items(&wrong, &asset, 1).unwrap_err().code, "VAL_001", "{wrong}");
        }
    }
}
