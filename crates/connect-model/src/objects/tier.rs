use super::{
    Configuration, Connection, ContactInfo, Parameter, Params, ParamsExt, Reference, RequestStatus, Template,
    Tiers,
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
}

object! {
    /// An account of a customer or reseller.
    TierAccount {
        /// Its id (`TA-…`).
        id = "id": String,
        /// The company's name.
        name = "name": Option<String>,
        /// customer or reseller.
        r#type = "type": Option<String>,
        /// Its id in the distributor's system.
        external_id = "external_id": Option<String>,
        /// Its unique id in the distributor's system.
        external_uid = "external_uid": Option<String>,
        /// Where it is and whom to ask.
        contact_info = "contact_info": Option<ContactInfo>,
    }

    /// The update of a tier account, for a product that uses it.
    TierAccountRequest {
        /// Its id (`TAR-…`).
        id = "id": String,
        /// update.
        r#type = "type": Option<String>,
        /// pending, accepted, ignored or unsupported.
        status = "status": Option<String>,
        /// The account in the version this is about.
        account = "account": Option<TierAccount>,
        /// The vendor.
        vendor = "vendor": Option<Reference>,
        /// The distributor.
        provider = "provider": Option<Reference>,
        /// The product.
        product = "product": Option<Reference>,
        /// Why it was ignored.
        reason = "reason": Option<String>,
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
        /// The template that shows it.
        template = "template": Option<Template>,
        /// production, test or preview.
        environment = "environment": Option<String>,
        /// The tiers above.
        tiers = "tiers": Option<Box<Tiers>>,
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
        account = "account": Option<TierAccount>,
        /// The product.
        product = "product": Option<Reference>,
        /// 1 for resellers, 2 for their distributors.
        tier_level = "tier_level": Option<i64>,
        /// By which connection.
        connection = "connection": Option<Box<Connection>>,
        /// The parameters with the values in force.
        params = "params": Params,
        /// The product's configuration values.
        configuration = "configuration": Option<Configuration>,
        /// Where it is used.
        marketplace = "marketplace": Option<Reference>,
        /// Under which contract.
        contract = "contract": Option<Reference>,
        /// The request that is open about it.
        open_request = "open_request": Option<Reference>,
        /// The template that shows it.
        template = "template": Option<Template>,
    }
}

impl TierConfigRequest {
    /// The parameter of this id, with the value that is asked for.
    #[must_use]
    pub fn param(&self, id: &str) -> Option<&Parameter> {
        self.params.param(id)
    }

    /// The value of the parameter of this id, if there is one that is not empty.
    #[must_use]
    pub fn value(&self, id: &str) -> Option<&str> {
        self.param(id).and_then(Parameter::value)
    }
}
