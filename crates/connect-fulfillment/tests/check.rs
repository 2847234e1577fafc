//! What is found out about an extension before it runs.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::process::ExitCode;

use connect_fulfillment::{
    Descriptor, Environment, dev::Dev, prelude::*, runner::FindingLevel, sandbox::Sandbox,
};

async fn purchase(_: AssetRequest, _: Scope) -> Result<BackgroundResponse> {
    Ok(BackgroundResponse::done())
}

async fn refresh(_: Schedule, _: Scope) -> Result<ScheduledExecutionResponse> {
    Ok(ScheduledExecutionResponse::done())
}

fn descriptor() -> Descriptor {
    let text = r#"{"name": "A", "version": "1", "audience": ["vendor"],
        "readme_url": "https://example.com/R.md", "changelog_url": "https://example.com/C.md"}"#;
    Descriptor::parse(text).unwrap()
}

#[tokio::test]
async fn every_finding_says_where() {
    let extension = Extension::new(descriptor())
        .variable(Variable::new("TWICE"))
        .variable(Variable::new("TWICE"))
        .background(event::ASSET_PURCHASE_REQUEST_PROCESSING, ["pending", "pendng"], purchase)
        .background(event::ASSET_PURCHASE_REQUEST_PROCESSING, ["pending", "pendng"], purchase)
        .scheduled("refresh", " ", "", refresh);
    let line = line!() - 6;
    let here = |offset: u32| Some(format!("{}:{}", file!(), line + offset));
    let found: Vec<_> =
        extension.findings().into_iter().map(|finding| (finding.check, finding.declared_at)).collect();
    let expected = [("events", here(4)), ("variables", here(2)), ("schedules", here(5))];
    assert_eq!(found, expected);

    let sandbox = Sandbox::builder().start().await.unwrap();
    let environment = Environment::from_vars(sandbox.environment(), true).unwrap();
    let found = extension.findings_by_connect(&environment).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].level, found[0].declared_at.clone()), (FindingLevel::Error, here(4)));
    assert!(found[0].message.contains("never comes in the status \"pendng\""), "{}", found[0]);
}

#[tokio::test]
async fn a_connect_that_is_not_there_is_no_reason_not_to_start() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    let mut environment = Environment::from_vars(sandbox.environment(), true).unwrap();
    environment.api.set_path("/nowhere");
    let extension = Extension::new(descriptor());
    let found = extension.findings_by_connect(&environment).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].level, found[0].check), (FindingLevel::Warning, "connect"));
}

#[tokio::test]
async fn an_extension_that_could_not_start_ends_with_2() {
    let extension = Extension::new(descriptor()).on_startup(|_| async { Err("no database".into()) });
    let code = Dev::new(extension).run().await;
    assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::from(2)));
}
