//! The extension itself: what a vendor's engineer writes.

use connect_fulfillment::prelude::*;

use crate::{api::VendorApi, vendor::Refused};

/// Binds the vendor's API, at the address that the variable `VENDOR_URL` says.
struct VendorServiceProvider;

impl ServiceProvider for VendorServiceProvider {
    fn register(&self, bind: &mut Bindings) {
        bind.shared(VendorApi::inject);
    }
}

#[derive(Inject)]
struct CreateCustomer {
    vendor: VendorApi,
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
        let name = request.customer().and_then(|customer| customer.name.as_deref()).unwrap_or("unknown");
        let customer_id = self.vendor.create_customer(&request.id, name).await?;
        let customer_id = [Parameter::new("customer_id", customer_id)];
        *request = self.requests.update_params(request, &customer_id).await?;
        Ok(BackgroundResponse::reschedule(Duration::from_secs(30)))
    }
}

#[derive(Inject)]
struct CreateSubscription {
    vendor: VendorApi,
    requests: AssetRequests,
}

impl BackgroundTransaction for CreateSubscription {
    fn name(&self) -> &str {
        "Create subscription"
    }

    fn should_execute(&self, request: &AssetRequest) -> bool {
        request.param("subscription_id").is_none_or(Parameter::is_empty)
    }

    async fn execute(&self, request: &mut AssetRequest) -> Result<BackgroundResponse> {
        let customer_id = request.value("customer_id").ok_or("the request has no customer yet")?;
        let quantity = request.asset.items.first().and_then(|item| item.quantity.as_ref());
        let seats =
            quantity.and_then(|quantity| quantity.to_text().parse().ok()).ok_or("no seats were ordered")?;
        let subscription_id = self.vendor.create_subscription(&request.id, customer_id, seats).await?;
        let subscription_id = [Parameter::new("subscription_id", subscription_id)];
        *request = self.requests.update_params(request, &subscription_id).await?;
        Ok(BackgroundResponse::reschedule(Duration::from_secs(30)))
    }

    /// What the vendor refuses for good fails the request, and the customer made for it goes again.
    async fn compensate(&self, request: &mut AssetRequest, error: Error) -> Result<BackgroundResponse> {
        let Some(Refused { reason }) = error.downcast_ref() else { return Err(error) };
        if let Some(customer_id) = request.value("customer_id") {
            self.vendor.delete_customer(customer_id).await?;
        }
        self.requests.fail(request, reason.as_str()).await?;
        Ok(BackgroundResponse::fail(reason.as_str()))
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

/// Leaves the requests of other products alone.
#[derive(Inject)]
struct OurProduct {
    #[inject(name = "product_id")]
    product_id: String,
}

impl Middleware for OurProduct {
    async fn handle(&self, request: &mut AssetRequest, next: Next<'_>) -> Result<BackgroundResponse> {
        let product = request.asset.product.as_ref().map(|product| product.id.as_str());
        if product != Some(self.product_id.as_str()) {
            return Ok(BackgroundResponse::skip(format!("only {} is processed here", self.product_id)));
        }
        next.run(request).await
    }
}

struct PurchaseSaga;

impl Saga for PurchaseSaga {
    fn middlewares(&self, _: &AssetRequest) -> Middlewares {
        Middlewares::new().then::<OurProduct>()
    }

    fn transactions(&self, _: &AssetRequest) -> Transactions {
        Transactions::new().then::<CreateCustomer>().then::<CreateSubscription>().then::<ApproveRequest>()
    }
}

/// The whole declaration.
pub(crate) fn extension() -> Extension {
    Extension::new(descriptor!())
        .variable(Variable::new("VENDOR_URL").initial_value("https://api.vendor.example"))
        .variable(Variable::new("ACTIVATION_TEMPLATE").initial_value("TL-000-000-000"))
        .variable(Variable::new("PRODUCT_ID").initial_value("PRD-635-752-204"))
        .provider(VendorServiceProvider)
        .background(event::ASSET_PURCHASE_REQUEST_PROCESSING, ["pending"], PurchaseSaga)
}

#[cfg(test)]
mod tests {
    use connect_fulfillment::client::mock::ClientMock;
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn a_request_is_approved_with_the_template() {
        let mock = ClientMock::new();
        let body = json!({"template_id": "TL-1"});
        mock.post("requests/PR-1/approve").body(body).reply(json!({"id": "PR-1", "status": "approved"}));
        let approve =
            ApproveRequest { requests: AssetRequests::new(mock.client()), template_id: "TL-1".to_owned() };
        let mut request = serde_json::from_value(json!({"id": "PR-1", "status": "pending"})).unwrap();
        assert_eq!(approve.execute(&mut request).await.unwrap(), BackgroundResponse::done());
    }
}
