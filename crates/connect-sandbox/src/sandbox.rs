mod tiers;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use connect_model::wire::{Secret, TaskOutput};
use serde_json::Value;
use tokio::{sync::broadcast, task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    Activity, Fault, Order, SandboxBuilder, SandboxError, TaskRecord,
    actions::{self, Target},
    api_error::ApiError,
    builder::check_speed,
    core::Core,
    devops::{installations::INSTALLATIONS, schedules},
    fulfillment::{self, Action},
    role::Role,
    store::{ASSETS, REQUESTS, id_of},
    tls::Authority,
    world::World,
};

/// How long calls that are under way may hold up the end.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// A local stand-in for Connect: REST, the devops WebSocket, and the dispatch of tasks.
///
/// ```
/// use connect_sandbox::Sandbox;
/// use serde_json::json;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), connect_sandbox::SandboxError> {
/// let sandbox = Sandbox::builder()
///     .request(json!({"id": "PR-1", "type": "purchase", "status": "pending", "asset": {"id": "AS-1"}}))
///     .speed(60.0)
///     .start()
///     .await?;
/// for (name, value) in sandbox.environment() {
///     println!("{name}={value}");
/// }
/// // run an extension with this environment, then: sandbox.settled().await;
/// assert_eq!(sandbox.request("PR-1").unwrap()["status"], "pending");
/// sandbox.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Sandbox {
    pub(crate) core: Arc<Core>,
    pub(crate) address: SocketAddr,
    pub(crate) authority: Arc<Authority>,
    pub(crate) console: bool,
    pub(crate) stop: CancellationToken,
    pub(crate) running: Vec<JoinHandle<()>>,
}

impl Sandbox {
    /// Starts to set one up.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::default()
    }

    /// Starts one with the defaults: on a free port of this machine alone, with nothing in it.
    ///
    /// Fails where no port can be listened on.
    pub async fn start() -> Result<Self, SandboxError> {
        Self::builder().start().await
    }

    /// A customer buys a product: what else is in it is up to [`Order`].
    pub fn purchase(&self, product: &str) -> Order<'_> {
        Order::purchase(self, product)
    }

    /// Something follows for an asset: `change`, `adjustment`, `suspend`, `resume`, `cancel`, `renew` or `transfer`. For a
    /// tier configuration (`TC-…`), `update` or `adjustment`.
    pub fn order(&self, kind: &str, asset: &str) -> Order<'_> {
        Order::follow_up(self, kind, asset)
    }

    /// Does with a request what REST does: `approve`, `fail`, `inquire`, `pend` (the customer answers), `purchase` and
    /// `submit` (a draft is ordered), `revoke`, `confirm`; with one of a tier account (`TAR-…`) `accept` and `ignore`. The
    /// body is what REST takes; the request is the answer.
    ///
    /// Fails as Connect would.
    pub fn act(&self, id: &str, action: &str, body: impl Into<Value>) -> Result<Value, SandboxError> {
        let unknown = || SandboxError::NotFound(format!("action {action}"));
        let body = body.into();
        let end = if tiers::requests_of(id) == REQUESTS {
            let action = Action::named(action).ok_or_else(unknown)?;
            self.core.act(Role::Platform, id, action, &body)
        } else {
            let act = |world: &mut World<'_>| tiers::act(world, id, action, &body).transpose();
            match self.core.change(Role::Platform, act) {
                Ok(None) => return Err(unknown()),
                Ok(Some(request)) => Ok(request),
                Err(error) => Err(error),
            }
        };
        end.map_err(|error| SandboxError::refused(&error))
    }

    /// Changes the parameter values, their errors and the note of a request, as REST does; of one for a tier configuration
    /// (`TCR-…`) as well.
    ///
    /// Fails as Connect would.
    pub fn update(&self, id: &str, body: impl Into<Value>) -> Result<Value, SandboxError> {
        let body = body.into();
        let update = |world: &mut World<'_>| match tiers::requests_of(id) {
            crate::tiers::REQUESTS => crate::tiers::requests::update(world, id, &body),
            _ => fulfillment::update(world, id, &body),
        };
        self.core.change(Role::Platform, update).map_err(|error| SandboxError::refused(&error))
    }

    /// Lets the extension validate a draft, or what is typed into an inquiry form: the body is what REST takes, and the
    /// request, with the errors at its parameters, is the answer.
    ///
    /// Fails as Connect would, and where no runner answers; the request is as before then.
    pub async fn validate(&self, id: &str, body: impl Into<Value>) -> Result<Value, SandboxError> {
        let (core, role, body) = (&self.core, Role::Platform, body.into());
        let end = if tiers::requests_of(id) == REQUESTS {
            fulfillment::validate(core, role, id, &body).await
        } else {
            crate::tiers::validate(core, role, id, &body).await
        };
        end.map_err(|error| SandboxError::refused(&error))
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its address as a URL, without a path.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address of the console; none where it [is not served](crate::SandboxBuilder::console).
    #[must_use]
    pub fn console_url(&self) -> Option<String> {
        self.console.then(|| format!("{}/", self.url()))
    }

    /// The key that it takes of the vendor, whose extension it is.
    #[must_use]
    pub fn api_key(&self) -> &str {
        self.core.setup.api_key.expose()
    }

    /// The key that it takes of the distributor.
    #[must_use]
    pub fn distributor_key(&self) -> &str {
        self.core.setup.distributor_key.expose()
    }

    /// The environment variables by which a runner finds it: `API_KEY`, `ENVIRONMENT_ID`, and as full URLs
    /// `SERVER_ADDRESS` (`ws://…`) and `API_ADDRESS` (`http://…`). A runner makes up its `INSTANCE_ID`.
    #[must_use]
    pub fn environment(&self) -> Vec<(String, String)> {
        [
            ("API_KEY", self.api_key().to_owned()),
            ("ENVIRONMENT_ID", self.core.setup.environment_id.clone()),
            ("SERVER_ADDRESS", format!("ws://{}", self.address)),
            ("API_ADDRESS", self.url()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// Its address as a URL over TLS, without a path: the same port takes both.
    #[must_use]
    pub fn https_url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// The certificate of the authority that the sandbox's own is from, as PEM. It is made at each start.
    #[must_use]
    pub fn certificate(&self) -> &str {
        self.authority.certificate()
    }

    /// The environment variables by which a runner in another language finds it. The original always speaks https and wss:
    /// so `SERVER_ADDRESS` is host and port, and `SSL_CERT_FILE` and `REQUESTS_CA_BUNDLE` name a file with the sandbox's
    /// [certificate](Self::certificate) and all that this machine trusts; it is there as long as the sandbox.
    ///
    /// Fails where the file can't be written.
    pub fn https_environment(&self) -> Result<Vec<(String, String)>, SandboxError> {
        let failed = |error: std::io::Error| SandboxError::Certificate(error.to_string());
        let file = self.authority.file().map_err(failed)?.display().to_string();
        let address = self.address.to_string();
        let variables = [
            ("API_KEY", self.api_key()),
            ("ENVIRONMENT_ID", &self.core.setup.environment_id),
            ("SERVER_ADDRESS", &address),
            ("API_ADDRESS", &address),
            ("SSL_CERT_FILE", &file),
            ("REQUESTS_CA_BUNDLE", &file),
        ];
        Ok(variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
    }

    /// A request as it is now: for an asset (`PR-…`), a tier configuration (`TCR-…`) or a tier account (`TAR-…`).
    #[must_use]
    pub fn request(&self, id: &str) -> Option<Value> {
        self.find(tiers::requests_of(id), id)
    }

    /// All asset requests, by id.
    #[must_use]
    pub fn requests(&self) -> Vec<Value> {
        self.all(REQUESTS)
    }

    fn find(&self, collection: &str, id: &str) -> Option<Value> {
        self.core.read(|world| world.find(collection, id)).unwrap_or_else(|error| {
            unread(&error);
            None
        })
    }

    /// An asset with the values that are in force: those of its purchase, and of each later request once approved.
    #[must_use]
    pub fn asset(&self, id: &str) -> Option<Value> {
        self.find(ASSETS, id)
    }

    /// Adds a request as Connect's API gives it, or puts another in its place; its id is the answer, and tells whether it
    /// is for an asset (`PR-…`), a tier configuration (`TCR-…`) or a tier account (`TAR-…`). Runners that handle its type
    /// and status get a task. Fails where it has no id.
    pub fn add_request(&self, request: Value) -> Result<String, SandboxError> {
        let collection = id_of(&request).map_or(REQUESTS, tiers::requests_of);
        self.put(collection, request, "a request")
    }

    /// All tasks, the oldest first; of those that are over, only the
    /// [newest are remembered](crate::DispatchPolicy::finished_tasks).
    #[must_use]
    pub fn tasks(&self) -> Vec<TaskRecord> {
        self.core.state().dispatcher.tasks()
    }

    /// What happens from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Activity> {
        self.core.subscribe()
    }

    /// Sends an interactive task and waits for its answer: of the runner, be it success or fail.
    ///
    /// Fails where no runner takes it within two seconds, or none answers it within three minutes
    /// ([`DispatchPolicy`](crate::DispatchPolicy)).
    pub async fn send_interactive(
        &self,
        event_type: &str,
        object_id: &str,
        data: Value,
    ) -> Result<TaskOutput, SandboxError> {
        self.core.ask(event_type, object_id, data).await.map_err(|_| SandboxError::NotAnswered)
    }

    /// Presses the button of a product's action (`ACT-…`) for an asset or a tier configuration, and waits for the answer of the
    /// runner: the task has a token as Connect signs it.
    ///
    /// Fails where there is no such action or object, or where no runner answers.
    pub async fn action(
        &self,
        product: &str,
        action: &str,
        target: &str,
    ) -> Result<TaskOutput, SandboxError> {
        let pressed = actions::press_for(&self.core, product, action, Target::of(target)).await;
        pressed.map_err(|error| unanswered(&error))
    }

    /// Sends a custom event with this body, signed by the environment's secret, and waits for the answer of the runner.
    ///
    /// Fails where no runner answers.
    pub async fn custom_event(&self, body: impl Into<Value>) -> Result<TaskOutput, SandboxError> {
        actions::custom_event_of(&self.core, body.into()).await.map_err(|error| unanswered(&error))
    }

    /// Adds a schedule as Connect's API gives it, or puts another in its place; its id, made up where it has none, is
    /// the answer.
    ///
    /// A trigger fires in the sandbox's own time, which begins with the real one and goes faster by the sandbox's speed;
    /// times that are over are not made up for. Without one it fires by [`trigger_schedule`](Self::trigger_schedule) alone. Fails where the trigger is malformed, or the
    /// method is none that the connected extension declares.
    pub fn add_schedule(&self, schedule: Value) -> Result<String, SandboxError> {
        let wrong = |error: ApiError| SandboxError::Schedule(error.errors.join(" "));
        let stored =
            self.core.change(Role::Platform, |world| schedules::put(world, schedule)).map_err(wrong)?;
        Ok(stored["id"].as_str().unwrap_or_default().to_owned())
    }

    /// Runs a schedule now and waits for the end of its task, all its attempts included. A run that is under way is
    /// joined.
    pub async fn trigger_schedule(&self, id: &str) -> Result<TaskOutput, SandboxError> {
        let end = self.core.trigger(id).map_err(|_| SandboxError::NotFound(format!("schedule {id}")))?;
        end.await.map_err(|_| SandboxError::NotAnswered)
    }

    /// Adds an installation as Connect's API gives it, or puts another in its place; its id is the answer. Fails where
    /// it has none.
    pub fn add_installation(&self, installation: Value) -> Result<String, SandboxError> {
        self.put(INSTALLATIONS, installation, "an installation")
    }

    fn put(&self, collection: &str, object: Value, what: &'static str) -> Result<String, SandboxError> {
        let id = id_of(&object).ok_or(SandboxError::NoId(what))?.to_owned();
        let put = self.core.change(Role::Platform, |world| world.put(collection, object));
        put.map(|()| id).map_err(|error| SandboxError::refused(&error))
    }

    /// Changes [how fast time goes](crate::SandboxBuilder::speed), for what waits already too. Above zero and at most a
    /// million, or it fails.
    pub fn set_speed(&self, speed: f64) -> Result<(), SandboxError> {
        check_speed(speed)?;
        self.core.set_speed(speed);
        Ok(())
    }

    /// Gives a variable another value, and tells the runners.
    pub fn set_variable(&self, name: &str, value: impl Into<String>) {
        self.core.set_variable(name, &Secret::new(value)).unwrap_or_else(|error| unread(&error));
    }

    /// Lets something go wrong from now on.
    ///
    /// Fails where the fault can't be.
    pub fn inject(&self, fault: Fault) -> Result<(), SandboxError> {
        self.core.chaos.inject(fault)
    }

    /// What goes wrong, with how often it still does.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        self.core.chaos.faults().clone()
    }

    /// Lets nothing go wrong any more.
    pub fn clear_faults(&self) {
        self.core.chaos.faults().clear();
        self.core.set_maintenance(false);
    }

    /// Maintenance, as Connect's: the connections are cut, and everything is answered with 502 until it ends.
    pub fn set_maintenance(&self, is_on: bool) {
        self.core.set_maintenance(is_on);
    }

    /// Cuts the connections of runners, who come back; what they hold is given out again.
    pub fn cut_connections(&self) {
        self.core.cut();
    }

    /// Lets the sandbox's time jump ahead: countdowns, waits between retries and schedules that would be over by then
    /// are over now. A schedule that would have fired several times fires once.
    pub fn step(&self, by: Duration) {
        self.core.step(by);
    }

    /// Waits until the tasks of an object were answered so many times; the last answer is the answer. What a handler does
    /// before it is rescheduled can be looked at then, and [`step`](Self::step) lets the countdown be over.
    pub async fn answered(&self, object_id: &str, times: usize) -> TaskOutput {
        let mut activity = self.subscribe();
        loop {
            let tasks = self.core.state().dispatcher.tasks_of(object_id);
            let attempts = tasks.iter().flat_map(|task| &task.attempts);
            let answers: Vec<&TaskOutput> = attempts.filter_map(|attempt| attempt.output.as_ref()).collect();
            if let Some(answer) = times.checked_sub(1).and_then(|last| answers.get(last)) {
                return (*answer).clone();
            }
            // Whatever happens, and whatever was missed, it is looked at again.
            let _ = activity.recv().await;
        }
    }

    /// Waits until nothing more happens by itself: no task is queued, waits or runs, and each request is approved,
    /// failed, revoked or inquiring, or had its task, or is in a status that no runner handles. As long as a request is
    /// open otherwise, it waits for a runner.
    pub async fn settled(&self) {
        self.core.settled().await;
    }

    /// Stops: the port is free again, and connections are cut, not closed, so that runners try to come back.
    pub async fn stop(mut self) {
        self.stop.cancel();
        for mut task in self.running.drain(..) {
            // A task that panicked has ended too.
            if timeout(STOP_LIMIT, &mut task).await.is_err() {
                task.abort();
            }
        }
    }
}

fn unanswered(error: &ApiError) -> SandboxError {
    if error.status.is_server_error() { SandboxError::NotAnswered } else { SandboxError::refused(error) }
}

/// What can't be read is not there; why is told here.
fn unread(error: &ApiError) {
    tracing::error!("{}", error.errors.join(" "));
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
