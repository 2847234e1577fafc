use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Action, Error, Resource};

/// A request of either kind: what it takes to see where it stands.
pub(super) trait Request: DeserializeOwned + Send {
    /// Its status, as Connect writes it.
    fn status(&self) -> &str;
}

/// The codes by which Connect refuses a move from where a request stands.
const WRONG_STATUS: [&str; 2] = ["REQ_003", "TC_006"];

/// Moves a request, and gives what it then is.
///
/// A task can come twice, and an answer can get lost. So where Connect refuses the move because of the request's status,
/// and that is the wanted one, it was made before; and since that can be told, the call is made again like one that
/// changes nothing twice.
pub(super) async fn transition<R: Request>(
    resource: &Resource,
    action: &Action,
    payload: Option<&Value>,
    wanted: &str,
) -> Result<R, Error> {
    let mut call = action.post_empty();
    if let Some(payload) = payload {
        call = call.payload(payload);
    }
    let again = call.retry_policy().clone().all_methods();
    match call.retry(again).json::<Option<Value>>().await {
        // Some answer with the whole request, some with a part of it, some with nothing.
        Ok(Some(answer)) if answer.get("id").is_some() && answer.get("status").is_some() => {
            serde_json::from_value(answer).map_err(|error| Error::decode("a request", error))
        }
        Ok(_) => resource.get().json().await,
        Err(error) if error.error_code().is_some_and(|code| WRONG_STATUS.contains(&code)) => {
            let request: R = resource.get().json().await?;
            if request.status() == wanted { Ok(request) } else { Err(error) }
        }
        Err(error) => Err(error),
    }
}
