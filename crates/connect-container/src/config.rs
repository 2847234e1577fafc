use std::{collections::BTreeMap, fmt, str::FromStr, sync::Arc};

/// The variables of an extension: text by name, without white space around the values.
///
/// In a container it is bound by its type, and each variable by its lower-cased name as a `String`
/// (`CACHE_DRIVER` → `cache_driver`). Its `Debug` shows names, never values.
///
/// ```
/// use connect_container::Config;
///
/// let config: Config = [("CACHE_DRIVER", " sqlite "), ("CACHE_TTL", "soon")].into_iter().collect();
/// assert_eq!(config.get("CACHE_DRIVER"), Some("sqlite"));
/// assert_eq!(
///     config.parse::<u64>("CACHE_TTL").unwrap_err().to_string(),
///     "the variable CACHE_TTL has a value that is not right: invalid digit found in string"
/// );
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Config(Arc<Variables>);

#[derive(Default, PartialEq, Eq)]
struct Variables {
    values: BTreeMap<String, String>,
    /// The lower-cased names, each with the name it stands for.
    lower: BTreeMap<String, String>,
    collisions: Vec<(String, String)>,
}

/// What is wrong with variables; no value is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    problems: Vec<String>,
}

impl ConfigError {
    fn new(problem: String) -> Self {
        Self { problems: vec![problem] }
    }

    /// One error of several, to tell all that is wrong at once; none of none.
    pub fn all(errors: impl IntoIterator<Item = Self>) -> Result<(), Self> {
        let problems: Vec<_> = errors.into_iter().flat_map(|error| error.problems).collect();
        if problems.is_empty() { Ok(()) } else { Err(Self { problems }) }
    }

    /// One text for each problem.
    #[must_use]
    pub fn problems(&self) -> &[String] {
        &self.problems
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problems.join("; "))
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// No variables.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of a variable; `None` where it is not set, or set to nothing but white space.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.values.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The value of a variable that has to be set.
    pub fn require(&self, name: &str) -> Result<&str, ConfigError> {
        self.get(name).ok_or_else(|| ConfigError::new(format!("the variable {name} is not set")))
    }

    /// The value of a variable as another type; `None` where it is not set.
    pub fn parse<T: FromStr<Err: fmt::Display>>(&self, name: &str) -> Result<Option<T>, ConfigError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        value.parse().map(Some).map_err(|error: T::Err| {
            // Some errors repeat the value, which may be a secret.
            let reason = error.to_string();
            let quoted = format!("{value:?}");
            let repeats = reason.contains(value) || reason.contains(quoted.trim_matches('"'));
            let reason = if repeats { "it can't be read".to_owned() } else { reason };
            ConfigError::new(format!("the variable {name} has a value that is not right: {reason}"))
        })
    }

    /// The names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.values.keys().map(String::as_str)
    }

    /// Names and values, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.values.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Variables whose names differ in case only: the one that is found by the lower-cased name, and the other.
    #[must_use]
    pub fn collisions(&self) -> &[(String, String)] {
        &self.0.collisions
    }

    /// The value by lower-cased name; also an empty one, since the variable exists.
    pub(crate) fn by_lower_name(&self, name: &str) -> Option<&str> {
        self.0.lower.get(name).and_then(|name| self.0.values.get(name)).map(String::as_str)
    }

    pub(crate) fn lower_names(&self) -> impl Iterator<Item = &str> {
        self.0.lower.keys().map(String::as_str)
    }
}

impl<N: Into<String>, V: AsRef<str>> FromIterator<(N, V)> for Config {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        let values: BTreeMap<String, String> = variables
            .into_iter()
            .map(|(name, value)| (name.into(), value.as_ref().trim().to_owned()))
            .collect();
        let mut lower: BTreeMap<String, String> = BTreeMap::new();
        let mut collisions = Vec::new();
        for name in values.keys() {
            match lower.entry(name.to_lowercase()) {
                std::collections::btree_map::Entry::Vacant(entry) => {
                    entry.insert(name.clone());
                }
                // Capitals sort first, so the name that is all capitals has won already.
                std::collections::btree_map::Entry::Occupied(entry) => {
                    collisions.push((entry.get().clone(), name.clone()));
                }
            }
        }
        Self(Arc::new(Variables { values, lower, collisions }))
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Config ")?;
        f.debug_list().entries(self.names()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_trimmed_and_never_shown() {
        let config: Config = [("A", " canary "), ("EMPTY", "  ")].into_iter().collect();
        assert_eq!(config.get("A"), Some("canary"));
        assert_eq!(config.get("EMPTY"), None);
        assert_eq!(format!("{config:?}"), r#"Config ["A", "EMPTY"]"#);
        assert!(!config.parse::<u8>("A").unwrap_err().to_string().contains("canary"));
        assert_eq!(config.require("B").unwrap_err().to_string(), "the variable B is not set");
    }

    #[test]
    fn an_error_that_repeats_the_value_is_cut() {
        #[derive(Debug)]
        struct Never;
        impl FromStr for Never {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                Err(format!("bad: {text}"))
            }
        }
        #[derive(Debug)]
        struct Quoted;
        impl FromStr for Quoted {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                Err(format!("bad: {text:?}"))
            }
        }
        let text = "the variable A has a value that is not right: it can't be read";
        for value in ["canary", "the \"canary\"", "ca\tnary", "it's a \"canary\" here"] {
            let config: Config = [("A", value)].into_iter().collect();
            assert_eq!(config.parse::<Never>("A").unwrap_err().to_string(), text);
            assert_eq!(config.parse::<Quoted>("A").unwrap_err().to_string(), text);
        }
    }

    #[test]
    fn of_names_that_differ_in_case_the_capital_one_is_found() {
        let config: Config = [("url", "small"), ("URL", "capital"), ("Url", "mixed")].into_iter().collect();
        assert_eq!(config.by_lower_name("url"), Some("capital"));
        assert_eq!(config.collisions().len(), 2);
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let config = Config::new();
        let errors = ["A", "B"].into_iter().filter_map(|name| config.require(name).err());
        assert_eq!(ConfigError::all(errors).unwrap_err().problems().len(), 2);
    }
}
