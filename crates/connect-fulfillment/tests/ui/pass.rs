use connect_fulfillment::{Descriptor, prelude::*};

async fn purchase(_: AssetRequest, _: Scope) -> Result<BackgroundResponse> {
    Ok(BackgroundResponse::done())
}

struct CancelSaga;

impl Saga for CancelSaga {
    fn transactions(&self, _: &AssetRequest) -> Transactions {
        Transactions::new()
    }
}

#[derive(Inject)]
struct Validate;

impl ValidationTransaction for Validate {
    fn name(&self) -> &str {
        "Validate"
    }

    async fn execute(&self, request: &mut AssetRequest) -> Result<ValidationResponse> {
        Ok(ValidationResponse::done(&*request))
    }
}

#[derive(Inject)]
struct Refresh;

impl ScheduledTransaction for Refresh {
    fn name(&self) -> &str {
        "Refresh"
    }

    async fn execute(&self, _: &mut Schedule) -> Result<ScheduledExecutionResponse> {
        Ok(ScheduledExecutionResponse::done())
    }
}

fn main() {
    let seats = 3;
    let _ = Extension::new(Descriptor::default())
        .background(event::ASSET_PURCHASE_REQUEST_PROCESSING, ["pending"], purchase)
        .background(event::ASSET_CANCEL_REQUEST_PROCESSING, ["pending"], CancelSaga)
        .background(event::ASSET_CHANGE_REQUEST_PROCESSING, ["pending"], move |_: AssetRequest, _: Scope| async move {
            Ok::<_, Error>(BackgroundResponse::skip(format!("{seats} seats")))
        })
        .interactive(event::ASSET_PURCHASE_REQUEST_VALIDATION, inject::<Validate>())
        .scheduled("refresh", "Refresh", "Refreshes", inject::<Refresh>());
}
