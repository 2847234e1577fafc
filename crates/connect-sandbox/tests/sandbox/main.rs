//! The sandbox from outside: over HTTP, over the WebSocket, and as a program.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test")]

mod actions;
mod by_hand;
mod catalogue;
mod console;
mod console_devops;
mod console_tiers;
mod conversations;
mod devops;
mod drafts;
mod file;
mod helpdesk;
mod listings;
mod offer;
mod program;
mod purchase;
mod rest;
mod runner;
mod support;
mod tiers;
mod usage;
