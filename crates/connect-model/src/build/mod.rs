//! Objects that look real, for tests and tools: feature `build`.
//!
//! A [`Generator`] makes objects with companies, people, addresses and ids as Connect has them. The same seed makes the
//! same objects. What matters to a test is set with the objects' own `with_…`:
//!
//! ```
//! use connect_model::{Item, build::Generator};
//!
//! let mut make = Generator::seeded(7);
//! let request = make.purchase().with_param("domain", "example.com").with_item(Item::new("seats", 10));
//!
//! assert!(request.id.starts_with("PR-") && request.status == "pending");
//! assert!(request.customer().is_some_and(|customer| customer.name.is_some()));
//! assert_eq!(request, Generator::seeded(7).purchase().with_param("domain", "example.com").with_item(Item::new("seats", 10)));
//! ```

mod generator;
mod market;
mod names;
mod requests;
mod work;

pub use generator::Generator;
