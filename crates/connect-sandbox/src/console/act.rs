//! What can be done with a request, of an asset or of a tier config: its buttons, and the fields they need.

use std::collections::HashMap;

use maud::{Markup, html};
use serde_json::{Value, json};

use super::{
    form::Form,
    params,
    parts::{first, text, title},
};
use crate::transitions;

/// An action that was refused: what was sent comes again, with what was wrong.
#[derive(Default)]
pub(super) struct Refused {
    pub(super) action: String,
    pub(super) sent: Form,
    pub(super) texts: Vec<String>,
    /// By parameter.
    pub(super) fields: HashMap<String, String>,
}

impl Refused {
    pub(super) fn new(action: String, sent: Form) -> Self {
        Self { action, sent, ..Self::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.texts.is_empty() && self.fields.is_empty()
    }

    /// What was typed for the parameters; `None` where it can't be read, which is then noted.
    pub(super) fn changes(&mut self, params: &[Value]) -> Option<Vec<Value>> {
        let mut changes = Vec::new();
        for param in params {
            match params::change(param, &self.sent) {
                Ok(change) => changes.extend(change),
                Err(error) => {
                    self.fields.insert(text(param, "/id").to_owned(), error);
                }
            }
        }
        self.fields.is_empty().then_some(changes)
    }

    /// What is wrong with which parameter, as an inquiry says it.
    pub(super) fn wrong(&self) -> Vec<Value> {
        let told = self.sent.below("e:").filter(|(_, error)| !error.trim().is_empty());
        told.map(|(id, error)| json!({"id": id, "value_error": error.trim()})).collect()
    }
}

/// The panels of a page.
pub(super) struct Panels<'a> {
    /// Where the forms go to, without the action.
    pub(super) path: String,
    pub(super) params: &'a [Value],
    pub(super) templates: &'a [Value],
    /// The scope of the templates that fit.
    pub(super) scope: &'a str,
    pub(super) refused: &'a Refused,
}

impl Panels<'_> {
    fn sent(&self, action: &str) -> Option<&Form> {
        (self.refused.action == action).then_some(&self.refused.sent)
    }

    pub(super) fn typed<'a>(&'a self, action: &str, name: &'a str, otherwise: &'a str) -> &'a str {
        self.sent(action).map_or(otherwise, |sent| sent.get(name))
    }

    /// A button that opens a form.
    pub(super) fn panel(&self, action: &str, name: &str, style: &str, fields: &Markup) -> Markup {
        html! {
            details.action.(style) name="action" data-key={ "action-" (action) } open[self.refused.action == action] {
                summary { (name) }
                form method="post" action={ (self.path) "/" (action) } novalidate { (fields) button.primary { (name) } }
            }
        }
    }

    /// The buttons for what can be done with an object of a collection in a status, with the fields that an action needs.
    pub(super) fn transitions(
        &self,
        collection: &str,
        status: &str,
        fields: impl Fn(&str) -> Markup,
    ) -> Markup {
        html! {
            // A file can't be sent by a button alone.
            @for action in transitions::actions(collection, status).filter(|action| *action != "upload") {
                @let (fields, name) = (fields(action), title(&action.replace('-', " ")));
                @let style = match action {
                    "accept" | "approve-all" | "complete" | "sign" | "resolve" => "good",
                    "reject" | "cancel" | "delete" | "terminate" => "bad",
                    _ => "plain",
                };
                @if fields.0.is_empty() { (self.button(action, &name)) } @else { (self.panel(action, &name, style, &fields)) }
            }
        }
    }

    /// A field for a text.
    pub(super) fn text(&self, action: &str, name: &str, label: &str) -> Markup {
        html! {
            label { span { (label) } input name=(name) value=(self.typed(action, name, "")) autocomplete="off"; }
        }
    }

    /// A button that needs nothing more.
    pub(super) fn button(&self, action: &str, name: &str) -> Markup {
        html! { form.inline method="post" action={ (self.path) "/" (action) } { button { (name) } } }
    }

    pub(super) fn template(&self, action: &str, kind: &str) -> Markup {
        let fits = |own: &&Value| {
            let scope = text(own, "/scope");
            (scope.is_empty() || scope == self.scope)
                && (text(own, "/type").is_empty() || text(own, "/type") == kind)
        };
        let typed = self.typed(action, "template", "");
        html! {
            label {
                span { "Template" }
                @if self.templates.iter().any(|own| fits(&own)) {
                    select name="template" {
                        @for own in self.templates.iter().filter(fits) {
                            option value=(text(own, "/id")) selected[typed == text(own, "/id")] {
                                (first([text(own, "/name"), text(own, "/title"), text(own, "/id")]))
                            }
                        }
                    }
                } @else {
                    input name="template" value=(typed) placeholder="TL-000-000-000" autocomplete="off";
                }
            }
        }
    }

    pub(super) fn reason(&self, action: &str) -> Markup {
        html! {
            label { span { "Reason" } input name="reason" value=(self.typed(action, "reason", "")) autocomplete="off"; }
        }
    }

    /// Fields for the parameters: all, or those that the buyer gives.
    pub(super) fn values(&self, action: &str, buyers_only: bool) -> Markup {
        let shown = |param: &&Value| !buyers_only || matches!(text(param, "/phase"), "" | "ordering");
        let error = |param: &Value| self.refused.fields.get(text(param, "/id")).map_or("", String::as_str);
        html! {
            @for param in self.params.iter().filter(shown) { (params::field(param, action, self.sent(action), error(param))) }
        }
    }

    /// Fields for what is wrong with each parameter.
    pub(super) fn inquiry(&self) -> Markup {
        html! {
            p.hint { "Say what is wrong with each parameter that the customer has to correct." }
            @for param in self.params {
                @let name = format!("e:{}", text(param, "/id"));
                label {
                    span {
                        (first([text(param, "/title"), text(param, "/id")])) " " code.quiet { (params::shown(param)) }
                    }
                    input name=(name) value=(self.typed("inquire", &name, text(param, "/value_error"))) autocomplete="off";
                }
            }
        }
    }
}
