use super::Reference;
use crate::macros::object;

object! {
    /// A file that reports usage.
    UsageFile {
        /// Its id (`UF-…`).
        id = "id": String,
        /// What people see.
        name = "name": Option<String>,
        /// draft, uploading, uploaded, invalid, processing, ready, rejected, pending, accepted, closed or deleted.
        status = "status": Option<String>,
        /// A note for people.
        note = "note": Option<String>,
        /// The product.
        product = "product": Option<Reference>,
        /// Under which contract.
        contract = "contract": Option<Reference>,
        /// On which marketplace.
        marketplace = "marketplace": Option<Reference>,
        /// The vendor.
        vendor = "vendor": Option<Reference>,
        /// The distributor.
        provider = "provider": Option<Reference>,
        /// qt, tr, pr or cr.
        schema = "schema": Option<String>,
        /// The currency of its amounts.
        currency = "currency": Option<String>,
        /// Where the uploaded file is.
        usage_file_uri = "usage_file_uri": Option<String>,
    }

    /// The part of a usage file that is for one hub or marketplace.
    UsageChunk {
        /// Its id.
        id = "id": String,
        /// draft, ready, closed or failed.
        status = "status": Option<String>,
        /// The file it is part of.
        usagefile = "usagefile": Option<Reference>,
        /// On which marketplace.
        marketplace = "marketplace": Option<Reference>,
        /// The distributor.
        provider = "provider": Option<Reference>,
        /// Its id in the distributor's system.
        external_id = "external_id": Option<String>,
    }
}
