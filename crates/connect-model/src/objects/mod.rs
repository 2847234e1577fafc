//! The objects of Connect.

mod asset;
mod devops;
mod interactive;
mod listing;
mod parameter;
mod parts;
mod tier;
mod usage;

pub use asset::{Asset, AssetRequest, AssetStatus, Item, Quantity, RequestStatus, RequestType, Tiers};
pub use devops::{Installation, InstallationStatus, Schedule};
pub use interactive::{CustomEvent, JwtPayload, ProductAction};
pub use listing::{Listing, ListingRequest};
pub use parameter::{Configuration, Constraints, Parameter, Params, ParamsExt};
pub use parts::{Connection, Contact, ContactInfo, PhoneNumber, Reference, Template};
pub use tier::{
    TierAccount, TierAccountRequest, TierConfigRequest, TierConfigRequestType, TierConfiguration,
    TierConfigurationStatus,
};
pub use usage::{UsageChunk, UsageFile};
