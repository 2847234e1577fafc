//! What is ordered waits until the configurations of its tiers are set up.

use connect_model::rql::{Operand, R, Rql};
use serde_json::{Value, json};

use super::{
    accounts,
    configs::{self, Standing},
    create::{self, Asked},
    offer::{self, Level},
    params, text,
};
use crate::{
    api_error::ApiError,
    fulfillment::{self, set},
    store,
    world::World,
};

/// Makes the tier accounts of a request for an asset known, and lets it wait for their configurations, where the product
/// has parameters of them: what is not set up yet is asked for, of tier 2 first. A draft is left until it is ordered.
pub(crate) fn setup(world: &mut World<'_>, request: &mut Value) -> Result<(), ApiError> {
    if let Some(tiers) = request.pointer_mut("/asset/tiers") {
        accounts::enlist(world, tiers)?;
    }
    if text(request, "status") != "pending" {
        return Ok(());
    }
    let product = text(&request["asset"]["product"], "id").to_owned();
    let product = world.find("products", &product)?;
    let Some(product) = product.filter(|product| offer::highest(product).is_some()) else { return Ok(()) };
    let definitions = params::definitions(world, &product)?;
    let (mut waits, mut above) = (false, None);
    for level in offer::levels(&product, &definitions) {
        let values = given(request, &definitions, level);
        if !request["asset"]["tiers"][level.name()]["id"].is_string() {
            continue;
        }
        let account = &request["asset"]["tiers"][level.name()];
        let connection = &request["asset"]["connection"];
        let mut config = match configs::find(world, account, &product, connection, level)? {
            Some(config) => config,
            None => configs::make(world, request, &product, level)?,
        };
        let mut standing = configs::standing(world, &config)?;
        if standing == Standing::Missing {
            let parent = above.as_ref();
            create::open(
                world,
                &mut config,
                &Asked { kind: "setup", values: &values, body: &Value::Null, parent },
            )?;
            standing = Standing::Open;
        }
        waits |= standing == Standing::Open;
        above = Some(config);
    }
    if waits {
        fulfillment::enter(request, "tiers_setup", "tiers_setup", &world.now());
    }
    Ok(())
}

/// Takes the values of a level's parameters out of an order: they are the configuration's, not the asset's.
fn given(request: &mut Value, definitions: &[Value], level: Level) -> Value {
    let is_its = |param: &Value| {
        definitions.iter().any(|own| own["scope"] == level.name() && own["name"] == param["id"])
    };
    let Some(params) = request.pointer_mut("/asset/params").and_then(Value::as_array_mut) else {
        return Value::Null;
    };
    let (given, kept): (Vec<Value>, _) = std::mem::take(params).into_iter().partition(is_its);
    *params = kept;
    given.into()
}

/// Lets the requests for assets go on that waited for a configuration, or fail with it.
pub(super) fn follow(world: &mut World<'_>, config: &Value) -> Result<(), ApiError> {
    let wanted = Rql::all([
        R::field("status").eq("tiers_setup"),
        R::field("asset.product.id").eq(Operand::text(text(&config["product"], "id"))),
    ]);
    for mut request in world.matching(store::REQUESTS, &wanted)? {
        let before = request.clone();
        go_on(world, &mut request)?;
        if request != before {
            world.put(store::REQUESTS, &request)?;
        }
    }
    Ok(())
}

/// What becomes of a request that waits, now that something is set up or failed.
fn go_on(world: &World<'_>, request: &mut Value) -> Result<(), ApiError> {
    let asset = &request["asset"];
    let (product, now) = (&asset["product"], world.now());
    let mut waits = false;
    for level in [Level::Two, Level::One] {
        let account = &asset["tiers"][level.name()];
        let Some(config) = configs::find(world, account, product, &asset["connection"], level)? else {
            continue;
        };
        match configs::standing(world, &config)? {
            Standing::Ready => {}
            Standing::Open => waits = true,
            Standing::Missing => {
                let reason = reason(world, &config)?;
                set(request, "reason", reason);
                fulfillment::enter(request, "failed", "failed", &now);
                fulfillment::settle_asset(request);
                return Ok(());
            }
        }
    }
    if waits {
        return Ok(());
    }
    fulfillment::go_on(world, request)
}

/// Why the setup of a configuration failed.
fn reason(world: &World<'_>, config: &Value) -> Result<Value, ApiError> {
    let requests = configs::shown(world, "configuration", config)?;
    let failed = requests.iter().rfind(|request| request["status"] == "failed");
    Ok(failed.map_or(json!(""), |failed| failed["reason"].clone()))
}
