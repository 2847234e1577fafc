use super::{
    Attribute, BillingPeriod, Configuration, Connection, EventLog, Item, Params, Reference, Template,
    TierAccount, User,
};
use crate::macros::{object, open_enum};

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

    /// Where an asset request or a tier config request stands.
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

    /// Whose account of an asset it is.
    Tier {
        /// Who uses it.
        Customer = "customer",
        /// Who sold it.
        Tier1 = "tier1",
        /// Who sold it to the seller.
        Tier2 = "tier2",
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
        /// Whether the buyer has answered an inquiry.
        answered = "answered": Option<bool>,
        /// Who takes care of it.
        assignee = "assignee": Option<Box<User>>,
        /// The text people see once it is approved, in older answers.
        activation_key = "activation_key": Option<String>,
        /// The template that shows it.
        template = "template": Option<Box<Template>>,
        /// The address of the form by which the buyer answers an inquiry.
        params_form_url = "params_form_url": Option<String>,
        /// The request before it that was approved.
        previous_approved_request = "previous_approved_request": Option<Box<Reference>>,
        /// From when on it holds, ISO 8601.
        effective_date = "effective_date": Option<String>,
        /// When it is to be processed, ISO 8601.
        planned_date = "planned_date": Option<String>,
        /// What happened to it.
        events = "events": Option<Box<EventLog>>,
        /// Values that other systems keep with it.
        external_attributes = "external_attributes": Option<Box<serde_json::Value>>,
        /// Where it was bought.
        marketplace = "marketplace": Option<Box<Reference>>,
        /// Under which contract.
        contract = "contract": Option<Box<Reference>>,
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
        /// Its name in the distributor's system.
        external_name = "external_name": Option<String>,
        /// What is subscribed to.
        product = "product": Option<Box<Reference>>,
        /// By which connection.
        connection = "connection": Option<Box<Connection>>,
        /// What happened to it.
        events = "events": Option<Box<EventLog>>,
        /// How many of what.
        items = "items": Vec<Item>,
        /// The parameters with their values.
        params = "params": Params,
        /// Who bought, and through whom.
        tiers = "tiers": Option<Box<Tiers>>,
        /// The product's configuration values.
        configuration = "configuration": Option<Box<Configuration>>,
        /// Where it was bought.
        marketplace = "marketplace": Option<Box<Reference>>,
        /// Under which contract.
        contract = "contract": Option<Box<Reference>>,
        /// The template that shows it.
        template = "template": Option<Box<Template>>,
        /// The request about it that is open.
        pending_request = "pending_request": Option<Box<Reference>>,
        /// When it ends unless it is renewed, ISO 8601.
        renewal_expiration_date = "renewal_expiration_date": Option<String>,
        /// When it is billed, in the billing view.
        billing = "billing": Option<Box<AssetBilling>>,
        /// Values that other systems keep with it.
        external_attributes = "external_attributes": Vec<Attribute>,
    }

    /// Who bought, and through whom.
    Tiers {
        /// The customer.
        customer = "customer": Option<Box<TierAccount>>,
        /// The reseller.
        tier1 = "tier1": Option<Box<TierAccount>>,
        /// The reseller's distributor.
        tier2 = "tier2": Option<Box<TierAccount>>,
    }

    /// When an asset is billed.
    AssetBilling {
        /// How long a period is.
        period = "period": Option<Box<BillingPeriod>>,
        /// When the next period begins, a date.
        next_date = "next_date": Option<String>,
        /// The day on which periods begin.
        anniversary = "anniversary": Option<Box<Anniversary>>,
        /// The last billing requests of vendor and provider.
        stats = "stats": Option<Box<serde_json::Value>>,
    }

    /// The day on which billing periods begin.
    Anniversary {
        /// The day of the month.
        day = "day": Option<i64>,
        /// The month, where periods are longer than one.
        month = "month": Option<i64>,
    }
}
