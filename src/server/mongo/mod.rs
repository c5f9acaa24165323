//! The door for MongoDB clients: `OP_MSG` on a local socket.

mod client;
mod command;
mod commands;
mod cursors;
mod door;
mod fail_points;
mod failure;
mod fields;
mod run;
mod sessions;
mod topology;
mod wire;
