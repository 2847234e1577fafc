use std::{borrow::Cow, fmt};

use serde_json::{Number, Value};

use super::Params;
use crate::{
    field::Field,
    macros::{object, open_enum},
};

open_enum! {
    /// How an item is paid, as assets write it.
    ItemType {
        /// Ahead, for a quantity.
        Reservation = "Reservation",
        /// Afterwards, for what was used.
        Ppu = "PPU",
    }

    /// How often an item is paid.
    Period {
        /// Each month.
        Monthly = "Monthly",
        /// Each year.
        Yearly = "Yearly",
        /// Each two years.
        Years2 = "years_2",
        /// Each three years.
        Years3 = "years_3",
        /// Each four years.
        Years4 = "years_4",
        /// Each five years.
        Years5 = "years_5",
        /// Each six years.
        Years6 = "years_6",
        /// Once.
        OneTime = "OneTime",
        /// A trial of 7 days.
        Days7Trial = "days_7_trial",
        /// A trial of 14 days.
        Days14Trial = "days_14_trial",
        /// A trial of 30 days.
        Days30Trial = "days_30_trial",
        /// A trial of a month.
        MonthlyTrial = "monthly_trial",
    }
}

object! {
    /// A quantity of something that is subscribed to.
    Item {
        /// Its id within the product.
        id = "id": String,
        /// Its id in Connect (`PRD-…-dddd`).
        global_id = "global_id": Option<String>,
        /// The vendor's part number.
        mpn = "mpn": Option<String>,
        /// What people see.
        display_name = "display_name": Option<String>,
        /// How many.
        quantity = "quantity": Option<Quantity>,
        /// How many before.
        old_quantity = "old_quantity": Option<Quantity>,
        /// The name of its unit.
        r#type = "type": Option<String>,
        /// How often it is paid.
        period = "period": Period,
        /// How it is paid.
        item_type = "item_type": ItemType,
        /// Its configuration values.
        params = "params": Params,
        /// The term it is renewed for.
        renewal = "renewal": Option<Box<ItemRenewal>>,
        /// When it is billed, in the billing view.
        billing = "billing": Option<Box<Value>>,
    }

    /// The term an item is renewed for.
    ItemRenewal {
        /// Its first moment, ISO 8601.
        from = "from": Option<String>,
        /// Its last moment, ISO 8601.
        to = "to": Option<String>,
        /// How many periods it takes.
        period_delta = "period_delta": Option<Number>,
        /// How long a period is: monthly, yearly, …
        period_uom = "period_uom": Option<String>,
    }

    /// A span of time that is billed, or its length.
    BillingPeriod {
        /// Its first moment, ISO 8601.
        from = "from": Option<String>,
        /// Its last moment, ISO 8601.
        to = "to": Option<String>,
        /// How many units it takes.
        delta = "delta": Option<Number>,
        /// The unit: monthly, yearly, …
        uom = "uom": Option<String>,
    }
}

impl Item {
    /// Whether it is paid afterwards, for what was used. Old answers write `ppu`, newer ones `PPU`.
    #[must_use]
    pub fn is_ppu(&self) -> bool {
        self.item_type.as_str().eq_ignore_ascii_case(ItemType::Ppu.as_str())
    }

    /// Whether this is its id, its global id or its part number.
    #[must_use]
    pub fn is(&self, id: &str) -> bool {
        self.id == id || self.global_id.as_deref() == Some(id) || self.mpn.as_deref() == Some(id)
    }
}

/// How many: a text of a number in newer answers, a number in old ones, or `unlimited`.
#[derive(Clone, PartialEq)]
pub struct Quantity(Repr);

#[derive(Clone, PartialEq)]
enum Repr {
    Text(Box<str>),
    Number(Number),
}

impl Quantity {
    /// No limit, written `unlimited`.
    #[must_use]
    pub fn unlimited() -> Self {
        Self::from(UNLIMITED)
    }

    /// The quantity as text.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.as_text().into_owned()
    }

    pub(crate) fn as_text(&self) -> Cow<'_, str> {
        match &self.0 {
            Repr::Text(text) => Cow::Borrowed(text),
            Repr::Number(number) => Cow::Owned(number.to_string()),
        }
    }

    /// Whether there is no limit.
    #[must_use]
    pub fn is_unlimited(&self) -> bool {
        matches!(&self.0, Repr::Text(text) if text.trim() == UNLIMITED)
    }

    /// The quantity as a number; none when unlimited or not a number.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        match &self.0 {
            Repr::Text(text) => text.trim().parse().ok(),
            Repr::Number(number) => number.as_f64(),
        }
    }
}

const UNLIMITED: &str = "unlimited";

impl Default for Quantity {
    /// None at all.
    fn default() -> Self {
        Self::from("0")
    }
}

impl From<u64> for Quantity {
    fn from(quantity: u64) -> Self {
        Self(Repr::Text(quantity.to_string().into()))
    }
}

impl From<&str> for Quantity {
    fn from(quantity: &str) -> Self {
        Self(Repr::Text(quantity.into()))
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.as_text())
    }
}

impl fmt::Debug for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.as_text())
    }
}

impl Field for Quantity {
    fn is_absent(&self) -> bool {
        false
    }

    fn to_value(&self) -> Value {
        match &self.0 {
            Repr::Text(text) => Value::String(text.to_string()),
            Repr::Number(number) => Value::Number(number.clone()),
        }
    }

    fn from_text(text: &str) -> Option<Self> {
        Some(text.into())
    }

    fn from_number(number: &Number) -> Option<Self> {
        Some(Self(Repr::Number(number.clone())))
    }
}

impl serde::Serialize for Quantity {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Repr::Text(text) => serializer.serialize_str(text),
            Repr::Number(number) => number.serialize(serializer),
        }
    }
}
