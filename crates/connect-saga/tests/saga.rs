//! Which transaction runs, what stands around it, and what happens when it fails.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::{
    future::ready,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use connect_container::{Container, ErrorKind, Inject, Scope};
use connect_model::{
    AssetRequest, BackgroundResponse, HandlerError, Panicked, TierConfigRequest, wire::ResultType,
};
use connect_saga::{
    BackgroundTransaction, COMPENSATED, CompensationFailed, Middleware, Middlewares, Next, Result, Saga,
    TRANSACTION, TransactionNotSelected, Transactions,
};
use proptest::prelude::*;

fn scope() -> Scope {
    Container::builder().build().unwrap().scope().build().unwrap()
}

/// A saga made of two functions.
struct Made<M, T>(M, T);

impl<M, T> Saga for Made<M, T>
where
    M: Fn() -> Middlewares + Send + Sync + 'static,
    T: Fn() -> Transactions + Send + Sync + 'static,
{
    fn middlewares(&self, _: &AssetRequest) -> Middlewares {
        (self.0)()
    }

    fn transactions(&self, _: &AssetRequest) -> Transactions {
        (self.1)()
    }
}

async fn resolve(
    transactions: impl Fn() -> Transactions + Send + Sync + 'static,
) -> Result<BackgroundResponse> {
    Made(Middlewares::new, transactions).resolve(AssetRequest::default(), scope()).await
}

fn always(_: &AssetRequest) -> bool {
    true
}

fn never(_: &AssetRequest) -> bool {
    false
}

async fn done(_: &mut AssetRequest) -> Result<BackgroundResponse> {
    Ok(BackgroundResponse::done())
}

async fn vendor_is_down(_: &mut AssetRequest) -> Result<BackgroundResponse> {
    Err(std::io::Error::other("vendor is down").into())
}

async fn panics(_: &mut AssetRequest) -> Result<BackgroundResponse> {
    panic!("out of range")
}

async fn give_up(_: &mut AssetRequest, error: HandlerError) -> Result<BackgroundResponse> {
    Ok(BackgroundResponse::fail(error.to_string()))
}

async fn pass_on(_: &mut AssetRequest, error: HandlerError) -> Result<BackgroundResponse> {
    Err(error)
}

async fn fails_too(_: &mut AssetRequest, _: HandlerError) -> Result<BackgroundResponse> {
    Err("and the undo failed".into())
}

#[derive(Inject)]
struct NeedsTheMissing {
    #[inject(name = "api_url")]
    _url: String,
}

impl BackgroundTransaction for NeedsTheMissing {
    fn name(&self) -> &'static str {
        "Needs the missing"
    }

    fn should_execute(&self, _: &AssetRequest) -> bool {
        true
    }

    async fn execute(&self, _: &mut AssetRequest) -> Result<BackgroundResponse> {
        Ok(BackgroundResponse::done())
    }
}

#[tokio::test]
async fn the_first_that_applies_runs_and_the_ones_behind_it_are_not_built() {
    let response = resolve(|| {
        Transactions::new()
            .then_value(("never", never, panics))
            .then_value(("first", always, done))
            .then::<NeedsTheMissing>()
    });
    assert_eq!(response.await.unwrap(), BackgroundResponse::done());
    let error = resolve(|| Transactions::new().then::<NeedsTheMissing>()).await.unwrap_err();
    assert_eq!(error.to_string(), "no binding for \"api_url\": String (required by NeedsTheMissing)");
    assert_eq!(error.downcast_ref::<connect_container::Error>().unwrap().kind(), ErrorKind::Missing);
}

#[tokio::test]
async fn where_none_applies_the_error_names_who_was_asked() {
    let list = || Transactions::new().then_value(("one", never, done)).then_value(("two", never, done));
    let error = resolve(list).await.unwrap_err();
    assert_eq!(error.downcast_ref::<TransactionNotSelected>().unwrap().names(), ["one", "two"]);
    assert_eq!(error.to_string(), "unable to select a transaction: none of one, two applies to the request");
    let response =
        resolve(move || list().otherwise(BackgroundResponse::skip("nothing to do"))).await.unwrap();
    assert_eq!((response.result(), response.output()), (&ResultType::Skip, Some("nothing to do")));
}

#[tokio::test]
async fn otherwise_hides_no_other_error() {
    let otherwise = BackgroundResponse::skip("nothing to do");
    let broken = otherwise.clone();
    assert!(
        resolve(move || Transactions::new().then::<NeedsTheMissing>().otherwise(broken.clone()))
            .await
            .is_err()
    );
    let fails =
        move || Transactions::new().then_value(("f", always, vendor_is_down)).otherwise(otherwise.clone());
    assert_eq!(resolve(fails).await.unwrap_err().to_string(), "vendor is down");
}

#[tokio::test]
async fn a_compensation_answers_passes_on_or_fails_too() {
    let answered =
        resolve(|| Transactions::new().then_value(("t", always, vendor_is_down, give_up))).await.unwrap();
    assert_eq!(answered.output(), Some("vendor is down"));

    let passed =
        resolve(|| Transactions::new().then_value(("t", always, vendor_is_down, pass_on))).await.unwrap_err();
    assert!(passed.downcast_ref::<std::io::Error>().is_some(), "the error is the one that was there");
    let default =
        resolve(|| Transactions::new().then_value(("t", always, vendor_is_down))).await.unwrap_err();
    assert!(default.downcast_ref::<std::io::Error>().is_some());

    let both = resolve(|| Transactions::new().then_value(("t", always, vendor_is_down, fails_too)))
        .await
        .unwrap_err();
    assert_eq!(both.to_string(), "vendor is down; its compensation failed too: and the undo failed");
    assert_eq!(both.downcast_ref::<CompensationFailed>().unwrap().error(), "vendor is down");
}

#[tokio::test]
async fn panics_are_errors() {
    async fn panics_too(_: &mut AssetRequest, _: HandlerError) -> Result<BackgroundResponse> {
        panic!("again")
    }
    let answered = resolve(|| Transactions::new().then_value(("t", always, panics, give_up))).await.unwrap();
    assert_eq!(answered.output(), Some("panicked: out of range"));
    let error = resolve(|| Transactions::new().then_value(("t", always, panics))).await.unwrap_err();
    assert!(error.downcast_ref::<Panicked>().is_some());
    let both =
        resolve(|| Transactions::new().then_value(("t", always, panics, panics_too))).await.unwrap_err();
    assert_eq!(both.to_string(), "panicked: out of range; its compensation failed too: panicked: again");
}

/// Panics where it is called, before there is a future.
struct PanicsAtOnce;

impl BackgroundTransaction for PanicsAtOnce {
    fn name(&self) -> &'static str {
        "Panics at once"
    }

    fn should_execute(&self, _: &AssetRequest) -> bool {
        true
    }

    fn execute(&self, request: &mut AssetRequest) -> impl Future<Output = Result<BackgroundResponse>> + Send {
        assert!(request.value("fine").is_some(), "at once");
        ready(Ok(BackgroundResponse::done()))
    }

    fn compensate(
        &self,
        request: &mut AssetRequest,
        error: HandlerError,
    ) -> impl Future<Output = Result<BackgroundResponse>> + Send {
        assert!(request.value("undo").is_some(), "in the undo");
        ready(Ok(BackgroundResponse::fail(error.to_string())))
    }
}

#[tokio::test]
async fn a_panic_before_there_is_a_future_is_an_error_too() {
    let saga = Made(Middlewares::new, || Transactions::new().then_value(PanicsAtOnce));
    let both = saga.resolve(AssetRequest::default(), scope()).await.unwrap_err();
    assert_eq!(both.to_string(), "panicked: at once; its compensation failed too: panicked: in the undo");
    let failed = both.downcast_ref::<CompensationFailed>().unwrap();
    assert!(failed.compensation().downcast_ref::<Panicked>().is_some());
    let mut request = AssetRequest::default();
    request.set_param("undo", "yes");
    let answered = saga.resolve(request, scope()).await.unwrap();
    assert_eq!(answered.output(), Some("panicked: at once"));
}

type Log = Arc<Mutex<Vec<String>>>;

/// Writes down when it is passed, each way.
struct Traced(String, Log);

impl Middleware for Traced {
    async fn handle(&self, request: &mut AssetRequest, next: Next<'_>) -> Result<BackgroundResponse> {
        self.1.lock().unwrap().push(format!("> {}", self.0));
        let end = next.run(request).await;
        self.1.lock().unwrap().push(format!("< {}", self.0));
        end
    }
}

fn traced(names: &[String], log: &Log) -> Middlewares {
    let add = |list: Middlewares, name: &String| list.then_value(Traced(name.clone(), Arc::clone(log)));
    names.iter().fold(Middlewares::new(), add)
}

#[tokio::test]
async fn the_first_middleware_is_the_outermost() {
    let log = Log::default();
    let middlewares = {
        let log = Arc::clone(&log);
        move || traced(&["a".into(), "b".into()], &log)
    };
    let saga = Made(middlewares, || Transactions::new().then_value(("t", always, done)));
    let _ = saga.resolve(AssetRequest::default(), scope()).await.unwrap();
    assert_eq!(*log.lock().unwrap(), ["> a", "> b", "< b", "< a"]);
}

#[tokio::test]
async fn a_middleware_may_answer_by_itself_and_its_error_is_not_compensated() {
    async fn offline(_: &mut AssetRequest, _: Next<'_>) -> Result<BackgroundResponse> {
        Ok(BackgroundResponse::skip("offline"))
    }
    async fn broken(_: &mut AssetRequest, _: Next<'_>) -> Result<BackgroundResponse> {
        Err("the middleware is broken".into())
    }
    let transactions = || Transactions::new().then_value(("t", always, panics, give_up));
    let saga = Made(|| Middlewares::new().then_value(offline).then_value(broken), transactions);
    let response = saga.resolve(AssetRequest::default(), scope()).await.unwrap();
    assert_eq!(response.output(), Some("offline"));
    let saga = Made(|| Middlewares::new().then_value(broken), transactions);
    let error = saga.resolve(AssetRequest::default(), scope()).await.unwrap_err();
    assert_eq!(error.to_string(), "the middleware is broken");
}

#[tokio::test]
async fn a_middleware_sees_that_nothing_was_selected_and_its_changes_count() {
    async fn settle(request: &mut AssetRequest, next: Next<'_>) -> Result<BackgroundResponse> {
        request.set_param("seen", "yes");
        match next.run(request).await {
            Err(error) if error.downcast_ref::<TransactionNotSelected>().is_some() => {
                Ok(BackgroundResponse::done())
            }
            end => end,
        }
    }
    fn seen(request: &AssetRequest) -> bool {
        request.value("seen").is_some()
    }
    let middlewares = || Middlewares::new().then_value(settle);
    let none = Made(middlewares, || Transactions::new().then_value(("t", never, panics)));
    assert_eq!(none.resolve(AssetRequest::default(), scope()).await.unwrap(), BackgroundResponse::done());
    let selected = Made(middlewares, || Transactions::new().then_value(("t", seen, vendor_is_down, give_up)));
    let response = selected.resolve(AssetRequest::default(), scope()).await.unwrap();
    assert_eq!(response.output(), Some("vendor is down"));
}

#[tokio::test]
async fn the_scope_says_what_ran() {
    let scope = scope();
    let transactions = || Transactions::new().then_value(("Create user", always, vendor_is_down, give_up));
    let _ =
        Made(Middlewares::new, transactions).resolve(AssetRequest::default(), scope.clone()).await.unwrap();
    assert_eq!(scope.annotation(TRANSACTION).as_deref(), Some("Create user"));
    assert_eq!(scope.annotation(COMPENSATED).as_deref(), Some("vendor is down"));
}

#[tokio::test]
async fn sagas_are_for_any_request() {
    struct TierSaga;

    impl Saga<TierConfigRequest> for TierSaga {
        fn transactions(&self, _: &TierConfigRequest) -> Transactions<TierConfigRequest> {
            async fn approve(request: &mut TierConfigRequest) -> Result<BackgroundResponse> {
                request.id.clear();
                Ok(BackgroundResponse::done())
            }
            fn has_id(request: &TierConfigRequest) -> bool {
                !request.id.is_empty()
            }
            Transactions::new().then_value(("Approve", has_id, approve))
        }
    }
    let request = TierConfigRequest { id: "TCR-1".into(), ..TierConfigRequest::default() };
    assert_eq!(TierSaga.resolve(request, scope()).await.unwrap(), BackgroundResponse::done());
}

#[test]
fn a_saga_is_checked_without_building_anything() {
    let saga = Made(Middlewares::new, || {
        Transactions::new().then_value(("t", never, done)).then::<NeedsTheMissing>()
    });
    let problems = saga.verify(&AssetRequest::default(), &scope());
    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["no binding for \"api_url\": String (required by NeedsTheMissing)"]);
}

#[derive(Clone, Inject)]
struct VendorApi {
    #[inject(name = "api_url")]
    _url: String,
}

#[derive(Inject)]
struct Authenticates {
    _api: VendorApi,
}

impl Middleware for Authenticates {
    async fn handle(&self, request: &mut AssetRequest, next: Next<'_>) -> Result<BackgroundResponse> {
        next.run(request).await
    }
}

#[tokio::test]
async fn a_check_finds_what_a_resolution_would_with_the_whole_chain() {
    let bind = |bind: &mut connect_container::Bindings| {
        bind.shared(VendorApi::inject).named("api_uri", String::new());
    };
    let scope = Container::builder().bind(bind).build().unwrap().scope().build().unwrap();
    let saga = Made(
        || Middlewares::new().then::<Authenticates>(),
        || Transactions::new().then_value(("t", always, done)).then::<NeedsTheMissing>(),
    );
    let problems = saga.verify(&AssetRequest::default(), &scope);
    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let hint = "did you mean \"api_uri\"?";
    assert_eq!(
        texts,
        [
            format!("no binding for \"api_url\": String (required by Authenticates → VendorApi); {hint}"),
            format!("no binding for \"api_url\": String (required by NeedsTheMissing); {hint}"),
        ]
    );
    let error = saga.resolve(AssetRequest::default(), scope.clone()).await.unwrap_err();
    assert_eq!(error.to_string(), texts[0], "a middleware is built before anything is asked");
    assert_eq!(scope.annotation(TRANSACTION), None);
}

#[tokio::test]
async fn a_middleware_that_fails_behind_a_transaction_is_not_compensated() {
    async fn fails_after(request: &mut AssetRequest, next: Next<'_>) -> Result<BackgroundResponse> {
        let _ = next.run(request).await?;
        Err("the log is full".into())
    }
    let compensated = Arc::new(AtomicUsize::new(0));
    let transactions = {
        let compensated = Arc::clone(&compensated);
        move || {
            Transactions::new().then_value(Told {
                name: "t".to_owned(),
                applies: true,
                fails: false,
                executed: Arc::default(),
                compensated: Arc::clone(&compensated),
            })
        }
    };
    let saga = Made(|| Middlewares::new().then_value(fails_after), transactions);
    let scope = scope();
    let error = saga.resolve(AssetRequest::default(), scope.clone()).await.unwrap_err();
    assert_eq!(error.to_string(), "the log is full");
    assert_eq!(compensated.load(Ordering::Relaxed), 0);
    assert_eq!(scope.annotation(COMPENSATED), None);
}

#[tokio::test]
async fn what_a_compensation_says_around_the_error_is_kept_and_the_scope_says_it_was_not_compensated() {
    async fn says_more(_: &mut AssetRequest, error: HandlerError) -> Result<BackgroundResponse> {
        Err(format!("user of PR-1: {error}").into())
    }
    let scope = scope();
    let transactions = || Transactions::new().then_value(("t", always, vendor_is_down, says_more));
    let saga = Made(Middlewares::new, transactions);
    let error = saga.resolve(AssetRequest::default(), scope.clone()).await.unwrap_err();
    assert_eq!(error.to_string(), "user of PR-1: vendor is down");
    assert!(error.downcast_ref::<CompensationFailed>().is_none());
    assert_eq!(scope.annotation(TRANSACTION).as_deref(), Some("t"));
    assert_eq!(scope.annotation(COMPENSATED), None);
}

#[tokio::test]
async fn a_transaction_can_be_selected_first_and_run_later() {
    let scope = scope();
    let transactions = Transactions::new().then_value(("never", never, panics)).then_value((
        "counts",
        |request: &AssetRequest| request.id == "PR-1",
        done,
    ));
    assert_eq!(format!("{transactions:?}"), r#"["never", "counts"]"#);
    let mut request = AssetRequest { id: "PR-1".into(), ..AssetRequest::default() };
    let selected = transactions.select(&request, &scope).unwrap();
    assert_eq!(selected.name(), "counts");
    assert_eq!(scope.annotation(TRANSACTION), None, "nothing ran yet");
    assert_eq!(selected.run(&mut request).await.unwrap(), BackgroundResponse::done());
    assert_eq!(scope.annotation(TRANSACTION).as_deref(), Some("counts"));
    let empty: Transactions = Transactions::new();
    assert_eq!(
        empty.select(&request, &scope).unwrap_err().to_string(),
        "unable to select a transaction: the saga has none for this request"
    );
}

#[tokio::test]
async fn otherwise_leaves_a_transactions_own_not_selected_alone() {
    async fn runs_another_saga(_: &mut AssetRequest) -> Result<BackgroundResponse> {
        resolve(Transactions::new).await
    }
    let list = || {
        Transactions::new()
            .then_value(("outer", always, runs_another_saga))
            .otherwise(BackgroundResponse::skip("nothing to do"))
    };
    assert!(resolve(list).await.unwrap_err().downcast_ref::<TransactionNotSelected>().is_some());
}

/// A transaction that is told what to do, and counts what it did.
struct Told {
    name: String,
    applies: bool,
    fails: bool,
    executed: Arc<AtomicUsize>,
    compensated: Arc<AtomicUsize>,
}

impl BackgroundTransaction for Told {
    fn name(&self) -> &str {
        &self.name
    }

    fn should_execute(&self, _: &AssetRequest) -> bool {
        self.applies
    }

    fn execute(&self, _: &mut AssetRequest) -> impl Future<Output = Result<BackgroundResponse>> + Send {
        self.executed.fetch_add(1, Ordering::Relaxed);
        ready(if self.fails { Err("failed".into()) } else { Ok(BackgroundResponse::done()) })
    }

    async fn compensate(&self, _: &mut AssetRequest, error: HandlerError) -> Result<BackgroundResponse> {
        self.compensated.fetch_add(1, Ordering::Relaxed);
        Err(error)
    }
}

proptest! {
    #[test]
    fn the_first_match_wins_and_is_compensated_at_most_once(
        told in prop::collection::vec((any::<bool>(), any::<bool>()), 0..8),
        middlewares in 0_usize..4,
    ) {
        let counts: Arc<Vec<(Arc<AtomicUsize>, Arc<AtomicUsize>)>> = Arc::new(told.iter().map(|_| <_>::default()).collect());
        let (log, scope) = (Log::default(), scope());
        let names: Vec<String> = (0..middlewares).map(|number| number.to_string()).collect();
        let transactions = {
            let (told, counts) = (told.clone(), Arc::clone(&counts));
            move || told.iter().enumerate().fold(Transactions::new(), |list, (index, (applies, fails))| {
                list.then_value(Told {
                    name: index.to_string(),
                    applies: *applies,
                    fails: *fails,
                    executed: Arc::clone(&counts[index].0),
                    compensated: Arc::clone(&counts[index].1),
                })
            })
        };
        let around = { let (names, log) = (names.clone(), Arc::clone(&log)); move || traced(&names, &log) };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let end = runtime.block_on(Made(around, transactions).resolve(AssetRequest::default(), scope.clone()));

        let first = told.iter().position(|(applies, _)| *applies);
        prop_assert_eq!(scope.annotation(TRANSACTION), first.map(|index| index.to_string()));
        for (index, (executed, compensated)) in counts.iter().enumerate() {
            let ran = usize::from(first == Some(index));
            prop_assert_eq!(executed.load(Ordering::Relaxed), ran);
            prop_assert_eq!(compensated.load(Ordering::Relaxed), if told[index].1 { ran } else { 0 });
        }
        prop_assert_eq!(end.is_ok(), first.is_some_and(|index| !told[index].1));
        let passed: Vec<String> = names.iter().map(|name| format!("> {name}"))
            .chain(names.iter().rev().map(|name| format!("< {name}"))).collect();
        prop_assert_eq!(&*log.lock().unwrap(), &passed);
    }
}
