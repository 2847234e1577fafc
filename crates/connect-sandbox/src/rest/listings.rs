//! Listings and listing requests.

use axum::response::Response;

use super::{Call, acted, created, ok};
use crate::{
    api_error::ApiError,
    listings::{self, LISTINGS},
    transitions::LISTING_REQUESTS,
};

pub(super) async fn answer(call: &Call<'_>, path: &[&str]) -> Result<Response, ApiError> {
    if call.route() != "GET" {
        call.check_body()?;
    }
    match (call.route(), path) {
        ("GET", ["listings"]) => call.list(LISTINGS).await,
        ("GET", ["listings", id]) => call.one(LISTINGS, id),
        ("PUT", ["listings", id]) => Ok(ok(&call.change(|world| listings::change(world, id, &call.body))?)),
        ("GET", ["listing-requests"]) => call.list(LISTING_REQUESTS).await,
        ("GET", ["listing-requests", id]) => call.one(LISTING_REQUESTS, id),
        ("POST", ["listing-requests"]) => {
            Ok(created(&call.change(|world| listings::request(world, &call.body))?))
        }
        ("POST", ["listing-requests", id, action]) => {
            let request = call.change(|world| listings::act(world, id, action))?;
            Ok(acted(LISTING_REQUESTS, action, &request))
        }
        _ => Err(ApiError::not_found()),
    }
}
