//! An extension against a sandbox, both in the process of a test.

use connect_runner::{Environment, Exit, Runner};
use connect_sandbox::{Activity, Sandbox};
use tokio::{
    sync::{broadcast::error::RecvError, oneshot},
    task::JoinHandle,
};

use crate::{Error, Extension, Result};

/// An extension that runs against a sandbox: made by [`Extension::run_in`]. It ends when it is dropped.
#[derive(Debug)]
#[must_use = "the extension ends when this is dropped"]
pub struct RunningExtension {
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<Exit>,
}

impl RunningExtension {
    /// Stops it as a signal would: running tasks end first. What was left is the answer.
    ///
    /// Fails where the extension has panicked.
    pub async fn stop(mut self) -> Result<Exit> {
        drop(self.stop.take());
        Ok((&mut self.running).await?)
    }
}

impl Drop for RunningExtension {
    fn drop(&mut self) {
        if self.stop.is_some() {
            self.running.abort();
        }
    }
}

impl Extension {
    /// Runs the extension against a sandbox in the same process, as a test does, and waits until it is connected.
    ///
    /// ```
    /// use connect_fulfillment::{Descriptor, prelude::*, sandbox::Sandbox};
    /// use serde_json::json;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// async fn ask(request: AssetRequest, scope: Scope) -> Result<BackgroundResponse> {
    ///     let errors = [("domain", "We need your domain.")];
    ///     scope.asset_requests()?.inquire_for(&request, errors, None).await?;
    ///     Ok(BackgroundResponse::done())
    /// }
    ///
    /// let extension = Extension::new(Descriptor::default())
    ///     .background(event::ASSET_PURCHASE_REQUEST_PROCESSING, ["pending"], ask);
    /// let sandbox = Sandbox::start().await?;
    /// let running = extension.run_in(&sandbox).await?;
    /// let id = sandbox.purchase("PRD-100-200-300").param("domain", "").send()?;
    /// sandbox.settled().await;
    /// sandbox.assert_request(&id, json!({"status": "inquiring"}));
    /// running.stop().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Fails where the extension can't run: something that is injected is bound by nobody, say. A start that fails ends
    /// it later, which is told by [`RunningExtension::stop`].
    pub async fn run_in(self, sandbox: &Sandbox) -> Result<RunningExtension> {
        let environment = Environment::from_vars(sandbox.environment(), true)?;
        let runner = Runner::new(self.into(), environment)?;
        let mut activity = sandbox.subscribe();
        let (stop, stopped) = oneshot::channel::<()>();
        let mut running = tokio::spawn(runner.run_until(async { _ = stopped.await }, std::future::pending()));
        let connected = async {
            // One connection for each kind of tasks.
            let mut connections = 0;
            while connections < 2 {
                match activity.recv().await {
                    Ok(Activity::RunnerConnected { .. }) => connections += 1,
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return false,
                }
            }
            true
        };
        tokio::select! {
            connected = connected => {
                if connected { Ok(RunningExtension { stop: Some(stop), running }) } else { Err("the sandbox has stopped".into()) }
            }
            exit = &mut running => Err(Error::from(match exit {
                Ok(exit) if exit.start_failed => "the extension's start has failed: see its log".to_owned(),
                Ok(_) => "the extension has ended".to_owned(),
                Err(error) => format!("the extension has ended: {error}"),
            })),
        }
    }
}
