//! The vendor's API, as the extension calls it.

use connect_fulfillment::prelude::*;
use reqwest::{Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::vendor::Refused;

/// A client of the vendor. Each call names the request it is for, so that the vendor makes nothing twice.
#[derive(Clone, Inject)]
pub(crate) struct VendorApi {
    #[inject(name = "vendor_url")]
    url: String,
    #[inject(default)]
    http: reqwest::Client,
}

#[derive(Deserialize)]
struct Created {
    id: String,
}

impl VendorApi {
    pub(crate) async fn create_customer(&self, request_id: &str, name: &str) -> Result<String> {
        self.create("customers", request_id, &json!({"name": name})).await
    }

    pub(crate) async fn create_subscription(
        &self,
        request_id: &str,
        customer_id: &str,
        seats: u32,
    ) -> Result<String> {
        self.create("subscriptions", request_id, &json!({"customer_id": customer_id, "seats": seats})).await
    }

    pub(crate) async fn delete_customer(&self, id: &str) -> Result<()> {
        checked(self.http.delete(format!("{}/customers/{id}", self.url)).send().await?).await?;
        Ok(())
    }

    async fn create(&self, collection: &str, request_id: &str, body: &Value) -> Result<String> {
        let call = self.http.post(format!("{}/{collection}", self.url));
        let answer = call.header("Idempotency-Key", request_id).json(body).send().await?;
        Ok(checked(answer).await?.json::<Created>().await?.id)
    }
}

/// A refusal for good is an error of its own; anything else the vendor answers may pass.
async fn checked(answer: Response) -> Result<Response> {
    if answer.status() == StatusCode::UNPROCESSABLE_ENTITY {
        return Err(answer.json::<Refused>().await?.into());
    }
    Ok(answer.error_for_status()?)
}
