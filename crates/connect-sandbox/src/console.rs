//! The console: pages about what is in the sandbox and what happens there.
//!
//! What it changes it changes by REST, in this process: whatever holds for a call holds for a button.

mod accounts;
mod act;
mod activity;
mod api;
mod assets;
mod chaos;
mod clock;
mod conversations;
mod custom;
mod form;
mod guard;
mod helpdesk;
mod inquiry;
mod layout;
mod listings;
mod live;
mod offer;
mod params;
mod parts;
mod press;
mod products;
mod purchase;
mod request;
mod requests;
mod runners;
mod schedules;
mod send;
mod service;
mod task;
mod tier;
mod timeline;
mod usage;
mod variables;

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Router,
    http::{StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use connect_model::rql::Rql;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::{core::Core, server::Server, store::REQUESTS};
use parts::{first, text};

/// What every page is made with.
#[derive(Clone, Debug)]
pub(crate) struct Console {
    core: Arc<Core>,
    stop: CancellationToken,
}

pub(crate) fn router(server: &Server) -> Router {
    let console = Console { core: Arc::clone(&server.core), stop: server.stop.clone() };
    Router::new()
        .route("/", get(requests::list))
        .route("/requests/{id}", get(request::show))
        .route("/requests/{id}/{action}", post(request::act))
        .route("/purchase", get(purchase::show).post(purchase::order))
        .route("/form", get(inquiry::show).post(inquiry::answer))
        .route("/products", get(products::all))
        .route("/products/{id}", get(products::show))
        .route("/assets", get(assets::all))
        .route("/assets/{id}", get(assets::show))
        .route("/assets/{id}/{kind}", post(assets::act))
        .route("/schedules", get(schedules::all).post(schedules::make))
        .route("/tier-configs", get(tier::all))
        .route("/tier-configs/{id}", get(tier::config))
        .route("/tier-configs/{id}/{kind}", post(tier::order))
        .route("/tier-config-requests/{id}", get(tier::request))
        .route("/tier-config-requests/{id}/{action}", post(tier::act))
        .route("/tier-accounts", get(accounts::all))
        .route("/tier-accounts/{id}", get(accounts::show))
        .route("/tier-accounts/{id}/{action}", post(accounts::act))
        .route("/tier-account-requests/{id}", get(accounts::request))
        .route("/tier-account-requests/{id}/{action}", post(accounts::answer))
        .route("/listings", get(listings::all).post(listings::make))
        .route("/listing-requests/{id}", get(listings::show))
        .route("/listing-requests/{id}/{action}", post(listings::act))
        .route("/usage", get(usage::all).post(usage::make))
        .route("/usage/{id}", get(usage::show))
        .route("/usage/{id}/upload", post(usage::upload))
        .route("/usage/{id}/{action}", post(usage::act))
        .route("/usage-records/{id}/{action}", post(usage::act_on_record))
        .route("/usage-chunks/{id}/{action}", get(usage::download).post(usage::act_on_chunk))
        .route("/cases", get(helpdesk::all).post(helpdesk::make))
        .route("/cases/{id}", get(helpdesk::show))
        .route("/cases/{id}/{action}", post(helpdesk::act))
        .route("/conversations/{instance}/{action}", post(conversations::act))
        .route("/tasks", get(activity::tasks))
        .route("/tasks/{id}", get(task::show))
        .route("/tasks/{id}/resubmit", post(task::resubmit))
        .route("/calls", get(activity::calls))
        .route("/send", get(send::show).post(send::send))
        .route("/press/{product}/{action}/{target}", get(press::press))
        .route("/custom-event", get(custom::show).post(custom::send))
        .route("/service", get(service::show).post(service::set))
        .route("/service/environment", post(service::set_environment))
        .route("/service/environment/{action}", post(service::act))
        .route("/installations", post(service::install))
        .route("/installations/{id}", post(service::set_installation))
        .route("/installations/{id}/uninstall", post(service::uninstall))
        .route("/schedules/{id}", get(schedules::show).post(schedules::edit))
        .route("/schedules/{id}/run", post(schedules::run_now))
        .route("/schedules/{id}/{action}", post(schedules::act))
        .route("/variables", get(variables::all).post(variables::make))
        .route("/variables/{name}", post(variables::set))
        .route("/variables/{name}/delete", post(variables::delete))
        .route("/clock", get(clock::show))
        .route("/clock/{action}", post(clock::act))
        .route("/chaos", get(chaos::show))
        .route("/chaos/{action}", post(chaos::act))
        .route("/runners", get(runners::runners))
        .route("/extension", get(runners::extension))
        .route("/events", get(live::events))
        .route(
            "/console.css",
            get(async || asset("text/css; charset=utf-8", include_str!("console/console.css"))),
        )
        .route(
            "/console.js",
            get(async || asset("text/javascript; charset=utf-8", include_str!("console/console.js"))),
        )
        .route("/icon.svg", get(async || asset("image/svg+xml", include_str!("console/icon.svg"))))
        .route_layer(middleware::from_fn(guard::guard))
        .with_state(console)
}

/// How many requests are looked through for products that the catalogue does not have.
const LOOKED_AT: usize = 200;

/// The newest requests.
fn recent(core: &Core, most: usize) -> Result<Vec<Value>, Problem> {
    Ok(core.read(|world| world.newest(REQUESTS, most))?)
}

/// The products there are, by id, with their names: those of the catalogue, and those that the newest requests are for.
async fn products(core: &Arc<Core>) -> Result<Vec<(String, String)>, Problem> {
    let all = api::list(core, "products", &Rql::Empty, "limit=1000").await?;
    let mut products: BTreeMap<String, String> =
        all.items.iter().map(|one| (text(one, "/id").to_owned(), text(one, "/name").to_owned())).collect();
    for request in recent(core, LOOKED_AT)? {
        let product = &request["asset"]["product"];
        if !text(product, "/id").is_empty() {
            let name = first([text(product, "/name"), text(product, "/id")]);
            products.entry(text(product, "/id").to_owned()).or_insert_with(|| name.to_owned());
        }
    }
    Ok(products.into_iter().collect())
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

/// Why a page could not be made.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    texts: Vec<String>,
}

impl From<crate::api_error::ApiError> for Problem {
    fn from(error: crate::api_error::ApiError) -> Self {
        Self { status: error.status, texts: error.errors }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or("Error");
        let page = layout::page(
            title,
            layout::Here::None,
            &maud::html! {
                h1 { (title) }
                (parts::errors(&self.texts))
                p { a href="/" { "All requests" } }
            },
        );
        (self.status, page).into_response()
    }
}
