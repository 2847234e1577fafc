//! When a request is to be left alone: the rules of the original, and what makes others of them.

use connect_model::{AssetRequest, Parameter, ParamsExt, RequestType};

/// The parameter of a request or an asset that puts the asset offline, if its value is the asset's id.
pub const OFFLINE_MODE: &str = "offline_mode";

/// The configuration parameter whose structured value lists the ids of the assets that are offline.
pub const OFFLINE_MODE_LIST: &str = "offline_mode_list";

/// Says of a request whether it matches: a function, or what [`all_of`] and [`any_of`] make of several.
///
/// ```
/// use connect_model::AssetRequest;
/// use connect_saga::offline::Rule;
///
/// fn is_preview(request: &AssetRequest) -> bool {
///     request.connection().is_some_and(|connection| connection.r#type == "preview")
/// }
///
/// assert!(!is_preview.matches(&AssetRequest::default()));
/// ```
pub trait Rule<R = AssetRequest>: Send + Sync + 'static {
    /// Whether it matches.
    fn matches(&self, request: &R) -> bool;
}

impl<R, F: Fn(&R) -> bool + Send + Sync + 'static> Rule<R> for F {
    fn matches(&self, request: &R) -> bool {
        self(request)
    }
}

/// The request is of one of these types.
///
/// ```
/// use connect_model::{AssetRequest, RequestType};
/// use connect_saga::offline::{Rule, request_type};
///
/// let rule = request_type([RequestType::Cancel, RequestType::Suspend, RequestType::Resume]);
/// assert!(rule.matches(&AssetRequest::default().with_type(RequestType::Resume)));
/// ```
pub fn request_type(types: impl IntoIterator<Item = RequestType>) -> impl Rule {
    let types: Vec<RequestType> = types.into_iter().collect();
    move |request: &AssetRequest| types.contains(&request.r#type)
}

/// The request cancels or suspends.
#[must_use]
pub fn match_request_type(request: &AssetRequest) -> bool {
    matches!(request.r#type, RequestType::Cancel | RequestType::Suspend)
}

/// The parameter of this id, in the request itself or in its asset, has the asset's id as its value.
///
/// Parameters of a request itself are not Connect's, but the original looks there too.
pub fn asset_parameter(id: impl Into<String>) -> impl Rule {
    let id = id.into();
    move |request: &AssetRequest| names_its_asset(request, &id)
}

fn names_its_asset(request: &AssetRequest, id: &str) -> bool {
    let asset = request.asset.id.as_str();
    let own = request.extra["params"].as_array().into_iter().flatten();
    let mut own =
        own.filter(|param| param["id"] == *id).map(|param| param["value"].as_str().unwrap_or_default());
    // An asset without an id is named by nobody.
    !asset.is_empty() && (request.value(id) == Some(asset) || own.any(|value| value == asset))
}

/// The parameter [`OFFLINE_MODE`] has the asset's id as its value.
#[must_use]
pub fn match_offline_asset_parameter(request: &AssetRequest) -> bool {
    names_its_asset(request, OFFLINE_MODE)
}

/// The structured value of the asset's configuration parameter of this id is a list, and the asset's id is in it.
///
/// Connect merges the configuration of a marketplace into that of the asset.
pub fn marketplace_parameter(id: impl Into<String>) -> impl Rule {
    let id = id.into();
    move |request: &AssetRequest| lists_its_asset(request, &id)
}

fn lists_its_asset(request: &AssetRequest, id: &str) -> bool {
    let params = request.asset.configuration.as_ref().map(|configuration| &configuration.params);
    let list = params.and_then(|params| params.param(id)).and_then(Parameter::structured_value);
    let mut ids = list.and_then(|list| list.as_array()).into_iter().flatten();
    !request.asset.id.is_empty() && ids.any(|listed| *listed == *request.asset.id)
}

/// The configuration parameter [`OFFLINE_MODE_LIST`] lists the asset's id.
#[must_use]
pub fn match_offline_marketplace_parameter(request: &AssetRequest) -> bool {
    lists_its_asset(request, OFFLINE_MODE_LIST)
}

/// Either of the two parameters names the asset.
#[must_use]
pub fn composited_match_offline_asset_and_marketplace_parameter(request: &AssetRequest) -> bool {
    match_offline_asset_parameter(request) || match_offline_marketplace_parameter(request)
}

/// Both rules match.
pub fn all_of<R: 'static>(a: impl Rule<R>, b: impl Rule<R>) -> impl Rule<R> {
    move |request: &R| a.matches(request) && b.matches(request)
}

/// One of the two rules matches.
///
/// ```
/// use connect_saga::offline::{OfflineCriteria, any_of, asset_parameter, marketplace_parameter};
///
/// let criteria = OfflineCriteria::new().rule(any_of(asset_parameter("paused"), marketplace_parameter("paused_list")));
/// # let _ = criteria;
/// ```
pub fn any_of<R: 'static>(a: impl Rule<R>, b: impl Rule<R>) -> impl Rule<R> {
    move |request: &R| a.matches(request) || b.matches(request)
}
