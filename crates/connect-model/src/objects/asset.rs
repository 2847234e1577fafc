use serde_json::{Number, Value};

use super::{Configuration, Connection, Parameter, Params, ParamsExt, Reference, Template, TierAccount};
use crate::{
    field::Field,
    macros::{object, open_enum},
};

open_enum! {
    /// What an asset request asks for.
    RequestType {
        /// A new subscription.
        Purchase = "purchase",
        /// Other quantities or parameters.
        Change = "change",
        /// A pause.
        Suspend = "suspend",
        /// The end of a pause.
        Resume = "resume",
        /// The end.
        Cancel = "cancel",
        /// Other parameters, asked for by the vendor.
        Adjustment = "adjustment",
        /// Another term.
        Renew = "renew",
        /// From another account.
        Transfer = "transfer",
    }

    /// Where an asset request stands.
    RequestStatus {
        /// Not ordered yet; can be validated.
        Draft = "draft",
        /// Waits for the configuration of its tiers.
        TiersSetup = "tiers_setup",
        /// To be processed by the vendor.
        Pending = "pending",
        /// Waits for the buyer to correct parameters.
        Inquiring = "inquiring",
        /// Done.
        Approved = "approved",
        /// Refused.
        Failed = "failed",
        /// To be processed at its planned date.
        Scheduled = "scheduled",
        /// The buyer wants the scheduled request back.
        Revoking = "revoking",
        /// Taken back.
        Revoked = "revoked",
    }

    /// Where an asset stands.
    AssetStatus {
        /// Not ordered yet.
        Draft = "draft",
        /// Its purchase is being processed.
        Processing = "processing",
        /// In use.
        Active = "active",
        /// Its cancellation is being processed.
        Terminating = "terminating",
        /// Paused.
        Suspended = "suspended",
        /// Gone.
        Terminated = "terminated",
    }
}

object! {
    /// A request about an asset: a purchase, a change, a suspension, …
    AssetRequest {
        /// Its id (`PR-…`).
        id = "id": String,
        /// What it asks for.
        r#type = "type": RequestType,
        /// Where it stands.
        status = "status": RequestStatus,
        /// A note for people.
        note = "note": Option<String>,
        /// Why it failed.
        reason = "reason": Option<String>,
        /// When it was made, ISO 8601.
        created = "created": Option<String>,
        /// When it last changed, ISO 8601.
        updated = "updated": Option<String>,
        /// The text people see once it is approved, in older answers.
        activation_key = "activation_key": Option<String>,
        /// The template that shows it.
        template = "template": Option<Template>,
        /// The address of the form by which the buyer answers an inquiry.
        params_form_url = "params_form_url": Option<String>,
        /// From when on it holds.
        effective_date = "effective_date": Option<String>,
        /// When it is to be processed.
        planned_date = "planned_date": Option<String>,
        /// Where it was bought.
        marketplace = "marketplace": Option<Reference>,
        /// Under which contract.
        contract = "contract": Option<Reference>,
        /// The asset as it would become.
        asset = "asset": Asset,
    }

    /// A subscription.
    Asset {
        /// Its id (`AS-…`).
        id = "id": String,
        /// Where it stands.
        status = "status": AssetStatus,
        /// Its id in the distributor's system.
        external_id = "external_id": Option<String>,
        /// Its unique id in the distributor's system.
        external_uid = "external_uid": Option<String>,
        /// What is subscribed to.
        product = "product": Option<Reference>,
        /// By which connection.
        connection = "connection": Option<Box<Connection>>,
        /// How many of what.
        items = "items": Vec<Item>,
        /// The parameters with their values.
        params = "params": Params,
        /// Who bought, and through whom.
        tiers = "tiers": Option<Box<Tiers>>,
        /// The product's configuration values.
        configuration = "configuration": Option<Configuration>,
        /// Where it was bought.
        marketplace = "marketplace": Option<Reference>,
        /// Under which contract.
        contract = "contract": Option<Reference>,
    }

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
        /// The billing period.
        period = "period": Option<String>,
        /// Reservation or PPU.
        item_type = "item_type": Option<String>,
        /// Its configuration values.
        params = "params": Params,
    }

    /// Who bought, and through whom.
    Tiers {
        /// The customer.
        customer = "customer": Option<TierAccount>,
        /// The reseller.
        tier1 = "tier1": Option<TierAccount>,
        /// The reseller's distributor.
        tier2 = "tier2": Option<TierAccount>,
    }
}

/// How many: a text of a number in newer answers, a number in old ones, or `unlimited`.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantity(Value);

impl Quantity {
    /// The quantity as text.
    #[must_use]
    pub fn to_text(&self) -> String {
        match &self.0 {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }

    /// Whether there is no limit.
    #[must_use]
    pub fn is_unlimited(&self) -> bool {
        self.0 == "unlimited"
    }

    /// The quantity as a number; none when unlimited or not a number.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        match &self.0 {
            Value::String(text) => text.trim().parse().ok(),
            other => other.as_f64(),
        }
    }
}

impl Default for Quantity {
    /// None at all.
    fn default() -> Self {
        Self(Value::String("0".to_owned()))
    }
}

impl From<u64> for Quantity {
    fn from(quantity: u64) -> Self {
        Self(Value::String(quantity.to_string()))
    }
}

impl Field for Quantity {
    fn is_absent(&self) -> bool {
        false
    }

    fn to_value(&self) -> Value {
        self.0.clone()
    }

    fn from_text(text: &str) -> Option<Self> {
        Some(Self(Value::String(text.to_owned())))
    }

    fn from_number(number: &Number) -> Option<Self> {
        Some(Self(Value::Number(number.clone())))
    }
}

impl serde::Serialize for Quantity {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl AssetRequest {
    /// The parameter of this id, of the request's asset.
    #[must_use]
    pub fn param(&self, id: &str) -> Option<&Parameter> {
        self.asset.params.param(id)
    }

    /// The value of the parameter of this id, if there is one that is not empty.
    #[must_use]
    pub fn value(&self, id: &str) -> Option<&str> {
        self.param(id).and_then(Parameter::value)
    }

    /// Sets the value of a parameter of the asset, here and not in Connect.
    pub fn set_param(&mut self, id: &str, value: impl Into<String>) {
        self.asset.params.set(id, value);
    }

    /// The configuration parameter of this id.
    #[must_use]
    pub fn configuration_param(&self, id: &str) -> Option<&Parameter> {
        self.asset.configuration.as_ref()?.params.param(id)
    }

    /// The item of this id, global id or part number.
    #[must_use]
    pub fn item(&self, id: &str) -> Option<&Item> {
        self.asset.items.iter().find(|item| {
            item.id == id || item.global_id.as_deref() == Some(id) || item.mpn.as_deref() == Some(id)
        })
    }

    /// The customer.
    #[must_use]
    pub fn customer(&self) -> Option<&TierAccount> {
        self.asset.tiers.as_ref()?.customer.as_ref()
    }
}
