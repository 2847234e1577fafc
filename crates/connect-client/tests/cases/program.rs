//! Programs of the cases: chains of steps, from the client or from what an earlier statement made.

use std::{collections::HashMap, time::Duration};

use bytes::Bytes;
use connect_client::{
    Action, ApiDescription, Call, Client, Collection, Content, Error, Id, Method, Namespace, Query, Resource,
    RetryPolicy, multipart::Form,
};
use futures_util::{StreamExt, TryStreamExt};
use serde_json::{Value, json};

use crate::compare;

/// What a chain has come to.
#[derive(Clone)]
enum At {
    Client(Client),
    Namespace(Namespace),
    Collection(Collection),
    Resource(Resource),
    Action(Action),
    Set(Box<Set>),
}

#[derive(Clone)]
struct Set {
    query: Query,
    values: Option<Vec<String>>,
    options: Value,
}

/// The outcome of a chain: an object to go on with, or a value.
enum Outcome {
    At(Box<At>),
    Value(Value),
}

fn client(settings: &Value, origin: &str) -> Result<Client, Error> {
    let key = settings["api_key"].as_str().unwrap_or("ApiKey SU-000-000-001:secret");
    let path = settings["endpoint_path"].as_str().unwrap_or("/public/v1");
    let retries = u32::try_from(settings["max_retries"].as_u64().unwrap_or(0)).unwrap();
    let origin = if settings["unreachable"] == true { "http://127.0.0.1:9" } else { origin };
    // A call may wait for as long as Connect asks, else for a moment.
    let retry = RetryPolicy::default().retries(retries).first_wait(Duration::from_millis(10));
    let mut builder = Client::builder(key).endpoint(format!("{origin}{path}")).retry(retry).no_proxy();
    for (name, value) in settings["default_headers"].as_object().into_iter().flatten() {
        builder = builder.default_header(name, value.as_str().unwrap());
    }
    if let Some(limit) = settings["default_limit"].as_u64() {
        builder = builder.page_size(limit);
    }
    if let Some([connect, read]) = settings["timeout"].as_array().map(Vec::as_slice) {
        let seconds = |value: &Value| Duration::from_secs_f64(value.as_f64().unwrap());
        builder = builder.connect_timeout(seconds(connect)).read_timeout(seconds(read));
    }
    if settings["spec"].is_object() && settings["validate"] != false {
        builder = builder.description(ApiDescription::from_json(&settings["spec"])?);
    }
    builder.build()
}

pub(crate) async fn run(case: &Value, better: &Value, origin: &str) -> Result<(), String> {
    let statements = case["program"].as_array().unwrap();
    let expected = |index: usize| {
        let expect = better[index].get("expect").or_else(|| statements[index].get("expect"));
        expect.filter(|expect| !expect.is_null())
    };
    let client = match client(&case["client"], origin) {
        Ok(client) => client,
        // A setting was refused: that is the outcome of the first statement.
        Err(error) => return compare::outcome(&Err(error), expected(0).unwrap()),
    };
    let mut saved: HashMap<String, At> = HashMap::new();
    for (index, statement) in statements.iter().enumerate() {
        let expect = expected(index);
        let fail = |error: String| format!("statement {index}: {error}");
        if let Some(expression) = statement.get("rql") {
            crate::expression::outcome(expression, expect.unwrap()).map_err(fail)?;
            continue;
        }
        let from = match statement["from"].as_str() {
            None => At::Client(client.clone()),
            Some(name) => saved[name].clone(),
        };
        let steps = better[index].get("do").unwrap_or(&statement["do"]).as_array().unwrap();
        let outcome = chain(from, steps, expect.is_some()).await;
        match (outcome, expect) {
            (Ok(Outcome::At(at)), None) => {
                saved.insert(statement["as"].as_str().unwrap().to_owned(), *at);
            }
            (Ok(Outcome::Value(value)), Some(expect)) => {
                compare::outcome(&Ok(value), expect).map_err(fail)?;
            }
            (Err(error), Some(expect)) => compare::outcome(&Err(error), expect).map_err(fail)?,
            (outcome, _) => return Err(fail(format!("has no expectation: {:?}", outcome.err()))),
        }
    }
    Ok(())
}

async fn chain(from: At, steps: &[Value], is_expected: bool) -> Result<Outcome, Error> {
    let mut at = from;
    for step in steps {
        match take(at, step).await? {
            Outcome::At(next) => at = *next,
            value @ Outcome::Value(_) => return Ok(value),
        }
    }
    if !is_expected {
        return Ok(Outcome::At(Box::new(at)));
    }
    // A chain that only builds something brings a deferred error out by a call.
    let value = match at {
        At::Client(_) => Value::Null,
        At::Namespace(namespace) => namespace.collection("x").query().all::<Value>().await?.into(),
        At::Collection(collection) => collection.query().all::<Value>().await?.into(),
        At::Resource(resource) => resource.get().await?,
        At::Action(action) => action.get().await?,
        At::Set(set) => list(*set).await?.into(),
    };
    Ok(Outcome::Value(value))
}

fn text<'a>(step: &'a Value, name: &str) -> &'a str {
    step[name].as_str().unwrap_or_default()
}

fn names(step: &Value) -> Vec<String> {
    step["fields"].as_array().unwrap().iter().map(|field| field.as_str().unwrap().to_owned()).collect()
}

fn id(step: &Value) -> Id {
    match &step["id"] {
        Value::String(id) => id.as_str().into(),
        id => id.as_u64().unwrap().into(),
    }
}

/// The options of a sending step.
fn options(mut call: Call, step: &Value) -> Call {
    for (name, value) in step["params"].as_object().into_iter().flatten() {
        call = match value {
            Value::String(value) => call.param(name, value),
            value => call.param(name, value),
        };
    }
    for (name, value) in step["headers"].as_object().into_iter().flatten() {
        call = call.header(name, value.as_str().unwrap());
    }
    if let Some(payload) = step.get("payload").or(step.get("json")) {
        call = call.payload(payload);
    }
    if let Some(hex) = step["raw_hex"].as_str() {
        let kind = step["headers"]["Content-Type"].as_str().unwrap();
        call = call.body(crate::server::bytes(hex), kind);
    }
    if let Some(form) = step["form"].as_object() {
        call = call.form(form.iter().map(|(name, value)| (name, value.as_str().unwrap())));
    }
    if let Some(parts) = step["multipart"].as_array() {
        let mut form = Form::new();
        for part in parts {
            let content = text(part, "text").to_owned();
            form = match part["filename"].as_str() {
                Some(file_name) => form.bytes(text(part, "name"), file_name, content),
                None => form.text(text(part, "name"), content),
            };
            if let Some(kind) = part["content_type"].as_str() {
                form = form.content_type(kind);
            }
        }
        call = call.multipart(form);
    }
    call
}

fn shown(bytes: &Bytes) -> Value {
    use std::fmt::Write;
    let hex = bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    });
    json!({"bytes_hex": hex})
}

async fn send(call: Call, step: &Value) -> Result<Outcome, Error> {
    let content = options(call, step).content().await?;
    Ok(Outcome::Value(match content {
        Content::Json(value) => value,
        Content::Bytes(bytes) => shown(&bytes),
        _ => Value::Null,
    }))
}

fn ready(set: Set) -> (Query, Option<Vec<String>>) {
    let mut query = set.query;
    for (name, value) in set.options["params"].as_object().into_iter().flatten() {
        query = match value {
            Value::String(value) => query.param(name, value),
            value => query.param(name, value),
        };
    }
    for (name, value) in set.options["headers"].as_object().into_iter().flatten() {
        query = query.header(name, value.as_str().unwrap());
    }
    (query, set.values)
}

async fn list(set: Set) -> Result<Vec<Value>, Error> {
    match ready(set) {
        (query, Some(fields)) => query.values(fields).map_ok(Value::Object).try_collect().await,
        (query, None) => query.all().await,
    }
}

async fn nth(set: Set, position: u64) -> Result<Value, Error> {
    let set = Set { query: set.query.range(position..=position), ..set };
    match set.values {
        Some(_) => Ok(list(Set { query: set.query.page_size(1), ..set }).await?.pop().unwrap_or_default()),
        None => Ok(ready(set).0.first::<Value>().await?.unwrap_or_default()),
    }
}

async fn take(at: At, step: &Value) -> Result<Outcome, Error> {
    let name = || step["name"].as_str().unwrap().to_owned();
    // The original's attributes; names are written with their hyphens here.
    let attribute = || name().replace('_', "-");
    let op = step["op"].as_str().unwrap();
    let next = match (at, op) {
        (At::Client(client), "ns") => At::Namespace(client.ns(name())),
        (At::Client(client), "collection") => At::Collection(client.collection(name())),
        (At::Client(client), "attr") => At::Collection(client.collection(attribute())),
        (At::Namespace(namespace), "ns") => At::Namespace(namespace.ns(name())),
        (At::Namespace(namespace), "collection") => At::Collection(namespace.collection(name())),
        (At::Namespace(namespace), "attr") => At::Collection(namespace.collection(attribute())),
        (At::Collection(collection), "resource") => At::Resource(collection.resource(id(step))),
        (At::Collection(collection), "action") => At::Action(collection.action(name())),
        (At::Resource(resource), "collection") => At::Collection(resource.collection(name())),
        (At::Resource(resource), "attr") => At::Collection(resource.collection(attribute())),
        (At::Resource(resource), "action") => At::Action(resource.action(name())),
        (At::Client(client), "client_get") => return send(client.get(text(step, "path")), step).await,
        (At::Client(client), "client_create") => {
            return send(client.request(Method::POST, text(step, "path")), step).await;
        }
        (At::Client(client), "client_update") => {
            return send(client.request(Method::PUT, text(step, "path")), step).await;
        }
        (At::Client(client), "client_delete") => return send(client.delete(text(step, "path")), step).await,
        (At::Client(client), "execute") => {
            let method = text(step, "method").to_uppercase().parse().unwrap();
            return send(client.request(method, text(step, "path")), step).await;
        }
        (At::Collection(collection), "create") => return send(collection.create_empty(), step).await,
        (At::Collection(collection), "bulk_create") => {
            return send(collection.bulk_create(step["payload"].as_array().unwrap()), &Value::Null).await;
        }
        (At::Collection(collection), "bulk_update") => {
            return send(collection.bulk_update(step["payload"].as_array().unwrap()), &Value::Null).await;
        }
        (At::Collection(collection), "bulk_delete") => {
            return send(collection.bulk_delete(step["payload"].as_array().unwrap()), &Value::Null).await;
        }
        (At::Resource(resource), "get") => return send(resource.get(), step).await,
        (At::Resource(resource), "update") => return send(resource.update(&step["payload"]), step).await,
        (At::Resource(resource), "delete") => return send(resource.delete(), step).await,
        (At::Resource(resource), "exists") => return Ok(Outcome::Value(resource.exists().await?.into())),
        (At::Resource(resource), "values") => {
            return Ok(Outcome::Value(resource.values(names(step)).await?.into()));
        }
        (At::Action(action), "get") => return send(action.get(), step).await,
        (At::Action(action), "post") => return send(action.post_empty(), step).await,
        (At::Action(action), "put") => return send(action.request(Method::PUT), step).await,
        (At::Action(action), "delete") => return send(action.delete(), step).await,
        (At::Namespace(it), "path") => return Ok(Outcome::Value(it.path().into())),
        (At::Collection(it), "path") => return Ok(Outcome::Value(it.path().into())),
        (At::Resource(it), "path") => return Ok(Outcome::Value(it.path().into())),
        (At::Action(it), "path") => return Ok(Outcome::Value(it.path().into())),
        (At::Set(it), "path") => return Ok(Outcome::Value(it.query.path().into())),
        (At::Collection(collection), "all") => {
            At::Set(Box::new(Set { query: collection.query(), values: None, options: Value::Null }))
        }
        (At::Collection(collection), "filter") => {
            let set = Set { query: collection.query(), values: None, options: Value::Null };
            At::Set(Box::new(filtered(set, step)))
        }
        (At::Set(set), _) => return set_step(*set, op, step).await,
        (_, op) => panic!("no such step: {op}"),
    };
    Ok(Outcome::At(Box::new(next)))
}

fn filtered(mut set: Set, step: &Value) -> Set {
    for argument in step["args"].as_array().into_iter().flatten() {
        set.query = match argument {
            Value::String(raw) => set.query.filter(raw.as_str()),
            expression => set.query.filter(crate::expression::build(expression)),
        };
    }
    if step["lookups"].is_array() {
        set.query = set.query.filter(crate::expression::build(&json!({"lookups": step["lookups"]})));
    }
    set
}

async fn set_step(set: Set, op: &str, step: &Value) -> Result<Outcome, Error> {
    let query = set.query.clone();
    let number = |name: &str| step[name].as_u64().unwrap();
    let next = match op {
        "all" => set,
        "filter" => filtered(set, step),
        "search" => Set { query: query.search(text(step, "term")), ..set },
        "select" => Set { query: query.select(names(step)), ..set },
        "order_by" => Set { query: query.order_by(names(step)), ..set },
        // A negative size does not compile; none at all is refused.
        "limit" => Set { query: query.page_size(step["n"].as_u64().unwrap_or(0)), ..set },
        "configure" => Set { options: step.clone(), ..set },
        "values_list" => Set { values: Some(names(step)), ..set },
        "slice" => Set { query: query.range(number("start")..number("stop")), ..set },
        "list" => return Ok(Outcome::Value(list(set).await?.into())),
        "take" => {
            let stream = ready(set).0.stream::<Value>().take(usize::try_from(number("n")).unwrap());
            return Ok(Outcome::Value(stream.try_collect::<Vec<_>>().await?.into()));
        }
        "first" => return Ok(Outcome::Value(nth(set, 0).await?)),
        "index" => return Ok(Outcome::Value(nth(set, number("i")).await?)),
        "count" => return Ok(Outcome::Value(ready(set).0.count().await?.into())),
        "truthy" => return Ok(Outcome::Value((!ready(set).0.is_empty().await?).into())),
        op => panic!("no such step: {op}"),
    };
    Ok(Outcome::At(Box::new(At::Set(Box::new(next)))))
}
