use serde::Deserialize;

/// What an extension says about itself: its `extension.json`.
///
/// ```
/// use connect_runner::Descriptor;
///
/// let descriptor = Descriptor::parse(r#"{
///     "name": "Hosting", "description": "Sells hosting", "version": "1.0.0", "audience": ["vendor"],
///     "readme_url": "https://example.com/README.md", "changelog_url": "https://example.com/CHANGELOG.md"
/// }"#)?;
/// assert_eq!(descriptor.audience, ["vendor"]);
/// # Ok::<(), connect_runner::DescriptorError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Descriptor {
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// Its version.
    #[serde(default)]
    pub version: String,
    /// Who may install it: vendor, distributor, reseller.
    #[serde(default)]
    pub audience: Vec<String>,
    /// Where its readme is.
    #[serde(default)]
    pub readme_url: Option<String>,
    /// Where its changelog is.
    #[serde(default)]
    pub changelog_url: Option<String>,
    /// Its icon.
    #[serde(default)]
    pub icon: Option<String>,
}

/// Why an `extension.json` can't be read.
#[derive(Debug, thiserror::Error)]
#[error("the descriptor (extension.json) is not right: {0}")]
pub struct DescriptorError(String);

const AUDIENCES: [&str; 3] = ["vendor", "distributor", "reseller"];

impl Descriptor {
    /// Reads the text of an `extension.json`.
    pub fn parse(text: &str) -> Result<Self, DescriptorError> {
        let descriptor: Self =
            serde_json::from_str(text).map_err(|error| DescriptorError(error.to_string()))?;
        let unknown = descriptor.audience.iter().find(|audience| !AUDIENCES.contains(&audience.as_str()));
        match unknown {
            Some(audience) => Err(DescriptorError(format!(
                "unknown audience \"{audience}\", it has to be one of {}",
                AUDIENCES.join(", ")
            ))),
            None => Ok(descriptor),
        }
    }
}

/// The [`Descriptor`] of the crate: its `extension.json`, which stands beside its `Cargo.toml` and goes into the
/// program when it is built.
///
/// What is wrong with it is told when the extension starts.
#[macro_export]
macro_rules! descriptor {
    () => {
        $crate::Descriptor::parse(::core::include_str!(::core::concat!(
            ::core::env!("CARGO_MANIFEST_DIR"),
            "/extension.json"
        )))
    };
}

/// A descriptor, or what is wrong with it, until the extension starts.
#[derive(Debug)]
pub struct DescriptorResult(pub(crate) Result<Descriptor, DescriptorError>);

impl From<Descriptor> for DescriptorResult {
    fn from(descriptor: Descriptor) -> Self {
        Self(Ok(descriptor))
    }
}

impl From<Result<Descriptor, DescriptorError>> for DescriptorResult {
    fn from(descriptor: Result<Descriptor, DescriptorError>) -> Self {
        Self(descriptor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_audience_is_named() {
        let error = Descriptor::parse(r#"{"audience": ["vendor", "customer"]}"#).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the descriptor (extension.json) is not right: unknown audience \"customer\", it has to be one of \
             vendor, distributor, reseller"
        );
    }
}
