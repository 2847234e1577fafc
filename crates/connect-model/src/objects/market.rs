use serde_json::Value;

use super::{EventLog, Reference};
use crate::macros::{object, open_enum};

open_enum! {
    /// Which side of the business an account is on.
    AccountType {
        /// It makes products.
        Vendor = "vendor",
        /// It sells them.
        Provider = "provider",
    }

    /// What an account does.
    AccountRole {
        /// It makes products.
        Vendor = "vendor",
        /// It sells them to resellers.
        Distributor = "distributor",
        /// It sells them to customers.
        Reseller = "reseller",
    }

    /// What a contract is about.
    ContractType {
        /// Selling products.
        Distribution = "distribution",
        /// Taking part in a programme.
        Program = "program",
        /// Using a service of Connect.
        Service = "service",
    }

    /// Where a contract stands.
    ContractStatus {
        /// Just made.
        New = "new",
        /// Being filled in.
        Enrolling = "enrolling",
        /// Waits for the other side.
        Pending = "pending",
        /// In force.
        Active = "active",
        /// Ended.
        Terminated = "terminated",
        /// Refused.
        Rejected = "rejected",
    }

    /// Whether a product is offered.
    ListingStatus {
        /// It is.
        Listed = "listed",
        /// It is not.
        Unlisted = "unlisted",
    }

    /// What a listing request asks for.
    ListingRequestType {
        /// A new listing.
        New = "new",
        /// Another version of the product.
        Update = "update",
        /// The end of a listing.
        Remove = "remove",
    }

    /// Where a listing request stands.
    ListingRequestState {
        /// Being made by the vendor.
        Draft = "draft",
        /// Being looked at by the distributor.
        Reviewing = "reviewing",
        /// Being carried out by the distributor.
        Deploying = "deploying",
        /// Done.
        Completed = "completed",
        /// Refused or taken back.
        Canceled = "canceled",
    }
}

object! {
    /// An account of Connect: a vendor, a distributor or a reseller.
    Account {
        /// Its id (`VA-…`, `PA-…`).
        id = "id": String,
        /// The company's name.
        name = "name": Option<String>,
        /// Which side it is on.
        r#type = "type": AccountType,
        /// What it does.
        role = "role": AccountRole,
        /// The path of its icon below `/media/`.
        icon = "icon": Option<String>,
        /// What it says about itself, one line.
        description = "description": Option<String>,
        /// What it says about itself.
        overview = "overview": Option<String>,
        /// The brand of the portal.
        brand = "brand": Option<String>,
        /// Its id in another system.
        external_id = "external_id": Option<String>,
        /// Whether it takes products from others.
        sourcing = "sourcing": Option<bool>,
        /// Whether everybody may see it.
        public = "public": Option<bool>,
        /// What happened to it.
        events = "events": Option<Box<EventLog>>,
    }

    /// Where products are offered.
    Marketplace {
        /// Its id (`MP-…`).
        id = "id": String,
        /// What people see.
        name = "name": Option<String>,
        /// What it is for.
        description = "description": Option<String>,
        /// The distributor.
        owner = "owner": Option<Box<Reference>>,
        /// The path of its icon below `/media/`.
        icon = "icon": Option<String>,
        /// The continent: AF, NA, OC, AS, EU or SA.
        zone = "zone": Option<String>,
        /// The hubs that sell there.
        hubs = "hubs": Vec<HubBinding>,
        /// Where it sells.
        countries = "countries": Vec<Country>,
        /// The currency of its prices.
        currency = "currency": Option<String>,
        /// A second currency.
        alt_currency_1 = "alt_currency_1": Option<String>,
        /// A third currency.
        alt_currency_2 = "alt_currency_2": Option<String>,
        /// How many contracts are in force.
        active_contracts = "active_contracts": Option<i64>,
        /// The values a contract may have.
        attributes = "attributes": Option<Box<Value>>,
        /// Counts of what belongs to it.
        stats = "stats": Option<Box<Value>>,
        /// What happened to it.
        events = "events": Option<Box<EventLog>>,
    }

    /// A country of a marketplace.
    Country {
        /// Two letters.
        id = "id": String,
        /// Its name.
        name = "name": Option<String>,
        /// The path of its flag below `/media/`.
        icon = "icon": Option<String>,
        /// The continent.
        zone = "zone": Option<String>,
    }

    /// A hub, and what it calls the other end.
    HubBinding {
        /// The hub.
        hub = "hub": Option<Box<Hub>>,
        /// The id the hub uses.
        external_id = "external_id": Option<String>,
    }

    /// A commerce system that sells through Connect.
    Hub {
        /// Its id (`HB-…`).
        id = "id": String,
        /// What people see.
        name = "name": Option<String>,
        /// What it is for.
        description = "description": Option<String>,
        /// The distributor it belongs to.
        company = "company": Option<Box<Reference>>,
        /// The system behind it.
        instance = "instance": Option<Box<HubInstance>>,
        /// The id of the system behind it, in older answers.
        instance_id = "instance_id": Option<String>,
        /// The account it belongs to, in older answers.
        account_id = "account_id": Option<String>,
        /// Another id of it, in older answers.
        uuid = "uuid": Option<String>,
        /// The version of the system behind it.
        version = "version": Option<String>,
        /// The version of Connect's part in that system.
        extension_version = "extension_version": Option<String>,
        /// When it was last found healthy, ISO 8601.
        last_health_check = "last_health_check": Option<String>,
        /// Counts of what belongs to it.
        stats = "stats": Option<Box<Value>>,
        /// What happened to it.
        events = "events": Option<Box<EventLog>>,
    }

    /// The system behind a hub.
    HubInstance {
        /// Its id.
        id = "id": String,
        /// OA or API.
        r#type = "type": Option<String>,
    }

    /// A contract between a vendor and a distributor.
    Contract {
        /// Its id (`CRD-…`).
        id = "id": String,
        /// What people see.
        name = "name": Option<String>,
        /// What it is about.
        r#type = "type": ContractType,
        /// Where it stands.
        status = "status": ContractStatus,
        /// The number of this version.
        version = "version": Option<i64>,
        /// Whether this is its newest version.
        latest = "latest": Option<bool>,
        /// When this version was made, ISO 8601.
        version_created = "version_created": Option<String>,
        /// production or test.
        kind = "kind": Option<String>,
        /// The agreement it follows.
        agreement = "agreement": Option<Box<Reference>>,
        /// On which marketplace.
        marketplace = "marketplace": Option<Box<Reference>>,
        /// Who wrote it.
        owner = "owner": Option<Box<Reference>>,
        /// Who offers it.
        issuer = "issuer": Option<Box<Reference>>,
        /// Who signs it.
        signee = "signee": Option<Box<Reference>>,
        /// Who made it.
        creator = "creator": Option<Box<Reference>>,
        /// When it was enrolled, ISO 8601.
        enrolled = "enrolled": Option<String>,
        /// When it came into force.
        activation = "activation": Option<Box<ContractActivation>>,
        /// What happened to it.
        events = "events": Option<Box<EventLog>>,
    }

    /// When a contract came into force.
    ContractActivation {
        /// The moment, ISO 8601.
        date = "date": Option<String>,
        /// A note for people.
        message = "message": Option<String>,
    }

    /// A product on a marketplace.
    Listing {
        /// Its id (`LST-…`).
        id = "id": String,
        /// Whether it is offered.
        status = "status": ListingStatus,
        /// Under which contract, and with it on which marketplace.
        contract = "contract": Option<Box<Contract>>,
        /// What is listed.
        product = "product": Option<Box<ListedProduct>>,
        /// The vendor.
        vendor = "vendor": Option<Box<Reference>>,
        /// The distributor.
        provider = "provider": Option<Box<Reference>>,
        /// The request about it that is open.
        pending_request = "pending_request": Option<Box<Reference>>,
        /// The offer it belongs to.
        offer = "offer": Option<Box<Reference>>,
        /// Its prices.
        pricelist = "pricelist": Option<Box<Reference>>,
        /// Its prices in the second currency.
        alt_pricelist_1 = "alt_pricelist_1": Option<Box<Reference>>,
        /// Its prices in the third currency.
        alt_pricelist_2 = "alt_pricelist_2": Option<Box<Reference>>,
        /// Whether there is a newer version of the product.
        upgrade_available = "upgrade_available": Option<bool>,
        /// When it was made, ISO 8601.
        created = "created": Option<String>,
        /// When it last changed, ISO 8601.
        updated = "updated": Option<String>,
    }

    /// The version of a product that is listed.
    ListedProduct {
        /// Its id (`PRD-…`).
        id = "id": String,
        /// What people see.
        name = "name": Option<String>,
        /// The path of its icon below `/media/`.
        icon = "icon": Option<String>,
        /// Its status.
        status = "status": Option<String>,
        /// The number of the version.
        version = "version": Option<i64>,
    }

    /// A request to list or unlist a product.
    ListingRequest {
        /// Its id (`LSTR-…`).
        id = "id": String,
        /// What it asks for.
        r#type = "type": ListingRequestType,
        /// Where it stands.
        state = "state": ListingRequestState,
        /// What is to be listed.
        product = "product": Option<Box<ListedProduct>>,
        /// The listing.
        listing = "listing": Option<Box<Listing>>,
        /// Who made it.
        creator = "creator": Option<Box<Reference>>,
        /// Who takes care of it.
        assignee = "assignee": Option<Box<Reference>>,
        /// A note for people.
        note = "note": Option<String>,
        /// When it was made, ISO 8601.
        created = "created": Option<String>,
        /// When it last changed, ISO 8601.
        updated = "updated": Option<String>,
        /// What happened to it.
        events = "events": Option<Box<EventLog>>,
    }
}
