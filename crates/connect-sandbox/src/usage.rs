//! Usage: files of what was used, their records, and the chunks they are billed by.

mod check;
mod export;
mod sheet;
