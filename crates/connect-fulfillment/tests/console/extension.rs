//! An extension with what the console shows: transactions, log lines, a variable, a schedulable.

use connect_fulfillment::{Descriptor, prelude::*};

#[derive(Inject)]
struct CreateCustomer {
    requests: AssetRequests,
}

impl BackgroundTransaction for CreateCustomer {
    fn name(&self) -> &str {
        "Create customer"
    }

    fn should_execute(&self, request: &AssetRequest) -> bool {
        request.param("customer_id").is_none_or(Parameter::is_empty)
    }

    async fn execute(&self, request: &mut AssetRequest) -> Result<BackgroundResponse> {
        info!(customer = "CUS-0002", "the customer is made");
        *request = self.requests.update_params(request, &[Parameter::new("customer_id", "CUS-0002")]).await?;
        Ok(BackgroundResponse::reschedule(Duration::from_secs(60)))
    }
}

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
        Transactions::new().then::<CreateCustomer>().then::<ApproveRequest>()
    }
}

async fn act(action: ProductAction, _: Scope) -> Result<InteractiveResponse> {
    let asset = action.jwt_payload.and_then(|payload| payload.asset_id).ok_or("no asset")?;
    Ok(InteractiveResponse::redirect(format!("https://vendor.example/{asset}")))
}

async fn refresh(schedule: Schedule, _: Scope) -> Result<ScheduledExecutionResponse> {
    info!("refreshed to a depth of {}", schedule.parameter["depth"]);
    Ok(ScheduledExecutionResponse::done())
}

pub(crate) fn extension() -> Extension {
    Extension::new(Descriptor::default())
        .variable(Variable::new("ACTIVATION_TEMPLATE").initial_value("TL-000-000-001"))
        .variable(Variable::new("VENDOR_TOKEN").initial_value("secret").secure())
        .background(event::ASSET_PURCHASE_REQUEST_PROCESSING, ["pending"], PurchaseSaga)
        .interactive(event::PRODUCT_ACTION_EXECUTION, act)
        .scheduled("refresh", "Refresh", "Refreshes the vendor's token", refresh)
}
