//! Usage: files of what was used, their records, and the chunks they are billed by.

mod check;
pub(crate) mod chunks;
pub(crate) mod export;
pub(crate) mod files;
pub(crate) mod records;
pub(crate) mod sheet;

pub(crate) use files::{Part, Upload};
