//! The objects of Connect.

mod asset;
mod conversation;
pub mod devops;
mod events;
mod interactive;
mod item;
mod market;
mod parameter;
mod parts;
mod product;
#[cfg(test)]
mod samples;
mod tier;
mod usage;

pub use asset::{
    Anniversary, Asset, AssetBilling, AssetRequest, AssetStatus, RequestStatus, RequestType, Tier, Tiers,
};
pub use conversation::{
    Case, CaseParty, CaseState, CaseType, Conversation, ConversationMessage, ConversationStatus,
    ConversationType, ErrorBody, MessageType,
};
pub use devops::{Installation, InstallationStatus, Schedule};
pub use events::{EventLog, LogEntry};
pub use interactive::{CustomEvent, JwtPayload, ProductAction};
pub use item::{BillingPeriod, Item, ItemRenewal, ItemType, Period, Quantity};
pub use market::{
    Account, AccountRole, AccountType, Contract, ContractActivation, ContractStatus, ContractType, Country,
    Hub, HubBinding, HubInstance, ListedProduct, Listing, ListingRequest, ListingRequestState,
    ListingRequestType, ListingStatus, Marketplace,
};
pub use parameter::{
    Choice, Configuration, ConfigurationValue, Constraints, Dependency, Parameter, ParameterDefinition,
    ParameterPhase, ParameterScope, ParameterType, Params, ParamsExt, Shared, StructuredError,
};
pub use parts::{
    Address, Attribute, Connection, ConnectionStatus, ConnectionType, Contact, ContactInfo, PhoneNumber,
    Reference, Template, TemplateScope, TemplateType, User,
};
pub use product::{
    Action, ActionEndpoint, ActionLink, Capabilities, Category, ChangeCapabilities, Commitment,
    CustomerUiSettings, Link, PpuCapabilities, Precision, Product, ProductItem, ProductItemStatus,
    ProductItemType, ProductStatus, SubscriptionCapabilities, TierConfigsCapabilities, TiersCapabilities,
    Unit, UsageSchema, ValidationCapability,
};
pub use tier::{
    Activation, TierAccount, TierAccountRequest, TierAccountRequestStatus, TierAccountType,
    TierConfigRequest, TierConfigRequestType, TierConfiguration, TierConfigurationStatus,
};
pub use usage::{
    BillingRequest, UsageAsset, UsageChunk, UsageChunkStatus, UsageCounts, UsageFile, UsageFileStatus,
    UsageItem, UsageParameter, UsageRecord, UsageRecordStatus, UsageStats,
};
