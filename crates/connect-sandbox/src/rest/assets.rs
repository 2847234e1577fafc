//! Assets.

use axum::response::Response;
use connect_model::rql::{R, Rql};

use super::{Call, catalogue::markdown, page};
use crate::{
    api_error::ApiError,
    fulfillment::template,
    store::{ASSETS, REQUESTS},
};

pub(super) async fn answer(call: &Call<'_>, path: &[&str]) -> Result<Response, ApiError> {
    match (call.route(), path) {
        ("GET", ["assets"]) => call.list(ASSETS).await,
        ("GET", ["assets", id]) => call.one(ASSETS, id),
        ("GET", ["assets", id, "render"]) => {
            let text = call.core.read(|world| {
                let asset = world.get(ASSETS, id)?;
                let product = asset["product"]["id"].as_str().unwrap_or_default();
                match asset["template"]["id"].as_str() {
                    Some(template) => template::rendered(world, product, template, &asset),
                    None => Err(ApiError::not_found()),
                }
            })?;
            Ok(markdown(text))
        }
        ("GET", ["assets", id, "requests"]) => {
            call.core.read(|world| world.get(ASSETS, id))?;
            let mut query = call.parsed()?;
            query.filter = Rql::all([R::field("asset.id").eq(*id), query.filter]);
            page::kept(call.core, REQUESTS, &query).await
        }
        _ => Err(ApiError::not_found()),
    }
}
