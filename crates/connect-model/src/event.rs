//! The events of Connect, each with the type of its object and the kind of answer it wants.
//!
//! An [`Event`] carries both in its type, so that a handler that takes another object or answers in another way does
//! not compile. Names and statuses: Connect's page "Available events" and the samples of its `event-definitions`.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    AssetRequest, BackgroundResponse, Case, Contract, CustomEvent, Installation, InteractiveResponse,
    Listing, ListingRequest, Product, ProductAction, Response, TierAccountRequest, TierConfigRequest,
    UsageChunk, UsageFile, ValidationResponse,
};

/// An object that an event can be about: anything that can be read from JSON.
///
/// ```
/// fn is_an_object<T: connect_model::event::Object>() {}
/// is_an_object::<connect_model::AssetRequest>();
/// is_an_object::<serde_json::Value>();
/// ```
pub trait Object: DeserializeOwned + Send + Sync + 'static {}

impl<T: DeserializeOwned + Send + Sync + 'static> Object for T {}

/// How the tasks of an event are answered.
///
/// ```
/// use connect_model::{BackgroundResponse, event::{Background, Category}};
///
/// fn answer<C: Category<Response = BackgroundResponse>>() -> C::Response { BackgroundResponse::done() }
/// answer::<Background>();
/// ```
pub trait Category: Send + Sync + 'static {
    /// What a handler of this category answers.
    type Response: Response;
}

/// A category whose tasks somebody waits for: a buyer's form, a browser, a caller over HTTP.
///
/// ```
/// use connect_model::event::{Interactive, InteractiveCategory, Validation};
///
/// fn waits<C: InteractiveCategory>() {}
/// waits::<Interactive>();
/// waits::<Validation>();
/// ```
pub trait InteractiveCategory: Category {
    /// Whether a failed task of this category answers its caller with an HTTP body, beside Connect.
    const ANSWERS_HTTP: bool;
}

/// Events of the background: the object is fetched, the answer may take its time.
#[derive(Clone, Copy, Debug)]
pub enum Background {}

/// Interactive events that answer over HTTP: product actions and custom events.
#[derive(Clone, Copy, Debug)]
pub enum Interactive {}

/// Interactive events that validate a draft: they answer the object with its errors.
#[derive(Clone, Copy, Debug)]
pub enum Validation {}

impl Category for Background {
    type Response = BackgroundResponse;
}

impl Category for Interactive {
    type Response = InteractiveResponse;
}

impl Category for Validation {
    type Response = ValidationResponse;
}

impl InteractiveCategory for Interactive {
    const ANSWERS_HTTP: bool = true;
}

impl InteractiveCategory for Validation {
    const ANSWERS_HTTP: bool = false;
}

/// An event type of Connect: its name, its category and the type of its object.
pub struct Event<C, T> {
    name: Cow<'static, str>,
    of: PhantomData<fn() -> (C, T)>,
}

impl<C: Category, T: Object> Event<C, T> {
    /// An event that has no constant here, because Connect added it later.
    ///
    /// ```
    /// use connect_model::event::{Background, Event};
    ///
    /// let event = Event::<Background, serde_json::Value>::new("offer_changed");
    /// assert_eq!(event.name(), "offer_changed");
    /// ```
    #[must_use]
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), of: PhantomData }
    }
}

impl<C, T> Event<C, T> {
    const fn known(name: &'static str) -> Self {
        Self { name: Cow::Borrowed(name), of: PhantomData }
    }

    /// The same event, its object read as another type: a type of yours, or [`Request`](crate::Request) for a handler
    /// that takes requests of either kind.
    ///
    /// ```
    /// use connect_model::{Request, event};
    ///
    /// let event = event::ASSET_PURCHASE_REQUEST_PROCESSING.read_as::<Request>();
    /// assert_eq!(event.name(), "asset_purchase_request_processing");
    /// ```
    #[must_use]
    pub fn read_as<O: Object>(self) -> Event<C, O> {
        Event { name: self.name, of: PhantomData }
    }

    /// The name Connect uses for it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl<C, T> Clone for Event<C, T> {
    fn clone(&self) -> Self {
        Self { name: self.name.clone(), of: PhantomData }
    }
}

impl<C, T> fmt::Debug for Event<C, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Event").field(&self.name).finish()
    }
}

macro_rules! events {
    ($($(#[$meta:meta])* $constant:ident: $category:ident, $object:ident = $name:literal;)*) => {
        $($(#[$meta])* pub const $constant: Event<$category, $object> = Event::known($name);)*
    };
}

events! {
    /// A purchase request entered one of the statuses.
    ASSET_PURCHASE_REQUEST_PROCESSING: Background, AssetRequest = "asset_purchase_request_processing";
    /// A change request entered one of the statuses.
    ASSET_CHANGE_REQUEST_PROCESSING: Background, AssetRequest = "asset_change_request_processing";
    /// A suspend request entered one of the statuses.
    ASSET_SUSPEND_REQUEST_PROCESSING: Background, AssetRequest = "asset_suspend_request_processing";
    /// A resume request entered one of the statuses.
    ASSET_RESUME_REQUEST_PROCESSING: Background, AssetRequest = "asset_resume_request_processing";
    /// A cancel request entered one of the statuses.
    ASSET_CANCEL_REQUEST_PROCESSING: Background, AssetRequest = "asset_cancel_request_processing";
    /// An adjustment request, which the vendor creates, entered one of the statuses.
    ASSET_ADJUSTMENT_REQUEST_PROCESSING: Background, AssetRequest = "asset_adjustment_request_processing";
    /// A renew request entered one of the statuses.
    ASSET_RENEW_REQUEST_PROCESSING: Background, AssetRequest = "asset_renew_request_processing";
    /// A transfer request entered one of the statuses.
    ASSET_TRANSFER_REQUEST_PROCESSING: Background, AssetRequest = "asset_transfer_request_processing";
    /// A draft or inquiring purchase request is to be validated.
    ASSET_PURCHASE_REQUEST_VALIDATION: Validation, AssetRequest = "asset_purchase_request_validation";
    /// A draft or inquiring change request is to be validated.
    ASSET_CHANGE_REQUEST_VALIDATION: Validation, AssetRequest = "asset_change_request_validation";
    /// A draft or inquiring renew request is to be validated.
    ASSET_RENEW_REQUEST_VALIDATION: Validation, AssetRequest = "asset_renew_request_validation";
    /// A draft or inquiring transfer request is to be validated.
    ASSET_TRANSFER_REQUEST_VALIDATION: Validation, AssetRequest = "asset_transfer_request_validation";
    /// The setup request of a tier configuration entered one of the statuses.
    TIER_CONFIG_SETUP_REQUEST_PROCESSING: Background, TierConfigRequest = "tier_config_setup_request_processing";
    /// The change request of a tier configuration (type `update` in REST) entered one of the statuses.
    TIER_CONFIG_CHANGE_REQUEST_PROCESSING: Background, TierConfigRequest = "tier_config_change_request_processing";
    /// The adjustment request of a tier configuration entered one of the statuses.
    TIER_CONFIG_ADJUSTMENT_REQUEST_PROCESSING: Background, TierConfigRequest = "tier_config_adjustment_request_processing";
    /// A draft or inquiring setup request of a tier configuration is to be validated.
    TIER_CONFIG_SETUP_REQUEST_VALIDATION: Validation, TierConfigRequest = "tier_config_setup_request_validation";
    /// A draft or inquiring change request of a tier configuration is to be validated.
    TIER_CONFIG_CHANGE_REQUEST_VALIDATION: Validation, TierConfigRequest = "tier_config_change_request_validation";
    /// The update of a tier account entered one of the statuses.
    TIER_ACCOUNT_UPDATE_REQUEST_PROCESSING: Background, TierAccountRequest = "tier_account_update_request_processing";
    /// A usage file entered one of the statuses.
    USAGE_FILE_REQUEST_PROCESSING: Background, UsageFile = "usage_file_request_processing";
    /// A chunk of a usage file entered one of the statuses.
    PART_USAGE_FILE_REQUEST_PROCESSING: Background, UsageChunk = "part_usage_file_request_processing";
    /// A listing request entered one of the statuses.
    LISTING_REQUEST_PROCESSING: Background, ListingRequest = "listing_request_processing";
    /// A request for a new listing, the older form of [`LISTING_REQUEST_PROCESSING`].
    LISTING_NEW_REQUEST_PROCESSING: Background, ListingRequest = "listing_new_request_processing";
    /// A request to remove a listing, the older form of [`LISTING_REQUEST_PROCESSING`].
    LISTING_REMOVE_REQUEST_PROCESSING: Background, ListingRequest = "listing_remove_request_processing";
    /// A product was listed or unlisted.
    LISTING_PROCESSING: Background, Listing = "listing_processing";
    /// An account installed the extension, or removed it.
    INSTALLATION_STATUS_CHANGE: Background, Installation = "installation_status_change";
    /// A case of the helpdesk entered one of the states.
    HELPDESK_CASE_PROCESSING: Background, Case = "helpdesk_case_processing";
    /// A contract entered one of the statuses.
    CONTRACT_CHANGED: Background, Contract = "contract_changed";
    /// A product entered one of the statuses.
    PRODUCT_CHANGED: Background, Product = "product_changed";
    /// A version of a price list entered one of the statuses.
    PRICELIST_VERSION_CHANGED: Background, Value = "pricelist_version_changed";
    /// A translation changed.
    TRANSLATION_CHANGE: Background, Value = "translation_change";
    /// Somebody pressed a product's action button.
    PRODUCT_ACTION_EXECUTION: Interactive, ProductAction = "product_action_execution";
    /// A third party called the extension through Connect.
    PRODUCT_CUSTOM_EVENT_PROCESSING: Interactive, CustomEvent = "product_custom_event_processing";
}

/// The event type of scheduled tasks; their handlers are found by the schedule's method.
pub const SCHEDULED_EXECUTION: &str = "scheduled_execution";
