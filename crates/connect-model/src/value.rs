//! The value of a parameter as what its type says it is.

use std::{any::type_name, borrow::Cow, fmt, str::FromStr};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{Address, Choice, Parameter, ParameterType, PhoneNumber};

/// Why a parameter could not be read. It names the parameter, and never shows its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterError {
    id: Box<str>,
    of: Option<Box<str>>,
    kind: ParameterErrorKind,
}

/// What is wrong with a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParameterErrorKind {
    /// There is no such parameter.
    Missing,
    /// It has no value.
    Empty,
    /// Its value is not what was asked for.
    Invalid {
        /// What was asked for.
        expected: Cow<'static, str>,
    },
}

impl ParameterError {
    pub(crate) fn missing(id: &str) -> Self {
        Self { id: id.into(), of: None, kind: ParameterErrorKind::Missing }
    }

    fn empty(param: &Parameter) -> Self {
        Self { id: param.id.as_str().into(), of: None, kind: ParameterErrorKind::Empty }
    }

    fn invalid(param: &Parameter, expected: impl Into<Cow<'static, str>>) -> Self {
        let kind = ParameterErrorKind::Invalid { expected: expected.into() };
        Self { id: param.id.as_str().into(), of: None, kind }
    }

    /// Says whose parameter it is.
    pub(crate) fn of(mut self, owner: impl Into<Box<str>>) -> Self {
        self.of = Some(owner.into());
        self
    }

    /// Which parameter.
    #[must_use]
    pub fn parameter(&self) -> &str {
        &self.id
    }

    /// What is wrong with it.
    #[must_use]
    pub fn kind(&self) -> &ParameterErrorKind {
        &self.kind
    }
}

impl fmt::Display for ParameterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = Of(self.of.as_deref());
        match &self.kind {
            ParameterErrorKind::Missing => write!(f, "there is no parameter \"{}\"{of}", self.id),
            ParameterErrorKind::Empty => write!(f, "parameter \"{}\"{of} has no value", self.id),
            ParameterErrorKind::Invalid { expected } => {
                write!(f, "the value of parameter \"{}\"{of} is not {expected}", self.id)
            }
        }
    }
}

struct Of<'a>(Option<&'a str>);

impl fmt::Display for Of<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |owner| write!(f, " of {owner}"))
    }
}

impl std::error::Error for ParameterError {}

/// The value of a parameter as its type says; see [`Parameter::typed`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ParameterValue<'a> {
    /// A text, whatever the type says about its form.
    Text(&'a str),
    /// One of several.
    Choice(Chosen<'a>),
    /// Any of several.
    Checkbox(Checkbox<'a>),
    /// An address in its parts.
    Address(Address),
    /// A telephone number in its parts.
    Phone(PhoneNumber),
    /// Any JSON.
    Object(Cow<'a, Value>),
}

/// What was chosen of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chosen<'a> {
    /// The value.
    pub value: &'a str,
    /// What people see, where Connect says it.
    pub label: Option<&'a str>,
}

/// What was checked of several.
///
/// ```
/// use connect_model::Parameter;
///
/// let param: Parameter = serde_json::from_str(
///     r#"{"id": "options", "type": "checkbox", "value": "", "structured_value": {"backup": true, "mail": false}}"#,
/// )?;
/// let options = param.checkbox()?;
/// assert!(options.is_checked("backup") && !options.is_checked("mail"));
/// assert_eq!(options.checked().collect::<Vec<_>>(), ["backup"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Checkbox<'a>(&'a Map<String, Value>);

impl<'a> Checkbox<'a> {
    /// Whether this value is checked; a value that is not among them is not.
    #[must_use]
    pub fn is_checked(&self, value: &str) -> bool {
        self.0.get(value) == Some(&Value::Bool(true))
    }

    /// The values that are checked.
    pub fn checked(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.iter().filter_map(|(value, checked)| checked.then_some(value))
    }

    /// All values, with whether they are checked.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, bool)> + use<'a> {
        self.0.iter().map(|(value, checked)| (value.as_str(), *checked == Value::Bool(true)))
    }
}

/// A host below one of several domains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subdomain<'a> {
    /// What stands before the domain.
    pub name: &'a str,
    /// The domain.
    pub domain: &'a str,
}

/// Reading the value. Each of these fails with an error that names the parameter, if it has no value or another one.
///
/// ```
/// use connect_model::Parameter;
///
/// let seats = Parameter::new("seats", "twelve");
/// assert_eq!(seats.text()?, "twelve");
/// let error = seats.parse::<u32>().unwrap_err();
/// assert_eq!(error.to_string(), "the value of parameter \"seats\" is not a valid u32");
/// # Ok::<(), connect_model::ParameterError>(())
/// ```
impl Parameter {
    /// The value as text.
    pub fn text(&self) -> Result<&str, ParameterError> {
        self.value().ok_or_else(|| ParameterError::empty(self))
    }

    /// The value as anything that can be made of a text: a number, a `bool`, …
    pub fn parse<T: FromStr>(&self) -> Result<T, ParameterError> {
        let text = self.text()?.trim();
        text.parse().map_err(|_| {
            let name = type_name::<T>();
            let name = name.rsplit_once("::").map_or(name, |(_, name)| name);
            ParameterError::invalid(self, format!("a valid {name}"))
        })
    }

    /// What was chosen of several (choice, dropdown), with its label.
    pub fn choice(&self) -> Result<Chosen<'_>, ParameterError> {
        let value = self.text()?;
        let choice = self.choices().iter().find(|choice| choice.value.as_deref() == Some(value));
        Ok(Chosen { value, label: choice.and_then(|choice| choice.label.as_deref()) })
    }

    /// What was checked of several (checkbox).
    pub fn checkbox(&self) -> Result<Checkbox<'_>, ParameterError> {
        let expected = "a map of choices to true or false";
        match self.structured_value().ok_or_else(|| ParameterError::empty(self))? {
            Value::Object(values) if values.values().all(Value::is_boolean) => Ok(Checkbox(values)),
            _ => Err(ParameterError::invalid(self, expected)),
        }
    }

    /// The structured value, or the JSON that stands in its text, as a type of yours (object).
    ///
    /// ```
    /// use connect_model::Parameter;
    ///
    /// let mut param = Parameter::new("limits", r#"{"seats": 5}"#);
    /// let limits: std::collections::HashMap<String, u32> = param.object()?;
    /// assert_eq!(limits["seats"], 5);
    /// # Ok::<(), connect_model::ParameterError>(())
    /// ```
    pub fn object<T: DeserializeOwned>(&self) -> Result<T, ParameterError> {
        // What serde says of a misfit may show the value.
        let misfit = |_| ParameterError::invalid(self, "JSON of the form that was asked for");
        match self.structured_value() {
            Some(value) => T::deserialize(value).map_err(misfit),
            None => serde_json::from_str(self.text()?).map_err(misfit),
        }
    }

    /// The address in its parts (address).
    pub fn address(&self) -> Result<Address, ParameterError> {
        self.structured("an address in its parts")
    }

    /// The telephone number in its parts (phone).
    pub fn phone(&self) -> Result<PhoneNumber, ParameterError> {
        self.structured("a telephone number in its parts")
    }

    fn structured<T: DeserializeOwned>(&self, expected: &'static str) -> Result<T, ParameterError> {
        let value = match self.structured_value() {
            Some(value) => value,
            None if self.value().is_some() => return Err(ParameterError::invalid(self, expected)),
            None => return Err(ParameterError::empty(self)),
        };
        T::deserialize(value).map_err(|_| ParameterError::invalid(self, expected))
    }

    /// The mail address: something, an `@`, a host.
    pub fn email(&self) -> Result<&str, ParameterError> {
        let text = self.text()?.trim();
        let valid = text.rsplit_once('@').is_some_and(|(name, host)| {
            !name.is_empty() && !host.is_empty() && !text.contains(char::is_whitespace)
        });
        if valid { Ok(text) } else { Err(ParameterError::invalid(self, "a mail address")) }
    }

    /// The address on the web: a scheme, `://`, a host.
    pub fn url(&self) -> Result<&str, ParameterError> {
        let text = self.text()?.trim();
        let valid = text.split_once("://").is_some_and(|(scheme, rest)| {
            scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
                && rest.starts_with(|c: char| !"/?#:".contains(c))
                && !text.contains(char::is_whitespace)
        });
        if valid { Ok(text) } else { Err(ParameterError::invalid(self, "an address on the web")) }
    }

    /// The domain: labels with dots between them.
    pub fn domain(&self) -> Result<&str, ParameterError> {
        let text = self.text()?.trim();
        let valid = text.contains('.') && text.len() <= 253 && text.split('.').all(is_label);
        if valid { Ok(text) } else { Err(ParameterError::invalid(self, "a domain")) }
    }

    /// The host below one of several domains, which the choices of its constraints name; without such, the domain begins
    /// behind the first dot.
    pub fn subdomain(&self) -> Result<Subdomain<'_>, ParameterError> {
        let host = self.domain()?;
        let below = |choice: &Choice| {
            let domain = choice.value.as_deref()?.trim_start_matches('.');
            let name = host.strip_suffix(domain)?.strip_suffix('.')?;
            (!name.is_empty() && !domain.is_empty())
                .then(|| Subdomain { name, domain: &host[name.len() + 1..] })
        };
        let known = self.choices().iter().filter_map(below).max_by_key(|found| found.domain.len());
        let first_dot = || host.split_once('.').map(|(name, domain)| Subdomain { name, domain });
        known.or_else(first_dot).ok_or_else(|| ParameterError::invalid(self, "a host below a domain"))
    }

    /// The value as its type says.
    ///
    /// ```
    /// use connect_model::{Parameter, ParameterValue};
    ///
    /// let param: Parameter = serde_json::from_str(
    ///     r#"{"id": "plan", "type": "choice", "value": "s", "value_choices": [{"value": "s", "label": "Small"}]}"#,
    /// )?;
    /// assert!(matches!(param.typed()?, ParameterValue::Choice(plan) if plan.label == Some("Small")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn typed(&self) -> Result<ParameterValue<'_>, ParameterError> {
        Ok(match self.r#type {
            ParameterType::Choice | ParameterType::Dropdown => ParameterValue::Choice(self.choice()?),
            ParameterType::Checkbox => ParameterValue::Checkbox(self.checkbox()?),
            ParameterType::Address => ParameterValue::Address(self.address()?),
            ParameterType::Phone => ParameterValue::Phone(self.phone()?),
            ParameterType::Object => ParameterValue::Object(match self.structured_value() {
                Some(value) => Cow::Borrowed(value),
                None => Cow::Owned(self.object()?),
            }),
            _ => ParameterValue::Text(self.text()?),
        })
    }
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
}
