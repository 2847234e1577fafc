//! Which requests are left alone, and what is done with them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::sync::{Arc, Mutex};

use connect_container::{Bindings, Container, Scope, ServiceProvider};
use connect_model::{AssetRequest, BackgroundResponse, RequestType, TierConfigRequest, build::Generator};
use connect_saga::{
    Middlewares, Result, Saga, Transactions,
    offline::{
        Approve, OfflineCriteria, OfflineMode, OfflineServiceProvider, OnMatch, Rule, all_of, any_of,
        asset_parameter, composited_match_offline_asset_and_marketplace_parameter, marketplace_parameter,
        match_offline_asset_parameter, match_offline_marketplace_parameter, match_request_type, request_type,
    },
};
use serde_json::json;

struct OfflineSaga;

impl Saga for OfflineSaga {
    fn middlewares(&self, _: &AssetRequest) -> Middlewares {
        Middlewares::new().then::<OfflineMode>()
    }

    fn transactions(&self, _: &AssetRequest) -> Transactions {
        Transactions::new().otherwise(BackgroundResponse::done())
    }
}

fn scope(bind: impl FnOnce(&mut Bindings)) -> Scope {
    Container::builder().bind(bind).build().unwrap().scope().build().unwrap()
}

fn skipped(request: &AssetRequest) -> BackgroundResponse {
    BackgroundResponse::skip(format!("The subscription {} is in offline mode.", request.asset.id))
}

/// A cancellation whose asset is offline by its parameter.
fn offline(of: RequestType) -> AssetRequest {
    let request = Generator::seeded(1).asset_request(of);
    let id = request.asset.id.clone();
    request.with_param("offline_mode", id)
}

#[test]
fn an_asset_is_offline_by_its_parameter() {
    let request = Generator::seeded(1).cancel();
    let id = request.asset.id.clone();
    assert!(!match_offline_asset_parameter(&request));
    assert!(!match_offline_asset_parameter(&request.clone().with_param("offline_mode", "True")));
    assert!(!match_offline_asset_parameter(&request.clone().with_param("offline_mode", json!(null))));
    assert!(match_offline_asset_parameter(&request.clone().with_param("offline_mode", id.as_str())));
    let in_request = request.with_member("params", json!([{"id": "offline_mode", "value": id}]));
    assert!(match_offline_asset_parameter(&in_request));
    assert!(asset_parameter("offline_mode").matches(&in_request));
    assert!(!asset_parameter("paused").matches(&in_request));
    // A parameter without a value does not match an asset without an id.
    let nobody = AssetRequest::default().with_param("offline_mode", "");
    assert!(!match_offline_asset_parameter(&nobody));
    let nobody = nobody.with_member("params", json!([{"id": "offline_mode", "value": null}, 7]));
    assert!(!match_offline_asset_parameter(&nobody));
}

#[test]
fn an_asset_is_offline_by_the_list_of_its_marketplace() {
    let request = Generator::seeded(1).cancel();
    let id = request.asset.id.clone();
    let listed = |list: serde_json::Value| {
        match_offline_marketplace_parameter(
            &request.clone().with_configuration_param("offline_mode_list", list),
        )
    };
    assert!(listed(json!([id, "AS-2"])));
    assert!(!listed(json!(["AS-2"])));
    assert!(!listed(json!([])));
    assert!(!listed(json!(null)));
    assert!(!listed(json!({id.as_str(): true})));
    assert!(!listed(json!([format!("{id}0")])), "no part of an id matches");
    assert!(!listed(json!(format!("{id} and others"))), "nor does a text");
    assert!(!match_offline_marketplace_parameter(&AssetRequest::default()));
    let request = request.with_configuration_param("paused", json!([id]));
    assert!(marketplace_parameter("paused").matches(&request));
    assert!(!composited_match_offline_asset_and_marketplace_parameter(&request));
    assert!(any_of(asset_parameter("x"), marketplace_parameter("paused")).matches(&request));
    assert!(!all_of(asset_parameter("x"), marketplace_parameter("paused")).matches(&request));
}

#[test]
fn types_are_cancel_and_suspend_unless_told() {
    for (of, expected) in [
        (RequestType::Cancel, true),
        (RequestType::Suspend, true),
        (RequestType::Purchase, false),
        (RequestType::Change, false),
        (RequestType::Resume, false),
    ] {
        let request = AssetRequest::default().with_type(of);
        assert_eq!(match_request_type(&request), expected);
    }
    assert!(
        request_type([RequestType::Change]).matches(&AssetRequest::default().with_type(RequestType::Change))
    );
}

#[test]
fn without_a_rule_nothing_is_offline_and_all_rules_count() {
    let request = offline(RequestType::Change);
    assert!(!OfflineCriteria::new().is_offline(&request));
    assert!(OfflineCriteria::new().rule(match_offline_asset_parameter).is_offline(&request));
    assert!(!OfflineCriteria::default().is_offline(&request), "a change is not left alone by default");
    assert!(OfflineCriteria::default().is_offline(&offline(RequestType::Suspend)));
}

#[tokio::test]
async fn by_default_offline_requests_are_skipped_and_others_go_on() {
    for scope in [scope(|_| {}), scope(|bind| OfflineServiceProvider.register(bind))] {
        let request = offline(RequestType::Cancel);
        let response = OfflineSaga.resolve(request.clone(), scope.clone()).await.unwrap();
        assert_eq!(response, skipped(&request));
        let response = OfflineSaga.resolve(offline(RequestType::Purchase), scope).await.unwrap();
        assert_eq!(response, BackgroundResponse::done());
    }
}

#[tokio::test]
async fn what_is_bound_is_used() {
    async fn by_hand(request: &mut AssetRequest) -> Result<BackgroundResponse> {
        Ok(BackgroundResponse::fail(format!("{} by hand", request.asset.id)))
    }
    let scope = scope(|bind| {
        bind.instance(OfflineCriteria::new().rule(match_offline_asset_parameter))
            .instance(OnMatch::new(by_hand));
    });
    let request = offline(RequestType::Purchase);
    let expected = BackgroundResponse::fail(format!("{} by hand", request.asset.id));
    assert_eq!(OfflineSaga.resolve(request.clone(), scope.clone()).await.unwrap(), expected);
    assert!(OfflineSaga.verify(&request, &scope).is_empty());
}

#[tokio::test]
async fn the_default_bindings_can_be_replaced() {
    struct Answers;
    impl ServiceProvider for Answers {
        fn register(&self, bind: &mut Bindings) {
            bind.replace().instance(OnMatch::<AssetRequest>::answer(BackgroundResponse::done()));
        }
    }
    let container = Container::builder().provider(OfflineServiceProvider).provider(Answers).build().unwrap();
    let response =
        OfflineSaga.resolve(offline(RequestType::Cancel), container.scope().build().unwrap()).await;
    assert_eq!(response.unwrap(), BackgroundResponse::done());
}

/// Approves, and writes down what it approved.
#[derive(Clone)]
struct Approver(Arc<Mutex<Vec<(String, String)>>>);

impl Approve for Approver {
    async fn approve(&self, request: &mut AssetRequest, template_id: &str) -> Result<()> {
        if template_id.is_empty() {
            return Err("no template".into());
        }
        self.0.lock().unwrap().push((request.id.clone(), template_id.to_owned()));
        request.status = "approved".into();
        Ok(())
    }
}

#[tokio::test]
async fn an_offline_request_can_be_approved_with_a_template() {
    let approver = Approver(Arc::default());
    let approve = |template: &'static str| {
        let approver = approver.clone();
        scope(move |bind| {
            bind.instance(approver).transient(move |r| {
                Ok::<_, connect_container::Error>(OnMatch::approve(template, r.get::<Approver>()?))
            });
        })
    };
    let request = offline(RequestType::Suspend);
    let response = OfflineSaga.resolve(request.clone(), approve("TL-1")).await.unwrap();
    assert_eq!(response, BackgroundResponse::done());
    assert_eq!(*approver.0.lock().unwrap(), [(request.id.clone(), "TL-1".to_owned())]);
    let error = OfflineSaga.resolve(request, approve("")).await.unwrap_err();
    assert_eq!(error.to_string(), "no template");
}

#[tokio::test]
async fn rules_of_other_requests_are_ones_own() {
    struct TierSaga;
    impl Saga<TierConfigRequest> for TierSaga {
        fn middlewares(&self, _: &TierConfigRequest) -> Middlewares<TierConfigRequest> {
            let criteria =
                OfflineCriteria::new().rule(|request: &TierConfigRequest| request.value("paused").is_some());
            let on_match = OnMatch::answer(BackgroundResponse::skip("paused"));
            Middlewares::new().then_value(OfflineMode::new(criteria, on_match))
        }

        fn transactions(&self, _: &TierConfigRequest) -> Transactions<TierConfigRequest> {
            Transactions::new().otherwise(BackgroundResponse::done())
        }
    }
    let request = Generator::seeded(1).tier_config_setup();
    let response = TierSaga.resolve(request.clone(), scope(|_| {})).await.unwrap();
    assert_eq!(response, BackgroundResponse::done());
    let response = TierSaga.resolve(request.with_param("paused", "yes"), scope(|_| {})).await.unwrap();
    assert_eq!(response, BackgroundResponse::skip("paused"));
}
