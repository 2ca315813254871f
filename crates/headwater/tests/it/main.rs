//! End-to-end tests of the real binary over loopback, each with a server and data of its own.

mod backup;
mod check;
mod cli;
mod config;
mod connections;
mod fuzz;
mod golden;
mod kill;
mod parquet;
mod python;
mod seeds;
mod serve;
mod server;
mod v1;
