use serde_json::Value;

use crate::macros::object;

object! {
    /// A parameter with its value, in a request, an asset, an item or a configuration.
    Parameter {
        /// Its name in the product: what one looks it up by.
        id = "id": String,
        /// The same again, in newer answers.
        name = "name": Option<String>,
        /// What people see.
        title = "title": Option<String>,
        /// What it is for.
        description = "description": Option<String>,
        /// text, choice, checkbox, address, phone, object, …
        r#type = "type": Option<String>,
        /// asset, tier1, tier2; product, item, marketplace, `item_marketplace` for configuration.
        scope = "scope": Option<String>,
        /// ordering, fulfillment or configuration.
        phase = "phase": Option<String>,
        /// The value as text.
        value = "value": Option<String>,
        /// What is wrong with the value; a text that is not empty marks it invalid.
        value_error = "value_error": Option<String>,
        /// The value of a checkbox, an address, a phone or an object.
        structured_value = "structured_value": Option<Value>,
        /// What its value has to be like.
        constraints = "constraints": Option<Constraints>,
    }

    /// What the value of a parameter has to be like.
    Constraints {
        /// It has to have a value.
        required = "required": Option<bool>,
        /// It is not shown to the buyer.
        hidden = "hidden": Option<bool>,
        /// No other asset may have the same value.
        unique = "unique": Option<bool>,
        /// The buyer can't change it.
        readonly = "readonly": Option<bool>,
    }

    /// The configuration values of a product, as they hold for an asset or a tier.
    Configuration {
        /// The parameters.
        params = "params": Vec<Parameter>,
    }
}

impl Parameter {
    /// A parameter with a value, as it is sent in an update.
    #[must_use]
    pub fn new(id: impl Into<String>, value: impl Into<String>) -> Self {
        Self { id: id.into(), value: Some(value.into()), ..Self::default() }
    }

    /// The value, if there is one that is not empty.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        self.value.as_deref().filter(|value| !value.is_empty())
    }

    /// Whether it has neither a value nor a structured value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.value().is_none()
            && self.structured_value.as_ref().is_none_or(|value| match value {
                Value::Null => true,
                Value::String(text) => text.is_empty(),
                Value::Array(list) => list.is_empty(),
                Value::Object(members) => members.is_empty(),
                Value::Bool(_) | Value::Number(_) => false,
            })
    }
}

/// A list of parameters.
pub type Params = Vec<Parameter>;

/// Looking up and setting the parameters of a list.
///
/// ```
/// use connect_model::{Params, ParamsExt};
///
/// let mut params = Params::new();
/// params.set("domain", "example.com");
/// assert_eq!(params.param("domain").and_then(|domain| domain.value()), Some("example.com"));
/// assert!(params.param("seats").is_none());
/// ```
pub trait ParamsExt {
    /// The parameter of this id.
    fn param(&self, id: &str) -> Option<&Parameter>;

    /// The parameter of this id, to change it.
    fn param_mut(&mut self, id: &str) -> Option<&mut Parameter>;

    /// Sets the value of the parameter of this id; it is added if there is none.
    fn set(&mut self, id: &str, value: impl Into<String>);
}

impl ParamsExt for Params {
    fn param(&self, id: &str) -> Option<&Parameter> {
        self.iter().find(|param| param.id == id)
    }

    fn param_mut(&mut self, id: &str) -> Option<&mut Parameter> {
        self.iter_mut().find(|param| param.id == id)
    }

    fn set(&mut self, id: &str, value: impl Into<String>) {
        match self.param_mut(id) {
            Some(param) => param.value = Some(value.into()),
            None => self.push(Parameter::new(id, value)),
        }
    }
}
