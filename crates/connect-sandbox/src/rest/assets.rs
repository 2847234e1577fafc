//! Assets.

use axum::response::Response;
use connect_model::rql::{R, Rql};

use super::{Call, page};
use crate::{
    api_error::ApiError,
    store::{ASSETS, REQUESTS},
};

pub(super) async fn answer(call: &Call<'_>, path: &[&str]) -> Result<Response, ApiError> {
    match (call.route(), path) {
        ("GET", ["assets"]) => call.list(ASSETS).await,
        ("GET", ["assets", id]) => call.one(ASSETS, id),
        ("GET", ["assets", id, "requests"]) => {
            call.core.read(|world| world.get(ASSETS, id))?;
            let mut query = call.parsed()?;
            query.filter = Rql::all([R::field("asset.id").eq(*id), query.filter]);
            page::kept(call.core, REQUESTS, &query).await
        }
        _ => Err(ApiError::not_found()),
    }
}
