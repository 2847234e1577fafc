//! What is done with any input: nothing of it may panic, and nothing may be lost.

use connect_model::{
    AssetRequest, Parameter, ParamsExt, Request, TierAccount, TierConfigRequest, timestamp,
    wire::{Message, Task},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// A frame of the WebSocket: what is read is written as something that is read as the same.
pub(crate) fn frame(frame: &str) {
    match Message::parse(frame) {
        Ok(message) => {
            let written = message.to_frame();
            let again = Message::parse(&written);
            assert!(again.is_ok_and(|again| again == message), "read otherwise when written: {written}");
            let _ = format!("{message:?}");
        }
        Err(error) => {
            let _ = format!("{error} {error:?}");
        }
    }
    let _ = serde_json::from_str::<Task>(frame);
}

/// The text of an object: what is read goes back out as it came, and reading in it does not panic.
pub(crate) fn object(text: &[u8]) {
    let Ok(value) = serde_json::from_slice::<Value>(text) else {
        assert!(serde_json::from_slice::<AssetRequest>(text).is_err());
        return;
    };
    keeps::<AssetRequest>(text, &value);
    keeps::<TierConfigRequest>(text, &value);
    if let Ok(request) = serde_json::from_slice::<Request>(text) {
        assert!(Value::from(&request) == value);
        let _ = (request.id(), request.type_name(), request.account().and_then(TierAccount::external_id));
        let _ =
            (request.provider(), request.vendor(), request.hub(), request.product(), request.marketplace());
        let _ = (request.contract(), request.tier("tier1"), request.asset_id(), request.tier_config_id());
        assert!(request.params_update().is_empty(), "nothing has changed yet");
        request.params().iter().for_each(param);
        if let Some(request) = request.as_asset_request() {
            asset_request(request);
        }
        change(request);
    }
}

fn keeps<T: DeserializeOwned + Serialize>(text: &[u8], value: &Value) {
    match serde_json::from_slice::<T>(text) {
        Ok(object) => assert!(serde_json::to_value(&object).is_ok_and(|written| written == *value)),
        Err(_) => assert!(!value.is_object(), "an object can always be read"),
    }
}

fn asset_request(request: &AssetRequest) {
    let _ = request.item_changes().map_err(|error| error.to_string());
    for item in &request.asset.items {
        let _ = (item.change(), item.difference(), item.is_ppu());
        if let Some(quantity) = &item.quantity {
            for precision in ["integer", "Decimal(8)", "other"] {
                let _ = quantity.with_precision(&precision.into());
            }
            let _ = (quantity.as_f64(), quantity.to_text());
        }
        item.params.iter().for_each(param);
    }
    let _ = (request.created_at(), request.updated_at(), request.planned_at(), request.effective_at());
}

fn param(param: &Parameter) {
    let _ = param.typed().map_err(|error| error.to_string());
    let _ = (param.email(), param.url(), param.domain(), param.subdomain(), param.checkbox(), param.choice());
    let _ = (param.parse::<u64>(), param.address(), param.phone(), param.object::<Value>());
    let _ = (param.is_required(), param.is_empty(), format!("{param:?}"));
    let _ = timestamp(param.value().unwrap_or_default());
}

fn change(mut request: Request) {
    let before = request.params().clone();
    request.params_mut().validate(|param| param.is_empty().then(|| "is empty".to_owned()));
    request.set_param("any", "value");
    let update = request.params_update();
    assert!(serde_json::to_value(&update).is_ok());
    let since = match &request {
        Request::Asset(request) => request.params_update_since(&before),
        Request::TierConfig(request) => request.params_update_since(&before),
    };
    assert!(update == since, "changed since it was read, which was before");
}
