//! The products of the catalogue.

use axum::{
    extract::{Path, State},
    response::Html,
};
use connect_model::rql::Rql;
use maud::{Markup, html};
use serde_json::Value;

use super::{
    Console, Problem, api,
    layout::{self, Here},
    offer,
    parts::{chip, first, json as shown, link, list, named, nothing, row, text, time_of, title},
};

pub(super) async fn all(State(console): State<Console>) -> Result<Html<String>, Problem> {
    let found = api::list(&console.core, "products", &Rql::Empty, "limit=1000").await?;
    let content = html! {
        div.head { h1 { "Products" } p.count #count data-live { (found.total) } }
        div #list data-live { (table(&found.items)) }
    };
    Ok(layout::page("Products", Here::Products, &content))
}

fn table(products: &[Value]) -> Markup {
    html! {
        @if products.is_empty() {
            div.empty {
                p { "The catalogue has no product." }
                p.quiet { "Start the sandbox with a catalogue. What it does not have can be ordered all the same, by REST or by tests." }
            }
        } @else {
            div.scroll {
                table {
                    thead { tr { th scope="col" { "Product" } th scope="col" { "Name" } th scope="col" { "Status" }
                        th scope="col" { "Category" } th scope="col" { "What it is" } } }
                    tbody {
                        @for product in products {
                            tr data-row {
                                td { (link("/products/", text(product, "/id"))) }
                                td { (text(product, "/name")) }
                                td { (chip(text(product, "/status"))) }
                                td { (text(product, "/category/name")) }
                                td.quiet { (text(product, "/short_description")) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A product with what is below it.
#[derive(Debug, Default)]
struct Whole {
    product: Value,
    parameters: Vec<Value>,
    items: Vec<Value>,
    templates: Vec<Value>,
    actions: Vec<Value>,
    configurations: Vec<Value>,
    connections: Vec<Value>,
    listings: Vec<Value>,
}

pub(super) async fn show(
    State(console): State<Console>,
    Path(id): Path<String>,
) -> Result<Html<String>, Problem> {
    let core = &console.core;
    let path = format!("products/{}", api::segment(&id));
    let below = async |name: &str, order: &str| {
        let path = format!("{path}/{name}");
        Ok::<_, Problem>(api::list(core, &path, &Rql::Empty, &format!("{order}limit=1000")).await?.items)
    };
    let whole = Whole {
        product: api::get(core, &path).await?,
        parameters: below("parameters", "ordering(position)&").await?,
        items: below("items", "ordering(position)&").await?,
        templates: below("templates", "ordering(position)&").await?,
        actions: below("actions", "").await?,
        configurations: below("configurations", "").await?,
        connections: below("connections", "").await?,
        listings: offer::listings(core, &id)?,
    };
    let name = first([text(&whole.product, "/name"), &id]);
    Ok(layout::page(&format!("Product {name}"), Here::Products, &content(&whole)))
}

fn content(whole: &Whole) -> Markup {
    let product = &whole.product;
    let id = text(product, "/id");
    html! {
        p.crumbs { a href="/products" { "Products" } }
        div.head #head data-live {
            h1 { (first([text(product, "/name"), id])) " " code { (id) } }
            (chip(text(product, "/status")))
            p.sub { (text(product, "/short_description")) }
        }
        @if text(product, "/status") == "published" {
            div.actions { a.button.primary href={ "/purchase?product=" (api::segment(id)) } { "Purchase" } }
        }
        div.columns {
            div.stack #lists data-live {
                section { h2 { "Parameters" } (parameters(&whole.parameters)) }
                section { h2 { "Items" } (items(&whole.items)) }
                section { h2 { "Templates" } (templates(&whole.templates)) }
                section { h2 { "Configuration" } (configurations(&whole.configurations)) }
            }
            div.facts-column #facts data-live {
                section { h2 { "Capabilities" } (capabilities(&product["capabilities"])) }
                section { h2 { "Sold by" } (listings(&whole.listings)) }
                section { h2 { "Connections" } (connections(&whole.connections)) }
                section { h2 { "Actions" } (actions(&whole.actions)) }
                section {
                    h2 { "Details" }
                    dl.facts {
                        (row("Vendor", &reference(&product["owner"])))
                        (row("Category", &reference(&product["category"])))
                        (row("Version", &html! { @if let Some(version) = product["version"].as_u64() { (version) } }))
                        (row("Published", &time_of(text(product, "/published_at"))))
                        (row("Actions go to", &html! { (text(product, "/customer_ui_settings/action/url")) }))
                        (row("End of sale", &html! { (text(product, "/end_of_sale_notes")) }))
                    }
                    details data-key="json" { summary { "JSON" } (shown(product.clone())) }
                }
            }
        }
    }
}

fn reference(object: &Value) -> Markup {
    let (name, id) = (text(object, "/name"), text(object, "/id"));
    if name.is_empty() && id.is_empty() { nothing() } else { named(name, id) }
}

fn none() -> Markup {
    html! { p.quiet { "None." } }
}

fn parameters(parameters: &[Value]) -> Markup {
    if parameters.is_empty() {
        return none();
    }
    html! {
        div.scroll {
            table.facts {
                thead { tr { th scope="col" { "Parameter" } th scope="col" { "Type" } th scope="col" { "Constraints" } } }
                tbody {
                    @for own in parameters {
                        tr {
                            th scope="row" { (first([text(own, "/title"), text(own, "/name")])) " " code.quiet { (text(own, "/name")) } }
                            td {
                                (text(own, "/type"))
                                p.quiet.small { (text(own, "/phase")) " · " (text(own, "/scope").replace('_', " ")) }
                            }
                            td.quiet { (constraints(&own["constraints"])) }
                        }
                    }
                }
            }
        }
    }
}

/// What a value has to be, in words.
fn constraints(constraints: &Value) -> String {
    let mut words: Vec<String> = ["required", "hidden", "readonly", "unique", "reconciliation"]
        .into_iter()
        .filter(|name| constraints[*name] == true)
        .map(|name| name.replace("readonly", "read-only"))
        .collect();
    for (name, word) in [("min_length", "at least"), ("max_length", "at most")] {
        if let Some(limit) = constraints[name].as_u64() {
            words.push(format!("{word} {limit} characters"));
        }
    }
    let choices: Vec<&str> =
        list(constraints, "/choices").iter().map(|choice| text(choice, "/value")).collect();
    if !choices.is_empty() {
        words.push(format!("one of {}", choices.join(", ")));
    }
    let dependency = &constraints["dependency"];
    let parent = first([text(dependency, "/parameter/name"), text(dependency, "/parameter/id")]);
    if !parent.is_empty() {
        let values: Vec<&str> = list(dependency, "/values").iter().filter_map(Value::as_str).collect();
        let effects = ["required", "hidden", "readonly"].into_iter().filter_map(|name| {
            let is_so = dependency[name].as_bool()?;
            Some(if is_so { name.to_owned() } else { format!("not {name}") })
        });
        let effects: Vec<String> = effects.collect();
        words.push(format!("{} where {parent} is {}", effects.join(" and "), values.join(" or ")));
    }
    words.join("; ")
}

fn items(items: &[Value]) -> Markup {
    if items.is_empty() {
        return none();
    }
    html! {
        div.scroll {
            table.facts {
                thead { tr { th scope="col" { "Item" } th scope="col" { "MPN" } th scope="col" { "Type" } th scope="col" { "Status" } } }
                tbody {
                    @for item in items {
                        tr {
                            th scope="row" { (first([text(item, "/display_name"), text(item, "/name")])) " " code.quiet { (text(item, "/local_id")) } }
                            td { code { (text(item, "/mpn")) } }
                            td {
                                (text(item, "/type"))
                                p.quiet.small {
                                    (first([text(item, "/unit/title"), text(item, "/unit/id")])) " · " (text(item, "/period"))
                                    " · " (text(item, "/precision"))
                                }
                            }
                            td { (chip(text(item, "/status"))) }
                        }
                    }
                }
            }
        }
    }
}

fn templates(templates: &[Value]) -> Markup {
    if templates.is_empty() {
        return none();
    }
    html! {
        dl.facts {
            @for template in templates {
                div {
                    dt { (first([text(template, "/type"), "fulfillment"])) " " code { (text(template, "/scope")) } }
                    dd {
                        (named(first([text(template, "/name"), text(template, "/title")]), text(template, "/id")))
                        details data-key={ "template-" (text(template, "/id")) } {
                            summary { "Text" }
                            pre tabindex="0" { (text(template, "/body")) }
                        }
                    }
                }
            }
        }
    }
}

fn configurations(configurations: &[Value]) -> Markup {
    if configurations.is_empty() {
        return none();
    }
    html! {
        div.scroll {
            table.facts {
                thead { tr { th scope="col" { "Parameter" } th scope="col" { "Item" } th scope="col" { "Marketplace" } th scope="col" { "Value" } } }
                tbody {
                    @for own in configurations {
                        tr {
                            th scope="row" { (first([text(own, "/parameter/title"), text(own, "/parameter/id")])) }
                            td.quiet { (first([text(own, "/item/name"), text(own, "/item/id")])) }
                            td.quiet { (first([text(own, "/marketplace/name"), text(own, "/marketplace/id")])) }
                            td.value { (configured(own)) }
                        }
                    }
                }
            }
        }
    }
}

fn configured(configuration: &Value) -> String {
    let value = text(configuration, "/value");
    match &configuration["structured_value"] {
        _ if text(configuration, "/parameter/type") == "password" && !value.is_empty() => {
            super::parts::COVERED.to_owned()
        }
        Value::Null => value.to_owned(),
        structured if value.is_empty() => structured.to_string(),
        _ => value.to_owned(),
    }
}

/// What a product can do, by group; what is off is not named.
fn capabilities(capabilities: &Value) -> Markup {
    let groups = capabilities.as_object().into_iter().flatten();
    let groups: Vec<(String, Vec<String>)> = groups
        .map(|(name, member)| {
            let mut able = Vec::new();
            flatten(member, "", &mut able);
            (title(name), able)
        })
        .collect();
    html! {
        @if groups.is_empty() { (none()) } @else {
            dl.facts {
                @for (name, able) in &groups {
                    div {
                        dt { (name) }
                        dd { @if able.is_empty() { span.quiet { "–" } } @else { @for one in able { p { (one) } } } }
                    }
                }
            }
        }
    }
}

fn flatten(value: &Value, path: &str, able: &mut Vec<String>) {
    let named = |value: &str| if path.is_empty() { value.to_owned() } else { format!("{path}: {value}") };
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let name = name.replace('_', " ");
                let path = if path.is_empty() { name } else { format!("{path}, {name}") };
                flatten(member, &path, able);
            }
        }
        Value::Bool(true) => able.push(if path.is_empty() { "yes".to_owned() } else { path.to_owned() }),
        Value::Bool(false) | Value::Null => {}
        Value::String(text) => able.push(named(text)),
        other => able.push(named(&other.to_string())),
    }
}

fn listings(listings: &[Value]) -> Markup {
    html! {
        @if listings.is_empty() { (none()) } @else {
            dl.facts {
                @for listing in listings {
                    div {
                        dt { (chip(text(listing, "/status"))) }
                        dd { (reference(&listing["contract"]["marketplace"])) }
                    }
                }
            }
        }
    }
}

fn connections(connections: &[Value]) -> Markup {
    html! {
        @if connections.is_empty() { (none()) } @else {
            dl.facts {
                @for connection in connections {
                    div {
                        dt { code { (text(connection, "/id")) } }
                        dd { (text(connection, "/type")) " " (reference(&connection["hub"])) }
                    }
                }
            }
        }
    }
}

fn actions(actions: &[Value]) -> Markup {
    html! {
        @if actions.is_empty() { (none()) } @else {
            dl.facts {
                @for action in actions {
                    div {
                        dt { code { (text(action, "/action")) } }
                        dd {
                            (first([text(action, "/title"), text(action, "/name")])) " " span.quiet { (text(action, "/scope")) }
                            p.quiet { (text(action, "/description")) }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn constraints_are_told_in_words() {
        let all = json!({"required": true, "readonly": true, "min_length": 2, "max_length": 5,
            "choices": [{"value": "a"}, {"value": "b"}],
            "dependency": {"parameter": {"name": "kind"}, "values": ["new", "old"], "required": true, "hidden": false}});
        assert_eq!(
            constraints(&all),
            "required; read-only; at least 2 characters; at most 5 characters; one of a, b; \
             required and not hidden where kind is new or old"
        );
        assert_eq!(constraints(&json!(null)), "");
    }

    #[test]
    fn what_a_product_can_do_is_told_by_group() {
        let page = capabilities(&json!({"ppu": null, "tiers": {"configs": {"level": 2}, "updates": false},
            "subscription": {"hold": true, "change": {"editable_ordering_parameters": true}}, "cart": {"validation": false}}));
        for told in [
            "<dt>Ppu</dt><dd><span class=\"quiet\">–</span></dd>",
            "<dt>Tiers</dt><dd><p>configs, level: 2</p></dd>",
            "<p>hold</p>",
            "<p>change, editable ordering parameters</p>",
        ] {
            assert!(page.0.contains(told), "{told} in {}", page.0);
        }
        assert!(!page.0.contains("validation") && capabilities(&json!(null)).0.contains("None."));
    }

    #[test]
    fn a_hostile_product_is_escaped() {
        let hostile = "\"><script>alert(1)</script>";
        let object = json!({"id": hostile, "name": hostile, "title": hostile, "type": hostile, "status": hostile, "phase": hostile,
            "scope": hostile, "mpn": hostile, "local_id": hostile, "period": hostile, "precision": hostile, "body": hostile,
            "action": hostile, "description": hostile, "value": hostile, "short_description": hostile,
            "parameter": {"id": hostile}, "item": {"id": hostile}, "marketplace": {"name": hostile}, "hub": {"id": hostile},
            "contract": {"marketplace": {"id": hostile, "name": hostile}}, "unit": {"title": hostile}, "owner": {"name": hostile},
            "category": {"id": hostile, "name": hostile}, "end_of_sale_notes": hostile, "published_at": hostile,
            "customer_ui_settings": {"action": {"url": hostile, "jwt_secret": "canary"}},
            "constraints": {"choices": [{"value": hostile}], "dependency": {"parameter": {"name": hostile}, "values": [hostile]}},
            "capabilities": {hostile: hostile}});
        let all = || vec![object.clone()];
        let whole = Whole {
            product: object.clone(),
            parameters: all(),
            items: all(),
            templates: all(),
            actions: all(),
            configurations: all(),
            connections: all(),
            listings: all(),
        };
        for page in [content(&whole), table(&all())] {
            assert!(!page.0.contains("<script") && !page.0.contains("canary"), "{}", page.0);
        }
    }
}
