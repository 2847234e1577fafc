use super::{
    Configuration, Connection, ConnectionType, ContactInfo, EventLog, Params, Reference, RequestStatus,
    Template, Tier, Tiers, User,
};
use crate::macros::{object, open_enum};

open_enum! {
    /// What a tier config request asks for.
    TierConfigRequestType {
        /// The first configuration of an account for a product.
        Setup = "setup",
        /// Other values; the event that announces it says "change".
        Update = "update",
        /// Other values, asked for by the vendor.
        Adjustment = "adjustment",
    }

    /// Where a tier configuration stands.
    TierConfigurationStatus {
        /// A request about it is open.
        Processing = "processing",
        /// In force.
        Active = "active",
    }

    /// What an account does.
    TierAccountType {
        /// It buys for itself.
        Customer = "customer",
        /// It sells.
        Reseller = "reseller",
    }

    /// Where a tier account request stands.
    TierAccountRequestStatus {
        /// To be processed by the vendor.
        Pending = "pending",
        /// The vendor has taken the change over.
        Accepted = "accepted",
        /// The vendor does without the change.
        Ignored = "ignored",
        /// The product takes no such requests.
        Unsupported = "unsupported",
    }
}

object! {
    /// An account of a customer or reseller.
    TierAccount {
        /// Its id (`TA-…`).
        id = "id": String,
        /// Raised by each change.
        version = "version": Option<i64>,
        /// The company's name.
        name = "name": Option<String>,
        /// What it does.
        r#type = "type": TierAccountType,
        /// Its id in the distributor's system.
        external_id = "external_id": Option<String>,
        /// Its unique id in the distributor's system.
        external_uid = "external_uid": Option<String>,
        /// The account above it.
        parent = "parent": Option<Box<TierAccount>>,
        /// The distributor it belongs to.
        owner = "owner": Option<Box<Reference>>,
        /// As what it has been used.
        scopes = "scopes": Vec<Tier>,
        /// By which hub it came.
        hub = "hub": Option<Box<Reference>>,
        /// On which marketplace it buys.
        marketplace = "marketplace": Option<Box<Reference>>,
        /// What it is for.
        environment = "environment": ConnectionType,
        /// Its tax number.
        tax_id = "tax_id": Option<String>,
        /// Where it is and whom to ask.
        contact_info = "contact_info": Option<Box<ContactInfo>>,
        /// What happened to it.
        events = "events": Option<Box<EventLog>>,
    }

    /// The update of a tier account, for a product that uses it.
    TierAccountRequest {
        /// Its id (`TAR-…`).
        id = "id": String,
        /// update.
        r#type = "type": Option<String>,
        /// Where it stands.
        status = "status": TierAccountRequestStatus,
        /// The account in the version this is about.
        account = "account": Option<Box<TierAccount>>,
        /// The vendor.
        vendor = "vendor": Option<Box<Reference>>,
        /// The distributor.
        provider = "provider": Option<Box<Reference>>,
        /// The product.
        product = "product": Option<Box<Reference>>,
        /// Why it was ignored.
        reason = "reason": Option<String>,
        /// What happened to it.
        events = "events": Option<Box<EventLog>>,
    }

    /// A request about the configuration of a tier.
    TierConfigRequest {
        /// Its id (`TCR-…`).
        id = "id": String,
        /// What it asks for.
        r#type = "type": TierConfigRequestType,
        /// Where it stands.
        status = "status": RequestStatus,
        /// The parameters with the values that are asked for.
        params = "params": Params,
        /// The configuration, whole.
        configuration = "configuration": TierConfiguration,
        /// The configuration of the tier above, where there is one.
        parent_configuration = "parent_configuration": Option<Box<TierConfiguration>>,
        /// The request before it that was approved.
        previous_approved_request = "previous_approved_request": Option<Box<Reference>>,
        /// Who takes care of it.
        assignee = "assignee": Option<Box<User>>,
        /// The template that shows it.
        template = "template": Option<Box<Template>>,
        /// The form by which the account answers an inquiry.
        activation = "activation": Option<Box<Activation>>,
        /// Why it failed.
        reason = "reason": Option<String>,
        /// A note for people.
        notes = "notes": Option<String>,
        /// What it is for.
        environment = "environment": ConnectionType,
        /// The tiers above.
        tiers = "tiers": Option<Box<Tiers>>,
        /// From when on it holds, ISO 8601.
        effective_date = "effective_date": Option<String>,
        /// What happened to it.
        events = "events": Option<Box<EventLog>>,
    }

    /// The form by which an account answers an inquiry.
    Activation {
        /// Its address.
        link = "link": Option<String>,
    }

    /// The configuration of an account for a product.
    TierConfiguration {
        /// Its id (`TC-…`).
        id = "id": String,
        /// What people see.
        name = "name": Option<String>,
        /// Where it stands.
        status = "status": TierConfigurationStatus,
        /// The account.
        account = "account": Option<Box<TierAccount>>,
        /// The product.
        product = "product": Option<Box<Reference>>,
        /// 1 for resellers, 2 for their distributors.
        tier_level = "tier_level": Option<i64>,
        /// By which connection.
        connection = "connection": Option<Box<Connection>>,
        /// The parameters with the values in force.
        params = "params": Params,
        /// The product's configuration values.
        configuration = "configuration": Option<Box<Configuration>>,
        /// Where it is used.
        marketplace = "marketplace": Option<Box<Reference>>,
        /// Under which contract.
        contract = "contract": Option<Box<Reference>>,
        /// The request that is open about it.
        open_request = "open_request": Option<Box<Reference>>,
        /// The template that shows it.
        template = "template": Option<Box<Template>>,
        /// The tiers above.
        tiers = "tiers": Option<Box<Tiers>>,
        /// What happened to it.
        events = "events": Option<Box<EventLog>>,
    }
}
