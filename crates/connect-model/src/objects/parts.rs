use super::{EventLog, Hub};
use crate::macros::{object, open_enum};

open_enum! {
    /// What a connection is for; also the environment of what goes through it.
    ConnectionType {
        /// Real business.
        Production = "production",
        /// A vendor's trial with a distributor.
        Test = "test",
        /// A vendor's trial without one.
        Preview = "preview",
    }

    /// Where a connection stands.
    ConnectionStatus {
        /// Asked for.
        Pending = "pending",
        /// Granted.
        Approved = "approved",
        /// Refused.
        Rejected = "rejected",
        /// Taken back.
        Revoked = "revoked",
        /// In use.
        Active = "active",
    }

    /// What a template is shown for.
    TemplateType {
        /// An approved request.
        Fulfillment = "fulfillment",
        /// A request whose buyer is asked for something.
        Inquire = "inquire",
        /// A request that waits for the vendor.
        Pending = "pending",
    }

    /// What a template or an action belongs to.
    TemplateScope {
        /// An asset.
        Asset = "asset",
        /// The configuration of a tier 1 account.
        Tier1 = "tier1",
        /// The configuration of a tier 2 account.
        Tier2 = "tier2",
    }
}

object! {
    /// A short form of another object: what it takes to find it and to show it.
    Reference {
        /// Its id.
        id = "id": String,
        /// Its name.
        name = "name": Option<String>,
        /// The path of its icon below `/media/`.
        icon = "icon": Option<String>,
        /// Its status, where Connect gives it.
        status = "status": Option<String>,
        /// Its type, where Connect gives it.
        r#type = "type": Option<String>,
    }

    /// A person that works with Connect.
    User {
        /// Its id (`UR-…`).
        id = "id": String,
        /// The person's name.
        name = "name": Option<String>,
        /// The person's mail address.
        email = "email": Option<String>,
        /// The path of its icon below `/media/`.
        icon = "icon": Option<String>,
    }

    /// The connection of a product to a hub.
    Connection {
        /// Its id (`CT-…`).
        id = "id": String,
        /// What it is for.
        r#type = "type": ConnectionType,
        /// Where it stands.
        status = "status": ConnectionStatus,
        /// The distributor.
        provider = "provider": Option<Box<Reference>>,
        /// The vendor.
        vendor = "vendor": Option<Box<Reference>>,
        /// The hub.
        hub = "hub": Option<Box<Hub>>,
        /// When it was made, ISO 8601.
        created_at = "created_at": Option<String>,
        /// Which version of the product it uses.
        product_version_type = "product_version_type": Option<String>,
    }

    /// A template: the text that shows a request or an asset to people.
    ///
    /// Below a product it is whole; a request holds its short form, with the text rendered.
    Template {
        /// Its id (`TL-…`).
        id = "id": String,
        /// Its name.
        name = "name": Option<String>,
        /// What people see above it.
        title = "title": Option<String>,
        /// The text, rendered, in an asset request.
        message = "message": Option<String>,
        /// The text, rendered, in a tier config request.
        representation = "representation": Option<String>,
        /// The text before it is rendered: Markdown with parameters in double braces.
        body = "body": Option<String>,
        /// What it belongs to.
        scope = "scope": TemplateScope,
        /// What it is shown for; templates of tiers may have none.
        r#type = "type": TemplateType,
        /// Where it stands among the others.
        position = "position": Option<i64>,
        /// What happened to it.
        events = "events": Option<Box<EventLog>>,
    }

    /// A value that another system keeps with an object.
    Attribute {
        /// Its name.
        id = "id": String,
        /// The value.
        value = "value": Option<String>,
    }

    /// Where a company is and whom to ask.
    ContactInfo {
        /// Street and number.
        address_line1 = "address_line1": Option<String>,
        /// The rest of the address.
        address_line2 = "address_line2": Option<String>,
        /// The city.
        city = "city": Option<String>,
        /// The state or region.
        state = "state": Option<String>,
        /// The postal code.
        postal_code = "postal_code": Option<String>,
        /// The country, two letters.
        country = "country": Option<String>,
        /// Whom to ask.
        contact = "contact": Option<Box<Contact>>,
    }

    /// An address in its parts, the value of an address parameter.
    Address {
        /// Street and number.
        address_line1 = "address_line1": Option<String>,
        /// The rest of the address.
        address_line2 = "address_line2": Option<String>,
        /// The city.
        city = "city": Option<String>,
        /// The state or region.
        state = "state": Option<String>,
        /// The postal code.
        postal_code = "postal_code": Option<String>,
        /// The country, two letters.
        country = "country": Option<String>,
    }

    /// A person to ask.
    Contact {
        /// Given name.
        first_name = "first_name": Option<String>,
        /// Family name.
        last_name = "last_name": Option<String>,
        /// Mail address.
        email = "email": Option<String>,
        /// Telephone.
        phone_number = "phone_number": Option<PhoneNumber>,
    }

    /// A telephone number in its parts, also the value of a phone parameter.
    PhoneNumber {
        /// With its `+`.
        country_code = "country_code": Option<String>,
        /// Area.
        area_code = "area_code": Option<String>,
        /// The number itself.
        phone_number = "phone_number": Option<String>,
        /// Extension.
        extension = "extension": Option<String>,
    }
}
