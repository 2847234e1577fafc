#![doc = include_str!("../README.md")]

mod activity;
mod api_error;
mod assertions;
mod builder;
mod catalogue;
mod chaos;
mod console;
mod core;
mod dispatch;
mod error;
mod events;
mod fulfillment;
mod order;
mod parameters;
mod recorder;
mod rendering;
mod rest;
mod role;
mod sandbox;
mod schedule;
mod server;
mod setup;
mod socket;
mod store;
mod tls;
mod usage;
