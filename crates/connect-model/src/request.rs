//! A request of either kind, for what handles both.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::Value;

use crate::{
    AssetRequest, Connection, Hub, Parameter, ParameterError, Params, ParamsUpdate, Reference, RequestStatus,
    RequestType, Tier, TierAccount, TierConfigRequest, TierConfigRequestType,
};

/// An asset request or a tier config request, for a handler, a transaction or a tool that takes either.
///
/// Which one it is, is decided by what stands in it: `asset`, or `configuration`; where neither does, by its type.
///
/// ```
/// use connect_model::Request;
///
/// let request: Request = serde_json::from_str(
///     r#"{"id": "TCR-1", "type": "setup", "params": [{"id": "region", "value": "eu"}], "configuration": {"id": "TC-1"}}"#,
/// )?;
/// assert!(request.is_tier_config_request());
/// assert_eq!((request.id(), request.value("region")), ("TCR-1", Some("eu")));
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// A handler of one event gets its own type; `Request::from(request)` hands it on.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// About an asset.
    Asset(Box<AssetRequest>),
    /// About the configuration of a tier.
    TierConfig(Box<TierConfigRequest>),
}

/// The same member of either request.
macro_rules! either {
    ($self:ident, $request:ident => $of_either:expr) => {
        match $self {
            Self::Asset($request) => $of_either,
            Self::TierConfig($request) => $of_either,
        }
    };
}

impl Request {
    /// Whether it is about an asset.
    #[must_use]
    pub fn is_asset_request(&self) -> bool {
        matches!(self, Self::Asset(_))
    }

    /// Whether it is about the configuration of a tier.
    #[must_use]
    pub fn is_tier_config_request(&self) -> bool {
        matches!(self, Self::TierConfig(_))
    }

    /// The asset request, if it is one.
    #[must_use]
    pub fn as_asset_request(&self) -> Option<&AssetRequest> {
        if let Self::Asset(request) = self { Some(request) } else { None }
    }

    /// The tier config request, if it is one.
    #[must_use]
    pub fn as_tier_config_request(&self) -> Option<&TierConfigRequest> {
        if let Self::TierConfig(request) = self { Some(request) } else { None }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        either!(self, request => &request.id)
    }

    /// What it asks for, as Connect writes it.
    #[must_use]
    pub fn type_name(&self) -> &str {
        either!(self, request => request.r#type.as_str())
    }

    /// Where it stands.
    #[must_use]
    pub fn status(&self) -> &RequestStatus {
        either!(self, request => &request.status)
    }

    /// Why it failed.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        either!(self, request => request.reason.as_deref())
    }

    /// The asset it is about.
    #[must_use]
    pub fn asset_id(&self) -> Option<&str> {
        self.as_asset_request().map(|request| request.asset.id.as_str()).filter(|id| !id.is_empty())
    }

    /// The tier configuration it is about.
    #[must_use]
    pub fn tier_config_id(&self) -> Option<&str> {
        let request = self.as_tier_config_request()?;
        Some(request.configuration.id.as_str()).filter(|id| !id.is_empty())
    }

    /// Whom it is for: the customer of the asset, or the account of the configuration.
    #[must_use]
    pub fn account(&self) -> Option<&TierAccount> {
        match self {
            Self::Asset(request) => request.customer(),
            Self::TierConfig(request) => request.account(),
        }
    }

    /// The parameters with the values that are asked for.
    #[must_use]
    pub fn params(&self) -> &Params {
        either!(self, request => request.params())
    }

    /// The parameters, to change them.
    pub fn params_mut(&mut self) -> &mut Params {
        either!(self, request => request.params_mut())
    }

    /// The parameter of this id.
    #[must_use]
    pub fn param(&self, id: &str) -> Option<&Parameter> {
        either!(self, request => request.param(id))
    }

    /// The parameter of this id, to change it.
    pub fn param_mut(&mut self, id: &str) -> Option<&mut Parameter> {
        either!(self, request => request.param_mut(id))
    }

    /// The parameter of this id, or an error that names it.
    pub fn try_param(&self, id: &str) -> Result<&Parameter, ParameterError> {
        either!(self, request => request.try_param(id))
    }

    /// The value of the parameter of this id, if there is one that is not empty.
    #[must_use]
    pub fn value(&self, id: &str) -> Option<&str> {
        either!(self, request => request.value(id))
    }

    /// Sets the value of a parameter, here and not in Connect; it is added if there is none.
    pub fn set_param(&mut self, id: &str, value: impl Into<String>) {
        either!(self, request => request.set_param(id, value));
    }

    /// Marks the value of a parameter as wrong, here and not in Connect; it is added if there is none.
    pub fn set_param_error(&mut self, id: &str, error: impl Into<String>) {
        either!(self, request => request.set_param_error(id, error));
    }

    /// Takes the error of a parameter away, here and not in Connect.
    pub fn clear_param_error(&mut self, id: &str) {
        either!(self, request => request.clear_param_error(id));
    }

    /// What has changed in the parameters since the request was read.
    pub fn params_update(&self) -> ParamsUpdate<'_> {
        either!(self, request => request.params_update())
    }

    /// The product's configuration parameter of this id.
    #[must_use]
    pub fn configuration_param(&self, id: &str) -> Option<&Parameter> {
        either!(self, request => request.configuration_param(id))
    }

    /// The connection it goes through.
    #[must_use]
    pub fn connection(&self) -> Option<&Connection> {
        either!(self, request => request.connection())
    }

    /// The distributor.
    #[must_use]
    pub fn provider(&self) -> Option<&Reference> {
        either!(self, request => request.provider())
    }

    /// The vendor.
    #[must_use]
    pub fn vendor(&self) -> Option<&Reference> {
        either!(self, request => request.vendor())
    }

    /// The hub.
    #[must_use]
    pub fn hub(&self) -> Option<&Hub> {
        either!(self, request => request.hub())
    }

    /// The product.
    #[must_use]
    pub fn product(&self) -> Option<&Reference> {
        either!(self, request => request.product())
    }

    /// Where it was bought.
    #[must_use]
    pub fn marketplace(&self) -> Option<&Reference> {
        either!(self, request => request.marketplace())
    }

    /// Under which contract.
    #[must_use]
    pub fn contract(&self) -> Option<&Reference> {
        either!(self, request => request.contract())
    }

    /// Whose account it is in this place: customer, tier1 or tier2.
    #[must_use]
    pub fn tier(&self, tier: impl Into<Tier>) -> Option<&TierAccount> {
        either!(self, request => request.tier(tier))
    }
}

impl From<AssetRequest> for Request {
    fn from(request: AssetRequest) -> Self {
        Self::Asset(Box::new(request))
    }
}

impl From<TierConfigRequest> for Request {
    fn from(request: TierConfigRequest) -> Self {
        Self::TierConfig(Box::new(request))
    }
}

impl From<Request> for Value {
    fn from(request: Request) -> Self {
        Self::from(&request)
    }
}

impl From<&Request> for Value {
    fn from(request: &Request) -> Self {
        match request {
            Request::Asset(request) => Self::from(&**request),
            Request::TierConfig(request) => Self::from(&**request),
        }
    }
}

impl Serialize for Request {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        either!(self, request => request.serialize(serializer))
    }
}

impl<'de> Deserialize<'de> for Request {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let is_asset = match (value.get("asset").is_some(), value.get("configuration").is_some()) {
            (true, _) => true,
            (false, true) => false,
            (false, false) => {
                let name = value.get("type").and_then(Value::as_str).unwrap_or_default();
                let asset = !matches!(RequestType::from(name), RequestType::Other(_));
                let tier_config =
                    !matches!(TierConfigRequestType::from(name), TierConfigRequestType::Other(_));
                match (asset, tier_config) {
                    // `adjustment` is a type of both.
                    (true, false) => true,
                    (false, true) => false,
                    _ => {
                        return Err(D::Error::custom(
                            "neither an asset request nor a tier config request: it has no \"asset\", no \
                             \"configuration\", and its type does not tell",
                        ));
                    }
                }
            }
        };
        if is_asset {
            AssetRequest::deserialize(value).map(Self::from).map_err(D::Error::custom)
        } else {
            TierConfigRequest::deserialize(value).map(Self::from).map_err(D::Error::custom)
        }
    }
}
