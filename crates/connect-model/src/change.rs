//! What has changed in the parameters of a request, as Connect takes it.

use std::{
    cell::OnceCell,
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::Value;

use crate::{AssetRequest, Parameter, TierConfigRequest};

/// What the value of a parameter was when it was read.
///
/// It holds hashes, not the values: 24 bytes for each parameter. Two parameters are equal whatever was read.
#[derive(Clone, Copy, Debug, Default)]
pub struct AsRead {
    value: u64,
    structured_value: u64,
    value_error: u64,
}

impl AsRead {
    /// The values that the parameter has now.
    #[must_use]
    pub fn of(param: &Parameter) -> Self {
        Self {
            value: hash_of(param.value()),
            structured_value: hash_of(param.structured_value()),
            value_error: hash_of(param.value_error()),
        }
    }
}

impl PartialEq for AsRead {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// A structured value that was taken away.
const EMPTIED: &Value = &Value::Null;

/// Absent and empty are the same: Connect writes either.
fn hash_of(value: Option<impl Hash>) -> u64 {
    value.map_or(0, |value| {
        let mut hasher = DefaultHasher::new();
        value.hash(&mut hasher);
        hasher.finish()
    })
}

/// The parameters that have changed, with the members of them that have: the smallest body for an update.
///
/// It serializes as the body of `PUT requests/{id}`, or of `PUT tier/config-requests/{id}`, whichever request it is of.
/// Connect leaves alone what such a body does not name. A member that was emptied goes out as `""`, a structured value
/// as `null`.
///
/// ```
/// use connect_model::AssetRequest;
/// use serde_json::json;
///
/// let mut request: AssetRequest = serde_json::from_value(json!({"id": "PR-1", "asset": {"params": [
///     {"id": "domain", "value": "example.com", "value_error": "is taken"}, {"id": "user_id", "value": ""}]}}))?;
/// assert!(request.params_update().is_empty());
///
/// request.set_param("user_id", "U-1");
/// request.clear_param_error("domain");
///
/// let update = request.params_update();
/// assert_eq!(serde_json::to_value(&update)?, json!({"asset": {"params": [
///     {"id": "domain", "value_error": ""}, {"id": "user_id", "value": "U-1"}]}}));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "an update does nothing until it is sent"]
pub struct ParamsUpdate<'a> {
    shape: Shape,
    params: Vec<ParameterUpdate<'a>>,
}

/// Where Connect wants the parameters in the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    AssetRequest,
    TierConfigRequest,
}

/// What has changed of one parameter.
#[derive(Clone, PartialEq, Serialize)]
pub struct ParameterUpdate<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    structured_value: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_error: Option<&'a str>,
}

impl<'a> ParameterUpdate<'a> {
    /// What differs from the values it had before, if anything does.
    fn since(param: &'a Parameter, before: AsRead) -> Option<Self> {
        let now = AsRead::of(param);
        let value = (now.value != before.value).then(|| param.value().unwrap_or_default());
        let structured_value = (now.structured_value != before.structured_value)
            .then(|| param.structured_value().unwrap_or(EMPTIED));
        let value_error =
            (now.value_error != before.value_error).then(|| param.value_error().unwrap_or_default());
        let changed = value.is_some() || structured_value.is_some() || value_error.is_some();
        changed.then_some(Self { id: &param.id, value, structured_value, value_error })
    }

    /// Which parameter it is.
    #[must_use]
    pub fn id(&self) -> &'a str {
        self.id
    }

    /// Whether its value or its structured value is another one.
    #[must_use]
    pub fn changes_value(&self) -> bool {
        self.value.is_some() || self.structured_value.is_some()
    }

    /// Whether its error is another one.
    #[must_use]
    pub fn changes_error(&self) -> bool {
        self.value_error.is_some()
    }
}

/// Shows the id alone: values may be passwords.
impl std::fmt::Debug for ParameterUpdate<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParameterUpdate").field("id", &self.id).finish_non_exhaustive()
    }
}

impl<'a> ParamsUpdate<'a> {
    fn since_read(shape: Shape, params: &'a [Parameter]) -> Self {
        let changed = params.iter().filter_map(|param| ParameterUpdate::since(param, param.as_read));
        Self { shape, params: changed.collect() }
    }

    fn since(shape: Shape, params: &'a [Parameter], before: &[Parameter]) -> Self {
        // Mostly a parameter stands where it stood before; else it is looked up.
        let by_id = OnceCell::new();
        let look_up = |id: &str| {
            let by_id: &HashMap<&str, &Parameter> =
                by_id.get_or_init(|| before.iter().rev().map(|param| (param.id.as_str(), param)).collect());
            by_id.get(id).copied()
        };
        let changed = params.iter().enumerate().filter_map(|(at, param)| {
            let same_place = before.get(at).filter(|before| before.id == param.id);
            let before = same_place.or_else(|| look_up(&param.id)).map(AsRead::of);
            ParameterUpdate::since(param, before.unwrap_or_default())
        });
        Self { shape, params: changed.collect() }
    }

    /// Whether nothing has changed: there is nothing to send then.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.params.is_empty()
    }

    /// The parameters that have changed.
    #[must_use]
    pub fn params(&self) -> &[ParameterUpdate<'a>] {
        &self.params
    }
}

impl Serialize for ParamsUpdate<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Params<'a> {
            params: &'a [ParameterUpdate<'a>],
        }
        let params = Params { params: &self.params };
        match self.shape {
            Shape::TierConfigRequest => params.serialize(serializer),
            Shape::AssetRequest => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("asset", &params)?;
                map.end()
            }
        }
    }
}

impl AssetRequest {
    /// What has changed in the parameters of the asset since the request was read: the body of `PUT requests/{id}`.
    ///
    /// A parameter that was not read, but added, counts as changed if it has a value or an error.
    pub fn params_update(&self) -> ParamsUpdate<'_> {
        ParamsUpdate::since_read(Shape::AssetRequest, &self.asset.params)
    }

    /// What differs from these parameters, which were kept before.
    pub fn params_update_since(&self, before: &[Parameter]) -> ParamsUpdate<'_> {
        ParamsUpdate::since(Shape::AssetRequest, &self.asset.params, before)
    }
}

impl TierConfigRequest {
    /// What has changed in the parameters since the request was read: the body of `PUT tier/config-requests/{id}`.
    ///
    /// A parameter that was not read, but added, counts as changed if it has a value or an error.
    pub fn params_update(&self) -> ParamsUpdate<'_> {
        ParamsUpdate::since_read(Shape::TierConfigRequest, &self.params)
    }

    /// What differs from these parameters, which were kept before.
    pub fn params_update_since(&self, before: &[Parameter]) -> ParamsUpdate<'_> {
        ParamsUpdate::since(Shape::TierConfigRequest, &self.params, before)
    }
}
