//! What `check` finds, as a table or as JSON.

use std::fmt::Write;

use comfy_table::{Cell, Color, ContentArrangement, Table, presets};
use connect_runner::{Environment, EnvironmentError, Finding, FindingLevel};
use serde::Serialize;
use tracing::{error, warn};

use crate::Extension;

/// What was found, and what was asked.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// Where Connect is that was asked; none was where this is null.
    connect: Option<String>,
    errors: usize,
    warnings: usize,
    findings: Vec<Finding>,
}

impl Report {
    /// Checks an extension, and where `API_KEY` is set what it declares against Connect.
    pub(crate) async fn of(
        extension: &Extension,
        offline: bool,
        unsecure: bool,
    ) -> Result<Self, EnvironmentError> {
        let asks = !offline && std::env::var("API_KEY").is_ok_and(|key| !key.trim().is_empty());
        let environment = if asks { Some(Environment::from_env(unsecure)?) } else { None };
        let mut findings = extension.findings();
        if let Some(environment) = &environment {
            // Whoever asks for a check is not to be told that all is well because nothing could be checked.
            let by_connect = extension.findings_by_connect(environment).await.into_iter();
            findings.extend(by_connect.map(|mut finding| {
                finding.level = FindingLevel::Error;
                finding
            }));
        }
        findings.sort_by_key(|finding| finding.level);
        Ok(Self::new(environment.map(|environment| environment.api.to_string()), findings))
    }

    fn new(connect: Option<String>, findings: Vec<Finding>) -> Self {
        let errors = findings.iter().filter(|finding| finding.is_error()).count();
        Self { connect, errors, warnings: findings.len() - errors, findings }
    }

    pub(crate) fn is_good(&self) -> bool {
        self.errors == 0
    }

    /// For people: a table, and what it comes to.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        if !self.findings.is_empty() {
            let mut table = Table::new();
            table
                .load_style(presets::UTF8_HORIZONTAL_ONLY)
                .set_content_arrangement(ContentArrangement::Dynamic);
            table.set_header(["", "check", "what", "where"]);
            for finding in &self.findings {
                let colour = if finding.is_error() { Color::Red } else { Color::Yellow };
                table.add_row([
                    Cell::new(finding.level).fg(colour),
                    Cell::new(finding.check),
                    Cell::new(&finding.message),
                    Cell::new(finding.declared_at.as_deref().unwrap_or_default()),
                ]);
            }
            let _ = writeln!(text, "{table}");
        }
        let count = |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
        let verdict = if self.findings.is_empty() {
            "the extension is declared right, and the container has all it needs".to_owned()
        } else {
            format!("{}, {}", count(self.errors, "error"), count(self.warnings, "warning"))
        };
        let asked = match &self.connect {
            Some(connect) => format!("checked against {connect}"),
            None => "not checked against Connect (that takes API_KEY and ENVIRONMENT_ID)".to_owned(),
        };
        let _ = writeln!(text, "{verdict}; {asked}");
        text
    }
}

/// Writes what was found to the log.
pub(crate) fn log(findings: &[Finding]) {
    for finding in findings {
        let Finding { check, message, declared_at, .. } = finding;
        if finding.is_error() {
            error!(check, declared_at, "{message}");
        } else {
            warn!(check, declared_at, "{message}");
        }
    }
}
