use serde_json::Value;

use super::{EventLog, Reference, TemplateScope};
use crate::{
    macros::{object, open_enum},
    wire::Secret,
};

open_enum! {
    /// Where a product stands.
    ProductStatus {
        /// Being made.
        Draft = "draft",
        /// Being developed by the vendor.
        InDevelopment = "indevelopment",
        /// Being certified.
        OnCertification = "oncertification",
        /// Can be listed.
        Published = "published",
        /// Its making failed.
        InitializationFailed = "initializationfailed",
        /// No longer sold.
        EndOfSale = "endofsale",
        /// Gone.
        Deleted = "deleted",
    }

    /// How a product's item is paid, as products write it.
    ProductItemType {
        /// Ahead, for a quantity.
        Reservation = "reservation",
        /// Afterwards, for what was used.
        Ppu = "ppu",
    }

    /// Where a product's item stands.
    ProductItemStatus {
        /// Being made.
        Draft = "draft",
        /// Can be sold.
        Published = "published",
        /// No longer sold.
        EndOfSale = "endofsale",
    }

    /// How many decimals the quantity of an item may have.
    Precision {
        /// None.
        Integer = "integer",
        /// One.
        Decimal1 = "decimal(1)",
        /// Two.
        Decimal2 = "decimal(2)",
        /// Four.
        Decimal4 = "decimal(4)",
        /// Eight.
        Decimal8 = "decimal(8)",
    }

    /// How usage of a product is reported.
    UsageSchema {
        /// QT: quantities.
        Qt = "qt",
        /// TR: quantities with what a tier pays for one.
        Tr = "tr",
        /// PR: quantities with what one costs.
        Pr = "pr",
        /// CR: costs.
        Cr = "cr",
    }
}

object! {
    /// What a vendor sells.
    Product {
        /// Its id (`PRD-…`).
        id = "id": String,
        /// What people see.
        name = "name": Option<String>,
        /// The path of its icon below `/media/`.
        icon = "icon": Option<String>,
        /// Where it stands.
        status = "status": ProductStatus,
        /// One line.
        short_description = "short_description": Option<String>,
        /// A page, in Markdown.
        detailed_description = "detailed_description": Option<String>,
        /// The same, in short forms.
        description = "description": Option<String>,
        /// What changed with this version.
        changes_description = "changes_description": Option<String>,
        /// Older settings.
        configurations = "configurations": Option<Box<Value>>,
        /// What its buyers see.
        customer_ui_settings = "customer_ui_settings": Option<Box<CustomerUiSettings>>,
        /// Its category.
        category = "category": Option<Box<Reference>>,
        /// The vendor.
        owner = "owner": Option<Box<Reference>>,
        /// Whether this is its newest version.
        latest = "latest": Option<bool>,
        /// The number of this version.
        version = "version": Option<i64>,
        /// When this version was published, ISO 8601.
        published_at = "published_at": Option<String>,
        /// Pictures and films.
        media = "media": Option<Box<Value>>,
        /// Whether usage may be reported.
        usage_rule = "usage_rule": Option<Box<Value>>,
        /// Counts of what belongs to it.
        stats = "stats": Option<Box<Value>>,
        /// What it can do.
        capabilities = "capabilities": Option<Box<Capabilities>>,
        /// Who sees it.
        visibility = "visibility": Option<Box<Value>>,
        /// Whether everybody may see it.
        public = "public": Option<bool>,
        /// What happened to it.
        events = "events": Option<Box<EventLog>>,
    }

    /// What the buyers of a product see.
    CustomerUiSettings {
        /// What it is for.
        description = "description": Option<String>,
        /// How to begin.
        getting_started = "getting_started": Option<String>,
        /// What they can download.
        download_links = "download_links": Vec<Link>,
        /// What they can read.
        documents = "documents": Vec<Link>,
        /// Its languages.
        languages = "languages": Vec<String>,
        /// What they see while it is being set up.
        provisioning_message = "provisioning_message": Option<String>,
        /// Where product actions go.
        action = "action": Option<Box<ActionEndpoint>>,
    }

    /// Something to download or to read.
    Link {
        /// What people see.
        title = "title": Option<String>,
        /// Where it is.
        url = "url": Option<String>,
        /// Who sees it: admin, user or all.
        visible_for = "visible_for": Option<String>,
    }

    /// Where product actions go.
    ActionEndpoint {
        /// The address that is called.
        url = "url": Option<String>,
        /// The secret that signs the token of the call.
        jwt_secret = "jwt_secret": Option<Secret>,
    }

    /// What a product can do.
    Capabilities {
        /// How usage is reported; none without usage.
        ppu = "ppu": Option<Box<PpuCapabilities>>,
        /// Whether consumption of reserved items is reported: member `consumption`.
        reservation = "reservation": Option<Box<Value>>,
        /// Whether drafts of purchases are validated.
        cart = "cart": Option<Box<ValidationCapability>>,
        /// Whether answers to the inquiries of purchases are validated.
        inquiring = "inquiring": Option<Box<ValidationCapability>>,
        /// What it wants to know of its tiers.
        tiers = "tiers": Option<Box<TiersCapabilities>>,
        /// What can be done with its subscriptions.
        subscription = "subscription": Option<Box<SubscriptionCapabilities>>,
        /// How it is billed.
        billing = "billing": Option<Box<Value>>,
        /// Whether its subscriptions can be suspended, in older answers.
        hold = "hold": Option<bool>,
    }

    /// How usage is reported.
    PpuCapabilities {
        /// With what; upper case here, lower case in usage files.
        schema = "schema": Option<String>,
        /// Whether items can be made up while reporting.
        dynamic = "dynamic": Option<bool>,
        /// Whether usage to come can be reported.
        future = "future": Option<bool>,
        /// Whether usage is predicted.
        predictive = "predictive": Option<bool>,
        /// Whether usage of ended subscriptions can be reported.
        late = "late": Option<bool>,
    }

    /// Whether something is validated.
    ValidationCapability {
        /// It is.
        validation = "validation": Option<bool>,
    }

    /// What a product wants to know of its tiers.
    TiersCapabilities {
        /// Whether updates of accounts become requests.
        updates = "updates": Option<bool>,
        /// Which tiers are configured, and how; none if no tier is.
        configs = "configs": Option<Box<TierConfigsCapabilities>>,
        /// Whether drafts of their configurations are validated.
        validation = "validation": Option<bool>,
    }

    /// Which tiers are configured.
    TierConfigsCapabilities {
        /// 1 for resellers, 2 for their distributors too.
        level = "level": Option<i64>,
        /// What holds for first configurations.
        setup = "setup": Option<Box<Value>>,
        /// What holds for later ones.
        update = "update": Option<Box<Value>>,
    }

    /// What can be done with the subscriptions of a product.
    SubscriptionCapabilities {
        /// Whether they can be suspended.
        hold = "hold": Option<bool>,
        /// evergreen or explicit.
        schema = "schema": Option<String>,
        /// What a change may change.
        change = "change": Option<Box<ChangeCapabilities>>,
        /// Whether purchases can be planned.
        purchase = "purchase": Option<Box<Value>>,
        /// Whether cancellations can be planned.
        cancel = "cancel": Option<Box<Value>>,
        /// Whether suspensions can be planned.
        suspend = "suspend": Option<Box<Value>>,
        /// Whether resumptions can be planned.
        resume = "resume": Option<Box<Value>>,
        /// Whether they can be renewed.
        renew = "renew": Option<Box<Value>>,
        /// Whether they can be transferred.
        transfer = "transfer": Option<Box<Value>>,
    }

    /// What a change of a subscription may change.
    ChangeCapabilities {
        /// Whether its drafts are validated.
        validation = "validation": Option<bool>,
        /// Whether answers to its inquiries are validated.
        inquiring_validation = "inquiring_validation": Option<bool>,
        /// Whether it may carry ordering parameters.
        editable_ordering_parameters = "editable_ordering_parameters": Option<bool>,
        /// Whether it may carry fulfillment parameters.
        editable_fulfillment_parameters = "editable_fulfillment_parameters": Option<bool>,
        /// Whether an adjustment may be open beside it.
        simultaneous_adjustment = "simultaneous_adjustment": Option<bool>,
    }

    /// Something a product is sold by.
    ProductItem {
        /// Its id in Connect (`PRD-…-dddd`).
        id = "id": String,
        /// Its id within the product, which requests use.
        local_id = "local_id": Option<String>,
        /// The vendor's part number.
        mpn = "mpn": Option<String>,
        /// Its name.
        name = "name": Option<String>,
        /// What people see.
        display_name = "display_name": Option<String>,
        /// What it is.
        description = "description": Option<String>,
        /// How it is paid.
        r#type = "type": ProductItemType,
        /// Where it stands.
        status = "status": ProductItemStatus,
        /// How often it is paid: monthly, yearly, onetime, …
        period = "period": Option<String>,
        /// How many decimals its quantity may have.
        precision = "precision": Precision,
        /// What it is counted in.
        unit = "unit": Option<Box<Unit>>,
        /// How long it has to be paid.
        commitment = "commitment": Option<Box<Commitment>>,
        /// Whether it was made up while usage was reported.
        dynamic = "dynamic": Option<bool>,
        /// Whether people see it: member `visibility`.
        ui = "ui": Option<Box<Value>>,
        /// Where it stands among the others.
        position = "position": Option<i64>,
        /// The item above it.
        parent = "parent": Option<Box<Reference>>,
        /// The item that is sold instead of it.
        replacement = "replacement": Option<Box<Reference>>,
        /// The group it belongs to.
        group = "group": Option<Box<Reference>>,
        /// What happened to it.
        events = "events": Option<Box<EventLog>>,
    }

    /// How long an item has to be paid.
    Commitment {
        /// How many periods.
        count = "count": Option<i64>,
        /// How the price is multiplied.
        multiplier = "multiplier": Option<String>,
    }

    /// What an item is counted in.
    Unit {
        /// Its id.
        id = "id": String,
        /// Its name.
        name = "name": Option<String>,
        /// What people see.
        title = "title": Option<String>,
        /// What is counted.
        unit = "unit": Option<String>,
        /// What it means.
        description = "description": Option<String>,
        /// For which kind of items.
        r#type = "type": ProductItemType,
        /// Whether counts add up.
        cumulative = "cumulative": Option<bool>,
        /// Whose unit it is.
        owner = "owner": Option<Box<Reference>>,
    }

    /// An action button of a product, as the product declares it.
    Action {
        /// Its id (`ACT-…`).
        id = "id": String,
        /// Its name in the product, the `action_id` of its calls.
        action = "action": Option<String>,
        /// Its name.
        name = "name": Option<String>,
        /// What people see.
        title = "title": Option<String>,
        /// button.
        r#type = "type": Option<String>,
        /// Where people find it.
        scope = "scope": TemplateScope,
        /// What it does.
        description = "description": Option<String>,
        /// What happened to it.
        events = "events": Option<Box<EventLog>>,
    }

    /// The address behind an action button, for one asset or configuration.
    ActionLink {
        /// The address, with the token of the call.
        link = "link": Option<Secret>,
    }

    /// A category of products.
    Category {
        /// Its id (`CAT-…`).
        id = "id": String,
        /// What people see.
        name = "name": Option<String>,
        /// The category above it.
        parent = "parent": Option<Box<Reference>>,
        /// The family it belongs to.
        family = "family": Option<Box<Reference>>,
    }
}

impl Precision {
    /// How many decimals; none for a precision that is not known.
    #[must_use]
    pub fn decimals(&self) -> Option<u32> {
        match self {
            Self::Integer => Some(0),
            Self::Decimal1 => Some(1),
            Self::Decimal2 => Some(2),
            Self::Decimal4 => Some(4),
            Self::Decimal8 => Some(8),
            // The body that creates an item says `Integer` and `Decimal(2)`.
            Self::Other(text) => match text.to_ascii_lowercase().as_str() {
                "" => None,
                lower => match Self::from(lower) {
                    Self::Other(_) => None,
                    known => known.decimals(),
                },
            },
        }
    }
}
