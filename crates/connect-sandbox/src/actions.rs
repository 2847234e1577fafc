//! Product actions and custom events: calls by HTTP that an extension answers by an interactive task.

mod answer;
mod call;
mod token;
