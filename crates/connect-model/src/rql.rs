//! RQL.
