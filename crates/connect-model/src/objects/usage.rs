use serde_json::Value;

use super::{BillingPeriod, ConnectionType, EventLog, HubBinding, Quantity, Reference, UsageSchema};
use crate::macros::{object, open_enum};

open_enum! {
    /// Where a usage file stands.
    UsageFileStatus {
        /// Without a file.
        Draft = "draft",
        /// A file is on its way.
        Uploading = "uploading",
        /// The file has arrived.
        Uploaded = "uploaded",
        /// Rows of it are wrong.
        Invalid = "invalid",
        /// Its rows are being checked.
        Processing = "processing",
        /// It can be submitted.
        Ready = "ready",
        /// The distributor has refused it.
        Rejected = "rejected",
        /// The distributor is looking at it.
        Pending = "pending",
        /// The distributor has taken it.
        Accepted = "accepted",
        /// It is billed.
        Closed = "closed",
        /// Gone.
        Deleted = "deleted",
    }

    /// Where a usage chunk stands.
    UsageChunkStatus {
        /// Being made.
        Draft = "draft",
        /// Can be billed.
        Ready = "ready",
        /// Billed.
        Closed = "closed",
        /// Could not be made.
        Failed = "failed",
    }

    /// Where a usage record stands.
    UsageRecordStatus {
        /// Checked.
        Valid = "valid",
        /// Wrong.
        Invalid = "invalid",
        /// Taken by the distributor.
        Approved = "approved",
        /// Refused by the distributor.
        Rejected = "rejected",
        /// Billed.
        Closed = "closed",
    }
}

object! {
    /// A file that reports usage.
    UsageFile {
        /// Its id (`UF-…`).
        id = "id": String,
        /// What people see.
        name = "name": Option<String>,
        /// Where it stands.
        status = "status": UsageFileStatus,
        /// What it is.
        description = "description": Option<String>,
        /// A note for people.
        note = "note": Option<String>,
        /// The product.
        product = "product": Option<Box<Reference>>,
        /// Under which contract.
        contract = "contract": Option<Box<Reference>>,
        /// On which marketplace.
        marketplace = "marketplace": Option<Box<Reference>>,
        /// The vendor.
        vendor = "vendor": Option<Box<Reference>>,
        /// The distributor.
        provider = "provider": Option<Box<Reference>>,
        /// What its subscriptions are for.
        environment = "environment": ConnectionType,
        /// With what it reports.
        schema = "schema": UsageSchema,
        /// The span of time it is about.
        period = "period": Option<Box<BillingPeriod>>,
        /// Its first moment, UTC.
        start_datetime_utc = "start_datetime_utc": Option<String>,
        /// Its last moment, UTC.
        end_datetime_utc = "end_datetime_utc": Option<String>,
        /// The currency of its amounts.
        currency = "currency": Option<String>,
        /// Counts of its records, step by step.
        stats = "stats": Option<Box<UsageStats>>,
        /// Counts of its records.
        records = "records": Option<Box<UsageCounts>>,
        /// Where the uploaded file is.
        usage_file_uri = "usage_file_uri": Option<String>,
        /// Where the checked file is.
        processed_file_uri = "processed_file_uri": Option<String>,
        /// Where the file of what was billed is.
        reconciliation_file_uri = "reconciliation_file_uri": Option<String>,
        /// What the distributor said when taking it.
        acceptance_note = "acceptance_note": Option<String>,
        /// What the distributor said when refusing it.
        rejection_note = "rejection_note": Option<String>,
        /// What is wrong with it.
        error_detail = "error_detail": Option<String>,
        /// Its id in another system.
        external_id = "external_id": Option<String>,
        /// What happened to it.
        events = "events": Option<Box<EventLog>>,
    }

    /// Counts of the records of a usage file, step by step.
    UsageStats {
        /// In the uploaded file.
        uploaded = "uploaded": Option<i64>,
        /// Checked.
        validated = "validated": Option<i64>,
        /// Before the distributor.
        pending = "pending": Option<i64>,
        /// Taken.
        accepted = "accepted": Option<i64>,
        /// Closed.
        closed = "closed": Option<i64>,
        /// Billed.
        billed = "billed": Option<i64>,
    }

    /// Counts of the records of a usage file.
    UsageCounts {
        /// Right.
        valid = "valid": Option<i64>,
        /// Wrong.
        invalid = "invalid": Option<i64>,
        /// Billed.
        closed = "closed": Option<i64>,
    }

    /// The part of a usage file that is for one hub or marketplace; Connect also calls it part usage file.
    UsageChunk {
        /// Its id.
        id = "id": String,
        /// Where it stands.
        status = "status": UsageChunkStatus,
        /// Whether the file has changed since.
        outdated = "outdated": Option<bool>,
        /// The file it is part of.
        usagefile = "usagefile": Option<Box<Reference>>,
        /// The hub it is for.
        binding = "binding": Option<Box<HubBinding>>,
        /// On which marketplace.
        marketplace = "marketplace": Option<Box<Reference>>,
        /// The distributor.
        provider = "provider": Option<Box<Reference>>,
        /// Its id in the distributor's system.
        external_id = "external_id": Option<String>,
        /// What went wrong: member `detail`.
        error = "error": Option<Box<Value>>,
        /// Counts of its records, step by step.
        stats = "stats": Option<Box<UsageStats>>,
        /// What happened to it.
        events = "events": Option<Box<EventLog>>,
    }

    /// One row of a usage file.
    UsageRecord {
        /// Its id (`UR-…`).
        id = "id": String,
        /// Its first moment.
        start_date = "start_date": Option<String>,
        /// Its last moment.
        end_date = "end_date": Option<String>,
        /// The product.
        product_id = "product_id": Option<String>,
        /// What was used.
        item = "item": Option<Box<UsageItem>>,
        /// By which subscription.
        asset = "asset": Option<Box<UsageAsset>>,
        /// Its category.
        category = "category": Option<Box<Reference>>,
        /// Whose price it is: 0, 1 or 2.
        tier = "tier": Option<i64>,
        /// What it costs.
        amount = "amount": Option<Quantity>,
        /// By what the price is multiplied.
        multiplier = "multiplier": Option<Quantity>,
        /// How much was used.
        usage = "usage": Option<Quantity>,
        /// Where it stands.
        status = "status": UsageRecordStatus,
        /// Values that come with it.
        params = "params": Vec<UsageParameter>,
        /// The id of its bill in another system.
        external_billing_id = "external_billing_id": Option<String>,
        /// A note to its bill.
        external_billing_note = "external_billing_note": Option<String>,
        /// When it was billed, ISO 8601.
        closed_at = "closed_at": Option<String>,
        /// Who billed it.
        closed_by = "closed_by": Option<String>,
        /// The id of what was used.
        item_id = "item_id": Option<String>,
        /// The id of the subscription (`AS-…`).
        asset_id = "asset_id": Option<String>,
        /// The subscription's id in the distributor's system.
        asset_external_id = "asset_external_id": Option<String>,
        /// The subscription's unique id in the distributor's system.
        asset_external_uid = "asset_external_uid": Option<String>,
        /// The id of what was used, within the product.
        resource_local_id = "resource_local_id": Option<String>,
        /// The file it is a row of.
        usagefile = "usagefile": Option<Box<UsageFile>>,
    }

    /// What was used.
    UsageItem {
        /// Its id in Connect.
        id = "id": String,
        /// Its id within the product.
        local_id = "local_id": Option<String>,
        /// The vendor's part number.
        mpn = "mpn": Option<String>,
        /// What people see.
        name = "name": Option<String>,
    }

    /// The subscription that used something.
    UsageAsset {
        /// Its id (`AS-…`).
        id = "id": String,
        /// Its id in the distributor's system.
        external_id = "external_id": Option<String>,
        /// Its unique id in the distributor's system.
        external_uid = "external_uid": Option<String>,
        /// What the vendor tells it by.
        recon_id = "recon_id": Option<String>,
    }

    /// A value that comes with a usage record.
    UsageParameter {
        /// Its name.
        parameter_name = "parameter_name": Option<String>,
        /// The value.
        parameter_value = "parameter_value": Option<String>,
    }

    /// A request to bill a subscription for a period.
    BillingRequest {
        /// Its id (`BRP-…`, `BRV-…`).
        id = "id": String,
        /// Who bills: vendor or provider.
        r#type = "type": Option<String>,
        /// The subscription.
        asset = "asset": Option<Box<super::Asset>>,
        /// What is billed.
        items = "items": Vec<super::Item>,
        /// Values that vendor and provider keep with it.
        attributes = "attributes": Option<Box<Value>>,
        /// The span of time.
        period = "period": Option<Box<BillingPeriod>>,
        /// What happened to it.
        events = "events": Option<Box<EventLog>>,
    }
}
