use serde_json::Value;

use super::{EventLog, Reference};
use crate::{
    AsRead,
    macros::{object, open_enum},
};

open_enum! {
    /// What kind of value a parameter has.
    ParameterType {
        /// Any text.
        Text = "text",
        /// One of several, from a list that folds.
        Dropdown = "dropdown",
        /// A text that nobody may see.
        Password = "password",
        /// A mail address.
        Email = "email",
        /// Any of several.
        Checkbox = "checkbox",
        /// A name below one of several domains.
        Subdomain = "subdomain",
        /// A domain.
        Domain = "domain",
        /// An address in its parts.
        Address = "address",
        /// A telephone number in its parts.
        Phone = "phone",
        /// Any JSON object.
        Object = "object",
        /// An address on the web.
        Url = "url",
        /// One of several.
        Choice = "choice",
        /// No value: a heading in a form.
        Heading = "heading",
        /// No value: a text in a form.
        Content = "content",
    }

    /// What a parameter belongs to.
    ParameterScope {
        /// An asset.
        Asset = "asset",
        /// The configuration of a tier 1 account.
        Tier1 = "tier1",
        /// The configuration of a tier 2 account.
        Tier2 = "tier2",
        /// A product, as configuration.
        Product = "product",
        /// An item of a product, as configuration.
        Item = "item",
        /// A marketplace, as configuration.
        Marketplace = "marketplace",
        /// An item on a marketplace, as configuration.
        ItemMarketplace = "item_marketplace",
    }

    /// When a parameter gets its value, and from whom.
    ParameterPhase {
        /// With the order, from the buyer.
        Ordering = "ordering",
        /// While the request is processed, from the vendor.
        Fulfillment = "fulfillment",
        /// Before any order, from the vendor.
        Configuration = "configuration",
    }

    /// What an account may do with a parameter that is shared.
    Shared {
        /// Nothing.
        None = "none",
        /// See it.
        View = "view",
        /// Change it.
        Edit = "edit",
    }
}

object! {
    /// A parameter with its value, in a request, an asset, an item or a configuration.
    Parameter(
        /// What its value was when it was read, which tells what has changed since.
        as_read: AsRead = AsRead::of
    ) {
        /// Its name in the product: what one looks it up by.
        id = "id": String,
        /// The same again, in newer answers.
        name = "name": Option<String>,
        /// What people see.
        title = "title": Option<String>,
        /// What it is for.
        description = "description": Option<String>,
        /// What kind of value it has.
        r#type = "type": ParameterType,
        /// What it belongs to.
        scope = "scope": ParameterScope,
        /// When it gets its value.
        phase = "phase": ParameterPhase,
        /// The value as text.
        value = "value": Option<String>,
        /// What is wrong with the value; a text that is not empty marks it invalid.
        value_error = "value_error": Option<String>,
        /// The value of a checkbox, an address, a phone or an object.
        structured_value = "structured_value": Option<Box<Value>>,
        /// What is wrong with the structured value.
        structured_error = "structured_error": Option<Box<StructuredError>>,
        /// What its value may be, with the texts for people.
        value_choices = "value_choices": Vec<Choice>,
        /// What its value has to be like.
        constraints = "constraints": Option<Box<Constraints>>,
        /// On which marketplace it has this value, for a configuration.
        marketplace = "marketplace": Option<Box<Reference>>,
        /// What happened to it.
        events = "events": Option<Box<EventLog>>,
    }

    /// What is wrong with a structured value.
    StructuredError {
        /// In words.
        message = "message": Option<String>,
        /// Part by part.
        context = "context": Option<Value>,
    }

    /// What a value may be.
    Choice {
        /// The value.
        value = "value": Option<String>,
        /// What people see.
        label = "label": Option<String>,
        /// Whether it is chosen unless the buyer chooses.
        default = "default": Option<bool>,
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
        /// It tells assets apart in usage files.
        reconciliation = "reconciliation": Option<bool>,
        /// What others may do with it.
        shared = "shared": Shared,
        /// The fewest characters.
        min_length = "min_length": Option<i64>,
        /// The most characters.
        max_length = "max_length": Option<i64>,
        /// What it may be; for a subdomain, the domains above it.
        choices = "choices": Vec<Choice>,
        /// A text that helps to fill it in.
        hint = "hint": Option<String>,
        /// What stands in its place while it is empty.
        placeholder = "placeholder": Option<String>,
        /// What else forms need to know.
        meta = "meta": Option<Box<Value>>,
        /// What it is unless the buyer changes it.
        default = "default": Option<Box<Value>>,
        /// Which other parameter it depends on.
        dependency = "dependency": Option<Box<Dependency>>,
    }

    /// How a parameter depends on another one.
    Dependency {
        /// The other one.
        parameter = "parameter": Option<Box<Reference>>,
        /// The values of the other one that matter.
        values = "values": Vec<String>,
        /// It then has to have a value.
        required = "required": Option<bool>,
        /// It is then not shown.
        hidden = "hidden": Option<bool>,
        /// It then can't be changed.
        readonly = "readonly": Option<bool>,
    }

    /// A parameter as a product declares it, without a value.
    ParameterDefinition {
        /// Its id (`PRM-…`).
        id = "id": String,
        /// What requests look it up by.
        name = "name": Option<String>,
        /// What people see.
        title = "title": Option<String>,
        /// What it is for.
        description = "description": Option<String>,
        /// What kind of value it has.
        r#type = "type": ParameterType,
        /// What it belongs to.
        scope = "scope": ParameterScope,
        /// When it gets its value.
        phase = "phase": ParameterPhase,
        /// What its value has to be like.
        constraints = "constraints": Option<Box<Constraints>>,
        /// A text that helps to fill it in.
        hint = "hint": Option<String>,
        /// What stands in its place while it is empty.
        placeholder = "placeholder": Option<String>,
        /// What it is unless the buyer changes it.
        default = "default": Option<Box<Value>>,
        /// Where it stands among the others.
        position = "position": Option<i64>,
        /// The heading it stands below.
        parent = "parent": Option<Box<Reference>>,
        /// What happened to it.
        events = "events": Option<Box<EventLog>>,
    }

    /// The configuration values of a product, as they hold for an asset or a tier.
    Configuration {
        /// The parameters.
        params = "params": Params,
    }

    /// One configuration value of a product, in the product's own list.
    ConfigurationValue {
        /// The value as text.
        value = "value": Option<String>,
        /// The value of a checkbox, an address, a phone or an object.
        structured_value = "structured_value": Option<Box<Value>>,
        /// Which parameter has it.
        parameter = "parameter": Option<Box<ParameterDefinition>>,
        /// On which marketplace.
        marketplace = "marketplace": Option<Box<Reference>>,
        /// For which item.
        item = "item": Option<Box<Reference>>,
        /// What happened to it.
        events = "events": Option<Box<EventLog>>,
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

    /// What is wrong with the value, if anything is.
    #[must_use]
    pub fn value_error(&self) -> Option<&str> {
        self.value_error.as_deref().filter(|error| !error.is_empty())
    }

    /// The structured value, if there is one that is not empty.
    #[must_use]
    pub fn structured_value(&self) -> Option<&Value> {
        self.structured_value.as_deref().filter(|value| match value {
            Value::Null => false,
            Value::String(text) => !text.is_empty(),
            Value::Array(list) => !list.is_empty(),
            Value::Object(members) => !members.is_empty(),
            Value::Bool(_) | Value::Number(_) => true,
        })
    }

    /// Takes its error away.
    pub fn clear_error(&mut self) {
        // `""` is what tells Connect so; what had no error needs none.
        if self.value_error().is_some() {
            self.value_error = Some(String::new());
        }
    }

    /// Whether it has neither a value nor a structured value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.value().is_none() && self.structured_value().is_none()
    }

    /// Whether it has to have a value.
    #[must_use]
    pub fn is_required(&self) -> bool {
        self.constraints.as_ref().is_some_and(|constraints| constraints.is_required())
    }

    /// What its value may be, with the texts for people: of the value itself, or of its constraints.
    #[must_use]
    pub fn choices(&self) -> &[Choice] {
        if self.value_choices.is_empty() {
            self.constraints.as_ref().map_or(&[], |constraints| &constraints.choices)
        } else {
            &self.value_choices
        }
    }
}

/// Old answers write `"True"` and `"False"`, which the member itself does not hold.
fn flag(member: Option<bool>, old_form: &Value) -> bool {
    member.unwrap_or_else(|| old_form.as_str().is_some_and(|text| text.eq_ignore_ascii_case("true")))
}

impl Constraints {
    /// Whether it has to have a value; old answers may say so in a text.
    #[must_use]
    pub fn is_required(&self) -> bool {
        flag(self.required, &self.extra["required"])
    }

    /// Whether it is not shown to the buyer; old answers may say so in a text.
    #[must_use]
    pub fn is_hidden(&self) -> bool {
        flag(self.hidden, &self.extra["hidden"])
    }

    /// Whether no other asset may have the same value; old answers may say so in a text.
    #[must_use]
    pub fn is_unique(&self) -> bool {
        flag(self.unique, &self.extra["unique"])
    }

    /// Whether the buyer can't change it; old answers may say so in a text.
    #[must_use]
    pub fn is_readonly(&self) -> bool {
        flag(self.readonly, &self.extra["readonly"])
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

    /// The parameter of this id; it is added if there is none.
    fn param_or_new(&mut self, id: &str) -> &mut Parameter;

    /// Sets the value of the parameter of this id; it is added if there is none.
    fn set(&mut self, id: &str, value: impl Into<String>) {
        self.param_or_new(id).value = Some(value.into());
    }

    /// Sets the structured value of the parameter of this id; it is added if there is none.
    fn set_structured(&mut self, id: &str, value: impl Into<Value>) {
        self.param_or_new(id).structured_value = Some(Box::new(value.into()));
    }

    /// Marks the value of the parameter of this id as wrong; it is added if there is none.
    fn set_error(&mut self, id: &str, error: impl Into<String>) {
        self.param_or_new(id).value_error = Some(error.into());
    }

    /// The parameters whose value is marked as wrong.
    fn invalid(&self) -> impl Iterator<Item = &Parameter>;

    /// Judges all parameters anew: sets the error that is found for one, and takes away those that are not found again.
    /// Whether all are right.
    ///
    /// ```
    /// use connect_model::{AssetRequest, Parameter, ParamsExt, ValidationResponse};
    ///
    /// fn validate(mut request: AssetRequest) -> ValidationResponse {
    ///     request.asset.params.validate(|param| match param.id.as_str() {
    ///         "domain" => param.domain().err().map(|error| error.to_string()),
    ///         _ if param.is_required() && param.is_empty() => Some("is required".into()),
    ///         _ => None,
    ///     });
    ///     ValidationResponse::done(request)
    /// }
    /// # let mut request = AssetRequest::default();
    /// # request.set_param("domain", "-");
    /// # assert!(!request.asset.params.validate(|param| param.domain().err().map(|error| error.to_string())));
    /// # let _ = validate(request);
    /// ```
    fn validate(&mut self, judge: impl FnMut(&Parameter) -> Option<String>) -> bool;

    /// Takes the values as they are for the ones Connect has: from here on counts what changes.
    fn mark_as_read(&mut self);
}

impl ParamsExt for Params {
    fn param(&self, id: &str) -> Option<&Parameter> {
        self.iter().find(|param| param.id == id)
    }

    fn param_mut(&mut self, id: &str) -> Option<&mut Parameter> {
        self.iter_mut().find(|param| param.id == id)
    }

    fn param_or_new(&mut self, id: &str) -> &mut Parameter {
        let at = self.iter().position(|param| param.id == id).unwrap_or_else(|| {
            self.push(Parameter { id: id.to_owned(), ..Parameter::default() });
            self.len() - 1
        });
        &mut self[at]
    }

    fn invalid(&self) -> impl Iterator<Item = &Parameter> {
        self.iter().filter(|param| param.value_error().is_some())
    }

    fn validate(&mut self, mut judge: impl FnMut(&Parameter) -> Option<String>) -> bool {
        let mut valid = true;
        for param in self {
            match judge(param).filter(|error| !error.is_empty()) {
                Some(error) => {
                    param.value_error = Some(error);
                    valid = false;
                }
                None => param.clear_error(),
            }
        }
        valid
    }

    fn mark_as_read(&mut self) {
        for param in self {
            param.as_read = AsRead::of(param);
        }
    }
}
