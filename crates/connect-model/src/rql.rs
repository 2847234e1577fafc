//! RQL, the query language of Connect's collections: a tree, its printer, its parser and an evaluator.
//!
//! ```
//! use connect_model::rql::{R, Rql};
//!
//! let filter = R::field("id").eq("PR-1") & R::field("status").is_in(["pending", "approved"]);
//! assert_eq!(filter.print()?, "and(eq(id,PR-1),in(status,(pending,approved)))");
//! assert_eq!(Rql::parse("id=PR-1&in(status,(pending,approved))")?, filter);
//! assert!(filter.matches(&serde_json::json!({"id": "PR-1", "status": "pending"})));
//! # Ok::<(), connect_model::rql::RqlError>(())
//! ```
//!
//! A tree is always kept in a form that the published grammar (the open-source parser `lib-rql`, of the same vendor)
//! accepts: groups of one operator are flat and hold no member twice, the empty expression is neutral in them, and a
//! negation is pushed inward until it stands before one comparison. Values are quoted where the grammar needs it, so
//! that no value can change the structure of the query around it.
//!
//! # What the parser takes
//!
//! | form | meaning |
//! | --- | --- |
//! | `eq(a.b,v)`, and `ne lt le gt ge like ilike` likewise | a comparison; fields are dotted or have double underscores |
//! | `a=v`, `a=ge=v` | the same, shorter |
//! | `in(a,(v,w))`, `out(a,(v,w))` | one of, none of |
//! | `range(a,v,w)` | from `v` to `w`, both included; read as `and(ge(a,v),le(a,w))` |
//! | `and(x,y)`, `(x,y)`, `x&y`, `x,y` | all of them |
//! | `or(x,y)`, `x\|y`, `x;y` | any of them; never mixed with the line above without brackets |
//! | `not(x)` | `x` is one comparison |
//! | `null()`, `empty()` | values: nothing at all, an empty text or list |
//! | `"v"`, `'v'` | a value with any characters but that quotation mark |
//! | `t(x,y)` | a value: one element of a list that meets all of the comparisons |
//!
//! A whole query string, with `limit`, `offset`, `search`, `ordering(…)` and `select(…)`, is a [`Query`].

mod error;
mod eval;
mod operand;
mod parse;
mod print;
mod query;
mod scan;
#[cfg(test)]
mod tests;
mod tree;
mod value;

pub use error::RqlError;
pub use operand::{Operand, R};
pub use query::{Query, Sign, SignedField};
pub use tree::{Comparison, Membership, Rql};
pub use value::Value;
