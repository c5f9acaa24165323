//! Exports and imports: tables as files in folders that stand for buckets.
//!
//! # How it works
//! An export reads one state of the table, file after file, and is known once all files are on the disk. An import fills
//! a table that has no name yet, and gives it the name with the last commit (`new_table.rs`). Both are done when the call
//! returns.
//!
//! # Source
//! `DynamoDB` Developer Guide, *DynamoDB data export to Amazon S3*, *DynamoDB data import from Amazon S3*.

mod bucket;
mod csv;
mod export;
mod import;
mod json;
mod lines;
mod new_table;
mod operations;
mod records;
#[cfg(test)]
mod tests;
