use super::Reference;
use crate::macros::object;

object! {
    /// A product on a marketplace.
    Listing {
        /// Its id (`LST-…`).
        id = "id": String,
        /// listed or unlisted.
        status = "status": Option<String>,
        /// Under which contract.
        contract = "contract": Option<Reference>,
        /// What is listed.
        product = "product": Option<Reference>,
        /// The vendor.
        vendor = "vendor": Option<Reference>,
        /// The distributor.
        provider = "provider": Option<Reference>,
    }

    /// A request to list or unlist a product.
    ListingRequest {
        /// Its id (`LSTR-…`).
        id = "id": String,
        /// new, update or remove.
        r#type = "type": Option<String>,
        /// draft, reviewing, deploying, completed or canceled.
        state = "state": Option<String>,
        /// What is to be listed.
        product = "product": Option<Reference>,
        /// The listing.
        listing = "listing": Option<Listing>,
        /// A note for people.
        note = "note": Option<String>,
    }
}
