//! What a request changes of an asset's items.

use std::fmt;

use rust_decimal::Decimal;

use crate::{Asset, AssetRequest, Item, ParameterError, Precision, Quantity};

/// Why an item could not be read. It names the item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemError {
    id: Box<str>,
    kind: ItemErrorKind,
}

/// What is wrong with an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ItemErrorKind {
    /// There is no such item.
    Missing,
    /// It has no quantity.
    NoQuantity,
    /// Its quantity is neither a number nor `unlimited`.
    InvalidQuantity,
    /// Its old quantity is neither a number nor `unlimited`.
    InvalidOldQuantity,
}

impl ItemError {
    fn new(id: &str, kind: ItemErrorKind) -> Self {
        Self { id: id.into(), kind }
    }

    pub(crate) fn missing(id: &str) -> Self {
        Self::new(id, ItemErrorKind::Missing)
    }

    /// Which item.
    #[must_use]
    pub fn item(&self) -> &str {
        &self.id
    }

    /// What is wrong with it.
    #[must_use]
    pub fn kind(&self) -> ItemErrorKind {
        self.kind
    }
}

impl fmt::Display for ItemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = &self.id;
        match self.kind {
            ItemErrorKind::Missing => write!(f, "there is no item \"{id}\""),
            ItemErrorKind::NoQuantity => write!(f, "item \"{id}\" has no quantity"),
            ItemErrorKind::InvalidQuantity => {
                write!(f, "the quantity of item \"{id}\" is neither a number nor \"unlimited\"")
            }
            ItemErrorKind::InvalidOldQuantity => {
                write!(f, "the old quantity of item \"{id}\" is neither a number nor \"unlimited\"")
            }
        }
    }
}

impl std::error::Error for ItemError {}

/// What a request does to an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ItemChange {
    /// There was none of it, now there is.
    New,
    /// There is more of it, or no limit any more.
    Grown,
    /// There is less of it, or a limit now.
    Shrunk,
    /// There was some of it, now there is none.
    Gone,
    /// There is as much of it as before.
    Unchanged,
}

/// A quantity that can be compared; no limit is more than any number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Amount {
    Of(Decimal),
    Unlimited,
}

impl Quantity {
    /// The exact number; none when unlimited, or where it is no number of at most 28 digits.
    #[must_use]
    pub fn as_decimal(&self) -> Option<Decimal> {
        let text = self.as_text();
        let text = text.trim();
        Decimal::from_str_exact(text).ok().or_else(|| Decimal::from_scientific(text).ok())
    }

    /// The quantity as its unit's precision wants it written: `10` for an integer, `10.50` for two decimals.
    ///
    /// None where it has more decimals than that, where it is no number, and for a precision that is not known;
    /// `unlimited` stays what it is.
    ///
    /// ```
    /// use connect_model::{Precision, Quantity};
    ///
    /// assert_eq!(Quantity::from("10.5").with_precision(&Precision::Decimal2).unwrap().to_text(), "10.50");
    /// assert_eq!(Quantity::from("10.0").with_precision(&Precision::Integer).unwrap().to_text(), "10");
    /// assert!(Quantity::from("10.5").with_precision(&Precision::Integer).is_none());
    /// ```
    #[must_use]
    pub fn with_precision(&self, precision: &Precision) -> Option<Self> {
        if self.is_unlimited() {
            return Some(self.clone());
        }
        let decimals = precision.decimals()?;
        let mut number = self.as_decimal()?.normalize();
        if number.scale() > decimals {
            return None;
        }
        number.rescale(decimals);
        (number.scale() == decimals).then(|| Self::from(number))
    }

    fn amount(&self) -> Option<Amount> {
        if self.is_unlimited() { Some(Amount::Unlimited) } else { self.as_decimal().map(Amount::Of) }
    }
}

impl From<Decimal> for Quantity {
    fn from(quantity: Decimal) -> Self {
        Self::from(quantity.to_string().as_str())
    }
}

impl Item {
    /// What the request does to it.
    ///
    /// An item without an old quantity was not there before. Texts and old number forms compare as numbers: `10`,
    /// `"10"` and `"10.0"` are the same.
    ///
    /// ```
    /// use connect_model::{Item, ItemChange};
    ///
    /// let item: Item = serde_json::from_str(r#"{"id": "seats", "quantity": "10.0", "old_quantity": 25}"#)?;
    /// assert_eq!(item.change()?, ItemChange::Shrunk);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn change(&self) -> Result<ItemChange, ItemError> {
        let (old, new) = self.amounts()?;
        let none = Amount::Of(Decimal::ZERO);
        Ok(match (old > none, new > none) {
            _ if old == new => ItemChange::Unchanged,
            (false, true) => ItemChange::New,
            (true, false) => ItemChange::Gone,
            _ if new > old => ItemChange::Grown,
            _ => ItemChange::Shrunk,
        })
    }

    /// By how much the quantity changes; none where there is no limit before or after.
    pub fn difference(&self) -> Result<Option<Decimal>, ItemError> {
        Ok(match self.amounts()? {
            (Amount::Of(old), Amount::Of(new)) => new.checked_sub(old),
            _ => None,
        })
    }

    fn amounts(&self) -> Result<(Amount, Amount), ItemError> {
        let error = |kind| ItemError::new(&self.id, kind);
        let old = match &self.old_quantity {
            Some(old) => old.amount().ok_or_else(|| error(ItemErrorKind::InvalidOldQuantity))?,
            // What could not be kept as a quantity is kept aside.
            None if !self.extra["old_quantity"].is_null() => {
                return Err(error(ItemErrorKind::InvalidOldQuantity));
            }
            None => Amount::Of(Decimal::ZERO),
        };
        let new = match &self.quantity {
            Some(new) => new.amount().ok_or_else(|| error(ItemErrorKind::InvalidQuantity))?,
            None if !self.extra["quantity"].is_null() => return Err(error(ItemErrorKind::InvalidQuantity)),
            None => return Err(error(ItemErrorKind::NoQuantity)),
        };
        Ok((old, new))
    }
}

impl Asset {
    /// Each item with what the request does to it.
    ///
    /// ```
    /// use connect_model::{AssetRequest, ItemChange};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let request: AssetRequest = serde_json::from_str(
    ///     r#"{"asset": {"items": [{"id": "a", "quantity": "5", "old_quantity": "0"},
    ///         {"id": "b", "quantity": "unlimited", "old_quantity": "3"}]}}"#,
    /// )?;
    /// let changes = request.item_changes()?;
    /// assert_eq!(changes[0].1, ItemChange::New);
    /// assert_eq!(changes[1].1, ItemChange::Grown);
    /// # Ok(())
    /// # }
    /// ```
    pub fn item_changes(&self) -> Result<Vec<(&Item, ItemChange)>, ItemError> {
        self.items.iter().map(|item| Ok((item, item.change()?))).collect()
    }
}

impl AssetRequest {
    /// Each item of the asset with what the request does to it; see [`Item::change`].
    pub fn item_changes(&self) -> Result<Vec<(&Item, ItemChange)>, ItemError> {
        self.asset.item_changes()
    }

    /// The configuration parameter of an item, or an error that names what is missing.
    ///
    /// ```
    /// use connect_model::{AssetRequest, HandlerError};
    ///
    /// let request = AssetRequest::default();
    /// let error: HandlerError = request.item_param("MPN-A", "sku").unwrap_err();
    /// assert_eq!(error.to_string(), "there is no item \"MPN-A\"");
    /// ```
    pub fn item_param(&self, item: &str, param: &str) -> Result<&crate::Parameter, crate::HandlerError> {
        let missing = || ParameterError::missing(param).of(format!("item \"{item}\""));
        Ok(self.try_item(item)?.param(param).ok_or_else(missing)?)
    }
}
