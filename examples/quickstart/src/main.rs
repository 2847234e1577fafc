//! The extension of the README: it approves every purchase.

use connect_fulfillment::prelude::*;

#[derive(Inject)]
struct ApproveRequest {
    requests: AssetRequests,
    #[inject(name = "activation_template")]
    template_id: String,
}

impl BackgroundTransaction for ApproveRequest {
    fn name(&self) -> &str {
        "Approve request"
    }

    fn should_execute(&self, request: &AssetRequest) -> bool {
        request.status == RequestStatus::Pending
    }

    async fn execute(&self, request: &mut AssetRequest) -> Result<BackgroundResponse> {
        self.requests.approve(request, &self.template_id).await?;
        Ok(BackgroundResponse::done())
    }
}

struct PurchaseSaga;

impl Saga for PurchaseSaga {
    fn transactions(&self, _: &AssetRequest) -> Transactions {
        Transactions::new().then::<ApproveRequest>()
    }
}

fn main() -> ExitCode {
    connect_fulfillment::main(|| {
        Extension::new(descriptor!())
            .variable(Variable::new("ACTIVATION_TEMPLATE").initial_value("TL-000-000-000"))
            .background(event::ASSET_PURCHASE_REQUEST_PROCESSING, ["pending"], PurchaseSaga)
    })
}
