use crate::macros::object;

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
    }

    /// The connection of a product to a hub.
    Connection {
        /// Its id (`CT-…`).
        id = "id": String,
        /// production, test or preview.
        r#type = "type": Option<String>,
        /// Its status.
        status = "status": Option<String>,
        /// The distributor.
        provider = "provider": Option<Reference>,
        /// The vendor.
        vendor = "vendor": Option<Reference>,
        /// The hub.
        hub = "hub": Option<Reference>,
    }

    /// The template that shows a request or an asset to people.
    Template {
        /// Its id (`TL-…`).
        id = "id": String,
        /// Its name.
        name = "name": Option<String>,
        /// The text, rendered.
        message = "message": Option<String>,
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
        contact = "contact": Option<Contact>,
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

    /// A telephone number in its parts.
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
