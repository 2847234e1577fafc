use url::Url;

use super::Finding;
use crate::Descriptor;

const FILE: &str = "extension.json";

/// What a descriptor that can be read lacks.
pub(super) fn findings(descriptor: &Descriptor) -> Vec<Finding> {
    let warning = |message: String| Finding::warning("descriptor", message).in_file(FILE);
    let mut findings = Vec::new();
    for (name, value) in [("name", &descriptor.name), ("version", &descriptor.version)] {
        if value.trim().is_empty() {
            findings.push(warning(format!("\"{name}\" is missing")));
        }
    }
    if descriptor.audience.is_empty() {
        findings.push(warning(
            "\"audience\" is missing: say who may install it, of vendor, distributor and reseller".to_owned(),
        ));
    }
    for (name, url) in [("readme_url", &descriptor.readme_url), ("changelog_url", &descriptor.changelog_url)]
    {
        match url.as_deref() {
            None | Some("") => {
                findings.push(warning(format!("\"{name}\" is missing: people can't read about it")));
            }
            Some(url) if !is_web_address(url) => {
                let message = format!("\"{name}\" is no web address (https://…): \"{url}\"");
                findings.push(Finding::error("descriptor", message).in_file(FILE));
            }
            Some(_) => {}
        }
    }
    findings
}

fn is_web_address(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_a_descriptor_lacks_is_told() {
        let texts = |text: &str| -> Vec<String> {
            let found = findings(&Descriptor::parse(text).unwrap());
            found.iter().map(|finding| format!("{}: {finding}", finding.level)).collect()
        };
        assert_eq!(texts("{}").len(), 5);
        let urls = r#""readme_url": "docs/README.md", "changelog_url": "https://example.com/CHANGELOG.md""#;
        let whole = format!(r#"{{"name": "A", "version": "1", "audience": ["vendor"], {urls}}}"#);
        assert_eq!(
            texts(&whole),
            [r#"error: "readme_url" is no web address (https://…): "docs/README.md" (extension.json)"#]
        );
    }
}
