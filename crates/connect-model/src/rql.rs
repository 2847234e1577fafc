//! RQL, the query language of Connect's collections: a tree, its text, its parser, and its meaning over JSON.
//!
//! One grammar for those who ask (the client) and those who answer (the sandbox). Source: the published grammar of
//! Connect's vendor (`lib-rql` 2.0.2), and for the meaning its server side (`django-rql` 4.5.0). Values are quoted where
//! they have to be, so none can change the structure:
//!
//! ```
//! use connect_model::rql::{R, Rql};
//!
//! let filter = R::field("status").is_in(["pending", "approved"]) & !R::field("asset.product.id").like("PRD*");
//! assert_eq!(filter.to_string(), "and(in(status,(pending,approved)),not(like(asset.product.id,PRD*)))");
//! assert_eq!(Rql::parse(&filter.to_string())?, filter);
//! assert_eq!(R::field("name").eq("a,b) or").to_string(), r#"eq(name,"a,b) or")"#);
//! # Ok::<(), connect_model::rql::RqlError>(())
//! ```

mod error;
mod eval;
mod field;
mod operand;
mod parse;
mod print;
mod query;
#[cfg(test)]
mod tests;
mod tree;

pub use error::RqlError;
pub use field::{LookupValue, R};
pub use operand::Operand;
pub use query::Query;
pub use tree::{Comparison, Rql, check_field};
